"""The page of `costkit route`: what the routes cost beside the plain ways of choosing, then who goes where and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from costkit.core.money import display, minus
from costkit.render.text import percent, plural
from costkit.render.view import Cell, Column, Kind, Labelled, Table, View
from costkit.route.result import ROUTED, TODAY, Plan, RouteComparison, Routed

_NEXT = "costkit route evaluate RESULTS   judges a choice of models on graded results"


def route_view(comparison: RouteComparison, footer: str, top: int) -> View:
    """Lay out a comparison; `top` decisions are shown one by one."""
    tables = [_plans(comparison), _routes(comparison)]
    if top:
        tables.append(_decisions(comparison, top))
    facts = tuple(_facts(comparison, top))
    return View(_headline(comparison), tuple(tables), (*facts, footer), _NEXT)


def _routed(comparison: RouteComparison) -> Plan:
    return comparison.plans[0]


def _headline(comparison: RouteComparison) -> str:
    routed = _routed(comparison)
    parts = [f"{display(routed.cost_usd)} as routed", plural(len(comparison.items), "request")]
    others = [plan for plan in comparison.plans if plan.name != ROUTED]
    parts += [f"{_against(routed, plan)}" for plan in others if plan.name == TODAY]
    parts += [f"{_against(routed, plan)}" for plan in others if plan.name != TODAY]
    return " · ".join(parts)


def _against(routed: Plan, other: Plan) -> str:
    saved = minus(other.cost_usd, routed.cost_usd)
    if not saved or not other.cost_usd:
        return f"as much as {other.name}"
    words = "less than" if saved > 0 else "more than"
    return f"{percent(abs(saved) / other.cost_usd)} {words} {other.name}"


def _plans(comparison: RouteComparison) -> Table:
    asked = any(plan.classifier_usd for plan in comparison.plans)
    switched = any(plan.switches for plan in comparison.plans)
    columns = (
        Column("way", "name"),
        Column("models", "models"),
        Column("tokens in", "input_tokens", Kind.TOKENS, rank=1),
        Column("", "input_tokens_low", Kind.TOKENS, for_people=False),
        Column("", "input_tokens_high", Kind.TOKENS, for_people=False),
        Column("requests", "requests_usd", Kind.USD, for_people=asked, rank=2),
        Column("switching", "switching_usd", Kind.USD, for_people=switched, rank=2),
        Column("switches", "switches", Kind.COUNT, for_people=switched, rank=3),
        Column("classifier", "classifier_usd", Kind.USD, for_people=asked, rank=2),
        Column("cost", "cost_usd", Kind.USD),
    )
    return Table(columns, tuple(_plan(plan) for plan in comparison.plans))


def _plan(plan: Plan) -> tuple[Cell, ...]:
    models = ", ".join(f"{share.requests:,} {share.model}" for share in plan.shares)
    count = plan.input_tokens
    return (
        plan.name,
        models if len(plan.shares) > 1 else plan.shares[0].model,
        count.tokens,
        count.low,
        count.high,
        plan.requests_usd,
        plan.switching_usd,
        plan.switches,
        plan.classifier_usd,
        plan.cost_usd,
    )


def _routes(comparison: RouteComparison) -> Table:
    groups: dict[tuple[str, str], list[Routed]] = {}
    for item in comparison.items:
        groups.setdefault((item.route, item.model), []).append(item)
    columns = (
        Column("route", "route"),
        Column("model", "model"),
        Column("requests", "requests", Kind.COUNT),
        Column("kinds", "kinds"),
        Column("most often because", "rules"),
    )
    rows = tuple(
        (route, model, len(items), _kinds(items), _rules(items))
        for (route, model), items in sorted(groups.items(), key=lambda group: -len(group[1]))
    )
    return Table(columns, rows, title="where they go")


def _kinds(items: list[Routed]) -> str:
    counts = Counter(str(item.kind) if item.kind else "not classified" for item in items)
    return "; ".join(f"{count:,} {kind}" for kind, count in counts.most_common(3))


def _rules(items: list[Routed]) -> str:
    return "; ".join(f"{rule} {count:,}" for rule, count in Counter(i.reasons[0].rule for i in items).most_common(3))


def _decisions(comparison: RouteComparison, top: int) -> Table:
    columns = (
        Column("request", "where"),
        Column("kind", "kind"),
        Column("model", "model"),
        Column("cost", "cost_usd", Kind.USD),
        Column("because", "because"),
    )
    rows = tuple(
        (
            _where(item),
            str(item.kind) if item.kind else Labelled(None, "not classified"),
            item.model,
            item.cost_usd,
            "; ".join(f"{reason.rule}: {reason.because}" for reason in item.reasons),
        )
        for item in comparison.items[:top]
    )
    return Table(columns, rows, title="one by one")


def _where(item: Routed) -> str:
    name = "<stdin>" if item.path == "-" else item.path
    return f"{name}[{item.index}]"


def _facts(comparison: RouteComparison, top: int) -> Iterator[str]:
    hidden = len(comparison.items) - top
    if top and hidden > 0:
        yield f"{plural(hidden, 'more request')}: --top N shows them, --json holds all"
    options, asked = comparison.options, comparison.classified_now
    if options.classifier_model is not None:
        yield f"classified by {options.classifier_model}: {plural(asked, 'answer')} now, the others known from before"
    if comparison.fallbacks:
        yield f"{plural(comparison.fallbacks, 'request')} without a usable verdict, sent to the safe model"
    if any(plan.switches for plan in comparison.plans):
        yield "switching is in the cost: what requests pay because their prefix is in the cache of another model only"
