"""The API's own count: the real SDK against the stand-in server, the real cache on disk."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from api_server import ApiServer, Fault, tokens_of

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens import asking, make_counter
from costkit.adapters.tokens.count_cache import FILE_NAME, CountCache
from costkit.core.request import parse_request, text_request
from costkit.core.tokens import TokenCounter
from costkit.errors import CostkitError, ExitCode, InvalidInput, OperationFailed

MODEL = built_in_book().resolve("claude-sonnet-4-5")
HELLO = text_request("Hello")
LONG = {
    "model": "claude-3-haiku-20240307",
    "max_tokens": 100,
    "stream": True,
    "temperature": 0.5,
    "metadata": {"user_id": "u"},
    "system": "Be brief.",
    "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "messages": [{"role": "user", "content": "Hello " * 50}],
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)


def counter(api: ApiServer, cache: Path | None = None, mode: str = "exact", **environ: str) -> TokenCounter:
    return make_counter(mode, offline=False, cache_dir=cache, environ={**api.environ, **environ})


def test_the_count_is_the_apis_own() -> None:
    with ApiServer() as api:
        (count,) = counter(api).count_many([(HELLO, MODEL)])
    expected = tokens_of({"messages": [{"role": "user", "content": "Hello"}]})
    assert (count.tokens, count.low, count.high, count.method) == (expected, expected, expected, "exact")


def test_only_what_becomes_part_of_the_prompt_is_sent_and_for_the_model_asked_for() -> None:
    """The server refuses every field that count_tokens doesn't have."""
    with ApiServer() as api:
        counter(api).count_many([(parse_request(LONG), MODEL)])
        (sent,) = api.requests
    assert set(sent.body) == {"model", "system", "tools", "tool_choice", "messages"}
    assert sent.body["model"] == MODEL.id


def test_beta_fields_travel_outside_the_sdks_arguments_and_betas_as_a_header() -> None:
    body = {"betas": ["context-management-2025-06-27"], "context_management": {"edits": []}, **LONG}
    with ApiServer() as api:
        counter(api).count_many([(parse_request(body), MODEL)])
        (sent,) = api.requests
    assert sent.body["context_management"] == {"edits": []}
    assert "context-management-2025-06-27" in sent.headers["anthropic-beta"]


def test_many_requests_come_back_in_order_and_equal_ones_are_asked_once() -> None:
    texts = [text_request("word " * length) for length in (1, 40, 9, 40, 200, 1)]
    with ApiServer() as api:
        counts = counter(api).count_many([(request, MODEL) for request in texts])
        asked = len(api.requests)
    assert [c.tokens for c in counts] == [tokens_of({"messages": r.body["messages"]}) for r in texts]
    assert asked == 4


def test_a_count_is_remembered_on_disk_for_its_owner_only(tmp_path: Path) -> None:
    with ApiServer() as api:
        first = counter(api, tmp_path).count_many([(HELLO, MODEL)])
        again = counter(api, tmp_path).count_many([(HELLO, MODEL)])
        assert len(api.requests) == 1
    assert first == again
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_the_cache_knows_models_and_key_order_apart(tmp_path: Path) -> None:
    """Key order is part of what a tool definition costs."""
    tools = [{"name": "a", "input_schema": {"type": "object"}}]
    turned = [{"input_schema": {"type": "object"}, "name": "a"}]
    bodies = [parse_request({**LONG, "tools": each}) for each in (tools, turned)]
    other = built_in_book().resolve("claude-opus-4-5")
    with ApiServer() as api:
        counting = counter(api, tmp_path)
        counting.count_many([(bodies[0], MODEL), (bodies[1], MODEL), (bodies[0], other)])
        assert len(api.requests) == 3


def test_a_broken_cache_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database, and long enough to look like one" * 50)
    with ApiServer() as api:
        counter(api, tmp_path).count_many([(HELLO, MODEL)])
        counter(api, tmp_path).count_many([(HELLO, MODEL)])
        assert len(api.requests) == 1


def test_cache_entries_that_make_no_sense_are_ignored(tmp_path: Path) -> None:
    with ApiServer() as api:
        counting = counter(api, tmp_path)
        counting.count_many([(HELLO, MODEL)])
        with sqlite3.connect(tmp_path / FILE_NAME) as connection:
            connection.execute("UPDATE counts SET tokens = 'many'")
        connection.close()
        (count,) = counter(api, tmp_path).count_many([(HELLO, MODEL)])
        assert len(api.requests) == 2
    assert count.tokens > 0


def test_counting_works_without_a_place_for_the_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    with ApiServer() as api:
        assert counter(api, blocked).count_many([(HELLO, MODEL)])[0].method == "exact"


def test_two_processes_share_one_cache(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from costkit.adapters.tokens.count_cache import CountCache\n"
        "start = int(sys.argv[2])\n"
        "for number in range(start, start + 60):\n"
        "    CountCache(Path(sys.argv[1])).keep({number.to_bytes(32, 'big'): number + 1})\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), start], env=environ) for start in ("0", "30")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    digests = [number.to_bytes(32, "big") for number in range(90)]
    assert CountCache(tmp_path).find(digests) == {d: n + 1 for n, d in enumerate(digests)}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, headers={"retry-after": "0.01"}),
        Fault(status=429),
        Fault(status=500),
        Fault(status=529),
        Fault(reset=True),
        Fault(delay_s=0.05, then_answer=True),
    ],
    ids=["429 with retry-after", "429", "500", "529", "reset", "slow"],
)
def test_a_passing_failure_is_waited_out(fault: Fault) -> None:
    with ApiServer() as api:
        api.fail(fault)
        assert counter(api).count_many([(HELLO, MODEL)])[0].method == "exact"


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Fault(status=429), "rate-limited"), (Fault(status=503), "server-error"), (Fault(reset=True), "connection")],
)
def test_a_lasting_failure_is_an_error_that_may_be_retried(fault: Fault, code: str) -> None:
    with ApiServer() as api:
        api.fail(*[fault] * asking.ATTEMPTS)
        with pytest.raises(OperationFailed) as caught:
            counter(api).count_many([(HELLO, MODEL)])
        assert len(api.requests) == asking.ATTEMPTS
    assert (caught.value.code, caught.value.retryable) == (code, True)


def test_what_was_counted_before_a_failure_is_kept(tmp_path: Path) -> None:
    refused = parse_request({"messages": [{"role": "user", "content": "x"}], "speed": "fast"})
    with ApiServer() as api:
        counter(api, tmp_path).count_many([(HELLO, MODEL)])
        api.fail(Fault(status=400, message="speed is not available"))
        with pytest.raises(InvalidInput):
            counter(api, tmp_path).count_many([(refused, MODEL), (HELLO, MODEL)])
        counter(api, tmp_path).count_many([(HELLO, MODEL)])
        assert len(api.requests) == 2


def test_a_wrong_key_is_an_authentication_error_that_retrying_cannot_cure() -> None:
    with ApiServer() as api, pytest.raises(OperationFailed) as caught:
        counter(api, ANTHROPIC_API_KEY="sk-ant-wrong-key").count_many([(HELLO, MODEL)])
    assert (caught.value.code, caught.value.retryable) == ("authentication", False)
    assert len(api.requests) == 1


def test_no_key_is_invalid_input_with_a_way_out() -> None:
    with ApiServer() as api, pytest.raises(InvalidInput) as caught:
        counter(api, ANTHROPIC_API_KEY="").count_many([(HELLO, MODEL)])
    assert caught.value.code == "no-api-key"
    assert "--offline" in str(caught.value.hint)
    assert api.requests == []


def test_a_refused_request_says_what_the_api_said() -> None:
    with ApiServer() as api:
        api.fail(Fault(status=400, message="messages.0: roles must alternate"))
        with pytest.raises(InvalidInput, match="roles must alternate"):
            counter(api).count_many([(HELLO, MODEL)])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_the_key_is_in_no_message_even_if_the_api_repeats_it(status: int) -> None:
    with ApiServer() as api:
        api.fail(*[Fault(status=status, message=f"bad key {api.key} !")] * asking.ATTEMPTS)
        with pytest.raises(CostkitError) as caught:
            counter(api).count_many([(HELLO, MODEL)])
    assert api.key not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None


def test_an_answer_without_a_count_is_an_error_that_points_at_the_address() -> None:
    with ApiServer() as api:
        api.fail(Fault(status=200))
        with pytest.raises(OperationFailed, match="no token count") as caught:
            counter(api).count_many([(HELLO, MODEL)])
    assert "ANTHROPIC_BASE_URL" in str(caught.value.hint)


def test_one_failure_stops_the_others_without_waiting_for_them() -> None:
    """The other request is told to come back in a minute; the refusal ends that wait."""
    patient, refused = text_request("wait for me"), text_request("refuse me")
    with ApiServer() as api:
        api.fail(Fault(status=429, headers={"retry-after": "59"}), Fault(status=400, message="no"))
        with pytest.raises(InvalidInput, match="no"):
            counter(api).count_many([(patient, MODEL), (refused, MODEL)])
        assert len(api.requests) == 2


def test_a_key_that_cannot_be_a_header_is_not_repeated() -> None:
    with ApiServer() as api, pytest.raises(CostkitError) as caught:
        counter(api, ANTHROPIC_API_KEY="sk-ant-secret\nsecond-line").count_many([(HELLO, MODEL)])
    assert "sk-ant-secret" not in f"{caught.value} {caught.value.hint}"


def test_a_model_the_api_no_longer_has_is_refused_when_exact_was_asked_for() -> None:
    with ApiServer() as api:
        api.retired_models.add(MODEL.id)
        with pytest.raises(InvalidInput, match=MODEL.id):
            counter(api).count_many([(HELLO, MODEL)])


def test_auto_counts_a_model_the_api_no_longer_has_locally_and_says_so() -> None:
    other = built_in_book().resolve("claude-opus-4-5")
    with ApiServer() as api:
        api.retired_models.add(MODEL.id)
        counts = counter(api, mode="auto").count_many([(HELLO, MODEL), (HELLO, other)])
    assert counts[1].method == "exact"
    assert counts[0].method != "exact"


def test_parts_sum_to_the_exact_count() -> None:
    request = parse_request(LONG)
    with ApiServer() as api:
        counting = counter(api)
        (whole,) = counting.count_many([(request, MODEL)])
        parts = counting.count_parts(request, MODEL)
    assert [part.path for part in parts] == ["", *(block.path for block in request.blocks)]
    assert sum(part.count.tokens for part in parts) == whole.tokens
    assert {part.count.method for part in parts} == {"exact"}


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"])
def test_auto_asks_the_api_when_there_is_a_credential_and_a_network(name: str) -> None:
    online = make_counter("auto", offline=False, cache_dir=None, environ={name: "something"})
    offline = make_counter("auto", offline=True, cache_dir=None, environ={name: "something"})
    empty = make_counter("auto", offline=False, cache_dir=None, environ={name: ""})
    assert type(online).__name__ == "ExactCounter"
    assert type(offline).__name__ == type(empty).__name__ == "LocalCounter"


def test_exact_and_offline_contradict_each_other() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_counter("exact", offline=True, cache_dir=None, environ={})
    assert caught.value.exit_code == ExitCode.INVALID


def test_an_unknown_mode_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_counter("precise", offline=False, cache_dir=None, environ={})
    assert "exact" in str(caught.value.hint)
