"""How a report is cut and laid out: dimensions, time zones, date ranges, order, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from costkit.errors import InvalidInput
from costkit.report import Quality, Record, Report, Skipped, parse_by, parse_since, parse_until, parse_zone
from costkit.report.group import moment_of

Make = Callable[..., Record]
Ask = Callable[..., Report]
BERLIN = ZoneInfo("Europe/Berlin")
MILLION = 1_000_000


def _values(report: Report) -> list[tuple[str | None, ...]]:
    return [tuple(value for _, value in row.group) for row in report.rows]


def test_dimensions_are_read_from_one_or_several_flags() -> None:
    assert parse_by("model, day") == ("model", "day")
    assert parse_by(["day", "model,day", "key:metadata.user_id"]) == ("day", "model", "key:metadata.user_id")


@pytest.mark.parametrize(
    ("text", "hint"),
    [("modle", "did you mean model"), ("qqq", "choose from"), ("key:", "key"), ("", "choose from"), ("tags:x", "tag")],
)
def test_an_unknown_dimension_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_by(text)

    assert hint in str(refused.value.hint)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("UTC", UTC),
        ("utc", UTC),
        ("Europe/Berlin", BERLIN),
        ("+09:00", timezone(timedelta(hours=9))),
        ("-0330", timezone(-timedelta(hours=3, minutes=30))),
        ("+05:45", timezone(timedelta(hours=5, minutes=45))),
    ],
)
def test_time_zones_have_names_or_offsets(text: str, zone: object) -> None:
    assert parse_zone(text) == zone


@pytest.mark.parametrize(
    "text", ["Europe/Berln", "+99:00", "+05:07", "+05:75", "../etc/passwd", "", "/etc/localtime", "\0"]
)
def test_an_unknown_time_zone_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="unknown time zone"):
        parse_zone(text)


def test_a_misspelt_time_zone_is_answered_with_the_right_one() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_zone("europe/berln")

    assert "Europe/Berlin" in str(refused.value.hint)


def test_dates_are_whole_local_days_and_moments_are_exact() -> None:
    assert moment_of(parse_since("2026-03-29", BERLIN)) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert moment_of(parse_until("2026-03-29", BERLIN)) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert moment_of(parse_until("2026-03-29T10:30", UTC)) == datetime(2026, 3, 29, 10, 30, tzinfo=UTC)
    assert moment_of(parse_since("2026-03-29T10:30+02:00", UTC)) == datetime(2026, 3, 29, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-20", "20261120", "2026-W47-5", " 2026-11-20 "])
def test_a_day_is_whole_however_it_is_written(text: str) -> None:
    assert moment_of(parse_since(text, UTC)) == datetime(2026, 11, 20, tzinfo=UTC)
    assert moment_of(parse_until(text, UTC)) == datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-02-30", "", "9999-12-31", "2026-W47", "2026-11"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a date"):
        parse_until(text, UTC)


def test_a_range_that_ends_before_it_begins_is_refused(ask: Ask) -> None:
    with pytest.raises(InvalidInput, match="must come before"):
        ask([], since=5, until=5)


@pytest.mark.parametrize("message_id", ["m", None])
def test_a_range_holds_its_first_moment_and_not_its_last(record: Make, ask: Ask, message_id: str | None) -> None:
    one = record(message_id=message_id, input_tokens=1)
    moment = one.timestamp
    assert moment is not None

    assert ask([one], since=moment, until=moment + 1).total.requests == 1
    assert ask([one], since=moment + 1).total.requests == 0
    assert ask([one], until=moment).total.requests == 0


def test_records_without_a_time_are_skipped_by_reason_under_a_range_only(record: Make, ask: Ask) -> None:
    records = [
        record(at=None, message_id="m", line=4, input_tokens=1),
        record(at=None, line=3, input_tokens=1),
    ]

    assert ask(records).total.requests == 2
    skipped = ask(records, since=0).skipped
    assert [(entry.reason, entry.count, entry.examples) for entry in skipped] == [
        ("no-timestamp", 2, ("a.jsonl:3", "a.jsonl:4"))
    ]


def test_days_are_cut_by_the_time_zone_but_priced_by_utc(record: Make, ask: Ask) -> None:
    """23:30 UTC on 31 May is 1 June in Berlin, at the price of May."""
    report = ask([record(at="2026-05-31T23:30", input_tokens=MILLION)], by=("day",), zone=BERLIN)

    assert _values(report) == [("2026-06-01",)]
    assert report.total.cost_usd == 1


def test_times_come_in_their_order_and_the_rest_by_falling_cost(record: Make, ask: Ask) -> None:
    records = [
        record("claude-lark-1", at="2026-03-02T00:00", input_tokens=5),
        record("claude-wren-2", at="2026-03-02T00:00", input_tokens=7),
        record("claude-lark-1", at="2026-03-01T00:00", input_tokens=900),
        record("claude-wren-2", at=None, input_tokens=1),
    ]

    assert _values(ask(records)) == [("claude-lark-1",), ("claude-wren-2",)]
    assert _values(ask(records, by=("day", "model"))) == [
        ("2026-03-01", "claude-lark-1"),
        ("2026-03-02", "claude-wren-2"),
        ("2026-03-02", "claude-lark-1"),
        (None, "claude-wren-2"),
    ]
    assert _values(ask(records, by=("model", "day"))) == [
        ("claude-lark-1", "2026-03-01"),
        ("claude-lark-1", "2026-03-02"),
        ("claude-wren-2", "2026-03-02"),
        ("claude-wren-2", None),
    ]


def test_the_hour_that_comes_twice_is_two_rows_in_their_order(record: Make, ask: Ask) -> None:
    records = [record(at=at, input_tokens=1) for at in ("2026-10-25T01:30", "2026-10-25T00:30")]

    assert _values(ask(records, by=("hour",), zone=BERLIN)) == [
        ("2026-10-25T02:00+02:00",),
        ("2026-10-25T02:00+01:00",),
    ]


def test_weeks_and_months_have_their_usual_names(record: Make, ask: Ask) -> None:
    report = ask([record(at="2027-01-01T12:00", input_tokens=1)], by=("week", "month"))

    assert _values(report) == [("2026-W53", "2027-01")]


def test_every_other_dimension_shows_what_the_log_says(record: Make, ask: Ask) -> None:
    one = record(tier="batch", speed=None, session="s", project="/p", labels=("u7", None), input_tokens=1)

    report = ask([one], by=("tier", "speed", "session", "project", "file", "key:user", "tag:team"))

    assert _values(report) == [("batch", None, "s", "/p", "a.jsonl", "u7", None)]


def test_models_are_chosen_by_pattern_in_either_name(record: Make, ask: Ask) -> None:
    records = [
        record("anthropic/claude-lark-1", input_tokens=1),
        record("claude-wren-2", input_tokens=1),
        record("claude-owl", input_tokens=1),
    ]

    assert _values(ask(records, model_glob="CLAUDE-lark*")) == [("claude-lark-1",)]
    assert _values(ask(records, model_glob="anthropic/*")) == [("claude-lark-1",)]
    assert ask(records, model_glob="claude-[lw]*").complete
    assert [entry.model for entry in ask(records, model_glob="*owl").unpriced] == ["claude-owl"]


def test_the_dearest_rows_stay_and_the_others_become_one(record: Make, ask: Ask) -> None:
    records = [record(session=name, input_tokens=size) for name, size in (("a", 5), ("b", 50), ("c", 7), ("d", 1))]

    report = ask(records, by=("session",), top=2)

    assert _values(report) == [("b",), ("c",), ("other",)]
    assert [row.folded for row in report.rows] == [0, 0, 2]
    assert report.rows[2].figures.usage.input_tokens == 6


def test_a_reader_that_was_not_asked_for_the_labels_is_a_mistake(record: Make, ask: Ask) -> None:
    with pytest.raises(ValueError, match="labels"):
        ask([record()], by=("tag:team",))


def test_zero_rows_are_not_a_number_of_rows(ask: Ask) -> None:
    with pytest.raises(InvalidInput, match="--top"):
        ask([], top=0)


def test_skipped_lines_are_counted_with_their_first_places(ask: Ask) -> None:
    lines = [Skipped("torn-json", "a.jsonl", line, line * 10) for line in (9, 3, 8, 1, 7, 2, 6)]

    report = ask([*lines, Skipped("empty-file", "b.jsonl")])

    assert [entry.as_json() for entry in report.skipped] == [
        {
            "reason": "torn-json",
            "count": 7,
            "examples": ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3", "a.jsonl:6", "a.jsonl:7"],
        },
        {"reason": "empty-file", "count": 1, "examples": ["b.jsonl"]},
    ]


def test_nothing_at_all_is_a_report_of_nothing(ask: Ask) -> None:
    assert ask([]).as_json() == {
        "by": ["model"],
        "rows": [],
        "total": {
            "requests": 0,
            "usage": {
                "input_tokens": 0,
                "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "ephemeral_5m_input_tokens": 0,
                "ephemeral_1h_input_tokens": 0,
                "output_tokens": 0,
                "web_search_requests": 0,
            },
            "cost_usd": "0",
            "cache_hit_rate": None,
            "saved_by_cache_usd": "0",
            "saved_by_batch_usd": "0",
            "complete": True,
        },
        "unpriced": [],
        "skipped": [],
        "duplicates": 0,
        "period": {"from": None, "to": None},
        "quality": Quality().as_json(),
    }


def test_the_json_has_exact_dollars_and_plain_numbers(record: Make, ask: Ask) -> None:
    records = [
        record(at="2026-03-01T10:00:00.250", labels=(None,), input_tokens=1, cache_read_input_tokens=2),
        record(at="2026-03-04T00:00", labels=(None,), output_tokens=1),
    ]

    result = json.loads(json.dumps(ask(records, by=("model", "tag:team"), zone=BERLIN).as_json()))

    assert result["rows"][0]["tag:team"] is None
    assert result["rows"][0]["cost_usd"] == "0.0000062"
    assert result["rows"][0]["cache_hit_rate"] == 0.666667
    assert result["period"] == {"from": "2026-03-01T10:00:00.250000Z", "to": "2026-03-04T00:00:00Z"}
