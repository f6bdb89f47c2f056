"""Whatever runs at the same time and whenever it is killed: never more than the limit, never too much left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from forked_program import AFTER, BEFORE, Forker

from costkit.adapters.budgets.store import BudgetStore
from costkit.budget import Change, Event, parse_amount
from costkit.budget.rules import Standing

RACERS = Path(__file__).parent.parent / "budget_racers.py"
LIMIT = 1_000_000
PROCESSES, RESERVATIONS = 32, 200


def replayed(events: list[Event]) -> Iterator[int]:
    """What was used after each event, from what the history says."""
    used: dict[str | None, int] = {}
    for event in events:
        amount = {"reserve": event.amount, "commit": event.amount}.get(event.event)
        used[event.reservation] = amount.value if amount else 0
        yield sum(used.values())


def test_32_processes_with_200_reservations_each_never_exceed_the_limit(tmp_path: Path) -> None:
    with BudgetStore(tmp_path) as store:
        store.define("shared", Change(parse_amount(f"{LIMIT} tokens")), datetime.now(UTC))
    command = [sys.executable, str(RACERS), str(tmp_path), str(PROCESSES), str(RESERVATIONS)]
    assert subprocess.run(command, check=False, timeout=600).returncode == 0
    with BudgetStore(tmp_path) as store:
        standing = store.state("shared", datetime.now(UTC)).standing
    most = list(replayed(history(tmp_path)))
    assert max(most) <= LIMIT
    assert max(most) > LIMIT - 3_000
    assert most[-1] == standing.used <= LIMIT
    assert standing.available == LIMIT - standing.used


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as running:
        yield running


@pytest.mark.parametrize("die", [BEFORE, AFTER])
@pytest.mark.parametrize(
    ("arguments", "used"),
    [
        ("reserve team-a --usd 3", {BEFORE: (0, 4), AFTER: (0, 7)}),
        ("commit {held} --usd 1", {BEFORE: (0, 4), AFTER: (1, 0)}),
        ("release {held}", {BEFORE: (0, 4), AFTER: (0, 0)}),
        ("reset team-a", {BEFORE: (0, 4), AFTER: (0, 4)}),
    ],
)
def test_a_command_that_is_killed_has_done_all_or_nothing(
    forker: Forker, tmp_path: Path, arguments: str, used: dict[str, tuple[int, int]], die: str
) -> None:
    now, state = datetime.now(UTC), tmp_path / "state"
    with BudgetStore(state) as store:
        store.define("team-a", Change(parse_amount("10")), now)
        held = store.reserve("team-a", lambda _: 4 * 10**12, now).reservation
    assert held is not None
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COSTKIT_STATE": str(state)}
    command = ["budget", *arguments.format(held=held.id).split(), "--json"]
    run = forker.start(command, tmp_path, environ, die_at_step=1, die=die)
    assert run.wait() == -signal.SIGKILL
    with BudgetStore(state) as store:
        standing = store.state("team-a", now).standing
    assert (standing.committed // 10**12, standing.reserved // 10**12) == used[die]
    assert standing.available == standing.limit.value - standing.used >= 0


def history(folder: Path) -> list[Event]:
    with BudgetStore(folder) as store:
        return [event for event in store.history("shared") if event.event in ("reserve", "commit", "release")]


def standing_in(folder: Path) -> Standing:
    with BudgetStore(folder) as store:
        return store.state("shared", datetime.now(UTC)).standing


def at_rest(folder: Path) -> tuple[list[Event], Standing]:
    """History and standing once they have stopped changing: a killed process may still finish what it asked for."""
    events, standing = history(folder), standing_in(folder)
    while events != (now := history(folder)):
        events, standing = now, standing_in(folder)
    return events, standing


def test_programs_that_are_killed_at_any_moment_leave_what_they_held_counted(tmp_path: Path) -> None:
    with BudgetStore(tmp_path) as store:
        store.define("shared", Change(parse_amount("1G tokens")), datetime.now(UTC))
    for more in (1, 20, 55):
        before = len(history(tmp_path))
        command = [sys.executable, str(RACERS), str(tmp_path), "4", "1000000"]
        racers = subprocess.Popen(command, start_new_session=True)
        while len(history(tmp_path)) < before + more:
            assert racers.poll() is None
            time.sleep(0.01)
        os.killpg(racers.pid, signal.SIGKILL)
        racers.wait()
        events, standing = at_rest(tmp_path)
        assert list(replayed(events))[-1] == standing.used == standing.limit.value - standing.available
