"""Every way to get a response from the SDK leaves one line, with what the API billed."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import anthropic
import pydantic
import pytest
from api_server import ApiServer, Fault

import costkit
from costkit.adapters.logs import read_logs
from costkit.errors import InvalidInput
from costkit.report import Record

TOOL: Any = {"name": "tide", "description": "The tide.", "input_schema": {"type": "object"}}


class Tide(pydantic.BaseModel):
    metres: float = 0

    @pydantic.model_validator(mode="after")
    def never_fits(self) -> Tide:
        raise ValueError("no tide is right")


def test_a_call_leaves_one_line_with_what_the_api_billed(client: Any, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path)
    message = tracked.messages.create(**body)
    line = log.line
    assert (line["id"], line["model"], line["request_id"]) == (message.id, body["model"], message._request_id)
    assert line["usage"]["output_tokens"] == message.usage.output_tokens
    assert (line["stop_reason"], line["tags"]) == (message.stop_reason, {})
    assert line["duration_ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
    assert "incomplete" not in line


def test_the_client_that_was_given_stays_as_it_is(client: Any, log: Any, body: Any) -> None:
    costkit.track(client, log.path)
    client.messages.create(**body)
    assert log.lines == []


def test_clients_made_from_a_tracked_one_are_tracked(client: Any, log: Any, body: Any) -> None:
    costkit.track(client, log.path).with_options(timeout=20).messages.create(**body)
    assert len(log.lines) == 1


def _ways(client: anthropic.Anthropic, body: dict[str, Any]) -> dict[str, Any]:
    def streamed_raw() -> None:
        with client.messages.with_streaming_response.create(**body) as response:
            response.read()

    def helped() -> None:
        with client.messages.stream(**body) as stream:
            stream.get_final_message()

    def beta_helped() -> None:
        with client.beta.messages.stream(**body) as stream:
            stream.get_final_message()

    def raw_events() -> None:
        with client.messages.with_streaming_response.create(stream=True, **body) as response:
            assert b"message_stop" in b"".join(response.iter_bytes())

    return {
        "create": lambda: client.messages.create(**body),
        "stream": lambda: list(client.messages.create(stream=True, **body)),
        "stream helper": helped,
        "raw response": lambda: client.messages.with_raw_response.create(**body),
        "streamed response": streamed_raw,
        "raw events": raw_events,
        "beta": lambda: client.beta.messages.create(**body),
        "beta stream": lambda: list(client.beta.messages.create(stream=True, **body)),
        "beta stream helper": beta_helped,
        "tools": lambda: client.messages.create(tools=[TOOL], **body),
        "bare post": lambda: client.post("/v1/messages", cast_to=object, body=body),
    }


@pytest.mark.parametrize("way", list(_ways(anthropic.Anthropic(api_key="none"), {})))
def test_each_way_of_calling_is_recorded_with_its_final_usage(client: Any, log: Any, body: Any, way: str) -> None:
    _ways(costkit.track(client, log.path), body)[way]()
    line = log.line
    assert line["usage"]["output_tokens"] >= 8  # the start of a stream says 1
    assert line["stop_reason"] == "end_turn"
    assert line["usage"]["service_tier"] == "standard"
    assert "incomplete" not in line
    assert line["request_id"].startswith("req_")


def test_a_call_whose_answer_does_not_parse_was_billed_and_is_recorded(client: Any, log: Any, body: Any) -> None:
    with pytest.raises(pydantic.ValidationError):
        costkit.track(client, log.path).messages.parse(output_format=Tide, **body)
    assert log.line["usage"]["output_tokens"] > 0


def test_calls_of_an_asynchronous_client_are_recorded(api: ApiServer, log: Any, body: Any) -> None:
    async def calls() -> None:
        async with anthropic.AsyncAnthropic(api_key=api.key, base_url=api.url) as client:
            tracked = costkit.track(client, log.path)
            await tracked.messages.create(**body)
            async with tracked.messages.stream(**body) as stream:
                await stream.get_final_message()
            async for _ in await tracked.messages.create(stream=True, **body):
                pass
            async with tracked.messages.with_streaming_response.create(**body) as response:
                await response.parse()

    asyncio.run(calls())
    assert len({line["id"] for line in log.lines}) == 4
    assert len({line["usage"]["output_tokens"] for line in log.lines}) == 1
    assert not any("incomplete" in line for line in log.lines)


def test_the_results_of_a_batch_are_recorded_at_the_batch_price(
    client: Any, api: ApiServer, log: Any, body: Any
) -> None:
    tracked = costkit.track(client, log.path, tags={"job": "night"})
    batch = tracked.messages.batches.create(requests=[{"custom_id": f"n-{n}", "params": body} for n in range(3)])
    api.end()
    assert len(list(tracked.messages.batches.results(batch.id))) == 3
    lines = log.lines
    assert sorted(line["custom_id"] for line in lines) == ["n-0", "n-1", "n-2"]
    assert {line["usage"]["service_tier"] for line in lines} == {"batch"}
    assert {(line["batch_id"], line["tags"]["job"], line["request_id"]) for line in lines} == {
        (batch.id, "night", None)
    }


def test_results_that_are_read_twice_count_once(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path)
    batch = tracked.messages.batches.create(requests=[{"custom_id": "n-0", "params": body}])
    api.end()
    for _ in range(2):
        list(tracked.messages.batches.results(batch.id))
    assert len(log.lines) == 2
    assert costkit.summarize_logs([log.path]).total.requests == 1


def test_compressed_results_are_recorded(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    api.compress_results = True
    tracked = costkit.track(client, log.path)
    batch = tracked.messages.batches.create(requests=[{"custom_id": "n-0", "params": body}])
    api.end()
    list(tracked.messages.batches.results(batch.id))
    list(tracked.messages.create(stream=True, **body))
    assert [line["usage"]["service_tier"] for line in log.lines] == ["batch", "standard"]


def test_what_bills_nothing_is_not_recorded(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path)
    tracked.messages.count_tokens(model=body["model"], messages=body["messages"])
    api.fail(Fault(on="messages", status=529))
    with pytest.raises(anthropic.APIStatusError):
        tracked.messages.create(**body)
    with pytest.raises(anthropic.BadRequestError):
        tracked.messages.create(**{**body, "max_tokens": -1})
    assert log.lines == []


def test_a_call_that_was_retried_is_recorded_once(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    api.fail(Fault(on="messages", status=529, headers={"retry-after-ms": "1"}))
    costkit.track(client, log.path).with_options(max_retries=2).messages.create(**body)
    assert len(log.lines) == 1


def test_the_report_reads_what_was_recorded(client: Any, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path, tags={"team": "sea", "session": "s1"})
    usages = [tracked.messages.create(**body).usage for _ in range(3)]
    report = costkit.summarize_logs([log.path], by="tag:team,session")
    assert report.rows[0].group == (("tag:team", "sea"), ("session", "s1"))
    assert report.total.requests == 3
    assert report.total.usage.output_tokens == sum(usage.output_tokens for usage in usages)
    assert report.complete


def test_text_is_recorded_only_where_it_is_asked_for(client: Any, log: Any, body: Any) -> None:
    costkit.track(client, log.path).messages.create(**body)
    assert "tide" not in log.path.read_text(encoding="utf-8")
    message = costkit.track(client, log.path, content=True).messages.create(**body)
    line = log.lines[1]
    assert line["request"]["messages"] == body["messages"]
    assert line["response"]["content"] == [{"type": "text", "text": message.content[0].text}]


def test_a_request_that_can_not_be_outlined_is_recorded_without(client: Any, log: Any, body: Any) -> None:
    costkit.track(client, log.path).post("/v1/messages", cast_to=object, body={**body, "inference_geo": 7})
    line = log.line
    assert line["usage"]["output_tokens"] > 0
    assert "blocks" not in line


@pytest.mark.parametrize("text", ["half a pair \ud83d", "12 °C"])
def test_every_text_can_be_recorded(client: Any, log: Any, body: Any, text: str) -> None:
    costkit.track(client, log.path, tags={"place": text}).messages.create(**body)
    assert log.line["tags"]["place"] in (text, "half a pair \\ud83d")


def test_a_line_with_text_counts_as_one_response(client: Any, log: Any, body: Any) -> None:
    costkit.track(client, log.path, content=True).messages.create(**body)
    (record,) = [item for item in read_logs([str(log.path)]) if isinstance(item, Record)]
    assert record.message_id == log.line["id"]


def test_the_text_of_a_stream_is_put_together(client: Any, log: Any, body: Any) -> None:
    with costkit.track(client, log.path, content=True).messages.stream(**body) as stream:
        message = stream.get_final_message()
    assert log.line["response"]["content"] == [{"type": "text", "text": message.content[0].text}]


def test_no_credential_is_in_the_log(client: Any, api: ApiServer, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path, content=True)
    servers = [{"type": "url", "name": "sea", "url": "https://x.example", "authorization_token": "secret-of-the-sea"}]
    tracked.post("/v1/messages?beta=true", cast_to=object, body={**body, "mcp_servers": servers})
    text = log.path.read_text(encoding="utf-8")
    assert api.key not in text
    assert "secret-of-the-sea" not in text
    assert "https://x.example" in text


def test_a_log_is_readable_by_its_owner_only(client: Any, log: Any, body: Any) -> None:
    costkit.track(client, log.path).messages.create(**body)
    assert log.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": ""},
        {"max_bytes": 0},
        {"keep": -1},
        {"tags": {"": "x"}},
        {"tags": {"team": ["a"]}},
        {"tags": {"cost": float("nan")}},
    ],
)
def test_arguments_that_mean_nothing_are_refused(client: Any, tmp_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        costkit.track(client, **{"path": os.fspath(tmp_path / "log"), **arguments})


def test_something_else_than_a_client_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="client"):
        costkit.track("client", tmp_path / "log")  # type: ignore[type-var]
