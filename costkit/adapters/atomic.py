"""Files that are either whole or not there: written beside their place, synced, then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from costkit.errors import Unwritable

_OWNER_ONLY = 0o600


def write_atomically(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    A symlink keeps pointing at its target; a device or a pipe is written to directly. A `private` file is its owner's
    alone from its first byte on. Raises `Unwritable` and leaves no new file behind.
    """
    target = path.resolve() if path.is_symlink() else path
    try:
        if target.exists() and not target.is_file():
            if target.is_dir():
                raise Unwritable(f"can't write {path}: it is a folder")
            target.write_bytes(data)
        else:
            _replace(target, data, _OWNER_ONLY if private else permissions_of(target))
    except (FileNotFoundError, NotADirectoryError):
        raise Unwritable(f"can't write {path}: there is no folder {target.parent}") from None
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise Unwritable(f"can't write {path}: {reason}") from problem


def _replace(target: Path, data: bytes, permissions: int) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(data)
            part.flush()
            os.fsync(part.fileno())
        Path(name).chmod(permissions)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def permissions_of(target: Path) -> int:
    """The permissions of the file that is replaced, or what a new file gets under the process's umask."""
    with contextlib.suppress(FileNotFoundError):
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
