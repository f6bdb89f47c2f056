"""The pages of the API's usage and cost reports, as lines of whole tokens and exact dollars.

Amounts of the cost report are decimal strings of **cents**; cache writes of the usage report are nested in
`cache_creation`, and its `uncached_input_tokens` are what a response calls `input_tokens`.
https://platform.claude.com/docs/en/build-with-claude/usage-cost-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from costkit.core.response import MOST_TOKENS
from costkit.core.usage import Usage
from costkit.errors import InvalidInput

TOKENS = "tokens"
"""The `cost_type` of what models read and wrote; other kinds are billed apart from any model."""
WEB_SEARCH = "web_search"


@dataclass(frozen=True, slots=True)
class UsageLine:
    """What one combination of model, tier, workspace and geography used within one bucket of time."""

    day: date
    """UTC."""
    model: str | None
    tier: str | None
    """The API's `service_tier`."""
    workspace: str | None
    """`None` is the default workspace."""
    inference_geo: str | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class CostLine:
    """What one kind of item cost on one day."""

    day: date
    """UTC."""
    kind: str
    """`tokens`, `web_search`, `code_execution` or `session_usage`."""
    model: str | None
    tier: str | None
    workspace: str | None
    amount_usd: Decimal
    """Exact; negative for a credit."""


def read_usage_page(page: object, where: str) -> tuple[UsageLine, ...]:
    """The lines of one page of `usage_report/messages`; raises `InvalidInput` naming the place in the page."""
    return tuple(_usage_line(result, day, place) for day, result, place in _results(page, where))


def read_cost_page(page: object, where: str) -> tuple[CostLine, ...]:
    """The lines of one page of `cost_report`; raises `InvalidInput` naming the place in the page."""
    return tuple(_cost_line(result, day, place) for day, result, place in _results(page, where))


def next_page(page: object, where: str) -> str | None:
    """The cursor of the page that follows, `None` for the last; raises `InvalidInput` where it is missing."""
    document = _mapping(page, where)
    if not document.get("has_more"):
        return None
    cursor = document.get("next_page")
    if not isinstance(cursor, str) or not cursor:
        raise InvalidInput("says that there is more, and not where", where=where)
    return cursor


def _results(page: object, where: str) -> Iterator[tuple[date, Mapping[str, object], str]]:
    buckets = _mapping(page, where).get("data")
    if not isinstance(buckets, list):
        hint = "save the whole answer of usage_report/messages or cost_report"
        raise InvalidInput("is no page of a report: data is missing", where=where, hint=hint)
    for index, entry in enumerate(buckets):
        place = f"{where}:data[{index}]"
        bucket = _mapping(entry, place)
        day = _day(bucket.get("starting_at"), f"{place}.starting_at")
        results = bucket.get("results")
        if not isinstance(results, list):
            raise InvalidInput("results must be a list", where=place)
        for number, result in enumerate(results):
            inner = f"{place}.results[{number}]"
            yield day, _mapping(result, inner), inner


def _usage_line(result: Mapping[str, object], day: date, where: str) -> UsageLine:
    if "uncached_input_tokens" not in result:
        hint = "is it a page of the cost report?" if "amount" in result else None
        raise InvalidInput("uncached_input_tokens is missing", where=where, hint=hint)
    writes = _mapping(result.get("cache_creation") or {}, f"{where}.cache_creation")
    tools = _mapping(result.get("server_tool_use") or {}, f"{where}.server_tool_use")
    usage = Usage(
        _count(result, "uncached_input_tokens", where),
        _count(result, "cache_read_input_tokens", where),
        _count(writes, "ephemeral_5m_input_tokens", f"{where}.cache_creation"),
        _count(writes, "ephemeral_1h_input_tokens", f"{where}.cache_creation"),
        _count(result, "output_tokens", where),
        _count(tools, "web_search_requests", f"{where}.server_tool_use"),
    )
    model, tier, workspace, geo = (
        _text(result, name, where) for name in ("model", "service_tier", "workspace_id", "inference_geo")
    )
    return UsageLine(day, model, tier, workspace, geo, usage)


def _cost_line(result: Mapping[str, object], day: date, where: str) -> CostLine:
    if "amount" not in result:
        hint = "is it a page of the usage report?" if "uncached_input_tokens" in result else None
        raise InvalidInput("amount is missing", where=where, hint=hint)
    currency = _text(result, "currency", where)
    if currency not in (None, "USD"):
        raise InvalidInput(f"is in {currency}: only US dollars can be compared", where=where)
    kind, model, tier, workspace = (
        _text(result, name, where) for name in ("cost_type", "model", "service_tier", "workspace_id")
    )
    return CostLine(day, kind or TOKENS, model, tier, workspace, _dollars(result["amount"], f"{where}.amount"))


def _dollars(cents: object, where: str) -> Decimal:
    """Cents as text, in exact dollars."""
    if not isinstance(cents, str):
        raise InvalidInput("must be a decimal number of cents, as text", where=where)
    try:
        amount = Decimal(cents)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise InvalidInput(f"{cents[:40]!r} is no amount", where=where)
    return amount.scaleb(-2)


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidInput("must be a JSON object", where=where)
    return value


def _count(holder: Mapping[str, object], name: str, where: str) -> int:
    value = holder.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS * 1_000_000:
        raise InvalidInput(f"{name} must be a whole number from 0", where=where)
    return value


def _text(holder: Mapping[str, object], name: str, where: str) -> str | None:
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{name} must be text", where=where)
    return value


def _day(value: object, where: str) -> date:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidInput("must be a moment such as 2026-11-01T00:00:00Z", where=where)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()
