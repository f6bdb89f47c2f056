"""The page of `costkit route evaluate`: the recommendation, the evidence for each model, a rule and its controls."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costkit.core.money import display
from costkit.render.text import percent, plural
from costkit.render.view import Cell, Column, Kind, Labelled, Table, View
from costkit.route.evaluation import ADVANTAGE, DISADVANTAGE, Evaluation, RuleStanding, Standing

_VERDICTS = {
    "reference": "reference",
    "non-inferior": "not worse",
    "inferior": "worse",
    "insufficient": "insufficient evidence",
    "dearer": "costs more",
}
_RULE = {
    ADVANTAGE: "beats its controls",
    DISADVANTAGE: "is worse than a fixed split of the same cost",
    "none-resolved": "shows no resolved advantage over its controls",
}
_TENTHS = Decimal("0.001")


def evaluation_view(result: Evaluation, footer: str) -> View:
    """Lay out an evaluation: one row per candidate, then the rule beside what it must beat."""
    tables = [_candidates(result)]
    if result.rule is not None:
        tables.append(_controls(result, result.rule))
    return View(_headline(result), tuple(tables), (*_facts(result), footer))


def _headline(result: Evaluation) -> str:
    if result.recommended is None:
        items = plural(result.common_items, "common item")
        return f"insufficient evidence, nothing recommended · {items} · reference {result.reference}"
    best, reference = result.standing(result.recommended), result.standing(result.reference)
    parts = [f"{best.name} · {_usd(best.cost_per_completed_usd)} per completed task"]
    if best.name == reference.name:
        parts.append("no cheaper candidate is as good")
    elif best.cost_per_completed_usd is not None and reference.cost_per_completed_usd:
        saved = 1 - best.cost_per_completed_usd / reference.cost_per_completed_usd
        parts.append(f"{percent(saved)} less than {reference.name}")
        parts.append(f"not worse by {_points(result.options.margin)} or more")
    return " · ".join(parts)


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else display(amount)


def _candidates(result: Evaluation) -> Table:
    columns = (
        Column("model", "name"),
        Column("items", "items", Kind.COUNT, rank=2),
        Column("score", "score", Kind.SHARE),
        Column("per item", "cost_usd", Kind.USD, rank=1),
        Column("per completed", "cost_per_completed_usd", Kind.USD),
        Column("frontier", "is_on_frontier", rank=3),
        Column("difference", "difference", Kind.TEXT),
        Column("at least", "difference_low", Kind.TEXT),
        Column("at most", "difference_high", Kind.TEXT, rank=2),
        Column("pairs", "paired_items", Kind.COUNT, rank=3),
        Column("evidence", "verdict"),
        Column("items needed", "items_needed", Kind.COUNT, rank=1),
    )
    return Table(columns, tuple(_candidate(one) for one in result.standings))


def _candidate(one: Standing) -> tuple[Cell, ...]:
    found = one.difference
    return (
        one.name,
        one.items,
        _share(one.score),
        one.cost_usd,
        one.cost_per_completed_usd,
        Labelled(str(one.is_on_frontier).lower(), "yes" if one.is_on_frontier else "no"),
        _signed(found.difference) if found else None,
        _signed(found.low) if found else None,
        _signed(found.high) if found else None,
        one.paired_items,
        Labelled(one.verdict, _VERDICTS[one.verdict]),
        one.items_needed,
    )


def _share(score: float) -> Decimal:
    return Decimal(repr(score)).quantize(Decimal("0.000001"))


def _signed(difference: float) -> Cell:
    return Labelled(repr(difference), _points(difference, signed=True))


def _points(share: float, *, signed: bool = False) -> str:
    value = (Decimal(repr(share)) * 100).quantize(Decimal("0.1"))
    return f"{value:+} pp" if signed else f"{value.normalize():f} pp"


def _controls(result: Evaluation, rule: RuleStanding) -> Table:
    columns = (
        Column("way of choosing", "name"),
        Column("score", "score", Kind.SHARE),
        Column("per item", "cost_usd", Kind.USD),
        Column("models", "models"),
    )
    priced = [one for one in result.standings if one.cost_usd is not None]
    cheap, strong = (choose(priced, key=lambda one: one.cost_usd or Decimal(0)) for choose in (min, max))
    split = ", ".join(f"{percent(part.share)} {part.name}" for part in rule.best_split.parts)
    rows: tuple[tuple[Cell, ...], ...] = (
        (rule.source, _share(rule.score), rule.cost_usd, _counts(rule)),
        ("best fixed split", _share(rule.best_split.score), rule.best_split.cost_usd, split),
        ("its choices, shuffled", _share(rule.shuffle.score), rule.shuffle.cost_usd, _counts(rule)),
        ("always-cheap", _share(cheap.score), cheap.cost_usd, cheap.name),
        ("always-strong", _share(strong.score), strong.cost_usd, strong.name),
    )
    return Table(columns, rows, title="the rule and what it must beat")


def _counts(rule: RuleStanding) -> str:
    return ", ".join(f"{share.items:,} {share.name}" for share in rule.models)


def _facts(result: Evaluation) -> Iterator[str]:
    sure = percent(Decimal(repr(1 - result.options.alpha)).quantize(_TENTHS))
    margin = _points(result.options.margin)
    yield f"not worse: the difference to {result.reference}, item by item, is at least -{margin} ({sure} sure)"
    for one in result.standings:
        if one.verdict == "insufficient":
            yield spoken_need(one, result.options.margin)
    if result.rule is not None:
        yield _spoken_rule(result.rule)


def spoken_need(one: Standing, margin: float) -> str:
    """What a candidate would have to show."""
    if not one.paired_items:
        return f"{one.name} answered none of the reference's items"
    if one.cost_usd is None:
        return f"the cost of {one.name} is unknown"
    if one.items_needed is None:
        found = f"{_points(one.difference.difference, signed=True)}" if one.difference else ""
        return f"{one.name} is at {found}, and more items are not likely to bring it within {_points(margin)}"
    missing = one.items_needed - one.paired_items
    return f"{one.name} needs about {one.items_needed:,} items, {missing:,} more than there are"


def _spoken_rule(rule: RuleStanding) -> str:
    low, high = (_points(bound, signed=True) for bound in (rule.difference.low, rule.difference.high))
    against = f"{_points(rule.difference.difference, signed=True)} ({low} to {high}) against the best split"
    shuffle = f"p = {rule.shuffle.p_value:.3g} against {rule.shuffle.permutations:,} shuffles"
    return f"{rule.source} {_RULE[rule.verdict]}: {against}; {shuffle}"
