"""What a report charges: every modifier, by each response's own day and size, each sum written like an invoice."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from costkit.core.response import Counts, Iteration
from costkit.report import Record, Report

Make = Callable[..., Record]
Ask = Callable[..., Report]
MILLION = 1_000_000


def test_prices_go_by_the_utc_day_of_each_response(record: Make, ask: Ask) -> None:
    """1 M at $1 on 31 May + 1 M at $2 on 1 June."""
    records = [record(at=at, input_tokens=MILLION) for at in ("2026-05-31T23:59:59", "2026-06-01T00:00:00")]

    assert ask(records).total.cost_usd == Decimal(3)


def test_a_response_without_a_time_has_the_prices_of_as_of(record: Make, ask: Ask) -> None:
    assert ask([record(at=None, input_tokens=MILLION)]).total.cost_usd == Decimal(2)


@pytest.mark.parametrize("identified", [True, False])
def test_the_tier_is_decided_for_each_response(record: Make, ask: Ask, identified: bool) -> None:  # noqa: FBT001
    """100,000 at $1 = $0.10; 100,001 at $5 = $0.500005; twice 60,000 at $1 = $0.12, though together above the tier."""
    sizes = (100_000, 100_001, 60_000, 60_000)
    records = [
        record("claude-wren-2", f"m{index}" if identified else None, input_tokens=size)
        for index, size in enumerate(sizes)
    ]

    assert ask(records).total.cost_usd == Decimal("0.720005")


def test_cached_tokens_count_towards_the_tier(record: Make, ask: Ask) -> None:
    """1 input + 100,000 read: 1 · $5 + 100,000 · $0.5 per million."""
    large = record("claude-wren-2", input_tokens=1, cache_read_input_tokens=100_000)

    assert ask([large]).total.cost_usd == Decimal("0.050005")


def test_a_batch_costs_half_and_says_what_that_saved(record: Make, ask: Ask) -> None:
    """Searches keep their price: $0.50 + $0.01."""
    report = ask([record(tier="batch", input_tokens=MILLION, web_search_requests=1)])

    assert report.total.cost_usd == Decimal("0.51")
    assert report.total.saved_by_batch_usd == Decimal("0.5")


def test_fast_mode_has_its_own_prices(record: Make, ask: Ask) -> None:
    assert ask([record(speed="fast", input_tokens=MILLION)]).total.cost_usd == Decimal(4)


def test_inference_in_the_us_costs_more(record: Make, ask: Ask) -> None:
    """90,000 at $1 · 1.1."""
    assert ask([record("claude-wren-2", geo="us", input_tokens=90_000)]).total.cost_usd == Decimal("0.099")


def test_what_caching_saved_is_measured_against_plain_input(record: Make, ask: Ask) -> None:
    """Plain: 3 M at $1 = $3. Paid: 1 M read $0.10 + 1 M written for 5 min $1.25 + 1 M for 1 h $2."""
    report = ask(
        [
            record(
                cache_read_input_tokens=MILLION,
                cache_creation_input_tokens=2 * MILLION,
                ephemeral_5m_input_tokens=MILLION,
                ephemeral_1h_input_tokens=MILLION,
            )
        ]
    )

    assert report.total.cost_usd == Decimal("3.35")
    assert report.total.saved_by_cache_usd == Decimal("-0.35")
    assert report.total.cache_hit_rate == Decimal("0.333333")


def test_writes_without_a_ttl_are_priced_as_five_minutes_and_said_so(record: Make, ask: Ask) -> None:
    report = ask([record(cache_creation_input_tokens=MILLION, ephemeral_1h_input_tokens=400_000)])

    assert report.total.cost_usd == Decimal("0.6") * Decimal("1.25") + Decimal("0.4") * 2
    assert report.quality.assumed_5m_tokens == 600_000
    assert [notice.code for notice in report.notices] == ["assumed-5m-ttl"]


def test_iterations_are_billed_each_at_its_own_model_and_size(record: Make, ask: Ask) -> None:
    """Lark 1 M at $1 + wren 200,000 at $5 (above its tier) + wren 50,000 at $1; the top-level counts are not added."""
    parts = (
        Iteration(None, Counts(input_tokens=MILLION)),
        Iteration("claude-wren-2", Counts(input_tokens=200_000)),
        Iteration("claude-wren-2", Counts(input_tokens=50_000)),
    )
    report = ask([record(iterations=parts, input_tokens=MILLION, web_search_requests=1)])

    assert {row.group[0][1]: (row.figures.requests, row.figures.cost_usd) for row in report.rows} == {
        "claude-lark-1": (1, Decimal("1.01")),
        "claude-wren-2": (0, Decimal("1.05")),
    }


def test_the_request_counts_with_its_first_part_when_no_part_has_its_model(record: Make, ask: Ask) -> None:
    report = ask([record("claude-gone", iterations=(Iteration("claude-wren-2", Counts(input_tokens=1)),))])

    assert report.total.requests == 1
    assert report.complete


def test_an_unknown_model_is_a_row_of_its_own_and_never_free(record: Make, ask: Ask) -> None:
    report = ask([record("claude-lark-9", input_tokens=5, output_tokens=6), record(input_tokens=MILLION)])

    unpriced = report.as_json()["unpriced"]
    assert not report.complete
    assert report.total.cost_usd == Decimal(1)
    assert isinstance(unpriced, list)
    assert unpriced[0]["model"] == "claude-lark-9"
    assert unpriced[0]["cost_usd"] is None
    assert unpriced[0]["reason"] == "unknown-model"
    assert "claude-lark-1" in report.notices[0].message


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"model": None}, "no-model"),
        ({"model": "claude-wren-2", "speed": "fast"}, "unknown-rate"),
        ({"speed": "fast", "tier": "batch"}, "fast-batch"),
    ],
)
def test_what_has_no_price_is_unpriced_with_a_reason(
    record: Make, ask: Ask, facts: dict[str, str | None], reason: str
) -> None:
    report = ask([record(**facts, input_tokens=5)])

    assert [entry.reason for entry in report.unpriced] == [reason]
    assert report.total.requests == 0


def test_every_spelling_of_a_model_is_one_row_under_its_listed_name(record: Make, ask: Ask) -> None:
    names = ("claude-lark-1", "claude-lark-1-20260101", "anthropic/claude-lark-1", "us.anthropic.claude-lark-1-v1:0")
    report = ask([record(name, input_tokens=1) for name in names])

    assert [dict(row.group) for row in report.rows] == [{"model": "claude-lark-1"}]
    assert report.total.requests == 4


def test_retired_models_are_priced_with_a_warning(record: Make, ask: Ask) -> None:
    report = ask([record("claude-rook-0", input_tokens=MILLION)])

    assert report.total.cost_usd == Decimal(3)
    assert [notice.code for notice in report.notices] == ["model-retired"]


def test_the_priority_tier_is_shown_at_list_prices_with_a_warning(record: Make, ask: Ask) -> None:
    report = ask([record(tier="priority", input_tokens=MILLION)])

    assert report.total.cost_usd == Decimal(1)
    assert [notice.code for notice in report.notices] == ["priority-tier"]


def test_days_before_the_first_price_are_said_once(record: Make, ask: Ask) -> None:
    records = [record(at=f"2025-12-0{day}T00:00", input_tokens=1) for day in (3, 1, 2)]

    notices = ask(records).notices

    assert [notice.code for notice in notices] == ["before-first-price"]
    assert notices[0].message.startswith("2025-12-01 is before")
    assert "2 more days" in notices[0].message


def test_unbilled_responses_are_named(ask: Ask) -> None:
    from costkit.report import FileRead

    report = ask([FileRead("a", 3, 1, (("batch-errored", 2),)), FileRead("b", 1, 0, (("batch-errored", 1),))])

    assert report.quality.unbilled == (("batch-errored", 3),)
    assert (report.quality.files, report.quality.documents, report.quality.other) == (2, 4, 1)
    assert [notice.code for notice in report.notices] == ["unbilled"]
