"""Every dialect is found by its content, and each bills what the API billed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from costkit.adapters.logs import read_logs
from costkit.core.response import Counts
from costkit.report import FileRead, FoldOptions, Item, Record, RecordedCost, Remark, Skipped, summarize
from costkit.report.group import moment_of

USAGE = {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 30}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": 'says "usage": {"input_tokens": 999}'}],
    "stop_reason": "end_turn",
    "usage": USAGE,
}


def _read(*documents: object, labels: tuple[str, ...] = ()) -> list[Item]:
    data = b"".join(json.dumps(document).encode() + b"\n" for document in documents)
    return list(read_logs(["-"], stdin=io.BytesIO(data), labels=labels))


def _one(*documents: object, labels: tuple[str, ...] = ()) -> Record:
    records = [item for item in _read(*documents, labels=labels) if isinstance(item, Record)]
    assert len(records) == 1
    return records[0]


def _file(*documents: object) -> FileRead:
    item = _read(*documents)[-1]
    assert isinstance(item, FileRead)
    return item


def _reasons(*documents: object) -> list[str]:
    return [item.reason for item in _read(*documents) if isinstance(item, Skipped)]


def test_a_bare_message_is_a_bill_without_a_time() -> None:
    record = _one(MESSAGE)

    assert record.usage.counts == Counts(10, 30, output_tokens=20)
    assert (record.model, record.message_id, record.request_id, record.timestamp) == (
        "claude-opus-5-5",
        "msg_1",
        None,
        None,
    )
    assert (record.path, record.line, record.offset) == ("<stdin>", 1, 0)


@pytest.mark.parametrize(
    "wrapped",
    [
        {"response": MESSAGE},
        {"message": MESSAGE},
        {"result": {"message": MESSAGE}},
        {"body": MESSAGE},
        {"data": MESSAGE},
        {"response": {"status_code": 200, "body": MESSAGE}},
    ],
    ids=["response", "message", "result.message", "body", "data", "response.body"],
)
def test_a_wrapped_message_has_the_time_and_the_ids_of_its_wrapper(wrapped: dict[str, object]) -> None:
    record = _one({"timestamp": "2026-11-01T10:00:00+02:00", "request_id": "req_9", "session_id": "s", **wrapped})

    assert record.usage.counts.output_tokens == 20
    assert (record.request_id, record.session) == ("req_9", "s")
    assert moment_of(record.timestamp or 0).isoformat() == "2026-11-01T08:00:00+00:00"


def test_a_wrapper_that_repeats_the_usage_leaves_the_bill_to_the_message() -> None:
    assert _one({"usage": USAGE, "latency": 5, "response": MESSAGE}).model == "claude-opus-5-5"
    assert _one({"usage": USAGE, "role": "assistant"}).model is None


def test_usage_inside_content_or_tool_input_bills_nothing() -> None:
    tool = {"type": "tool_use", "input": {"usage": USAGE, "model": None, "message": MESSAGE}}

    assert _one({**MESSAGE, "content": [tool]}).usage.counts.input_tokens == 10
    assert _file({"role": "user", "content": [tool], "model": "claude-opus-5-5"}).other == 1


@pytest.mark.parametrize(
    "document",
    [
        {"usage": {"prompt_tokens": 5, "completion_tokens": 6}, "model": "other"},
        {"usage": "97 %", "host": "web-1"},
        {"usage": None, "type": "message"},
        {"usage": {"cpu": 1.5}},
        {"data": [{"usage": USAGE}]},
        {"type": "result", "session_id": "s", "usage": USAGE, "total_cost_usd": 1.5},
    ],
)
def test_documents_of_another_kind_are_counted_and_not_skipped(document: object) -> None:
    file = _file(document)

    assert (file.documents, file.other) == (1, 1)
    assert _reasons(document) == []


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({**USAGE, "output_tokens": -1}, "bad-usage: usage.output_tokens is negative"),
        ({**USAGE, "output_tokens": 10**11}, "bad-usage: usage.output_tokens is absurdly large"),
        ({**USAGE, "output_tokens": 1.5}, "bad-usage: usage.output_tokens is not a whole number"),
        ({**USAGE, "output_tokens": "20"}, "bad-usage: usage.output_tokens is not a whole number"),
        ({**USAGE, "output_tokens": True}, "bad-usage: usage.output_tokens is not a whole number"),
        ({**USAGE, "output_tokens": float("nan")}, "bad-usage: usage.output_tokens is not a whole number"),
        ({**USAGE, "cache_creation": 5}, "bad-usage: usage.cache_creation is not an object"),
        ({**USAGE, "service_tier": 5}, "bad-usage: usage.service_tier is not text"),
        ({**USAGE, "iterations": {"a": 1}}, "bad-usage: usage.iterations is not a list of objects"),
        ([1, 2], "bad-usage: usage is not an object"),
        (7, "bad-usage: usage is not an object"),
    ],
)
def test_a_usage_that_can_not_be_believed_is_skipped_with_its_reason(usage: object, reason: str) -> None:
    assert _reasons({**MESSAGE, "usage": usage}) == [reason]


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": 500, "completion_tokens": 30}, {"input_token": 5}])
def test_a_usage_that_names_no_tokens_is_not_free(usage: object) -> None:
    assert _reasons({**MESSAGE, "usage": usage}) == ["bad-usage: usage names no tokens"]
    assert _reasons({"type": "assistant", "sessionId": "s", "message": {**MESSAGE, "usage": usage}}) != []


@pytest.mark.parametrize(
    "wrapped",
    [
        {"level": "info", "claude": MESSAGE},
        {"log": {"detail": {"reply": MESSAGE}}},
        {"data": [MESSAGE, {**MESSAGE, "id": "msg_2"}]},
    ],
)
def test_a_message_in_a_form_that_nobody_knows_is_named(wrapped: dict[str, object]) -> None:
    assert [reason.partition(":")[0] for reason in _reasons(MESSAGE, wrapped)] == ["unknown-format"]


@pytest.mark.parametrize(
    "document",
    [
        {"params": {"model": "claude-opus-5-5", "messages": [{"role": "user", "content": [MESSAGE]}]}, "usage": None},
        {"type": "user", "sessionId": "s", "toolUseResult": MESSAGE},
        {"event": "tool", "input": MESSAGE},
    ],
)
def test_what_somebody_said_is_no_message(document: dict[str, object]) -> None:
    assert _reasons(document) == []


def test_a_model_that_is_no_text_is_skipped_with_its_reason() -> None:
    assert _reasons({**MESSAGE, "model": 55}) == ["bad-usage: model is not text"]


@pytest.mark.parametrize("odd", [None, -1, 1.5, True, [], {}, [[1]], "x"])
@pytest.mark.parametrize("name", ["type", "sessionId", "data", "message", "result", "custom_id", "event", "ts", "tags"])
def test_fields_of_an_odd_type_stop_nothing(name: str, odd: object) -> None:
    """Whatever stands where text or an object belongs, each document is counted once."""
    documents = [
        {**holder, name: odd}
        for holder in (
            MESSAGE,
            _line(),
            _line("progress", data={"type": "agent_progress", "message": {"message": MESSAGE}}),
            {"custom_id": "a", "result": {"type": odd, "message": MESSAGE}},
            {"ts": 1793520000, "model": "m", "usage": USAGE},
            {"event": {"type": "message_start", "message": MESSAGE}},
        )
    ]

    assert _file(*documents).documents == len(documents)


def test_whole_floats_are_numbers_and_null_is_nothing() -> None:
    record = _one({**MESSAGE, "usage": {"input_tokens": 5.0, "output_tokens": None, "cache_creation": None}})

    assert record.usage.counts == Counts(input_tokens=5)


def test_text_that_can_not_be_written_out_is_replaced() -> None:
    texts = {"service_tier": "t\ud800", "speed": "s\ud800", "inference_geo": "g\ud800"}
    usage = {**MESSAGE["usage"], **texts, "iterations": [{"model": "i\ud800", "input_tokens": 1}]}
    record = _one({**MESSAGE, "model": "claude-\ud800", "id": "m\udfff", "usage": usage})

    assert (record.model, record.message_id) == ("claude-?", "m?")
    assert (record.usage.service_tier, record.usage.speed, record.usage.inference_geo) == ("t?", "s?", "g?")
    assert [iteration.model for iteration in record.usage.iterations] == ["i?"]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-01T08:00:00Z", "2026-11-01T08:00:00+00:00"),
        ("2026-11-01t08:00:00z", "2026-11-01T08:00:00+00:00"),
        ("2026-11-01 08:00:00", "2026-11-01T08:00:00+00:00"),
        ("2026-11-01 08:00:00 UTC", "2026-11-01T08:00:00+00:00"),
        ("2026-11-01T08:00:00.123456789-01:30", "2026-11-01T09:30:00.123456+00:00"),
        (1793520000, "2026-11-01T08:00:00+00:00"),
        (1793520000.5, "2026-11-01T08:00:00.500000+00:00"),
        (1793520000500, "2026-11-01T08:00:00.500000+00:00"),
        (1793520000500000, "2026-11-01T08:00:00.500000+00:00"),
        (1793520000500000000, "2026-11-01T08:00:00.500000+00:00"),
        ("1793520000", "2026-11-01T08:00:00+00:00"),
    ],
)
def test_times_are_iso_text_or_epochs_of_any_unit(time: object, expected: str) -> None:
    record = _one({"ts": time, "response": MESSAGE})

    assert moment_of(record.timestamp or 0).isoformat() == expected


@pytest.mark.parametrize(
    "time", ["yesterday", -5, 10**30, float("inf"), True, [], "", "0001-01-01", "9999-12-31T23:59:59-12:00"]
)
def test_a_time_that_makes_no_sense_is_no_time(time: object) -> None:
    assert _one({"ts": time, "response": MESSAGE}).timestamp is None


def test_a_time_that_can_not_be_read_is_told_of() -> None:
    line = {"type": "assistant", "sessionId": "s", "message": MESSAGE, "timestamp": "2026-11-01T23:59:60Z"}
    remarks = [item for item in _read(line, MESSAGE) if isinstance(item, Remark)]

    assert [(remark.kind, remark.line) for remark in remarks] == [("unreadable-time", 1)]


def test_batch_results_have_the_batch_price_and_only_successes_are_billed() -> None:
    lines = [
        {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}},
        {"custom_id": "b", "result": {"type": "errored", "error": {"type": "error"}}},
        {"custom_id": "c", "result": {"type": "canceled"}},
        {"custom_id": "d", "result": {"type": "expired"}},
        {"custom_id": "e", "result": {"type": "expired"}},
    ]

    assert _one(*lines).usage.service_tier == "batch"
    assert _file(*lines).unbilled == (("batch-canceled", 1), ("batch-errored", 1), ("batch-expired", 2))
    assert (_file(*lines).other, _reasons(*lines)) == (0, [])


def test_a_batch_result_has_the_batch_price_whatever_it_says() -> None:
    message = {**MESSAGE, "usage": {**USAGE, "service_tier": "standard"}}

    assert _one({"custom_id": "a", "result": {"type": "succeeded", "message": message}}).usage.service_tier == "batch"


def test_a_recorded_cost_is_found_at_either_end_of_a_long_line() -> None:
    models = {"modelUsage": {"m": "x" * 3000}}
    state = {"totalCostUSD": 0.25, "type": "cost-state"}

    assert len(_read({"sessionId": "a", **models, **state}, {**state, **models, "sessionId": "b"})) == 3


def test_the_usage_log_has_time_ids_and_tags() -> None:
    line = {
        "ts": "2026-11-01T08:00:00Z",
        "model": "claude-opus-5-5",
        "id": "msg_1",
        "request_id": "req_1",
        "usage": {**USAGE, "server_tool_use": {"web_search_requests": 2}},
        "stop_reason": "end_turn",
        "duration_ms": 812,
        "tags": {"team": "search", "session": "s1", "try": 2},
        "blocks": ["ab:12"],
    }

    record = _one(line, labels=("tag:team", "tag:try", "key:duration_ms", "key:blocks.0", "key:tags", "tag:none"))

    assert (record.message_id, record.request_id, record.session) == ("msg_1", "req_1", "s1")
    assert record.usage.counts.web_search_requests == 2
    assert record.labels == ("search", "2", "812", "ab:12", None, None)


def _line(kind: str = "assistant", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "sessionId": "s1",
        "cwd": "/home/ada/shop",
        "uuid": "u1",
        "timestamp": "2026-11-01T08:00:00.000Z",
        "requestId": "req_1",
        "message": MESSAGE,
        **more,
    }


def test_a_transcript_line_has_session_project_and_time() -> None:
    record = _one(_line())

    assert (record.session, record.project, record.request_id) == ("s1", "/home/ada/shop", "req_1")
    assert record.timestamp is not None


def test_the_content_blocks_of_a_response_are_one_bill_with_the_largest_counts() -> None:
    grown = {**MESSAGE, "usage": {**USAGE, "output_tokens": 300}}
    summary = summarize(_read(_line(), _line(message=grown), _line()), FoldOptions())

    assert [response.counts.output_tokens for response in summary.responses.values()] == [300]
    assert summary.duplicates == 2


def test_progress_lines_of_agents_are_billed_and_others_are_not() -> None:
    inner = {"type": "assistant", "message": MESSAGE, "requestId": "req_7", "timestamp": "2026-11-02T00:00:00Z"}
    agent = _line("progress", message=None, data={"type": "agent_progress", "agentId": "a", "message": inner})
    user = _line("progress", data={"type": "agent_progress", "message": {"type": "user", "message": {"role": "user"}}})
    hook = _line("progress", data={"type": "hook_progress", "message": {"message": MESSAGE}})

    record = _one(agent, user, hook)

    assert (record.request_id, record.session) == ("req_7", "s1")
    assert moment_of(record.timestamp or 0).day == 2


def test_messages_that_claude_code_made_up_are_not_billed() -> None:
    made_up = {**MESSAGE, "model": "<synthetic>"}

    assert _file(_line(message=made_up), _line(message=made_up, isApiErrorMessage=True)).unbilled == (
        ("api-error", 1),
        ("synthetic", 1),
    )


def _costs(*documents: object) -> list[tuple[str, str, bool]]:
    items = [item for item in _read(*documents) if isinstance(item, RecordedCost)]
    return [(item.session, str(item.usd), item.complete) for item in items]


def test_a_cost_that_claude_code_recorded_is_read_to_the_digit_and_is_no_bill() -> None:
    state = {"type": "cost-state", "sessionId": "s1", "totalCostUSD": 0.7504959999999999, "modelUsage": {"m": {}}}
    unsure = {"sessionId": "s2", "hasUnknownModelCost": True, "totalCostUSD": 3, "type": "cost-state"}

    assert _costs(state, unsure) == [("s1", "0.7504959999999999", True), ("s2", "3", False)]
    assert (_file(state).documents, _file(state).other) == (1, 0)


@pytest.mark.parametrize("cost", [-1, "0.5", True, float("nan"), float("inf"), 1e12, []])
def test_a_recorded_cost_that_is_no_amount_is_skipped_with_its_reason(cost: object) -> None:
    state = {"type": "cost-state", "sessionId": "s1", "totalCostUSD": cost}

    assert (_costs(state), _reasons(state)) == ([], ["bad-usage: totalCostUSD is not an amount"])


def test_a_recorded_cost_of_nobody_or_of_nothing_is_no_bill() -> None:
    lines = [{"type": "cost-state", "totalCostUSD": 1}, {"type": "cost-state", "sessionId": "s1"}]

    assert (_costs(*lines), _file(*lines).other) == ([], 2)


def test_lines_without_a_bill_are_quiet() -> None:
    lines = [
        _line("user", toolUseResult={"usage": USAGE}, message={"role": "user", "content": "about usage"}),
        _line("system", content='"usage"', message=None),
        {"type": "summary", "summary": '"usage"', "leafUuid": "x"},
        {"type": "file-history-snapshot", "snapshot": {"usage": 1}},
        _line(message={"role": "assistant", "content": "no usage at all"}),
    ]

    assert (_file(*lines).other, _reasons(*lines)) == (5, [])


@pytest.mark.parametrize(
    ("line", "stop_reason", "output", "expected"),
    [
        ({"isSidechain": True}, None, 8, True),
        ({"isSidechain": True}, None, 9, False),
        ({"isSidechain": True}, "end_turn", 2, False),
        ({"isSidechain": False}, None, 2, False),
        ({"agentId": "a"}, None, 2, True),
    ],
)
def test_provisional_counts_of_sub_agents_are_flagged(
    line: dict[str, Any], stop_reason: str | None, output: int, *, expected: bool
) -> None:
    message = {**MESSAGE, "stop_reason": stop_reason, "usage": {**USAGE, "output_tokens": output}}

    assert _one(_line(message=message, **line)).placeholder is expected


def test_keys_may_come_in_any_order() -> None:
    record = _one(dict(reversed(_line().items())))

    assert (record.session, record.request_id) == ("s1", "req_1")


def test_dialects_are_mixed_in_one_file_and_everything_is_accounted_for() -> None:
    lines = [
        MESSAGE,
        _line(),
        {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}},
        {"custom_id": "a", "result": {"type": "expired"}},
        {"ts": 1793520000, "model": "claude-opus-5-5", "usage": USAGE},
        {"something": "else"},
        {**MESSAGE, "usage": 5},
    ]
    items = _read(*lines)
    file = items[-1]

    assert isinstance(file, FileRead)
    assert [type(item).__name__ for item in items] == ["Record"] * 4 + ["Skipped", "FileRead"]
    assert (file.documents, file.other, file.unbilled) == (7, 1, (("batch-expired", 1),))


def test_a_place_is_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("\n" + json.dumps(MESSAGE) + json.dumps(MESSAGE) + "\n", encoding="utf-8")

    first, second = (item for item in read_logs([str(path)]) if isinstance(item, Record))

    assert (first.path, first.line, first.offset) == (str(path), 2, 1)
    assert (second.line, second.offset) == (2, 1 + len(json.dumps(MESSAGE)))
