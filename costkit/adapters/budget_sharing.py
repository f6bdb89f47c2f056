"""One open file of budgets for all threads of a program, let go of before it forks.

SQLite's locks are the process's: a connection that is open across a fork would let parent and child each believe that
they hold what only one of them does.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

from costkit.adapters.budget_store import BudgetStore


class SharedStore:
    """Opens the file when it is first used, and lends it to one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._store: BudgetStore | None = None
        _LIVE.add(self)

    @contextlib.contextmanager
    def lent(self) -> Iterator[BudgetStore]:
        """The store, for one operation."""
        with self._lock:
            if self._store is None:
                self._store = BudgetStore(self._folder, between_threads=True)
                weakref.finalize(self, self._store.close)
            yield self._store

    def before_fork(self) -> None:
        """Wait for the thread that uses it, and close it."""
        self._lock.acquire()
        if self._store is not None:
            self._store.close()
            self._store = None

    def after_fork(self) -> None:
        """Let it be used again, by parent and child each for itself."""
        self._lock.release()


_LIVE: weakref.WeakSet[SharedStore] = weakref.WeakSet()
_FORKING: list[SharedStore] = []


def _before_fork() -> None:
    _FORKING[:] = _LIVE
    for shared in _FORKING:
        shared.before_fork()


def _after_fork() -> None:
    for shared in _FORKING:
        shared.after_fork()
    _FORKING.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
