"""Files of routes: strictly read, every error with its line, no gap and no route that can't be taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from costkit.adapters.pricing_fields import as_choice, as_items, as_name, as_text, as_whole_number, fields, shown
from costkit.adapters.strict_yaml import read_tree, refusals_as
from costkit.adapters.yaml_tree import Mapping as MappingNode
from costkit.adapters.yaml_tree import Node, Sequence
from costkit.core.pricebook import PriceBook
from costkit.errors import InvalidPricing, UnknownModel
from costkit.route.kinds import COMPLEXITIES
from costkit.route.routes import CLASSIFIERS, SAFE, Route, Routes, gaps, never_taken
from costkit.route.rules import OwnRule, Sizes

SCHEMA = "costkit/routes@1"
_YES_NO = ("true", "false")
_NEEDS = ("complexity", "code", "reasoning")
_SIZES = ("short_task", "plain_prompt", "long_prompt")


def load_routes(path: str, book: PriceBook) -> Routes:
    """Read a file of routes.

    Raises `InvalidInput` with file and line for anything that breaks a rule of the format, for a model that the price
    book doesn't know, for kinds of requests without a route and for routes that can never be taken.
    """
    with refusals_as("invalid-routes"):
        return _routes(read_tree(path, "a file of routes"), book)


def _routes(root: MappingNode, book: PriceBook) -> Routes:
    optional = ("classifier", "classifier_model", "sizes", "rules")
    given = fields(root, "the file of routes", ("schema", "safe", "routes"), optional)
    as_choice(given["schema"], "schema", (SCHEMA,))
    nodes = as_items(given["routes"], "routes")
    routes = tuple(_route(node, f"routes[{at}]", book) for at, node in enumerate(nodes))
    _check_names([(route.name, node) for route, node in zip(routes, nodes, strict=True)], reserved=(SAFE,))
    _check_cover(routes, nodes, given["routes"])
    model = given.get("classifier_model")
    return Routes(
        routes,
        _model(given["safe"], "safe", book),
        as_choice(given["classifier"], "classifier", CLASSIFIERS) if "classifier" in given else CLASSIFIERS[0],
        None if model is None else _model(model, "classifier_model", book),
        _sizes(given["sizes"]) if "sizes" in given else Sizes(),
        tuple(_rules(given["rules"])) if "rules" in given else (),
    )


def _route(node: Node, what: str, book: PriceBook) -> Route:
    given = fields(node, what, ("name", "model"), ("when",))
    when = fields(given["when"], f"{what}: when", (), _NEEDS) if "when" in given else {}
    complexities = None
    if "complexity" in when:
        complexity = when["complexity"]
        items = complexity.items if isinstance(complexity, Sequence) else (complexity,)
        complexities = tuple(dict.fromkeys(as_choice(item, f"{what}: complexity", COMPLEXITIES) for item in items))
        if not complexities:
            raise InvalidPricing(f"{what}: complexity is empty", where=complexity.where)
    return Route(
        as_name(given["name"], f"{what}: name"),
        _model(given["model"], f"{what}: model", book),
        complexities,
        _yes_no(when, "code", what),
        _yes_no(when, "reasoning", what),
    )


def _yes_no(given: Mapping[str, Node], name: str, what: str) -> bool | None:
    return as_choice(given[name], f"{what}: {name}", _YES_NO) == "true" if name in given else None


def _model(node: Node, what: str, book: PriceBook) -> str:
    try:
        return book.resolve(as_name(node, what)).id
    except UnknownModel as unknown:
        raise InvalidPricing(f"{what}: {unknown}", hint=unknown.hint, where=node.where) from None


def _check_names(named: list[tuple[str, Node]], reserved: tuple[str, ...] = ()) -> None:
    seen: set[str] = set(reserved)
    for name, node in named:
        if name in seen:
            what = "is reserved" if name in reserved else "is used twice"
            raise InvalidPricing(f"the name {shown(name)} {what}", where=node.where)
        seen.add(name)


def _check_cover(routes: tuple[Route, ...], nodes: tuple[Node, ...], whole: Node) -> None:
    missing = gaps(routes)
    if missing:
        more = f" (and {len(missing) - 1} more kinds)" if len(missing) > 1 else ""
        hint = "add a last route without `when` for everything else"
        raise InvalidPricing(f"no route for a request that is {missing[0]}{more}", hint=hint, where=whole.where)
    for position in never_taken(routes):
        message = f"the route {shown(routes[position].name)} is never taken: the routes above leave nothing for it"
        raise InvalidPricing(message, where=nodes[position].where)


def _sizes(node: Node) -> Sizes:
    given = fields(node, "sizes", (), _SIZES)
    return Sizes(**{name: as_whole_number(value, f"sizes: {name}") for name, value in given.items()})


def _rules(node: Node) -> Iterator[OwnRule]:
    items = as_items(node, "rules")
    rules = [_rule(item, f"rules[{at}]") for at, item in enumerate(items)]
    _check_names([(rule.name, item) for rule, item in zip(rules, items, strict=True)])
    yield from rules


def _rule(node: Node, what: str) -> OwnRule:
    given = fields(node, what, ("name", "contains", "then"))
    phrases = tuple(as_text(item, f"{what}: contains") for item in as_items(given["contains"], f"{what}: contains"))
    then = fields(given["then"], f"{what}: then", (), _NEEDS)
    if not phrases or not then:
        missing = given["contains"] if not phrases else given["then"]
        raise InvalidPricing(f"{what}: {'contains' if not phrases else 'then'} is empty", where=missing.where)
    complexity = as_choice(then["complexity"], what, COMPLEXITIES) if "complexity" in then else None
    return OwnRule(
        as_name(given["name"], f"{what}: name"),
        phrases,
        complexity,
        _yes_no(then, "code", what),
        _yes_no(then, "reasoning", what),
    )
