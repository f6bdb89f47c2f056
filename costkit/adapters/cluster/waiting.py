"""Waiting for a cluster, with an end to patience: answers as they come, and one clear error where none can come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from costkit.adapters.cluster.objects import explain
from costkit.errors import OperationFailed

PATIENCE_S = 60
"""How long a report waits for a lost scheduler, or for a worker where none is left."""
_POLL_S = 0.02
_LOOK_S = 2.0


def finished(client: Any, futures: Sequence[Any]) -> Iterator[Any]:
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
            left -= 1
            yield future


def results(client: Any, futures: Sequence[Any]) -> Iterator[Any]:
    """What each of these futures comes to, as it comes. Raises `OperationFailed` for one that fails."""
    for future in finished(client, futures):
        if future.status != "finished":
            raise failure(future)
        yield future.result()


def failure(future: Any) -> OperationFailed:
    """The error for a future that came to nothing."""
    hint = "run the report again"
    if future.status != "error":
        return OperationFailed("the scheduler has dropped the work", hint=hint)
    return OperationFailed(f"the cluster could not finish: {explain(future.exception())}", hint=hint)


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
            raise OperationFailed(problem, hint="run the report again")

    def _problem(self) -> str | None:
        if self._client.status != "running":
            return "the scheduler is gone"
        try:
            workers = self._client.nthreads()
        except (OSError, TimeoutError):
            return "the scheduler does not answer"
        return None if workers else "no worker is left"
