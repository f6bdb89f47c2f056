"""The page of `costkit reconcile`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costkit.core.money import display, display_apart
from costkit.reconcile import ReconciledRow, Reconciliation
from costkit.render.text import percent, plural
from costkit.render.view import Cell, Column, Kind, Table, View

_SHARE_STEP = Decimal("0.000001")
_ROWS = (
    Column("day", "day"),
    Column("kind", "kind", rank=3),
    Column("model", "model"),
    Column("tier", "tier", rank=2),
    Column("prompt in logs", "logs_prompt_tokens", Kind.TOKENS),
    Column("in API", "api_prompt_tokens", Kind.TOKENS),
    Column("output in logs", "logs_output_tokens", Kind.TOKENS),
    Column("in API", "api_output_tokens", Kind.TOKENS),
    Column("logs", "logs_cost_usd", Kind.USD),
    Column("charged", "api_cost_usd", Kind.USD),
    Column("difference", "difference_usd", Kind.USD),
    Column("due to", "causes"),
)
_CAUSES = (
    Column("due to", "cause"),
    Column("difference", "cost_usd", Kind.USD),
    Column("rows", "rows", Kind.COUNT),
    Column("what that is", "message"),
)
_WORKSPACES = (
    Column("workspace", "workspace"),
    Column("prompt", "prompt_tokens", Kind.TOKENS),
    Column("output", "output_tokens", Kind.TOKENS),
    Column("charged", "cost_usd", Kind.USD),
)


def reconcile_view(result: Reconciliation, footer: str) -> View:
    """The difference first, then the rows that differ, what they are due to, and the API's side by workspace."""
    differing = [row for row in result.rows if not row.agrees]
    tables = []
    if differing:
        tables.append(Table(_ROWS, tuple(map(_row, differing))))
    if result.causes:
        causes = tuple((cause.code, cause.cost_usd, cause.rows, cause.message) for cause in result.causes)
        tables.append(Table(_CAUSES, causes))
    if len(result.workspaces) > 1:
        shares = tuple(
            (share.workspace or "(default)", share.usage.prompt_tokens, share.usage.output_tokens, share.cost_usd)
            for share in result.workspaces
        )
        tables.append(Table(_WORKSPACES, shares, title="the API's side by workspace"))
    return View(_headline(result, len(differing)), tuple(tables), tuple(_facts(result, len(differing), footer)))


def _row(row: ReconciledRow) -> tuple[Cell, ...]:
    return (
        row.day.isoformat(),
        row.kind,
        row.model,
        row.tier,
        row.logs_usage.prompt_tokens,
        row.api_usage.prompt_tokens,
        row.logs_usage.output_tokens,
        row.api_usage.output_tokens,
        row.logs_cost_usd,
        row.api_cost_usd,
        row.difference_usd,
        ", ".join(cause.code for cause in row.causes) or None,
    )


def _headline(result: Reconciliation, differing: int) -> str:
    days = f"{result.first}" if result.first == result.last else f"{result.first} to {result.last}"
    difference = result.difference_usd
    if result.api_cost_usd is None or difference is None:
        return f"{display(result.logs_cost_usd)} in the logs · tokens compared, no cost report · {days}"
    if not difference and differing:
        rows = f"{plural(differing, 'row')} {'differs' if differing == 1 else 'differ'}"
        return f"{display(result.api_cost_usd)} in the logs and charged, but {rows} · {days}"
    if not difference:
        return f"logs and API agree: {display(result.api_cost_usd)} · {days}"
    logs, charged = display_apart(result.logs_cost_usd, result.api_cost_usd)
    less = "less" if difference < 0 else "more"
    share = f", {_share(difference, result.api_cost_usd)}" if result.api_cost_usd else ""
    apart = f"{display(abs(difference))} {less} in the logs{share}"
    return f"{logs} in the logs · {charged} charged · {apart} · {days}"


def _share(difference: Decimal, charged: Decimal) -> str:
    return percent(abs(difference / charged).quantize(_SHARE_STEP))


def _facts(result: Reconciliation, differing: int, footer: str) -> Iterator[str]:
    agreeing = len(result.rows) - differing
    if agreeing:
        yield f"{plural(agreeing, 'row')} of days and models agree to the last token and digit"
    if result.within_tolerance is not None and result.tolerance is not None:
        within = "within" if result.within_tolerance else "not within"
        yield f"{within} the tolerance of {percent(result.tolerance)}"
    yield footer
