"""Lay both sides beside each other, day by day, and say what each difference is made of.

The difference of a row is split exactly: what the API's own tokens would cost at list prices stands in the middle.
Logs less that is traffic that only one side has; that less the cost report is a matter of prices, or of requests that
are counted and not charged. https://platform.claude.com/docs/en/build-with-claude/usage-cost-api
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costkit.core.cost import cost_of
from costkit.core.money import EXACT, ZERO, minus, times, total
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.core.rates import RateKey
from costkit.core.usage import Usage
from costkit.errors import CostkitError, UnknownModel
from costkit.reconcile.pages import TOKENS, WEB_SEARCH, CostLine, UsageLine
from costkit.reconcile.result import Cause, CauseTotal, ReconciledRow, Reconciliation, WorkspaceShare
from costkit.report import Report

STANDARD, BATCH, PRIORITY = "standard", "batch", "priority"
_UNCHARGED_TIERS = (PRIORITY, "priority_on_demand")
"""Tiers that the cost report leaves out: https://platform.claude.com/docs/en/api/service-tiers"""
_CENT = Decimal("0.01")
_DOUBTS = ("nothing-recognised", "assumed-5m-ttl", "placeholder-output", "incomplete-stream")
"""What a report warns of that can be the reason for a difference."""
CAUSES: Mapping[str, str] = {
    "not-in-logs": "traffic that isn't in these logs",
    "only-in-logs": "traffic of another organization or workspace, or not yet in the API's reports",
    "modifiers": "the same tokens at other prices: geography, fast mode or long prompts that one side doesn't show",
    "not-charged": "tokens that the API counts and doesn't charge: blocked requests, credits or a discount",
    "charged-more": "charged above list prices: fast mode, a regional endpoint or another contract",
    "price-unknown": "prices that can't be worked out from sums: whole-request tiers, or a model without a price",
    "priority-tier": "priority tier, which the cost report leaves out",
    "other-kind": "a kind of cost that logs don't show",
    "rounding": "less than a cent a row",
}
"""What differences can be due to, by code."""

_Key = tuple[date, str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Books:
    """Both sides, for the same days."""

    report: Report
    """By `day`, `model` and `tier`, in UTC."""
    usage: Sequence[UsageLine]
    costs: Sequence[CostLine] | None
    """`None` where no cost report was asked for."""
    first: date
    last: date
    workspace: str | None = None


@dataclass(slots=True)
class _Row:
    logs: Usage = field(default_factory=Usage)
    logs_usd: Decimal = ZERO
    api: Usage = field(default_factory=Usage)
    api_usd: Decimal = ZERO
    by_geo: defaultdict[str | None, Usage] = field(default_factory=lambda: defaultdict(Usage))


def compare(books: Books, book: PriceBook, *, tolerance: Decimal | None = None) -> Reconciliation:
    """Put logs beside the API's reports; `tolerance` is a share (`0.005`) of the API's dollars, and of its tokens."""
    found = _rows(books, book)
    rows = tuple(
        _reconciled(key, found[key], book, with_costs=books.costs is not None)
        for key in sorted(found, key=lambda key: (key[0], key[1] != TOKENS, key[1], key[2] or "", key[3] or ""))
    )
    judged = [row for row in rows if books.costs is None or row.api_cost_usd is not None]
    logs_usage, api_usage = _sum(row.logs_usage for row in rows), _sum(row.api_usage for row in rows)
    logs_usd = total(row.logs_cost_usd for row in judged)
    api_usd = None if books.costs is None else total(row.api_cost_usd or ZERO for row in judged)
    return Reconciliation(
        books.first,
        books.last,
        books.workspace,
        rows,
        logs_usage,
        api_usage,
        logs_usd,
        api_usd,
        tuple(_causes(rows)),
        tuple(_workspaces(books)),
        tolerance,
        None if tolerance is None else _within(tolerance, logs_usage, api_usage, logs_usd, api_usd),
        tuple(_notices(books)),
    )


def _rows(books: Books, book: PriceBook) -> dict[_Key, _Row]:
    rows: defaultdict[_Key, _Row] = defaultdict(_Row)
    for entry in books.report.rows:
        group = dict(entry.group)
        day = date.fromisoformat(str(group["day"]))
        usage, searches = _without_searches(entry.figures.usage)
        row = rows[day, TOKENS, _canonical(group["model"], book), group["tier"] or STANDARD]
        row.logs += usage
        row.logs_usd = EXACT.add(row.logs_usd, minus(entry.figures.cost_usd, entry.figures.cost.web_search_usd))
        if searches.web_search_requests:
            other = rows[day, WEB_SEARCH, None, None]
            other.logs += searches
            other.logs_usd = EXACT.add(other.logs_usd, entry.figures.cost.web_search_usd)
    for line in books.usage:
        usage, searches = _without_searches(line.usage)
        if usage != Usage():
            row = rows[line.day, TOKENS, _canonical(line.model, book), line.tier or STANDARD]
            row.api += usage
            row.by_geo[line.inference_geo] += usage
        if searches.web_search_requests:
            rows[line.day, WEB_SEARCH, None, None].api += searches
    for cost in books.costs or ():
        key = (_canonical(cost.model, book), cost.tier or STANDARD) if cost.kind == TOKENS else (None, None)
        row = rows[cost.day, cost.kind, *key]
        row.api_usd = EXACT.add(row.api_usd, cost.amount_usd)
    return rows


def _without_searches(usage: Usage) -> tuple[Usage, Usage]:
    """Tokens, and the searches that are billed beside them."""
    tokens = Usage(
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.ephemeral_5m_input_tokens,
        usage.ephemeral_1h_input_tokens,
        usage.output_tokens,
    )
    return tokens, Usage(web_search_requests=usage.web_search_requests)


def _canonical(model: str | None, book: PriceBook) -> str | None:
    """One name for one model: reports have dated ids where logs have aliases."""
    try:
        return model if model is None else book.resolve(model).id
    except UnknownModel:
        return model


def _reconciled(key: _Key, row: _Row, book: PriceBook, *, with_costs: bool) -> ReconciledRow:
    day, kind, model, tier = key
    covered = with_costs and tier not in _UNCHARGED_TIERS
    api_usd = row.api_usd if covered or (with_costs and row.api_usd) else None
    causes: tuple[Cause, ...] = ()
    if with_costs:
        causes = tuple(_split(key, row, api_usd, book))
    return ReconciledRow(day, kind, model, tier, row.logs, row.api, row.logs_usd, api_usd, causes)


def _split(key: _Key, row: _Row, api_usd: Decimal | None, book: PriceBook) -> Iterator[Cause]:
    """The parts of a row's difference; none where there is none."""
    if api_usd is None:
        yield Cause("priority-tier", row.logs_usd)
        return
    difference = minus(row.logs_usd, api_usd)
    listed = _listed(key, row, book)
    if listed is None:
        if difference:
            known = key[1] in (TOKENS, WEB_SEARCH)
            yield Cause(
                "rounding" if abs(difference) < _CENT else "price-unknown" if known else "other-kind", difference
            )
        return
    traffic, prices = minus(row.logs_usd, listed), minus(listed, api_usd)
    if traffic:
        same = row.logs == row.api
        yield Cause("modifiers" if same else "not-in-logs" if traffic < 0 else "only-in-logs", traffic)
    if prices:
        yield Cause("rounding" if abs(prices) < _CENT else "not-charged" if prices > 0 else "charged-more", prices)


def _listed(key: _Key, row: _Row, book: PriceBook) -> Decimal | None:
    """What the API's tokens would cost at list prices; `None` where sums of tokens don't tell."""
    day, kind, model, tier = key
    if kind == WEB_SEARCH:
        return times(book.web_search_usd, row.api.web_search_requests)
    if kind == TOKENS and not row.by_geo:
        return ZERO
    if kind != TOKENS or model is None or tier not in (STANDARD, BATCH):
        return None
    try:
        if len(book.resolve(model).period(day).tiers) > 1:
            return None
        return total(
            cost_of(usage, book.quote(RateKey(model, day, batch=tier == BATCH, inference_geo=geo)).rates).total_usd
            for geo, usage in row.by_geo.items()
        )
    except CostkitError:
        return None


def _causes(rows: Sequence[ReconciledRow]) -> Iterator[CauseTotal]:
    """The largest first."""
    amounts: defaultdict[str, list[Decimal]] = defaultdict(list)
    for row in rows:
        for cause in row.causes:
            amounts[cause.code].append(cause.cost_usd)
    for code in sorted(amounts, key=lambda code: (-abs(total(amounts[code])), code)):
        yield CauseTotal(code, CAUSES[code], len(amounts[code]), total(amounts[code]))


def _workspaces(books: Books) -> Iterator[WorkspaceShare]:
    usage: defaultdict[str | None, Usage] = defaultdict(Usage)
    dollars: defaultdict[str | None, Decimal] = defaultdict(lambda: ZERO)
    for line in books.usage:
        usage[line.workspace] += line.usage
    for cost in books.costs or ():
        dollars[cost.workspace] = EXACT.add(dollars[cost.workspace], cost.amount_usd)
    for workspace in sorted({*usage, *dollars}, key=lambda name: (name is not None, name or "")):
        cost_usd = None if books.costs is None else dollars[workspace]
        yield WorkspaceShare(workspace, usage[workspace], cost_usd)


def _within(tolerance: Decimal, logs: Usage, api: Usage, logs_usd: Decimal, api_usd: Decimal | None) -> bool:
    pairs = list(zip(logs.as_json().values(), api.as_json().values(), strict=True))
    near = all(abs(ours - theirs) <= times(tolerance, theirs) for ours, theirs in pairs)
    return near and (api_usd is None or abs(minus(logs_usd, api_usd)) <= times(abs(api_usd), tolerance))


def _sum(usages: Iterator[Usage]) -> Usage:
    return sum(usages, Usage())


def _notices(books: Books) -> Iterator[Notice]:
    if books.report.unpriced:
        names = ", ".join(sorted({entry.model or "(no model)" for entry in books.report.unpriced}))
        requests = _many(sum(entry.requests for entry in books.report.unpriced), "logged request")
        yield Notice("unpriced", f"{requests} without a price, left out here: {names}")
    for skipped in books.report.skipped:
        what = _many(skipped.count, "file" if skipped.whole_files else "line")
        message = f"{what} of the logs left out: {skipped.reason}; what is in there counts as not in the logs"
        yield Notice("skipped", message, ", ".join(skipped.examples))
    yield from (notice for notice in books.report.notices if notice.code in _DOUBTS)
    if any(entry.group[-1][1] is None for entry in books.report.rows):
        yield Notice("assumed-standard", "logged responses that name no service tier count as standard")
    if not books.usage:
        yield Notice("no-usage", "the usage report has nothing for these days")


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
