"""Appends whole lines to a log that threads, forks and other processes write to as well; it never raises.

A line is one `write` to a file that is open for appending, under an advisory lock that is held for microseconds: lines
never mix, and none goes to a file that was just rotated. There is no queue, so nothing is left to flush: what `append`
returned from survives a SIGKILL. A line that could not be written whole is taken back, and where another writer died
within a line the next one begins with a newline.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from costkit.adapters.usage_writer_rotation import Rotation

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

MODE = 0o600
_LONGEST_WAIT_S = 0.05
"""For another process that holds the lock; longer than this no request is kept waiting."""
_PAUSE_S = 0.0005
_TRIES = 100
"""For a line whose file was rotated away by others before the lock was had; each takes microseconds."""
_LOG = logging.getLogger("costkit")
_WRITERS: weakref.WeakSet[UsageWriter] = weakref.WeakSet()


class UsageWriter:
    """One log file, open for appending; made private to its owner (0600) if it is new.

    `max_bytes` rotates the file before a line that would not fit; of the rotated ones, compressed in the background,
    the newest `keep` are kept. The first failure is told to the logger `costkit`, the others are counted in `lost`.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int | None = None, keep: int = 10) -> None:
        self.path = Path(os.path.realpath(path))
        self._name = os.fspath(self.path)
        self.lost = 0
        """Lines that could not be written."""
        self._keep = keep
        self._rotation = Rotation(self.path, keep)
        self._max_bytes = max_bytes
        self._file: int | None = None
        self._whole = -1
        """The size at which the file was last seen to end with a newline."""
        self._turn = threading.RLock()
        self._writing = False
        self._told = False
        self._waiting: deque[bytes] = deque()
        _WRITERS.add(self)

    def append(self, line: bytes) -> None:
        """Write one line, given without its newline."""
        with self._turn:
            self._waiting.append(line)
            while self._waiting and not self._writing:  # else: called by the garbage collector amid a write of ours
                self._writing = True
                try:
                    while self._waiting:
                        self._write(self._waiting.popleft())
                finally:
                    self._writing = False

    def check(self) -> None:
        """Open the file, so that a path that can't be written to is told at once."""
        with self._turn:
            try:
                self._opened()
            except OSError as problem:
                self._fail(problem, lost=0)

    def close(self) -> None:
        """Let go of the file; a later line opens it again."""
        with self._turn:
            self._forget()

    def _write(self, line: bytes) -> None:
        problem = OSError(errno.EBUSY, "it is replaced again and again")
        try:
            for _ in range(_TRIES):
                if self._try_to_write(line):
                    return
        except OSError as error:
            problem = error
        self._forget()
        self._fail(problem, lost=1)

    def _try_to_write(self, line: bytes) -> bool:
        """Write the line, unless the file turns out to be another one by now."""
        file = self._opened()
        unlock = _lock(file, self.path)
        try:
            is_written = self._put_if_current(file, line, alone=unlock is not None)
        finally:
            if unlock is not None:
                unlock()
        if not is_written:
            self._forget()
        return is_written

    def _put_if_current(self, file: int, line: bytes, *, alone: bool) -> bool:
        """Write the line, unless another file took the place of this one or must do so now."""
        now = os.fstat(file)
        if not self._is_current(now):
            return False
        size = now.st_size
        if self._max_bytes is not None and size and size + len(line) + 1 > self._max_bytes and alone:
            self._rotation.move_away()
            return False
        self._put(file, size, line, alone=alone)
        return True

    def _put(self, file: int, size: int, line: bytes, *, alone: bool) -> None:
        torn = size and size != self._whole and not _ends_with_newline(file, size)
        data = b"\n" * bool(torn) + line + b"\n"
        written = os.write(file, data)
        if written != len(data):
            if alone:
                os.ftruncate(file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._whole = size + written

    def _opened(self) -> int:
        if self._file is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
            self._file = os.open(self.path, flags, MODE)
            self._whole = -1
        return self._file

    def _is_current(self, now: os.stat_result) -> bool:
        """Whether the path still leads to the open file, and not to one that came after a rotation."""
        try:
            return os.path.samestat(now, os.stat(self._name))  # noqa: PTH116  a path object costs more
        except FileNotFoundError:
            return False

    def _forget(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)

    def _fail(self, problem: OSError, *, lost: int) -> None:
        self.lost += lost
        if not self._told:
            self._told = True
            reason = problem.strerror or problem
            _LOG.warning("costkit.track: %s can't be written: %s (said once; requests go on)", self.path, reason)

    def _begin_anew(self) -> None:
        """In a forked child: the lock may be held by a thread that is not here, and the open file is the parent's."""
        self._turn = threading.RLock()
        self._rotation = Rotation(self.path, self._keep)
        self._writing = False
        self._waiting.clear()
        self._forget()


def _ends_with_newline(file: int, size: int) -> bool:
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1) in (b"\n", b"")


def _lock(file: int, path: Path) -> Callable[[], None] | None:
    """Hold the log's lock; what lets go of it, or `None` where it couldn't be had: appending is safe enough without."""
    if fcntl is None:
        return _lock_beside(path)
    until = None
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            until = until or now + _LONGEST_WAIT_S
            if now > until:
                return None
            time.sleep(_PAUSE_S)
        except OSError:  # a file system without locks
            return None
        else:
            return partial(_unlock, file)


def _unlock(file: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)


def _lock_beside(path: Path) -> Callable[[], None] | None:
    """The same with a lock file, where files themselves can't be locked so."""
    from filelock import FileLock, Timeout

    lock = FileLock(f"{path}.lock", timeout=_LONGEST_WAIT_S, mode=MODE)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return None
    return lock.release


def _after_fork() -> None:
    for writer in list(_WRITERS):
        writer._begin_anew()  # noqa: SLF001  the same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
