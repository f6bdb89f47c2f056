"""Streams that don't reach their end are recorded with what is known, and marked."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
from typing import Any

import anthropic
import httpx2
import pytest
from api_server import ApiServer, Fault

import costkit
from costkit.tracking.answer import BatchResults, EventStream


def _slow(api: ApiServer) -> None:
    """The events come in pieces, so that the first can be read before the last is sent."""
    api.fail(Fault(on="messages", body_s=0.6))


def test_a_stream_that_is_given_up_is_marked(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    _slow(api)
    with costkit.track(client, log.path).messages.stream(**body) as stream:
        next(iter(stream))
    line = log.line
    assert line["incomplete"] == "abandoned"
    assert (line["usage"]["output_tokens"], line["stop_reason"]) == (1, None)
    assert line["usage"]["input_tokens"] > 0


def test_a_stream_that_is_dropped_is_marked(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    _slow(api)
    stream = costkit.track(client, log.path).messages.create(stream=True, **body)
    next(iter(stream))
    del stream
    gc.collect()
    assert log.line["incomplete"] == "abandoned"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_that_drops_the_stream_of_its_parent_writes_nothing(
    client: Any, api: ApiServer, log: Any, body: Any
) -> None:
    _slow(api)
    stream = costkit.track(client, log.path).messages.create(stream=True, **body)
    next(iter(stream))
    child = multiprocessing.get_context("fork").Process(target=stream.close)
    child.start()
    child.join(60)
    list(stream)
    assert "incomplete" not in log.line


def test_a_stream_that_breaks_is_marked_and_still_raises(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    api.fail(Fault(on="messages", cut="close", cut_at=0.6, body_s=0.2))
    with pytest.raises(httpx2.RemoteProtocolError):
        list(costkit.track(client, log.path).messages.create(stream=True, **body))
    assert log.line["incomplete"] == "broken"


def test_a_task_that_is_cancelled_amid_a_stream_leaves_its_line(api: ApiServer, log: Any, body: Any) -> None:
    _slow(api)

    async def read(client: anthropic.AsyncAnthropic, begun: asyncio.Event) -> None:
        async for _ in await client.messages.create(stream=True, **body):
            begun.set()

    async def cancelled() -> None:
        async with anthropic.AsyncAnthropic(api_key=api.key, base_url=api.url) as client:
            begun = asyncio.Event()
            task = asyncio.create_task(read(costkit.track(client, log.path), begun))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    assert log.line["incomplete"] in ("abandoned", "broken")


def test_a_stream_that_is_left_after_its_last_usage_is_complete(client: Any, log: Any, body: Any) -> None:
    with costkit.track(client, log.path).messages.stream(**body) as stream:
        for event in stream:
            if event.type == "message_delta":  # everything that is billed is known
                break
    assert "incomplete" not in log.line


def test_the_report_says_that_a_stream_ended_early(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    _slow(api)
    with costkit.track(client, log.path).messages.stream(**body) as stream:
        next(iter(stream))
    assert costkit.summarize_logs([log.path]).quality.incomplete == 1


EVENTS = (
    b'event: message_start\r\ndata: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":5,'
    b'"cache_read_input_tokens":7,"output_tokens":1,"service_tier":"standard"}}}\r\n\r\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
    b'{"type":"tool_use","id":"t","name":"tide","input":{}}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
    b'{"type":"input_json_delta","partial_json":"{\\"at\\":"}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
    b'{"type":"input_json_delta","partial_json":" 12}"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b"event: ping\ndata: {}\n\n"
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":'
    b'{"input_tokens":9,"cache_read_input_tokens":null,"output_tokens":40}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


@pytest.mark.parametrize("size", [1, 7, 100, len(EVENTS)])
@pytest.mark.parametrize("content", [False, True])
def test_events_are_understood_however_they_are_cut(size: int, *, content: bool) -> None:
    stream = EventStream(content=content)
    for start in range(0, len(EVENTS), size):
        assert stream.feed(EVENTS[start : start + size]) == []
    (answer,) = stream.finish()
    usage = {"input_tokens": 9, "cache_read_input_tokens": 7, "output_tokens": 40, "service_tier": "standard"}
    assert answer.message["usage"] == usage
    assert (answer.message["stop_reason"], answer.is_final) == ("tool_use", True)
    tool = {"type": "tool_use", "id": "t", "name": "tide", "input": {"at": 12}}
    assert answer.message["content"] == [tool] * content


def test_a_stream_without_its_start_is_no_answer() -> None:
    stream = EventStream(content=True)
    stream.feed(EVENTS[EVENTS.index(b"event: content") :])
    assert stream.finish() == []


def test_only_the_successes_of_a_batch_are_answers() -> None:
    rows = (
        b'{"custom_id":"a","result":{"type":"succeeded","message":{"id":"m1","usage":{"output_tokens":1}}}}\n'
        b'{"custom_id":"b","result":{"type":"errored","error":{}}}\nnot JSON\n'
        b'{"custom_id":"c","result":{"type":"succeeded","message":{"id":"m2","usage":{"output_tokens":2}}}}'
    )
    results = BatchResults()
    answers = [answer for at in range(0, len(rows), 9) for answer in results.feed(rows[at : at + 9])]
    answers += results.finish()
    assert [answer.custom_id for answer in answers] == ["a", "c"]
    assert [answer.message["usage"] for answer in answers] == [
        {"output_tokens": 1, "service_tier": "batch"},
        {"output_tokens": 2, "service_tier": "batch"},
    ]
