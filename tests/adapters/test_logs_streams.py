"""Recorded event streams: usage is cumulative, and what only the start says is kept."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from costkit.adapters.logs import read_logs
from costkit.core.response import Counts
from costkit.report import Item, Record, Skipped

Event = dict[str, Any]


def _start(name: str = "msg_1", **usage: Any) -> Event:
    given = {"input_tokens": 10, "output_tokens": 1, **usage}
    return {"type": "message_start", "message": {"id": name, "model": "claude-opus-5-5", "usage": given}}


def _delta(output: int | None, **usage: Any) -> Event:
    return {"type": "message_delta", "delta": {}, "usage": {"output_tokens": output, **usage}}


TEXT: Event = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": '"usage"'}}
STOP: Event = {"type": "message_stop"}


def _items(*events: Event, form: str = "lines") -> list[Item]:
    shape = "event: {0}\ndata: {1}\n\n" if form == "sse" else "{1}\n"
    text = "".join(shape.format(event.get("type"), json.dumps(event)) for event in events)
    return list(read_logs(["-"], stdin=io.BytesIO(text.encode())))


def _records(*events: Event, form: str = "lines") -> list[Record]:
    return [item for item in _items(*events, form=form) if isinstance(item, Record)]


@pytest.mark.parametrize("form", ["sse", "lines"])
def test_the_last_output_count_is_the_bill(form: str) -> None:
    (record,) = _records(_start(), TEXT, _delta(7), _delta(90), STOP, form=form)

    assert record.usage.counts == Counts(input_tokens=10, output_tokens=90)
    assert (record.message_id, record.incomplete) == ("msg_1", False)


def test_input_counts_are_replaced_unless_null_and_never_added() -> None:
    """With server tools the input grows during the stream; a null says nothing."""
    start = _start(cache_creation_input_tokens=5, cache_read_input_tokens=6)
    delta = _delta(
        90,
        input_tokens=400,
        cache_creation_input_tokens=None,
        cache_read_input_tokens=0,
        server_tool_use={"web_search_requests": 2},
    )

    (record,) = _records(start, delta, STOP)

    assert record.usage.counts == Counts(400, 0, 5, output_tokens=90, web_search_requests=2)


def test_split_tier_geography_and_speed_stay_as_the_start_said() -> None:
    start = _start(
        cache_creation={"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        service_tier="batch",
        inference_geo="us",
        speed="fast",
    )

    (record,) = _records(start, _delta(90, cache_creation_input_tokens=20), STOP)

    assert (record.usage.service_tier, record.usage.inference_geo, record.usage.speed) == ("batch", "us", "fast")
    assert record.usage.counts == Counts(10, 0, 20, 3, 4, 90)


def test_iterations_of_the_last_delta_count() -> None:
    (record,) = _records(_start(), _delta(9, iterations=[{"model": "m", "input_tokens": 3}]), STOP)

    assert [part.model for part in record.usage.iterations] == ["m"]


def test_streams_one_after_the_other_are_a_bill_each() -> None:
    records = _records(_start("a"), _delta(5), STOP, _start("b"), _delta(6), STOP)

    assert [(record.message_id, record.usage.counts.output_tokens) for record in records] == [("a", 5), ("b", 6)]
    assert [record.line for record in records] == [1, 4]


def test_a_stream_that_was_cut_off_is_flagged_and_the_next_one_is_not_touched() -> None:
    records = _records(_start("cut", input_tokens=3), TEXT, _start("whole"), TEXT, _delta(90), STOP)

    assert [(record.message_id, record.incomplete) for record in records] == [("whole", False), ("cut", True)]
    assert [record.usage.counts.output_tokens for record in records] == [90, 1]


def test_a_stream_without_its_stop_is_complete_when_it_has_its_delta() -> None:
    (record,) = _records(_start(), _delta(90))

    assert (record.usage.counts.output_tokens, record.incomplete) == (90, False)


def test_mixed_streams_are_told_apart_by_their_prompt_counts() -> None:
    records = _records(
        _start("a", input_tokens=10),
        _start("b", input_tokens=20),
        _delta(5, input_tokens=10),
        STOP,
        _delta(6, input_tokens=20),
        STOP,
    )

    assert {record.message_id: record.usage.counts.output_tokens for record in records} == {"a": 5, "b": 6}


def test_mixed_streams_are_told_apart_by_the_channel_of_their_wrapper() -> None:
    def on(channel: str, event: Event) -> Event:
        return {"request_id": channel, "ts": 1793520000, "event": event}

    records = _records(
        on("r1", _start("a")), on("r2", _start("b")), on("r1", _delta(5)), on("r2", _delta(6)), on("r1", STOP)
    )

    assert {record.message_id: record.usage.counts.output_tokens for record in records} == {"a": 5, "b": 6}
    assert {record.request_id for record in records} == {"r1", "r2"}
    assert all(record.timestamp is not None for record in records)


def test_many_streams_that_never_end_take_bounded_memory_and_lose_nothing() -> None:
    records = _records(*[_start(f"m{number}") for number in range(1000)])

    assert len({record.message_id for record in records}) == 1000
    assert all(record.incomplete for record in records)


@pytest.mark.parametrize(
    "events",
    [
        [_delta(5)],
        [{"type": "message_start", "message": {"usage": 5}}],
        [_start(output_tokens=-1), STOP],
        [_start(output_tokens=-1)],
        [_start(), {"type": "message_delta", "usage": 5}, _delta(3, input_tokens=-2), STOP],
    ],
)
def test_events_that_make_no_sense_are_skipped_with_a_reason(events: list[Event]) -> None:
    reasons = [item.reason for item in _items(*events) if isinstance(item, Skipped)]

    assert reasons
    assert all(reason.startswith("bad-usage: ") for reason in reasons)
