"""Windows as people mean them: local midnights, days of 23 and 25 hours, and no moment in two of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.budget import Window, parse_window, span_at
from costkit.errors import InvalidInput

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "America/Havana", "Pacific/Apia")
HOUR = timedelta(hours=1)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "zone", "now", "start", "end"),
    [
        ("day", "UTC", "2026-11-21T10:00Z", "2026-11-21T00:00Z", "2026-11-22T00:00Z"),
        ("day", "Asia/Tokyo", "2026-11-21T15:00Z", "2026-11-21T15:00Z", "2026-11-22T15:00Z"),
        ("day", "Asia/Tokyo", "2026-11-21T14:59:59.999999Z", "2026-11-20T15:00Z", "2026-11-21T15:00Z"),
        ("week", "UTC", "2026-11-22T23:59Z", "2026-11-16T00:00Z", "2026-11-23T00:00Z"),
        ("week", "UTC", "2026-11-23T00:00Z", "2026-11-23T00:00Z", "2026-11-30T00:00Z"),
        ("month", "America/New_York", "2026-11-01T03:59Z", "2026-10-01T04:00Z", "2026-11-01T04:00Z"),
        ("month", "America/New_York", "2026-11-01T04:00Z", "2026-11-01T04:00Z", "2026-12-01T05:00Z"),
        ("month", "UTC", "2026-12-31T23:59Z", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
    ],
)
def test_a_window_begins_and_ends_at_local_midnight(window: str, zone: str, now: str, start: str, end: str) -> None:
    assert span_at(parse_window(window), moment(now), ZoneInfo(zone)) == (moment(start), moment(end))


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00Z", 23),
        ("Europe/Berlin", "2026-10-25T12:00Z", 25),
        ("America/New_York", "2026-03-08T12:00Z", 23),
        ("America/New_York", "2026-11-01T12:00Z", 25),
        ("Africa/Cairo", "2026-04-24T12:00Z", 23),
        ("Asia/Tokyo", "2026-03-29T12:00Z", 24),
    ],
)
def test_a_day_on_which_clocks_change_has_as_many_hours_as_it_has(zone: str, now: str, hours: int) -> None:
    start, end = span_at(Window("day"), moment(now), ZoneInfo(zone))
    assert start is not None
    assert end is not None
    assert end - start == hours * HOUR


@given(
    now=st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - given one
    zone=st.sampled_from(ZONES),
    kind=st.sampled_from(["day", "week", "month"]),
)
def test_windows_hold_their_moments_and_follow_each_other_without_a_gap(now: datetime, zone: str, kind: str) -> None:
    start, end = span_at(Window(kind), now, ZoneInfo(zone))
    assert start is not None
    assert end is not None
    assert start <= now < end
    assert span_at(Window(kind), start, ZoneInfo(zone)) == (start, end)
    assert span_at(Window(kind), end - timedelta(microseconds=1), ZoneInfo(zone)) == (start, end)
    assert span_at(Window(kind), end, ZoneInfo(zone)).start == end


def test_what_was_spent_counts_in_a_rolling_window_for_exactly_its_length() -> None:
    window, spent = parse_window("rolling:5h"), moment("2026-11-21T10:00Z")
    last, first_after = spent + 5 * HOUR - timedelta(microseconds=1), spent + 5 * HOUR
    assert span_at(window, last, UTC) == (spent, None)
    assert span_at(window, first_after, UTC) == (spent + timedelta(microseconds=1), None)


def test_a_total_never_ends() -> None:
    assert span_at(parse_window("total"), moment("2026-11-21T10:00Z"), UTC) == (None, None)


@pytest.mark.parametrize("text", ["day", "week", "month", "total", "rolling:90s", "rolling:5h", "rolling:7d"])
def test_a_window_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_window(text)) == text


@pytest.mark.parametrize(
    "text", ["", "year", "rolling", "rolling:", "rolling:0h", "rolling:-5h", "rolling:1.5h", "rolling:400d", "5h"]
)
def test_anything_else_is_no_window(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no window"):
        parse_window(text)
