"""Processes that all spend from one budget, as fast as they can; run as a script: FOLDER PROCESSES RESERVATIONS.

Each reserves so many times; of what it gets it commits a third in part, releases a third and leaves the rest. All of
them are forked from one that has imported everything, so that they really run at the same time.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from costkit.adapters.budgets.store import BudgetStore

MOST_AT_ONCE = 3_000


def exactly(amount: int) -> Callable[[object], int]:
    """Says an amount, whatever it is asked about."""
    return lambda _: amount


def spend(folder: Path, times: int, seed: int) -> None:
    """Reserve so many times, and settle some of it."""
    dice = random.Random(seed)  # noqa: S311 - a test's choices
    with BudgetStore(folder) as store:
        for _ in range(times):
            amount = dice.randint(1, MOST_AT_ONCE)
            held = store.reserve("shared", exactly(amount), datetime.now(UTC)).reservation
            choice = dice.choice(("commit", "release", "leave"))
            if held is not None and choice == "commit":
                store.commit(held.id, exactly(dice.randint(0, amount)), datetime.now(UTC))
            if held is not None and choice == "release":
                store.release(held.id, datetime.now(UTC))


def main(folder: Path, processes: int, times: int) -> int:
    """Start them all, and wait for all; 0 if every one of them came to its end."""
    children = []
    for seed in range(processes):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                spend(folder, times, seed)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
