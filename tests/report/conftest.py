"""A small price book with round prices, and a short way to write records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from costkit.core.pricebook import Lifecycle, ModelPrice, PriceBook, PricePeriod, Tier
from costkit.core.rates import Rates
from costkit.core.response import BilledUsage, Counts, Iteration
from costkit.report import Record, Report, ReportOptions, report_on
from costkit.report.group import microseconds

CHECKED = date(2026, 11, 20)


def _rates(price: str) -> Rates:
    """Input at `price`; output is five times that, 5-minute writes 1.25 times, 1-hour writes twice, reads a tenth."""
    base = Decimal(price)
    factors = (Decimal(1), Decimal(5), Decimal("1.25"), Decimal(2), Decimal("0.1"))
    return Rates(*[base * factor for factor in factors])


def _period(since: date, *tiers: tuple[int | None, str], until: date | None = None) -> PricePeriod:
    priced = tuple(Tier(up_to, _rates(price)) for up_to, price in tiers)
    return PricePeriod(since, priced, "the test", CHECKED, effective_until=until)


def _model(name: str, *periods: PricePeriod, **more: Any) -> ModelPrice:
    life = more.pop("lifecycle", Lifecycle(date(2026, 1, 1)))
    return ModelPrice(name, life, 1_000_000, 64_000, 1_024, "v4.8", periods, **more)


@pytest.fixture(scope="session")
def book() -> PriceBook:
    """Lark: $1, from June $2. Wren: $1 up to 100,000 tokens, $5 above; 10 % more in the US. Rook: retired."""
    lark = _model(
        "claude-lark-1",
        _period(date(2026, 1, 1), (None, "1")),
        _period(date(2026, 6, 1), (None, "2")),
        aliases=("claude-lark-1-20260101",),
        fast_periods=(_period(date(2026, 1, 1), (None, "4")),),
    )
    wren = _model(
        "claude-wren-2",
        _period(date(2026, 1, 1), (100_000, "1"), (None, "5")),
        geo_multipliers={"us": Decimal("1.1")},
    )
    rook = _model(
        "claude-rook-0",
        _period(date(2026, 1, 1), (None, "3")),
        lifecycle=Lifecycle(date(2026, 1, 1), deprecated=date(2026, 2, 1), retired=date(2026, 3, 1)),
    )
    return PriceBook((lark, wren, rook), CHECKED, Decimal("0.5"), Decimal("0.01"))


Make = Callable[..., Record]


@pytest.fixture(scope="session")
def record() -> Make:
    """Make a record: `record("claude-lark-1", "m1", at="2026-03-01T10:00", input_tokens=5)`."""

    def make(
        model: str | None = "claude-lark-1",
        message_id: str | None = None,
        request_id: str | None = None,
        *,
        at: str | None = "2026-03-01T10:00:00",
        path: str = "a.jsonl",
        line: int = 1,
        iterations: tuple[Iteration, ...] = (),
        **more: Any,
    ) -> Record:
        counts = Counts(**{name: more.pop(name) for name in Counts._fields if name in more})
        tier, speed, geo = (more.pop(name, None) for name in ("tier", "speed", "geo"))
        usage = BilledUsage(counts, tier, speed, geo, iterations)
        moment = None if at is None else datetime.fromisoformat(at)
        timestamp = None if moment is None else microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        return Record(usage, path, line, line * 100, model, message_id, request_id, timestamp, **more)

    return make


Ask = Callable[..., Report]


@pytest.fixture(scope="session")
def ask(book: PriceBook) -> Ask:
    """Report on items: `ask([…], by=("day",))`."""

    def report(items: Any, **options: Any) -> Report:
        return report_on(items, book, ReportOptions(date(2026, 11, 21), **options))

    return report
