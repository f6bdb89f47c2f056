"""Waiting for a cluster, with an end to patience: answers as they come, and one clear error where none can come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from costkit.adapters.cluster.objects import explain
from costkit.errors import OperationFailed

PATIENCE_S = 60
"""How long a report waits for a lost scheduler, or for a worker where none is left."""
KILLED = "KilledWorker"
"""The name of the error for work that has cost too many workers."""
MORE_MEMORY = "run the report again, with more memory for each worker"
_AGAIN = "run the report again"
_TO_COME = ("pending", "lost")
_POLL_S = 0.02
_LOOK_S = 2.0


class Ended(NamedTuple):
    """A future that came to an end."""

    future: Any
    value: Any
    """`None` for one that failed."""
    error: BaseException | None


def ended(client: Any, futures: Sequence[Any]) -> Iterator[Ended]:
    """These futures in the order in which they come to an end, good or bad.

    Raises `OperationFailed` where the scheduler, or the last worker, has been gone for `PATIENCE_S` seconds.
    """
    from distributed import as_completed

    coming = as_completed(futures, loop=client.loop)
    health = _Health(client)
    left = len(futures)
    while left:
        batch = list(coming.next_batch(block=False))
        if not batch:
            time.sleep(_POLL_S)
            health.check()
        for future in batch:
            if future.status in _TO_COME:  # what it had come to was lost with a worker, and comes again
                coming.add(future)
                continue
            left -= 1
            if future.status == "error":
                yield Ended(future, None, future.exception())
            else:
                yield Ended(future, _value(future, health), None)


def results(client: Any, futures: Sequence[Any]) -> Iterator[Any]:
    """What each of these futures comes to, as it comes. Raises `OperationFailed` for one that fails."""
    for _, value, error in ended(client, futures):
        if error is not None:
            raise failure(error)
        yield value


def failure(error: BaseException) -> OperationFailed:
    """What a report says of an error that ended some task of it."""
    if type(error).__name__ == KILLED:
        return OperationFailed("worker after worker died while it brought responses together", hint=MORE_MEMORY)
    return OperationFailed(f"the cluster could not finish: {explain(error)}", hint=_AGAIN)


def _value(future: Any, health: _Health) -> Any:
    from distributed import CancelledError

    while True:
        try:
            return future.result(timeout=_LOOK_S)
        except TimeoutError:  # it was lost just now, and comes again
            health.check()
        except CancelledError:
            raise OperationFailed("the scheduler has dropped the work", hint=_AGAIN) from None
        except OSError as error:
            raise OperationFailed(f"the scheduler is gone: {explain(error)}", hint=_AGAIN) from None


class _Health:
    """Looks at the cluster every now and then."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._well = self._looked = time.monotonic()

    def check(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        problem = self._problem()
        if problem is None:
            self._well = now
        elif now - self._well > PATIENCE_S:
            raise OperationFailed(problem, hint=_AGAIN)

    def _problem(self) -> str | None:
        if self._client.status != "running":
            return "the scheduler is gone"
        try:
            workers = self._client.nthreads()
        except (OSError, TimeoutError):
            return "the scheduler does not answer"
        return None if workers else "no worker is left"
