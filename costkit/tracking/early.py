"""Work whose outcome is needed only when a response is there, done while the call waits for it.

One thread beside does it a moment after the request was sent, when the calling thread waits for the network. Nothing
depends on that thread: what it has not begun, its taker does itself, and what it has begun is waited for, but not for
long. It holds up to `_MOST` pieces of work, ends before a fork, and is started again by the next call.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")
_PAUSE_S = 0.005
"""Until the request has left: whoever computed meanwhile would hold up its sending."""
_LONGEST_WAIT_S = 0.2
"""For work that was begun beside; a thread that was stopped amid it, as Python ends, would never be done."""
_MOST = 1_000


class Early(Generic[_T]):
    """The outcome of a function without side effects; computed beside if there is time, else when it is taken."""

    __slots__ = ("_due", "_outcome", "_turn", "_work")

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work: Callable[[], _T] | None = work
        self._outcome: _T
        self._due = 0.0
        self._turn = threading.RLock()

    def begin(self) -> None:
        """Have it done soon; where that can't be, it is done when it is taken."""
        self._due = time.monotonic() + _PAUSE_S
        try:
            _helper().ask(self)
        except RuntimeError:  # no thread can be started, as when Python ends
            return

    def take(self) -> _T:
        """The outcome; raises what the function raises."""
        is_mine = self._turn.acquire(timeout=_LONGEST_WAIT_S)
        try:
            work = self._work
            if work is not None:
                self._outcome = work()
                self._work = None
            return self._outcome
        finally:
            if is_mine:
                self._turn.release()

    def do(self) -> None:
        """Do it when it is due, unless somebody did or is at it; a failure is left to whoever takes it."""
        pause = self._due - time.monotonic()
        if pause > 0 and self._work is not None:
            time.sleep(pause)
        if self._turn.acquire(blocking=False):
            try:
                with contextlib.suppress(Exception):
                    self.take()
            finally:
                self._turn.release()


class _Helper:
    """The thread beside, with what it is asked to do."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Early[Any] | None] = SimpleQueue()
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="costkit-track", daemon=True)
        self._thread.start()

    def ask(self, early: Early[Any]) -> None:
        """Have something done, unless there is too much to do already."""
        if self._asked.qsize() < _MOST:
            self._asked.put(early)

    def end(self) -> None:
        """Let the thread end with what it is amid."""
        self._is_ending = True
        self._asked.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(_LONGEST_WAIT_S)

    def _run(self) -> None:
        while (early := self._asked.get()) is not None and not self._is_ending:
            early.do()
            del early  # the request, while there is nothing to do


_STARTING = threading.RLock()
_running: list[_Helper] = []


def _helper() -> _Helper:
    for helper in _running:
        return helper
    with _STARTING:
        if not _running:
            _running.append(_Helper())
        return _running[0]


def _before_fork() -> None:
    _STARTING.acquire()
    while _running:
        _running.pop().end()


def _after_fork() -> None:
    _STARTING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
