"""What other systems wrote down as the cost of responses stands beside the calculated cost of the same responses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from costkit.core.response import Counts, Iteration
from costkit.report import Amounts, Charge, Record, Report

Make = Callable[..., Record]
Ask = Callable[..., Report]
MILLION = 1_000_000


def _charge(usd: str | None, source: str = "litellm", problem: str = "") -> Charge:
    return Charge(source, None if usd is None else Decimal(usd), problem)


def test_recorded_and_calculated_stand_side_by_side_and_no_total_changes(record: Make, ask: Ask) -> None:
    items = [
        record(input_tokens=MILLION, charge=_charge("1.25")),
        record("claude-wren-2", input_tokens=MILLION, charge=_charge("4")),
        record(input_tokens=MILLION),
    ]

    report = ask(items)

    assert report.total.cost_usd == 7
    assert report.quality.as_json()["recorded_by"] == [
        {
            "source": "litellm",
            "responses": 2,
            "recorded_usd": "5.25",
            "calculated_usd": "6",
            "difference_usd": "-0.75",
            "models": [
                {
                    "model": "claude-wren-2",
                    "responses": 1,
                    "recorded_usd": "4",
                    "calculated_usd": "5",
                    "difference_usd": "-1",
                },
                {
                    "model": "claude-lark-1",
                    "responses": 1,
                    "recorded_usd": "1.25",
                    "calculated_usd": "1",
                    "difference_usd": "0.25",
                },
            ],
            "not_compared": [],
        }
    ]


def test_a_log_without_recorded_costs_has_none(record: Make, ask: Ask) -> None:
    assert ask([record(input_tokens=1)]).quality.as_json()["recorded_by"] == []


def test_what_can_not_be_compared_is_counted_with_its_reason(record: Make, ask: Ask) -> None:
    items = [
        record("claude-gone-9", input_tokens=MILLION, charge=_charge("3")),
        record(input_tokens=MILLION, charge=_charge(None, problem="EUR")),
        record(input_tokens=MILLION, charge=_charge(None, problem="EUR")),
        record(input_tokens=MILLION, charge=_charge(None, "otel", "unit-unknown")),
    ]

    litellm, otel = ask(items).quality.recorded_by

    assert (litellm.source, litellm.compared, litellm.models) == ("litellm", Amounts(), ())
    assert litellm.not_compared == (("EUR", 2), ("unpriced", 1))
    assert (otel.source, otel.not_compared) == ("otel", (("unit-unknown", 1),))


def test_of_the_copies_of_a_response_the_largest_amount_counts_once(record: Make, ask: Ask) -> None:
    copies = [
        record(message_id="m1", charge=_charge("0.1")),
        record(message_id="m1", charge=_charge("0.3")),
        record(message_id="m1", charge=_charge(None, problem="EUR")),
        record(message_id="m1", input_tokens=MILLION),
    ]

    for order in itertools.permutations(copies):
        (source,) = ask(order).quality.recorded_by
        assert source.compared == Amounts(1, Decimal("0.3"), Decimal(1))
        assert source.not_compared == ()


def test_sums_are_exact(record: Make, ask: Ask) -> None:
    items = [record(charge=_charge(usd)) for usd in ("0.1", "0.2", "1e-20", "1e-55", "999999999.9")]

    (source,) = ask(items).quality.recorded_by

    assert source.as_json()["recorded_usd"] == f"1000000000.2{'0' * 18}1{'0' * 34}1"


@pytest.mark.parametrize("dedupe", ["auto", "id", "file", "none"])
@pytest.mark.parametrize(
    ("part", "responses"),
    [({}, 3), ({"since": 1_772_323_200_000_000}, 1), ({"until": 1_772_323_200_000_000}, 1)],
    ids=["all", "since", "until"],
)
def test_a_date_range_holds_for_both_sides(
    record: Make, ask: Ask, dedupe: str, part: dict[str, Any], responses: int
) -> None:
    items = [
        record(message_id="a", at="2026-02-28T23:59:59", input_tokens=MILLION, charge=_charge("1.5")),
        record(message_id="b", at="2026-03-01T00:00:00", input_tokens=MILLION, charge=_charge("1.5")),
        record(message_id="c", at=None, input_tokens=MILLION, charge=_charge("2.5")),
    ]

    report = ask(items, dedupe=dedupe, **part)

    (source,) = report.quality.recorded_by
    assert source.compared.responses == responses == report.total.requests
    assert source.compared.calculated_usd == report.total.cost_usd
    assert source.compared.difference_usd == Decimal("0.5") * responses


def test_the_models_that_are_asked_for_are_compared_as_a_whole(record: Make, ask: Ask) -> None:
    inner = (Iteration("claude-wren-2", Counts(input_tokens=100_000)), Iteration(None, Counts(input_tokens=MILLION)))
    items = [
        record(message_id="a", iterations=inner, charge=_charge("1.5")),
        record("claude-wren-2", "b", input_tokens=1, charge=_charge("9")),
    ]

    (source,) = ask(items, model_glob="*lark*").quality.recorded_by

    assert source.compared == Amounts(1, Decimal("1.5"), Decimal("1.1"))
    assert [model for model, _ in source.models] == ["claude-lark-1"]


def test_a_response_with_a_part_without_a_price_is_not_compared(record: Make, ask: Ask) -> None:
    inner = (Iteration("claude-gone-9", Counts(input_tokens=5)), Iteration(None, Counts(input_tokens=MILLION)))

    (source,) = ask([record(iterations=inner, charge=_charge("1"))]).quality.recorded_by

    assert source.not_compared == (("unpriced", 1),)


def test_every_grouping_compares_the_same(record: Make, ask: Ask) -> None:
    items = [
        record(message_id=f"m{number}", session=f"s{number % 3}", input_tokens=number, charge=_charge(f"0.{number}"))
        for number in range(1, 9)
    ]
    compared = {str(ask(items, by=(by,)).quality.recorded_by) for by in ("model", "session", "file", "hour", "tier")}

    assert len(compared) == 1
