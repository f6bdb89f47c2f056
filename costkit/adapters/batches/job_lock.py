"""One submitter at a time: an operating system's lock for each job's content, let go by the system however it ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from costkit.errors import InvalidInput, StillRunning

_NAME_LENGTH = 16


class LockHeld(StillRunning):
    """Raised when another process has the lock; `pid` is the process, where it can be told."""

    default_code = "being-submitted"

    def __init__(self, pid: int | None) -> None:
        who = f"pid {pid}" if pid else "another process"
        super().__init__(f"being submitted by {who}", hint="costkit batch status shows how far it is")
        self.pid = pid


@contextlib.contextmanager
def job_lock(folder: Path, digest: str) -> Iterator[None]:
    """Hold the lock of a job's content, `digest`; raises `LockHeld` at once if another process does.

    The lock files stay: one that is deleted while somebody waits for it would be two locks.
    """
    from filelock import FileLock, Timeout

    path = folder / f"{digest[:_NAME_LENGTH]}.lock"
    holder = path.with_suffix(".pid")
    lock = FileLock(path, timeout=0, mode=0o600)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
    except Timeout:
        raise LockHeld(_pid_in(holder)) from None
    except OSError as problem:
        raise InvalidInput(f"can't lock {path}: {problem.strerror or problem}", code="no-lock") from None
    try:
        with contextlib.suppress(OSError):  # only told to people
            _write(holder)
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _write(path: Path) -> None:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(str(os.getpid()))


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
