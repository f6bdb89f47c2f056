"""Killed at every step that reaches the disk and at any instant: every row has one result, and nothing is left over.

`COSTKIT_CRASH_RUNS` says how many random instants are tried; `make crash-test N=1000` tries many.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from api_server import ApiServer
from collecting import Desk, ids_of, lines_of
from forked_program import AFTER, BEFORE, Forker

RUNS = int(os.environ.get("COSTKIT_CRASH_RUNS", "20"))
LINES = lines_of(60)
STEPS = 21
"""Commits, syncs, renamings and removals of an undisturbed collect of two batches."""
STEP_OF_RENAMING = 14
"""The one that makes the output visible."""
MOST_TRIES = 25
DONE = (0, 4)
"""Exit codes of a collect that came to its end: some rows may have failed."""


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as running:
        yield running


class Collecting:
    """One job that has ended, and as many attempts to collect it as it takes."""

    def __init__(self, forker: Forker, server: ApiServer, desk: Desk) -> None:
        self.forker = forker
        self.server = server
        self.desk = desk
        self.job = desk.submit(LINES, 25, 35)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(desk.folder),
            "COSTKIT_STATE": str(desk.state),
            **server.environ,
        }

    def run(self, *, die_at_step: int | None = None, die: str = AFTER, kill_after_s: float | None = None) -> int:
        """One attempt."""
        argv = ("batch", "collect", self.job, "--json")
        started = self.forker.start(argv, self.desk.folder, self.environ, die_at_step=die_at_step, die=die)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            started.kill()
        return started.wait()

    def finish(self) -> int:
        """Collect until it is done, as a job that is run again would; the network gets better in the end."""
        for attempt in range(MOST_TRIES):
            if attempt == MOST_TRIES // 2:
                self.server.script.clear()
            code = self.run()
            if code in DONE:
                return code
        raise AssertionError((self.desk.folder / "stderr").read_text(encoding="utf-8"))

    def check(self) -> None:
        """What must hold whenever it is done."""
        assert self.desk.row_ids() == ids_of(LINES)
        assert self.desk.leftovers() == []
        assert self.desk.files() == ["prompts.jsonl", "prompts.jsonl.results.jsonl", "stderr", "stdout"]
        job = self.desk.job(self.job)
        assert (job.state, job.output) == ("collected", str(self.desk.folder / "prompts.jsonl.results.jsonl"))
        with closing(sqlite3.connect(self.desk.state / "ledger.sqlite3")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def collecting(forker: Forker, server: ApiServer, tmp_path: Path) -> Collecting:
    """A job of two batches that has ended."""
    collecting = Collecting(forker, server, Desk(tmp_path, server))
    server.end()
    return collecting


def test_an_undisturbed_collect_has_as_many_steps_as_this_test_counts(collecting: Collecting) -> None:
    """If this number changes, the crash points below must change with it."""
    assert collecting.run(die_at_step=STEPS + 1) == 0
    collecting.check()


@pytest.mark.parametrize("die", [BEFORE, AFTER])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_killed_at_any_step_every_row_has_one_result(collecting: Collecting, step: int, die: str) -> None:
    assert collecting.run(die_at_step=step, die=die) == -signal.SIGKILL
    assert collecting.finish() == 0
    collecting.check()


def test_killed_again_and_again_it_still_gets_there(collecting: Collecting) -> None:
    for step in range(1, STEPS + 1):
        collecting.run(die_at_step=step, die=(BEFORE, AFTER)[step % 2])
    assert collecting.finish() == 0
    collecting.check()


def test_a_file_left_by_a_killed_run_goes_with_the_next_one_wherever_that_writes(collecting: Collecting) -> None:
    """The unfinished file lies beside the output of the first run, and the second has another output."""
    desk = collecting.desk
    elsewhere = desk.folder / "elsewhere"
    elsewhere.mkdir()
    argv = ("batch", "collect", collecting.job, "-o", "elsewhere/rows.jsonl")
    started = collecting.forker.start(
        argv, desk.folder, collecting.environ, die_at_step=STEP_OF_RENAMING, die=BEFORE
    )  # fmt: skip
    assert started.wait() == -signal.SIGKILL
    assert [path.suffix for path in elsewhere.iterdir()] == [".part"]
    assert collecting.finish() == 0
    assert list(elsewhere.iterdir()) == []
    elsewhere.rmdir()
    collecting.check()


@pytest.mark.parametrize("seed", range(RUNS))
def test_killed_at_any_instant_with_a_network_that_fails_every_row_has_one_result(
    forker: Forker, server: ApiServer, tmp_path: Path, seed: int
) -> None:
    """Some rows fail too, for reasons of their own; they have the one result that says so."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    collecting = Collecting(forker, server, Desk(tmp_path, server))
    server.script.at_random(seed, rate=dice.choice([0.0, 0.1, 0.2]))
    server.end()
    for _ in range(dice.randint(1, 3)):
        collecting.run(kill_after_s=dice.uniform(0.0, 0.4))
    collecting.finish()
    collecting.check()
