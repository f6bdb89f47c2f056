"""Each way in which the stand-in for the API can go wrong, and its life as a program of its own."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from api_calls import (
    OPEN,
    RESULTS,
    client,
    client_of,
    create,
    exchange,
    item,
    items,
    lines_of,
    outcomes_of,
    post,
)
from api_server import ApiServer, Fault, Outcome


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def test_scripted_outcomes_of_items(api: ApiServer) -> None:
    api.outcomes = {
        "busy": Outcome("errored", "overloaded_error", "Overloaded"),
        "late": Outcome("expired"),
        "stopped": Outcome("canceled"),
        "cut": Outcome(stop_reason="max_tokens"),
        "lost": Outcome(copies=0),
        "twice": Outcome(copies=2),
    }
    api.unknown_results = ["stranger"]
    batch_id = create(api, *(item(name) for name in [*api.outcomes, "fine"]))
    api.end()
    seen = Counter(line["custom_id"] for line in lines_of(api, batch_id))
    assert seen == {"busy": 1, "late": 1, "stopped": 1, "cut": 1, "twice": 2, "fine": 1, "stranger": 1}
    expected = {"busy": "errored", "late": "expired", "stopped": "canceled", "cut": "succeeded", "fine": "succeeded"}
    assert outcomes_of(api, batch_id).items() >= expected.items()
    counts = client(api).messages.batches.retrieve(batch_id).request_counts
    assert (counts.succeeded, counts.errored, counts.expired, counts.canceled) == (4, 1, 1, 1)


@pytest.mark.parametrize(
    "fault",
    [Fault(after=True, reset=True), Fault(after=True, hang_up=True), Fault(after=True, status=504)],
    ids=["reset", "hang-up", "504"],
)
def test_a_reply_that_is_lost_after_create_leaves_a_batch_behind(api: ApiServer, fault: Fault) -> None:
    api.fail(fault)
    with pytest.raises(anthropic.APIError):
        create(api)
    assert (api.creates, len(api.requests)) == (1, 1)


def test_the_sdks_own_retries_buy_the_same_batch_three_times(api: ApiServer) -> None:
    """What costkit exists to prevent."""
    api.fail(Fault(on="create", after=True, reset=True, times=2))
    client(api, retries=2).messages.batches.create(requests=items(1))
    assert api.creates == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault(reset=True),
        Fault(reset=True, early=True),
        Fault(hang_up=True),
        Fault(status=429),
        Fault(status=413),
        Fault(status=500),
        Fault(status=529),
    ],
    ids=["reset", "reset before the body", "hang-up", "429", "413", "500", "529"],
)
def test_a_fault_before_create_leaves_nothing_behind(api: ApiServer, fault: Fault) -> None:
    api.fail(fault)
    with pytest.raises(anthropic.APIError):
        create(api)
    assert api.creates == 0
    assert list(api.folder.iterdir()) == []


def test_a_slow_reply_after_create_is_a_timeout_with_a_batch(api: ApiServer) -> None:
    api.fail(Fault(on="create", after=True, then_answer=True, delay_s=30))
    with pytest.raises(anthropic.APITimeoutError):
        client(api, wait=0.3).messages.batches.create(requests=items(1))
    assert api.creates == 1


def test_429_with_its_headers_and_its_code(api: ApiServer) -> None:
    api.fail(
        Fault(on="create", status=429, headers={"retry-after": "7"}),
        Fault(on="create", status=429, error_code="enforced_spend_limit_reached"),
    )
    with pytest.raises(anthropic.RateLimitError) as waiting:
        create(api)
    assert waiting.value.response.headers["retry-after"] == "7"
    with pytest.raises(anthropic.RateLimitError) as spent:
        create(api)
    assert "retry-after" not in spent.value.response.headers
    assert spent.value.body["error"]["details"]["error_code"] == "enforced_spend_limit_reached"  # type: ignore[index]


def test_a_fault_waits_for_its_route_and_its_turn(api: ApiServer) -> None:
    api.fail(Fault(on="list", status=500, skip=1, times=2))
    batches = client(api).messages.batches
    create(api)
    assert len(batches.list().data) == 1
    for _ in range(2):
        with pytest.raises(anthropic.InternalServerError):
            batches.list()
    assert len(batches.list().data) == 1


def test_a_list_can_be_late_by_looks_or_by_time(api: ApiServer) -> None:
    api.list_delay_looks = 2
    batch_id = create(api)
    batches = client(api).messages.batches
    assert [len(batches.list().data) for _ in range(3)] == [0, 0, 1]
    assert batches.retrieve(batch_id).id == batch_id
    api.list_delay_looks, api.list_delay_s = 0, 3600
    create(api)
    assert len(batches.list().data) == 1


def fetch(api: ApiServer, batch_id: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return exchange(api.url, "GET", RESULTS.format(batch_id), {"x-api-key": api.key, **headers})


@pytest.fixture
def ended(api: ApiServer) -> str:
    batch_id = create(api, *items(30))
    api.end()
    return batch_id


def test_results_cut_by_the_network_break_the_connection(api: ApiServer, ended: str) -> None:
    api.fail(Fault(on="results", cut="reset"), Fault(on="results", cut="close"))
    with pytest.raises(ConnectionResetError):
        fetch(api, ended)
    with pytest.raises(http.client.IncompleteRead):
        fetch(api, ended)


def test_results_cut_before_they_were_sent_look_complete(api: ApiServer, ended: str) -> None:
    whole = api.batch(ended).results_file.read_bytes()
    api.fail(
        Fault(on="results", cut="short"), Fault(on="results", cut="lines"), Fault(on="results", cut="lines", cut_at=0)
    )
    short, lines, nothing = (fetch(api, ended)[2] for _ in range(3))
    assert whole.startswith(short)
    assert not short.endswith(b"\n")
    assert whole.startswith(lines)
    assert lines.endswith(b"\n")
    assert len(lines) < len(whole)
    assert nothing == b""
    assert fetch(api, ended)[2] == whole


def test_a_slow_body_is_whole_in_the_end(api: ApiServer, ended: str) -> None:
    api.fail(Fault(on="results", body_s=0.1))
    assert fetch(api, ended)[2] == api.batch(ended).results_file.read_bytes()


def test_results_may_be_compressed(api: ApiServer, ended: str) -> None:
    api.compress_results = True
    status, headers, content = fetch(api, ended, **{"accept-encoding": "gzip"})
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(content) == api.batch(ended).results_file.read_bytes()
    assert len(list(client(api).messages.batches.results(ended))) == 30


def test_results_that_are_elsewhere_draw_the_sdk_and_its_key_there(api: ApiServer, ended: str) -> None:
    """What costkit must never follow: neither a foreign `results_url` nor a redirect."""
    with ApiServer("sk-ant-elsewhere") as elsewhere:
        api.results_host = elsewhere.url
        with pytest.raises(anthropic.AuthenticationError):
            client(api).messages.batches.results(ended)
        assert elsewhere.requests[0].headers["authorization"] == f"Bearer {api.key}"
    api.fail(Fault(on="results", redirect_to="http://127.0.0.1:9/stolen"))
    status, headers, _ = fetch(api, ended)
    assert (status, headers["location"]) == (302, "http://127.0.0.1:9/stolen")


def test_faults_at_random_are_the_same_for_the_same_seed() -> None:
    histories = []
    for _ in range(2):
        with ApiServer() as api:
            api.script.at_random(seed=5, rate=0.5)
            faults = [api.script.take(route) for route in ["create", "list", "results"] * 20]
            items = [api.script.item(1, f"row-{number}") for number in range(300)]
        histories.append((faults, items))
    assert histories[0] == histories[1]
    assert {fault is None for fault in histories[0][0]} == {True, False}
    assert len({outcome.error_type for outcome in histories[0][1] if outcome}) > 1


def test_nothing_is_left_behind() -> None:
    with ApiServer() as api:
        create(api)
        assert api.folder.is_dir()
    assert not api.folder.exists()


@pytest.fixture
def separate(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    program = Path(__file__).parent / "api_server.py"
    command = [sys.executable, str(program), "--port", "0", "--seconds-per-batch", "3600"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        yield process
        process.kill()


def test_a_server_of_its_own_prints_what_to_export_and_takes_commands(
    separate: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert separate.stdout is not None
    exports = [separate.stdout.readline().removeprefix("export ").strip().partition("=") for _ in range(2)]
    variables = {name: value for name, _, value in exports}
    url = variables["ANTHROPIC_BASE_URL"]

    def control(command: str, **body: Any) -> tuple[int, Any]:
        return post(url, f"/_control/{command}", json.dumps(body).encode())

    control("fail", on="create", after=True, status=504)
    control("outcome", custom_id="row-1", type="expired")
    control("set", list_delay_looks=1)
    batches = client_of(url, variables["ANTHROPIC_API_KEY"]).messages.batches
    with pytest.raises(anthropic.InternalServerError):
        batches.create(requests=items(3))
    assert batches.list().data == []
    status, state = control("end")
    assert (status, state["creates"], state["batches"][0]["processing_status"]) == (200, 1, "ended")
    (ended,) = batches.list().data
    assert (ended.request_counts.succeeded, ended.request_counts.expired) == (2, 1)
    separate.send_signal(signal.SIGTERM)
    assert separate.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "body", "status"),
    [
        ("explode", b"{}", 404),
        ("fail", b'{"color": "red"}', 400),
        ("fail", b'{"cut": "gently"}', 400),
        ("set", b'{"stopping": 1}', 400),
        ("end", b'{"batch_id": "msgbatch_0"}', 400),
        ("end", b"[]", 400),
        ("end", b"{", 400),
    ],
)
def test_a_wrong_command_changes_nothing_and_says_so(api: ApiServer, command: str, body: bytes, status: int) -> None:
    assert post(api.url, f"/_control/{command}", body)[0] == status
    assert client(api).messages.batches.list().data == []
