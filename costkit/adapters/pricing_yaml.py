"""Price book files: the built-in `pricing.yaml`, and a user's own, complete or laid over the built-in one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import cache
from pathlib import Path

from costkit.adapters.compiled import compiled_copy
from costkit.adapters.pricing_fields import (
    as_choice,
    as_day,
    as_items,
    as_month_or_day,
    as_multiplier,
    as_rate,
    as_text,
    fields,
    named,
    shown,
)
from costkit.adapters.pricing_models import Provenance, read_model
from costkit.adapters.yaml_tree import MOST_BYTES, Mapping, Node, from_plain, parse_tree
from costkit.core.modelname import spellings
from costkit.core.pricebook import ModelPrice, PriceBook, Source
from costkit.errors import InvalidInput, InvalidPricing

SCHEMA = "costkit/pricing@1"
BUILT_IN = "built-in"
_PACKAGED = Path(__file__).parent.parent / "pricing.yaml"
_COMPLETE = ("schema", "checked", "currency", "modifiers", "sources", "models")
_MODIFIERS = ("batch_multiplier", "web_search_usd", "source", "checked")


@cache
def built_in_book() -> PriceBook:
    """The price book that comes with costkit; read once per process."""
    return parse_book(_packaged_bytes(), BUILT_IN, None)


def load_book(path: Path) -> PriceBook:
    """Read a user's price book; one that says `extends: built-in` is laid over the built-in book.

    Raises `InvalidInput` when the file can't be read and `InvalidPricing`, with file and line, when it breaks a rule.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "not a usable path"
        raise InvalidInput(f"can't read the price book: {reason}", where=str(path)) from None
    return _parse(data, str(path), built_in_book)


def parse_book(data: bytes, name: str, base: PriceBook | None) -> PriceBook:
    """Read a price book from bytes; `name` becomes its source and is the file in messages.

    `base` is the book that `extends: built-in` means; without one, every book must be complete.
    """
    return _parse(data, name, (lambda: base) if base is not None else None)


def _packaged_bytes() -> bytes:
    # In the repository the packaged file is a link, which a checkout without links turns into a file with its target.
    for path in (_PACKAGED, _PACKAGED.parent.parent / _PACKAGED.name):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if data.strip() != b"../pricing.yaml":
            return data
    raise InvalidPricing("the built-in price book is missing", hint="install costkit again", where=str(_PACKAGED))


def _tree(data: bytes, name: str, digest: str) -> Mapping:
    if name == BUILT_IN:
        copy = compiled_copy(_PACKAGED.stem, digest)
        tree = None if copy is None else from_plain(copy, name)
        if isinstance(tree, Mapping):
            return tree
    return parse_tree(data, name)


def _parse(data: bytes, name: str, find_base: Callable[[], PriceBook | None] | None) -> PriceBook:
    digest = hashlib.sha256(data).hexdigest()
    root = _tree(data, name, digest)
    base = None
    if "extends" in root.entries:
        as_choice(root.entries["extends"], "extends", (BUILT_IN,))
        base = find_base() if find_base else None
        if base is None:
            raise InvalidPricing("there is no book that it could extend", where=root.places["extends"])
    required, optional = (("schema",), ("extends", *_COMPLETE)) if base else (_COMPLETE, ())
    given = fields(root, "the price book", required, optional)
    as_choice(given["schema"], "schema", (SCHEMA,))
    if "currency" in given:
        as_choice(given["currency"], "currency", ("USD",))
    checked = base.checked if base and "checked" not in given else as_day(given["checked"], "checked")
    sources = {**(base.sources if base else {}), **(_sources(given["sources"]) if "sources" in given else {})}
    provenance = Provenance(sources, (), name, checked) if base else Provenance(sources)
    batch, search = _modifiers(given.get("modifiers"), base, sources)
    models = _models(given["models"], base, provenance) if "models" in given else ()
    return PriceBook(
        _overlaid(base.models if base else (), models),
        checked,
        batch,
        search,
        source=name,
        sha256=digest,
        sources=sources,
    )


def _sources(node: Node) -> dict[str, Source]:
    sources = {}
    for key, (_, value) in named(node, "sources").items():
        what = f"sources: {key}"
        given = fields(value, what, ("what", "seen"), ("url",))
        url = as_text(given["url"], f"{what}: url") if "url" in given else None
        sources[key] = Source(as_text(given["what"], what), as_month_or_day(given["seen"], f"{what}: seen"), url)
    return sources


def _modifiers(node: Node | None, base: PriceBook | None, sources: Collection[str]) -> tuple[Decimal, Decimal]:
    required, optional = ((), _MODIFIERS) if base else (_MODIFIERS, ())
    given = fields(node, "modifiers", required, optional) if node is not None else {}
    if "source" in given:
        as_choice(given["source"], "modifiers: source", sources)
    if "checked" in given:
        as_day(given["checked"], "modifiers: checked")
    if base and "batch_multiplier" not in given:
        batch = base.batch_multiplier
    else:
        batch = as_multiplier(given["batch_multiplier"], "modifiers: batch_multiplier")
    if base and "web_search_usd" not in given:
        search = base.web_search_usd
    else:
        search = as_rate(given["web_search_usd"], "modifiers: web_search_usd")
    return batch, search


def _models(node: Node, base: PriceBook | None, provenance: Provenance) -> tuple[ModelPrice, ...]:
    listed = {model.id: model for model in base.models} if base else {}
    owners = {spelled: model.id for model in listed.values() for spelled in _spelled(model.id, *model.aliases)}
    models = []
    for name, (where, value) in named(node, "models").items():
        model = read_model(name, value, listed.get(name), provenance)
        _claim(owners, name, name, where)
        for alias, place in _alias_places(value):
            _claim(owners, name, alias, place)
        models.append(model)
    if not models and base is None:
        raise InvalidPricing("models is empty", where=node.where)
    return tuple(models)


def _alias_places(node: Node) -> list[tuple[str, str]]:
    aliases = node.entries.get("aliases") if isinstance(node, Mapping) else None
    return [(as_text(item, "aliases"), item.where) for item in as_items(aliases, "aliases")] if aliases else []


def _spelled(*names: str) -> tuple[str, ...]:
    """The names themselves and what other spellings of them are brought to."""
    return tuple(dict.fromkeys((*names, *(spellings(name)[0] for name in names))))


def _claim(owners: dict[str, str], model: str, name: str, where: str) -> None:
    for spelled in _spelled(name):
        owner = owners.setdefault(spelled, model)
        if owner != model:
            message = f"{model}: the name {shown(name)} already belongs to {owner}"
            raise InvalidPricing(message, hint=f"change {owner} itself, or choose another name", where=where)


def _overlaid(base: tuple[ModelPrice, ...], models: tuple[ModelPrice, ...]) -> tuple[ModelPrice, ...]:
    merged = {model.id: model for model in base}
    merged.update({model.id: model for model in models})
    return tuple(merged.values())
