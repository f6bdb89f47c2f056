"""Minutes are cut by the records' own times, and a response counts in one of them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.response import BilledUsage, Counts
from costkit.report import Record, ReportOptions, Skipped, report_on
from costkit.report.pace import BY, MINUTE, Pace

BOOK = built_in_book()
OPTIONS = ReportOptions(as_of=date(2026, 11, 21), by=BY)
NOON = 1_795_262_400_000_000
"""2026-11-21 12:00 UTC, in microseconds."""


def record(
    number: int, at: int | None, output: int = 10, model: str = "claude-haiku-5-5", tags: str | None = None
) -> Record:
    usage = BilledUsage(Counts(input_tokens=100, output_tokens=output))
    return Record(usage, "log", number, number, model, f"msg_{number}", None, at, labels=(tags,))


@pytest.fixture
def pace() -> Pace:
    return Pace(BOOK, OPTIONS)


def test_rows_are_minutes_by_model_and_tags_the_newest_first(pace: Pace) -> None:
    records = [
        record(1, NOON),
        record(2, NOON + MINUTE - 1, output=20, tags="team=a"),
        record(3, NOON + MINUTE, output=90),
        record(4, NOON + MINUTE, model="claude-opus-5-5"),
    ]
    pace.take(records, NOON)
    found = [(f"{row.minute:%H:%M}", *(value for _, value in row.row.group)) for row in pace.spending(5).rows]
    assert found == [
        ("12:01", "claude-opus-5-5", None),
        ("12:01", "claude-haiku-5-5", None),
        ("12:00", "claude-haiku-5-5", "team=a"),
        ("12:00", "claude-haiku-5-5", None),
    ]


def test_older_minutes_leave_the_rows_but_not_the_total(pace: Pace) -> None:
    pace.take([record(number, NOON + number * MINUTE) for number in range(10)], NOON)
    spending = pace.spending(3)
    assert [f"{row.minute:%H:%M}" for row in spending.rows] == ["12:09", "12:08", "12:07"]
    assert spending.total.requests == 10


def test_a_copy_that_comes_later_completes_the_response_where_it_was_counted(pace: Pace) -> None:
    pace.take([record(1, NOON, output=1)], NOON)
    pace.take([record(1, NOON + 2 * MINUTE, output=50)], NOON)
    spending = pace.spending(5)
    assert [(f"{row.minute:%H:%M}", row.row.figures.usage.output_tokens) for row in spending.rows] == [("12:00", 50)]
    assert spending.duplicates == 1


def test_a_record_without_a_time_counts_when_it_is_read(pace: Pace) -> None:
    pace.take([record(1, None)], NOON + 7 * MINUTE)
    assert f"{pace.spending(1).rows[0].minute:%H:%M}" == "12:07"


def test_what_has_no_price_is_told_once_for_all_minutes(pace: Pace) -> None:
    pace.take([record(number, NOON + number * MINUTE, model="claude-gone-9") for number in range(3)], NOON)
    spending = pace.spending(5)
    assert not spending.complete
    assert [(entry.model, entry.requests) for entry in spending.unpriced] == [("claude-gone-9", 3)]
    assert spending.unpriced[0].usage.output_tokens == 30


def test_what_can_not_be_read_is_told(pace: Pace) -> None:
    pace.take([Skipped("torn JSON", "log", 3)], NOON)
    assert [(entry.reason, entry.examples) for entry in pace.spending(1).skipped] == [("torn JSON", ("log:3",))]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(1, 500)), min_size=1, max_size=40),
    st.integers(1, 10),
)
def test_whatever_comes_when_the_total_is_that_of_the_report(sent: list[tuple[int, int, int]], size: int) -> None:
    records = [record(number, NOON + minute * MINUTE, output=output) for number, minute, output in sent]
    pace = Pace(BOOK, OPTIONS)
    for start in range(0, len(records), size):
        pace.take(records[start : start + size], NOON)
        pace.spending(2)
    report = report_on(records, BOOK, OPTIONS)
    spending = pace.spending(100)
    assert spending.total == report.total
    assert spending.duplicates == report.duplicates
