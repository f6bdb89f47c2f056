"""Requests out of files: every form in which they are kept."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from costkit.adapters.request_log import read_traffic
from costkit.cache.traffic import LoggedRequest, Unusable
from costkit.errors import InvalidInput

BODY = {"model": "claude-opus-5-5", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}
RESPONSE = {
    "id": "msg_2",
    "usage": {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 7, "service_tier": "batch"},
    "diagnostics": {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 4000}},
}
SECOND = 1_000_000


def read(path: Path | str) -> list[Any]:
    return list(read_traffic([str(path)]))


def only(path: Path | str) -> LoggedRequest:
    (item,) = read(path)
    assert isinstance(item, LoggedRequest)
    return item


def write(path: Path, *values: object) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "root", "batch"),
    [
        (BODY, "", False),
        ({"ts": "2026-11-21T09:00:00Z", "request": BODY}, "request.", False),
        ({"ts": "2026-11-21T09:00:00Z", "params": BODY}, "params.", False),
        ({"timestamp": 1_795_251_600, "body": BODY}, "body.", False),
        ({"custom_id": "a", "params": BODY}, "params.", True),
    ],
)
def test_a_line_is_a_body_or_holds_one(tmp_path: Path, line: dict[str, Any], root: str, batch: bool) -> None:  # noqa: FBT001
    item = only(write(tmp_path / "log.jsonl", line))
    assert (item.root, item.batch, item.request.model) == (root, batch, "claude-opus-5-5")
    assert item.place("messages[0]").endswith(f"log.jsonl:{root}messages[0]")


def test_time_usage_and_the_apis_own_reason_are_read_beside_the_request(tmp_path: Path) -> None:
    request = {**BODY, "diagnostics": {"previous_message_id": "msg_1"}}
    item = only(write(tmp_path / "log.jsonl", {"ts": 1_795_251_600, "request": request, "response": RESPONSE}))
    assert item.sent == 1_795_251_600 * SECOND
    assert item.usage is not None
    assert (item.usage.counts.cache_read_input_tokens, item.batch) == (7, True)
    assert (item.message_id, item.previous_message_id) == ("msg_2", "msg_1")
    assert (item.miss_reason, item.missed_tokens) == ("tools_changed", 4000)


def test_lines_of_one_file_are_told_apart_by_number(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", BODY, BODY)
    assert [item.where for item in read(log)] == [f"{log}:1", f"{log}:2"]


def test_a_body_over_many_lines_is_one_request(tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_text(json.dumps(BODY, indent=2), encoding="utf-8")
    assert only(path).where == str(path)


def test_arrays_batch_creations_yaml_and_compressed_files(tmp_path: Path) -> None:
    write(tmp_path / "array.json", [BODY, BODY])
    write(tmp_path / "create.json", {"requests": [{"custom_id": "a", "params": BODY}]})
    (tmp_path / "body.yaml").write_text("messages: [{role: user, content: Hello}]\n", encoding="utf-8")
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress(json.dumps(BODY).encode()))
    names = ("array.json", "create.json", "body.yaml", "log.jsonl.gz")
    assert [len(read(tmp_path / name)) for name in names] == [2, 1, 1, 1]
    assert only(tmp_path / "create.json").where.endswith("create.json:requests[0]")


def test_standard_input() -> None:
    (item,) = read_traffic(["-"], stdin=io.BytesIO(json.dumps(BODY).encode()))
    assert item.where == "<stdin>"


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ('{"ts": 1, "usage": {}}', "no-request-body", "holds no request body"),
        ('{"request": {"messages": []}}', "invalid-request", "request:messages: messages must be"),
        ('{"request": {"messages": [{"role": "user"}]}}', "invalid-request", "messages[0].content: content is missing"),
        ('{"messages": [{"role": "user", "content": "a"}], "cache_control": {"type": "ephemeral", "ttl": "2h"}}',
         "invalid-request", "ttl must be 5m or 1h"),
        ('{"messages": [', "torn-json", "is no JSON"),
        (json.dumps({"request": BODY, "usage": {"input_tokens": -1}}), "invalid-request", "input_tokens is negative"),
    ],
)  # fmt: skip
def test_what_holds_no_request_says_why_and_what_follows_is_read(
    tmp_path: Path, line: str, code: str, message: str
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(f"{json.dumps(BODY)}\n{line}\n{json.dumps(BODY)}\n", encoding="utf-8")
    first, broken, last = read(log)
    assert isinstance(broken, Unusable)
    assert (broken.where, broken.code) == (f"{log}:2", code)
    assert message in broken.message
    assert (first.where, last.where) == (f"{log}:1", f"{log}:3")


def test_a_missing_file_and_an_empty_one_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    with pytest.raises(InvalidInput, match="no such file"):
        read(tmp_path / "missing.jsonl")
    with pytest.raises(InvalidInput, match="empty-file"):
        read(tmp_path / "empty.jsonl")


def test_bodies_that_are_glued_on_one_line_are_requests_like_any_others(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text(json.dumps(BODY) * 2 + "\n", encoding="utf-8")

    assert [type(item).__name__ for item in read(path)] == ["LoggedRequest", "LoggedRequest"]
