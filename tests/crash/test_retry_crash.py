"""Killed at every commit of a retry: the failed rows are sent once more and not twice more."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import ApiServer, Outcome
from collecting import Desk, ids_of, lines_of
from forked_program import AFTER, BEFORE, Forker

LINES = lines_of(12)
FAILED = {"item-3": Outcome("expired"), "item-8": Outcome("errored", "overloaded_error", "Overloaded")}
COMMITS = 5
"""Of an undisturbed retry: the end of the first batch, the job, its account, the intent and the outcome."""


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as running:
        yield running


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


class Retrying:
    """A job with two failed rows, and as many attempts to retry them as it takes."""

    def __init__(self, forker: Forker, server: ApiServer, folder: Path) -> None:
        self.forker = forker
        self.server = server
        self.desk = Desk(folder, server)
        server.outcomes = dict(FAILED)
        self.job = self.desk.submit(LINES)
        server.end()
        server.outcomes = {}
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "COSTKIT_STATE": str(self.desk.state),
            "COSTKIT_RECONCILE_WAIT_S": "0.02",
            **server.environ,
        }

    def run(self, *arguments: str, die_at_commit: int | None = None, die: str = AFTER) -> int:
        """One command."""
        argv = ("batch", *arguments)
        return self.forker.start(argv, self.desk.folder, self.environ, die_at_commit=die_at_commit, die=die).wait()

    def check(self) -> None:
        """What must hold when the retry is done: one batch of the failed rows, and then every row has its answer."""
        assert [batch.custom_ids for batch in self.server.batches[1:]] == [list(FAILED)]
        self.server.end()
        assert self.run("collect", self.job) == 0
        assert self.desk.row_ids() == ids_of(LINES)
        assert list((self.desk.state / "retries").iterdir()) == []


@pytest.fixture
def retrying(forker: Forker, server: ApiServer, tmp_path: Path) -> Retrying:
    return Retrying(forker, server, tmp_path)


def test_an_undisturbed_retry_commits_as_often_as_this_test_counts(retrying: Retrying) -> None:
    """If this number changes, the crash points below must change with it."""
    assert retrying.run("retry", retrying.job, "--yes", die_at_commit=COMMITS + 1) == 0
    retrying.check()


@pytest.mark.parametrize("die", [BEFORE, AFTER])
@pytest.mark.parametrize("commit", range(1, COMMITS + 1))
def test_killed_at_any_commit_the_rows_are_sent_once(retrying: Retrying, commit: int, die: str) -> None:
    assert retrying.run("retry", retrying.job, "--yes", die_at_commit=commit, die=die) == -signal.SIGKILL
    assert retrying.run("retry", retrying.job, "--yes") in (0, 8)
    retrying.check()
