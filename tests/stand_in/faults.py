"""What goes wrong and when: a script in order, and dice on top of it."""

from __future__ import annotations

import threading
from random import Random

from stand_in.values import Fault, Outcome

_WAIT = {"retry-after": "0.01"}
_AFTER_CREATE = (
    Fault(after=True, reset=True),
    Fault(after=True, hang_up=True),
    Fault(after=True, status=504, message="upstream timed out"),
    Fault(after=True, status=529, message="Overloaded"),
)
_BEFORE = (
    Fault(reset=True),
    Fault(status=500, message="Internal server error"),
    Fault(status=504, message="upstream timed out"),
    Fault(status=529, message="Overloaded"),
    Fault(status=429, headers=_WAIT, message="slow down"),
)
_MENU = {
    "create": (*_AFTER_CREATE, *_BEFORE, Fault(reset=True, early=True)),
    "results": (
        *_BEFORE,
        Fault(cut="reset"),
        Fault(cut="close", cut_at=0.9),
        Fault(cut="short", cut_at=0.3),
        Fault(body_s=0.2),
    ),
}
"""What may go wrong at random: nothing that lasts, so that trying again always gets there."""
_ITEM_FAILURES = (
    Outcome("errored", "overloaded_error", "Overloaded"),
    Outcome("errored", "api_error", "Internal server error"),
    Outcome("errored", "rate_limit_error", "slow down"),
    Outcome("errored", "invalid_request_error", "messages.0.content: image could not be decoded"),
    Outcome("expired"),
)


class FaultScript:
    """Decides for each request whether it goes wrong; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: list[list[int | Fault]] = []
        self._dice = Random(0)  # noqa: S311 - repeatable on purpose
        self._rate = 0.0
        self._seed: int | None = None

    def add(self, *faults: Fault) -> None:
        """Script the next requests, in order of arrival."""
        with self._lock:
            self._script.extend([fault, fault.skip, fault.times] for fault in faults)

    def at_random(self, seed: int, rate: float = 0.25) -> None:
        """From now on this share of all requests goes wrong, and 3 % of the items of batches; a rate of 0 ends it."""
        with self._lock:
            self._dice, self._rate, self._seed = Random(seed), rate, seed if rate else None  # noqa: S311 - as above

    def clear(self) -> None:
        """Forget the script and the dice."""
        with self._lock:
            self._script.clear()
            self._rate, self._seed = 0.0, None

    def take(self, route: str) -> Fault | None:
        """The fault of a request that has just arrived."""
        with self._lock:
            for entry in self._script:
                fault, skip, times = entry
                if not isinstance(fault, Fault) or fault.on not in (None, route):
                    continue
                if isinstance(skip, int) and skip:
                    entry[1] = skip - 1
                    continue
                if times == 1:
                    self._script.remove(entry)
                elif isinstance(times, int):
                    entry[2] = times - 1
                return fault
            if self._dice.random() < self._rate:
                return self._dice.choice(_MENU.get(route, _BEFORE))
            return None

    def item(self, batch: int, custom_id: str) -> Outcome | None:
        """The random failure of an item of the n-th batch, the same whenever it is asked for."""
        if self._seed is None:
            return None
        dice = Random(f"{self._seed}/{batch}/{custom_id}")  # noqa: S311 - as above
        return dice.choice(_ITEM_FAILURES) if dice.random() < 0.03 else None
