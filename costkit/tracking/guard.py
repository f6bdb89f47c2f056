"""Keeps a tracked client within a budget: what a request may cost is held before it is sent, and settled afterwards."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.lowlevel import RunVar

from costkit.adapters.budgets.handle import Budget, Held
from costkit.errors import CostkitError, InvalidInput
from costkit.tracking.answer import Answer
from costkit.tracking.line import Sent

_LOG = logging.getLogger("costkit")
_THREADS: RunVar[anyio.CapacityLimiter] = RunVar("costkit_reserving")
_MOST_THREADS = 8
_BATCH = re.compile(r"(?:https?://[^/?]+)?(?:/[^?]*)?/v1/messages/batches(?:\?.*)?")


class Guard:
    """Asks a budget before each call."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    async def reserve_beside(self, request: Any, sent: Sent | None) -> Held | None:
        """The same in a thread of its own; where the call is cancelled meanwhile, nothing stays held.

        The thread can't be stopped: whichever comes second, its answer or the cancellation, gives back what was held.
        """
        first = threading.Lock()  # taken by whichever comes first, and never let go of
        made: list[Held] = []

        def hold() -> Held | None:
            held = self.reserve(request, sent)
            if held is not None:
                made.append(held)
                if not first.acquire(blocking=False):
                    _give_back(held)
            return held

        try:
            held = await anyio.to_thread.run_sync(hold, limiter=_limiter())
            await anyio.lowlevel.checkpoint_if_cancelled()  # else a cancelled scope is told only when it sends
        except BaseException:
            if not first.acquire(blocking=False):
                _give_back(made[0])
            raise
        return held

    def reserve(self, request: Any, sent: Sent | None) -> Held | None:
        """Hold the most that a call can cost; `None` for one that bills nothing or that the budget doesn't cover.

        Raises `BudgetExceeded` where not enough is left, `UnknownModel` or `Undecidable` where no price is known, and
        `InvalidInput` for a request without a limit and for a batch: what it cost may be known to another program only.
        """
        if str(request.method).upper() == "POST" and _BATCH.fullmatch(str(request.url)):
            hint = "hold its cost yourself, with costkit.Budget(…).reserve(usd=…, batch=True), and use another client"
            raise InvalidInput(f"a client with the budget {self._budget.name} sends no batches", hint=hint)
        if sent is None or sent.batch_id is not None:
            return None
        if sent.body is None:
            raise InvalidInput("a request that is no JSON object can't be held in a budget")
        tags = {name: str(value) for name, value in sent.tags.items()}
        model = sent.body.get("model")
        if not self._budget.covers(model if isinstance(model, str) else None, tags):
            return None
        return self._budget.reserve(request=sent.body, tags=tags)


def _limiter() -> anyio.CapacityLimiter:
    """Threads of this event loop's own: a program whose other threads wait for a call must not keep it waiting."""
    try:
        return _THREADS.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MOST_THREADS)
        _THREADS.set(limiter)
        return limiter


def _give_back(held: Held) -> None:
    try:
        held.release()
    except Exception as problem:  # noqa: BLE001  a cancellation must go on whatever the disk says
        _LOG.warning("costkit.track: reservation %s was not released: %s", held.id, problem)


class _Refused(Exception):
    def __init__(self, status_code: int) -> None:
        super().__init__(f"status {status_code}")
        self.status_code = status_code


@contextlib.contextmanager
def failing(held: Held | None) -> Iterator[None]:
    """While a call is under way: one that fails without a response leaves what it may have cost uncertain."""
    try:
        yield
    except BaseException as error:
        if held is not None:
            held.__exit__(type(error), error, error.__traceback__)
        raise


def refuse(held: Held | None, status: int) -> None:
    """Give back what was held for a request that the API refused; after other errors it stays, as uncertain."""
    if held is not None:
        with contextlib.suppress(_Refused), held:
            raise _Refused(status)


def settle(held: Held | None, answers: Sequence[Answer]) -> None:
    """Settle with what was billed; what is not known to the end stays held, as uncertain. Raises nothing expected."""
    if held is not None:
        held.when_free(partial(_settle, held, answers))


def _settle(held: Held, answers: Sequence[Answer]) -> None:
    try:
        with held:
            if answers and all(answer.is_final and answer.message.get("usage") for answer in answers):
                held.commit(*(answer.message for answer in answers))
    except CostkitError as problem:
        _LOG.warning("costkit.track: reservation %s was not settled: %s", held.id, problem)
