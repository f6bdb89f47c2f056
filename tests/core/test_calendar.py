"""Calendar windows are those of a time zone, clock changes included."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from costkit.core.period import UNITS, day_after, day_in, label, start_of_day

BERLIN = ZoneInfo("Europe/Berlin")
SEOUL = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("unit", "name"),
    [("hour", "2026-11-20T23:00+00:00"), ("day", "2026-11-20"), ("week", "2026-W47"), ("month", "2026-11")],
)
def test_a_moment_falls_in_one_window_of_each_unit(unit: str, name: str) -> None:
    assert unit in UNITS
    assert label(datetime(2026, 11, 20, 23, 59, 59, 999_999, UTC), unit, UTC) == name


def test_the_zone_decides_the_day_and_the_month() -> None:
    moment = datetime(2026, 10, 31, 15, 30, tzinfo=UTC)
    assert label(moment, "day", SEOUL) == "2026-11-01"
    assert label(moment, "month", SEOUL) == "2026-11"
    assert label(moment, "day", UTC) == "2026-10-31"


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ((2026, 12, 31), "2026-W53"),
        ((2027, 1, 3), "2026-W53"),
        ((2027, 1, 4), "2027-W01"),
        ((2024, 12, 30), "2025-W01"),
    ],
)
def test_weeks_are_iso_weeks_and_belong_to_the_year_of_their_thursday(day: tuple[int, int, int], week: str) -> None:
    assert label(datetime(*day, 12, tzinfo=UTC), "week", UTC) == week


def test_the_hour_that_happens_twice_has_two_names() -> None:
    first = label(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "hour", BERLIN)
    second = label(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "hour", BERLIN)
    assert (first, second) == ("2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00")


def test_a_day_with_a_clock_change_has_its_real_length() -> None:
    longest = date(2026, 10, 25)
    length = start_of_day(day_after(longest), BERLIN).astimezone(UTC) - start_of_day(longest, BERLIN).astimezone(UTC)
    assert length == timedelta(hours=25)


def test_the_day_after_crosses_months_and_leap_days() -> None:
    assert day_after(date(2026, 12, 31)) == date(2027, 1, 1)
    assert day_after(date(2028, 2, 28)) == date(2028, 2, 29)


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown calendar unit 'decade'"):
        label(datetime(2026, 1, 1, tzinfo=UTC), "decade", UTC)


@pytest.mark.parametrize("text", ["2026-11-20", "20261120", "2026-W47-5", "2026W475"])
def test_a_day_may_be_written_in_any_form_of_the_standard(text: str) -> None:
    assert day_in(text) == date(2026, 11, 20)


@pytest.mark.parametrize("text", ["2026-W47", "2026-11", "2026-11-20T00", "20 Nov 2026", "", "1120", "2026-324"])
def test_what_is_no_single_day_is_none(text: str) -> None:
    assert day_in(text) is None


@pytest.mark.parametrize("text", ["2026-02-30", "20261301", "2026-W54-1"])
def test_a_day_that_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        day_in(text)
