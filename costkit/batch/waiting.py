"""Waiting for batches to end: how often to look, for how long, and what a failed look means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from costkit.batch.ports import Clock
from costkit.errors import OperationFailed

FIRST_S, GROWTH, LONGEST_S, JITTER = 30.0, 1.5, 300.0, 0.2
MOST_FAILURES = 5
"""So many looks in a row may fail before waiting is given up; a network that is down for a minute is no reason."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait."""

    constant_s: float | None = None
    """Look at this interval; otherwise every 30 s at first, then ever more rarely, at most every 5 minutes."""
    timeout_s: float | None = None
    """Stop waiting after this long; `None` waits for as long as it takes."""


def wait_until(
    ended: Callable[[], bool],
    clock: Clock,
    patience: Patience,
    *,
    chance: Callable[[], float],
    failed: Callable[[OperationFailed], None] = lambda _error: None,
) -> bool:
    """Call `ended` until it says yes; no if the time is up first.

    `chance` gives numbers from 0 to 1 for the jitter. A look that fails for a reason that may pass is told to `failed`
    and counts as "not yet", but the fifth in a row is raised.
    """
    deadline = None if patience.timeout_s is None else clock.now() + timedelta(seconds=patience.timeout_s)
    interval, failures = FIRST_S, 0
    while True:
        try:
            if ended():
                return True
            failures = 0
        except OperationFailed as error:
            failures += 1
            if failures >= MOST_FAILURES or not error.retryable:
                raise
            failed(error)
        pause = patience.constant_s
        if pause is None:
            pause = interval * (1 + JITTER * (2 * chance() - 1))
            interval = min(interval * GROWTH, LONGEST_S)
        if deadline is not None:
            left = (deadline - clock.now()).total_seconds()
            if left <= 0:
                return False
            pause = min(pause, left)
        clock.sleep(pause)
