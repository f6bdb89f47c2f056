"""One billed response counts once: what makes two records copies, and what of them counts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from costkit.core.response import Counts, Iteration
from costkit.errors import InvalidInput
from costkit.report import Record, Report

Make = Callable[..., Record]
Ask = Callable[..., Report]


def test_copies_count_once_with_the_largest_value_of_each_field(record: Make, ask: Ask) -> None:
    first = record(message_id="m", request_id="r", input_tokens=7, output_tokens=1)
    grown = record(message_id="m", request_id="r", line=2, input_tokens=3, output_tokens=90)

    report = ask([first, grown])

    assert (report.total.requests, report.duplicates) == (1, 1)
    assert (report.total.usage.input_tokens, report.total.usage.output_tokens) == (7, 90)


def test_a_missing_request_id_is_a_value_of_its_own(record: Make, ask: Ask) -> None:
    records = [record(message_id="m", request_id=request, input_tokens=1) for request in (None, "r", None, "")]

    assert ask(records).total.requests == 3
    assert ask(records).duplicates == 1


def test_the_message_id_alone_decides_when_asked_to(record: Make, ask: Ask) -> None:
    records = [record(message_id="m", request_id=request, input_tokens=1) for request in (None, "r", "s")]

    assert ask(records, dedupe="id").total.requests == 1


def test_records_without_an_id_count_once_each(record: Make, ask: Ask) -> None:
    report = ask([record(request_id="r", input_tokens=1)] * 3)

    assert (report.total.requests, report.duplicates) == (3, 0)


def test_nothing_is_merged_when_dedupe_is_off(record: Make, ask: Ask) -> None:
    assert ask([record(message_id="m", input_tokens=1)] * 3, dedupe="none").total.requests == 3


def test_dedupe_within_files_counts_a_response_once_per_file(record: Make, ask: Ask) -> None:
    records = [record(message_id="m", path=path, input_tokens=1) for path in ("a", "a", "b")]

    report = ask(records, dedupe="file", by=("file",))

    assert (report.total.requests, report.duplicates) == (2, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_attributes_come_from_the_earliest_copy(record: Make, ask: Ask, order: tuple[int, ...]) -> None:
    copies = [
        record("claude-lark-1", "m", at=None, path="a", session="untimed"),
        record("claude-wren-2", "m", at="2026-03-02T00:00", path="a", session="late"),
        record("claude-lark-1", "m", at="2026-03-01T23:59", path="z", session="early", input_tokens=1_000_000),
    ]

    report = ask([copies[index] for index in order], by=("session", "day", "file", "model"))

    assert dict(report.rows[0].group) == {
        "session": "early",
        "day": "2026-03-01",
        "file": "z",
        "model": "claude-lark-1",
    }
    assert report.total.cost_usd == Decimal(1)


def test_at_the_same_time_the_smaller_path_and_then_the_smaller_offset_decide(record: Make, ask: Ask) -> None:
    copies = [
        record(message_id="m", path="b", line=1, session="other file"),
        record(message_id="m", path="a", line=9, session="further down"),
        record(message_id="m", path="a", line=2, session="first"),
    ]

    assert dict(ask(copies, by=("session",)).rows[0].group) == {"session": "first"}


def test_dedupe_comes_before_the_date_range(record: Make, ask: Ask) -> None:
    """The response belongs to the day of its first copy, so a range over the second day does not hold it."""
    copies = [
        record(message_id="m", at="2026-03-01T23:59", input_tokens=1),
        record(message_id="m", at="2026-03-02T00:01", input_tokens=1),
    ]

    assert ask(copies, since=_moment(record, "2026-03-02T00:00")).total.requests == 0
    assert ask(copies, until=_moment(record, "2026-03-02T00:00")).total.requests == 1


def test_iterations_of_copies_are_merged_position_by_position(record: Make, ask: Ask) -> None:
    short = record(message_id="m", iterations=(Iteration(None, Counts(input_tokens=5)),))
    long = record(
        message_id="m",
        iterations=(
            Iteration(None, Counts(input_tokens=3, output_tokens=2)),
            Iteration("claude-wren-2", Counts(input_tokens=10)),
        ),
    )

    report = ask([short, long])

    assert report.total.requests == 1
    assert (report.total.usage.input_tokens, report.total.usage.output_tokens) == (15, 2)


def test_a_placeholder_that_another_copy_completes_is_none(record: Make, ask: Ask) -> None:
    start = record(message_id="m", output_tokens=2, placeholder=True, incomplete=True)
    end = record(message_id="m", output_tokens=90)

    assert (ask([start]).quality.placeholders, ask([start]).quality.incomplete) == (1, 1)
    assert (ask([start, end]).quality.placeholders, ask([start, end]).quality.incomplete) == (0, 0)
    assert {notice.code for notice in ask([start]).notices} == {"placeholder-output", "incomplete-stream"}


def test_an_unknown_way_to_dedupe_is_refused(ask: Ask) -> None:
    with pytest.raises(InvalidInput, match="unknown way to dedupe"):
        ask([], dedupe="maybe")


def _moment(record: Make, at: str) -> Any:
    return record(at=at).timestamp
