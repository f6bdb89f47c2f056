"""One open file of budgets for all threads of a program, let go of before it forks.

SQLite's locks are the process's: a connection that is open across a fork would let parent and child each believe that
they hold what only one of them does.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from costkit.adapters.budgets.store import BudgetStore


class SharedStore:
    """Opens the file when it is first used, and lends it to one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._borrower: int | None = None
        """The thread that is amid an operation."""
        self._late: deque[Callable[[], None]] = deque()
        self._store: BudgetStore | None = None
        _LIVE.add(self)

    @contextlib.contextmanager
    def lent(self) -> Iterator[BudgetStore]:
        """The store, for one operation."""
        try:
            with self._lock:
                self._borrower = threading.get_ident()
                try:
                    if self._store is None:
                        self._store = BudgetStore(self._folder, between_threads=True)
                        weakref.finalize(self, self._store.close)
                    yield self._store
                finally:
                    self._borrower = None
        finally:
            self._catch_up()

    def when_free(self, action: Callable[[], None]) -> None:
        """Do something with the store that raises nothing: now, or after the operation that this thread is amid.

        The garbage collector may find a dropped stream at any moment, and have it settled amid an operation of the very
        thread that would then wait for itself.
        """
        if self._borrower == threading.get_ident():
            self._late.append(action)
        else:
            action()

    def _catch_up(self) -> None:
        while self._late:
            with contextlib.suppress(IndexError):  # another thread was quicker
                self._late.popleft()()

    def before_fork(self) -> None:
        """Wait for the thread that uses it, and close it."""
        self._lock.acquire()
        self._borrower = threading.get_ident()
        if self._store is not None:
            self._store.close()
            self._store = None

    def after_fork(self, *, is_child: bool) -> None:
        """Let it be used again, by parent and child each for itself; what is late is left to the parent."""
        if is_child:
            self._late.clear()
        self._borrower = None
        self._lock.release()
        self._catch_up()


_LIVE: weakref.WeakSet[SharedStore] = weakref.WeakSet()
_FORKING: list[SharedStore] = []


def _before_fork() -> None:
    _FORKING[:] = _LIVE
    for shared in _FORKING:
        shared.before_fork()


def _after_fork(*, is_child: bool) -> None:
    for shared in _FORKING:
        shared.after_fork(is_child=is_child)
    _FORKING.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=partial(_after_fork, is_child=False),
        after_in_child=partial(_after_fork, is_child=True),
    )
