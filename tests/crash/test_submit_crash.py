"""Killed at every commit of the ledger and at any instant: every batch is created once, whatever the network does too.

`COSTKIT_CRASH_RUNS` says how many random instants are tried; `make crash-test N=1000` tries many.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from api_server import ApiServer, Fault
from batch_jobs import lines_of
from forked_program import AFTER, BEFORE, Forker

from costkit.adapters.batches.job_lock import job_lock
from costkit.adapters.batches.ledger import SqliteLedger
from costkit.batch.job import Job

RUNS = int(os.environ.get("COSTKIT_CRASH_RUNS", "20"))
SIZES = [20, 19, 11]
COMMITS = 8
"""Of an undisturbed submit of three batches: the job, its account, and two for each batch."""
MOST_TRIES = 25
LOST = Fault(on="create", after=True, reset=True)


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as running:
        yield running


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


class Submission:
    """One file, one server, and as many attempts to submit as it takes."""

    argv = ("batch", "submit", "in.jsonl", "--yes", "--json", "--batch-size", "20")

    def __init__(self, forker: Forker, server: ApiServer, folder: Path) -> None:
        self.forker = forker
        self.server = server
        self.folder = folder
        self.state = folder / "state"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "COSTKIT_STATE": str(self.state),
            "COSTKIT_RECONCILE_WAIT_S": "0.02",
            **server.environ,
        }
        (folder / "in.jsonl").write_bytes(b"\n".join(lines_of(50)) + b"\n")

    def run(self, *, die_at_commit: int | None = None, die: str = AFTER, kill_after_s: float | None = None) -> int:
        """One attempt; returns once the server has nothing left in hand from it."""
        started = self.forker.start(self.argv, self.folder, self.environ, die_at_commit=die_at_commit, die=die)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            started.kill()
        code = started.wait()
        while any("process_request_thread" in thread.name for thread in threading.enumerate()):
            time.sleep(0.002)
        return code

    def finish(self) -> None:
        """Submit until it is done, as a CI job that is retried would; the network gets better in the end."""
        for attempt in range(MOST_TRIES):
            if attempt == MOST_TRIES // 2:
                self.server.script.clear()
            if self.run() == 0:
                return
        raise AssertionError((self.folder / "stderr").read_text(encoding="utf-8"))

    def check(self) -> None:
        """What must hold whenever it is done."""
        with closing(sqlite3.connect(self.state / "ledger.sqlite3")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        job = self.job
        assert [batch.requests for batch in job.batches] == SIZES
        assert [batch.id for batch in job.batches] == [batch.id for batch in self.server.batches]
        assert [batch.sha256 for batch in job.batches] == [batch.sha256 for batch in self.server.batches]
        assert {batch.state for batch in job.batches} == {"submitted"}
        with job_lock(self.state / "locks", job.digest):
            assert [path.suffix for path in sorted((self.state / "locks").iterdir())] == [".lock", ".pid"]

    @property
    def job(self) -> Job:
        with SqliteLedger(self.state / "ledger.sqlite3") as ledger:
            (job,) = ledger.jobs()
            assert len(list(ledger.custom_ids(job.id))) == 50
        return job


@pytest.fixture
def submission(forker: Forker, server: ApiServer, tmp_path: Path) -> Submission:
    return Submission(forker, server, tmp_path)


def test_an_undisturbed_submit_commits_as_often_as_this_test_counts(submission: Submission) -> None:
    """If this number changes, the crash points below must change with it."""
    assert submission.run(die_at_commit=COMMITS + 1) == 0
    submission.check()


@pytest.mark.parametrize("die", [BEFORE, AFTER])
@pytest.mark.parametrize("commit", range(1, COMMITS + 1))
def test_killed_at_any_commit_every_batch_is_created_once(submission: Submission, commit: int, die: str) -> None:
    assert submission.run(die_at_commit=commit, die=die) == -signal.SIGKILL
    submission.finish()
    submission.check()


@pytest.mark.parametrize("die", [BEFORE, AFTER])
@pytest.mark.parametrize("commit", range(3, COMMITS + 1))
def test_killed_while_it_finds_out_about_a_lost_reply_every_batch_is_created_once(
    submission: Submission, commit: int, die: str
) -> None:
    submission.server.fail(LOST, Fault(on="create", reset=True), LOST)
    assert submission.run(die_at_commit=commit, die=die) == -signal.SIGKILL
    submission.finish()
    submission.check()


def test_killed_again_and_again_it_still_gets_there(submission: Submission) -> None:
    for commit in range(1, COMMITS + 1):
        submission.run(die_at_commit=commit, die=(BEFORE, AFTER)[commit % 2])
    submission.finish()
    submission.check()


@pytest.mark.parametrize("seed", range(RUNS))
def test_killed_at_any_instant_with_a_network_that_fails_every_batch_is_created_once(
    submission: Submission, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    submission.server.script.at_random(seed, rate=dice.choice([0.0, 0.1, 0.3]))
    for _ in range(dice.randint(1, 3)):
        submission.run(kill_after_s=dice.uniform(0.0, 0.3))
    submission.finish()
    submission.check()


@pytest.mark.parametrize("processes", [2, 8])
def test_processes_that_submit_the_same_file_at_once_make_one_job(submission: Submission, processes: int) -> None:
    """One of them sends; the others see that it does (exit 8), or find it done (exit 0)."""
    submission.server.fail(Fault(on="create", then_answer=True, delay_s=0.3))
    folders = [submission.folder / str(number) for number in range(processes)]
    for folder in folders:
        folder.mkdir()
    argv = [word.replace("in.jsonl", str(submission.folder / "in.jsonl")) for word in submission.argv]
    runs = [submission.forker.start(argv, folder, submission.environ) for folder in folders]
    codes = [run.wait() for run in runs]
    assert set(codes) <= {0, 8}
    assert 0 in codes
    submission.check()
    documents = [json.loads(run.stdout) for run in runs]
    assert {document["result"]["job"] for document in documents} == {submission.job.id}
