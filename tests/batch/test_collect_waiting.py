"""Waiting for the end of a job, being interrupted, and two who collect at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from api_server import ApiServer, Fault
from collecting import Desk, ids_of, lines_of

from costkit.batch.waiting import Patience, wait_until
from costkit.cli.batch_gather import collecting
from costkit.errors import Gone, OperationFailed

LINES = lines_of(6)


class FastClock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


def after(looks: int) -> object:
    """Something that has ended at the n-th look."""
    answers = iter([False] * (looks - 1) + [True])
    return lambda: next(answers)


def test_looks_become_rarer_up_to_five_minutes() -> None:
    clock = FastClock()
    assert wait_until(after(9), clock, Patience(), chance=lambda: 0.5)  # type: ignore[arg-type]
    assert clock.slept == [30.0, 45.0, 67.5, 101.25, 151.875, 227.8125, 300.0, 300.0]


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 24.0), (1.0, 36.0)])
def test_pauses_vary_by_a_fifth(chance: float, pause: float) -> None:
    clock = FastClock()
    wait_until(after(2), clock, Patience(), chance=lambda: chance)  # type: ignore[arg-type]
    assert clock.slept == [pytest.approx(pause)]


def test_a_constant_interval_has_no_jitter() -> None:
    clock = FastClock()
    wait_until(after(4), clock, Patience(constant_s=7.0), chance=lambda: 0.9)  # type: ignore[arg-type]
    assert clock.slept == [7.0, 7.0, 7.0]


def test_waiting_ends_when_the_time_is_up() -> None:
    clock = FastClock()
    assert not wait_until(after(99), clock, Patience(timeout_s=100), chance=lambda: 0.5)  # type: ignore[arg-type]
    assert sum(clock.slept) == 100


def failing(*errors: Exception) -> object:
    left = list(errors)

    def look() -> bool:
        if left:
            raise left.pop(0)
        return True

    return look


def test_a_network_that_is_down_for_a_while_does_not_end_the_wait() -> None:
    said: list[str] = []
    look = failing(*[OperationFailed("no network")] * 4)
    assert wait_until(look, FastClock(), Patience(), chance=lambda: 0.5, failed=lambda e: said.append(str(e)))  # type: ignore[arg-type]
    assert said == ["no network"] * 4


@pytest.mark.parametrize("errors", [[OperationFailed("no network")] * 5, [Gone("gone")]])
def test_a_network_that_stays_down_does(errors: list[Exception]) -> None:
    with pytest.raises(OperationFailed):
        wait_until(failing(*errors), FastClock(), Patience(), chance=lambda: 0.5)  # type: ignore[arg-type]


def test_without_wait_a_running_job_is_exit_8_with_the_line_that_resumes(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 4, 2)
    server.end(server.batches[0].id)
    reply = desk.collect(job)
    assert (reply.code, reply.error["code"], reply.error["retryable"]) == (8, "still-running", True)
    assert reply.error["hint"] == f"costkit batch collect {job} --wait"
    assert [batch.state for batch in desk.job(job).batches] == ["ended", "submitted"]
    assert desk.leftovers() == []


def test_waiting_collects_when_it_has_ended(desk: Desk, server: ApiServer) -> None:
    server.seconds_per_batch = 0.3
    job = desk.submit(LINES, 4, 2)
    assert desk.collect(job, "--wait", "--poll", "0.05s").code == 0
    assert desk.row_ids() == ids_of(LINES)


def test_waiting_gives_up_after_the_timeout(desk: Desk) -> None:
    job = desk.submit(LINES)
    reply = desk.collect(job, "--wait", "--poll", "0.05", "--timeout", "0.2s")
    assert (reply.code, reply.error["code"]) == (8, "still-running")


def test_the_interval_can_come_from_the_environment(
    desk: Desk, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTKIT_POLL_S", "0.05")
    server.seconds_per_batch = 0.3
    assert desk.collect(desk.submit(LINES), "--wait").code == 0


def test_a_second_collector_is_told_who_the_first_is(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES)
    server.end()
    with collecting(job):
        reply = desk.collect(job)
    assert (reply.code, reply.error["code"]) == (8, "being-collected")
    assert "by pid" in reply.error["message"]
    assert desk.collect(job).code == 0


def start(desk: Desk, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "costkit", "batch", "collect", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=desk.folder,
        text=True,
    )


def test_two_who_collect_at_once_give_one_whole_file(desk: Desk, server: ApiServer) -> None:
    server.fail(Fault(on="results", body_s=1.0))
    job = desk.submit(LINES)
    server.end()
    processes = [start(desk, job), start(desk, job)]
    for process in processes:
        process.communicate(timeout=30)
    assert sorted(process.returncode for process in processes) in ([0, 0], [0, 8])
    assert desk.row_ids() == ids_of(LINES)
    assert desk.leftovers() == []


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_control_c_while_waiting_prints_the_line_that_resumes(
    desk: Desk, server: ApiServer, flags: tuple[str, ...]
) -> None:
    job = desk.submit(LINES)
    process = start(desk, job, "--wait", "--poll", "0.05", *flags)
    while not any(request.method == "GET" and "batches/" in request.path for request in server.requests):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines() == [
        f"the batches go on; to go on here: costkit batch collect {job} --wait",
        "costkit: interrupted",
    ]
    assert [json.loads(text)["exit"] for text in [out] if flags] == [130] * len(flags)
    assert desk.leftovers() == []


def test_control_c_during_a_download_leaves_nothing_half(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES)
    server.end()
    server.fail(Fault(on="results", body_s=30.0))
    process = start(desk, job)
    while not any(request.path.endswith("/results") for request in server.requests):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert desk.leftovers() == []
    assert desk.collect(job).code == 0
