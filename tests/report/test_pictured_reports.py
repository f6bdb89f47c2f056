"""What a report shows beyond its rows: the dearest responses, and spend over time."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.core.pricebook import PriceBook
from costkit.core.response import BilledUsage, Counts, Iteration
from costkit.report import Record, ReportOptions, merge, settle, summarize
from costkit.report.fold import close
from costkit.report.group import microseconds
from costkit.report.picture import dearest_responses, over_time, windows_of
from costkit.report.result import Period

TODAY = date(2026, 11, 21)
MODELS = ["claude-lark-1", "claude-wren-2", "claude-rook-0", "claude-gone-9", None]
COUNTS = st.builds(Counts, *[st.sampled_from([0, 1, 7, 60_000, 99_999])] * 6, st.integers(0, 2))
FIRST, LAST = (microseconds(datetime(2026, month, day, tzinfo=UTC)) for month, day in ((5, 30), (6, 3)))
TIMES = st.none() | st.integers(FIRST, LAST)
PASSES = st.lists(st.builds(Iteration, st.sampled_from(MODELS), COUNTS), max_size=2).map(tuple)
RECORDS = st.builds(
    lambda usage, place, model, identity, when: Record(
        usage, "a.jsonl", place, place * 100, model, identity, None, when, session=f"s{place}"
    ),
    st.builds(
        BilledUsage,
        COUNTS,
        st.sampled_from([None, "batch"]),
        st.sampled_from([None, "fast"]),
        st.sampled_from([None, "us"]),
        PASSES,
    ),
    st.integers(1, 99),
    st.sampled_from(MODELS),
    st.sampled_from([None, *"abcdef"]),
    TIMES,
)


@given(
    st.lists(RECORDS, max_size=14),
    st.sampled_from(["auto", "none"]),
    st.sampled_from([None, "*lark*"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_dearest_are_the_same_however_a_log_is_split(
    book: PriceBook, records: list[Record], dedupe: str, glob: str | None, ranged: Any, chance: random.Random
) -> None:
    since = microseconds(datetime(2026, 6, 1, tzinfo=UTC)) * ranged or None
    options = ReportOptions(TODAY, dedupe=dedupe, model_glob=glob, since=since, dearest=3, over_time=True)
    whole = summarize(records, options.fold(book))
    parts: list[list[Record]] = [[], [], []]
    for record in records:
        parts[chance.randrange(3)].append(record)
    split = merge([summarize(part, options.fold(book)) for part in parts], options.fold(book))
    close(split)

    found = dearest_responses(whole, options)
    assert [(one.usd, one.moment) for one in dearest_responses(split, options)] == [
        (one.usd, one.moment) for one in found
    ]
    each = summarize(records, ReportOptions(TODAY, dedupe=dedupe, since=since).fold(book)).responses
    lone = [record for record in records if record.message_id is None or dedupe == "none"]
    assert len(found) <= min(3, len(each) + len(lone))


@given(st.lists(RECORDS, max_size=14, unique_by=lambda record: record.line))
def test_a_response_is_as_dear_as_a_report_on_it_alone(book: PriceBook, records: list[Record]) -> None:
    options = ReportOptions(TODAY, dedupe="none", dearest=3)
    alone = [settle(summarize([record], options.fold(book)), book, options) for record in records]
    costs = sorted((one.total.cost_usd for one in alone if one.complete and one.total.cost_usd), reverse=True)
    summary = summarize(records, options.fold(book))

    assert [one.usd for one in dearest_responses(summary, options)] == costs[:3]


def test_a_response_says_where_it_is_and_what_it_used(book: PriceBook, record: Any) -> None:
    options = ReportOptions(TODAY, dearest=2)
    dear = record(message_id="m", line=7, session="s", input_tokens=5, cache_creation_input_tokens=3, output_tokens=9)
    found = dearest_responses(summarize([dear, record(line=8, output_tokens=1)], options.fold(book)), options)

    assert [one.place for one in found] == ["a.jsonl:7", "a.jsonl:8"]
    assert (found[0].session, found[0].tokens, found[0].usd) == ("s", (5, 0, 3, 9), Decimal("0.00005375"))
    assert found[0].moment == datetime(2026, 3, 1, 10, tzinfo=UTC)


@given(st.lists(RECORDS, max_size=14))
def test_what_is_in_windows_and_what_has_no_time_are_the_total(book: PriceBook, records: list[Record]) -> None:
    options = ReportOptions(TODAY, over_time=True)
    summary = summarize(records, options.fold(book))
    report = settle(summary, book, options)
    shown = over_time(summary, book, options, report.period)

    whole = sum((shown.of_window(window) for window in shown.windows), shown.untimed)
    assert whole == report.total
    assert {window for window, _ in shown.figures} <= set(shown.windows)


def test_over_time_needs_a_summary_that_was_made_for_it(book: PriceBook) -> None:
    options = ReportOptions(TODAY)
    summary = summarize([], options.fold(book))
    with pytest.raises(ValueError, match="other options"):
        over_time(summary, book, options, Period(None, None))


@pytest.mark.parametrize(
    ("last", "by", "unit", "windows"),
    [
        ("2026-03-01T23:00", ("model",), "hour", 24),
        ("2026-03-20T00:00", ("model",), "day", 20),
        ("2026-08-01T00:00", ("model",), "week", 23),
        ("2028-03-01T00:00", ("model",), "month", 25),
        ("2026-03-20T00:00", ("week", "model"), "week", 4),
        ("2026-08-01T00:00", ("day",), "week", 23),
        ("2026-03-20T00:00", ("hour",), "day", 20),
    ],
)
def test_windows_suit_the_length_of_the_log(
    book: PriceBook, record: Any, last: str, by: tuple[str, ...], unit: str, windows: int
) -> None:
    options = ReportOptions(TODAY, by=by, over_time=True)
    records = [record(at="2026-03-01T00:00", output_tokens=1), record(at=last, output_tokens=1)]
    summary = summarize(records, options.fold(book))
    shown = over_time(summary, book, options, settle(summary, book, options).period)

    assert (shown.unit, len(shown.windows)) == (unit, windows)


def test_an_empty_log_has_no_windows() -> None:
    assert windows_of("day", Period(None, None)) == ()
