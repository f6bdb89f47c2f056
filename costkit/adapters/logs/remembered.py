"""What was read before: summaries of files that have not changed since, in a folder of the user's own.

A summary is found by what was asked and by the name of the file, and is good for nothing unless the file is still the
same by device, number, size and both times. A file that was written to a moment ago is not remembered: it could change
again without any of these telling. Whatever is wrong with the folder or with what is in it, logs are read.
"""

from __future__ import annotations

import os
import sys
import time
from hashlib import blake2b
from pathlib import Path

from msgspec import MsgspecError

from costkit import __version__
from costkit.adapters.logs.frozen import freeze, thaw
from costkit.adapters.logs.plain import Range
from costkit.report.options import FoldOptions
from costkit.report.summary import UsageSummary

READER = 5
"""Goes up whenever the same log is read in another way."""
SETTLED_NS = 3_000_000_000
"""How long a file must have been left alone: longer than the steps of any file system's clock."""
_DIGEST = 16
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OLD_S = 30 * 24 * 60 * 60

Signature = tuple[int, ...]


class Memory:
    """Summaries in a folder, made with the same options."""

    def __init__(self, folder: Path, options: FoldOptions) -> None:
        self.folder = folder
        self._options = options
        self._question = repr((READER, __version__, sys.byteorder, options))

    def sign(self, path: str) -> Signature | None:
        """What tells a file from all it was before; `None` for one that may change unnoticed, or is not there."""
        try:
            status = os.stat(path)  # noqa: PTH116  # called for every log
        except (OSError, ValueError):
            return None
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        if time.time_ns() - newest < SETTLED_NS:
            return None
        return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def recall(self, name: str, signed: Signature | str) -> tuple[UsageSummary, Range | None] | None:
        """The summary that was kept under a name, if it is of a file with this signature."""
        try:
            data = self._file(name).read_bytes()
            head = self._head(signed, data[2 * _DIGEST :])
            return thaw(data[2 * _DIGEST :], self._options) if data.startswith(head) else None
        except (OSError, ValueError, TypeError, MsgspecError):
            return None

    def keep(self, name: str, signed: Signature | str, summary: UsageSummary, place: Range | None = None) -> None:
        """Keep a summary in place of what is there under this name; not being able to is no error."""
        data = freeze(summary, place)
        target = self._file(name)
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = target.with_suffix(f".{os.getpid()}")
            fresh.unlink(missing_ok=True)
            with open(os.open(fresh, _NEW, 0o600), "wb") as file:  # noqa: PTH123  # only its owner may read it
                file.write(self._head(signed, data) + data)
            fresh.replace(target)
        except OSError:
            return

    def tidy(self) -> None:
        """Throw away what nobody has asked for in a long time."""
        oldest = time.time() - _OLD_S
        try:
            for file in self.folder.iterdir():
                if file.stat().st_mtime < oldest:
                    file.unlink()
        except OSError:
            return

    def _file(self, name: str) -> Path:
        return (
            self.folder
            / blake2b(f"{self._question}\0{name}".encode("utf-8", "surrogateescape"), digest_size=_DIGEST).hexdigest()
        )

    def _head(self, signed: Signature | str, data: bytes) -> bytes:
        return _digest(repr(signed).encode()) + _digest(data)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()
