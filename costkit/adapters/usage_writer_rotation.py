"""Rotated usage logs: `usage.jsonl` becomes `usage.2026-11-21T14-03-59.123456Z.jsonl`, then the same with `.gz`.

Names that sort by time need no renaming of older files, and `costkit report` on the folder reads all of them. Whoever
rotates compresses in the background; what a process left behind uncompressed, the next rotation compresses.
"""

from __future__ import annotations

import contextlib
import glob
import gzip
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_PART = ".part"
_MODE = 0o600
_ABANDONED_S = 3600
"""A half-written compressed file that is older than this belongs to a process that died."""


class Rotation:
    """Moves a full log away, compresses what was moved, and deletes all but the newest `keep`."""

    def __init__(self, path: Path, keep: int) -> None:
        self._path = path
        self._keep = keep

    def move_away(self) -> None:
        """Give the log its rotated name; the caller holds its lock. Raises `OSError`."""
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")
        target = self._path.with_name(f"{self._path.stem}.{moment}{self._path.suffix}")
        self._path.rename(target)
        threading.Thread(target=self.tidy, name="costkit-rotation", daemon=True).start()

    def tidy(self) -> None:
        """Delete what is too much, compress the rest."""
        with contextlib.suppress(OSError):  # a folder that can't be read is no reason to disturb a program
            names = {path.name.removesuffix(".gz") for path in self._rotated()}
            kept = set(sorted(names)[-self._keep :]) if self._keep else set()
            for path in self._rotated():
                if path.name.removesuffix(".gz") not in kept:
                    path.unlink(missing_ok=True)
                elif path.suffix != ".gz":
                    _compress(path)
            for part in self._path.parent.glob(f"{glob.escape(self._path.stem)}.*{_PART}"):
                if time.time() - part.stat().st_mtime > _ABANDONED_S:
                    part.unlink(missing_ok=True)

    def _rotated(self) -> Iterator[Path]:
        stem, suffix = self._path.stem, self._path.suffix
        for path in sorted(self._path.parent.iterdir()):
            bare = path.name.removesuffix(".gz")
            if bare.startswith(f"{stem}.") and bare.endswith(f"Z{suffix}") and _is_moment(bare, stem, suffix):
                yield path


def _is_moment(name: str, stem: str, suffix: str) -> bool:
    middle = name[len(stem) + 1 : len(name) - len(suffix)]
    with contextlib.suppress(ValueError):
        datetime.strptime(middle, "%Y-%m-%dT%H-%M-%S.%fZ").replace(tzinfo=UTC)
        return True
    return False


def _compress(path: Path) -> None:
    """Write the compressed file beside it, then let it take its place; one process does it, the others pass by."""
    target = path.with_name(f"{path.name}.gz")
    part = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        with path.open("rb") as source, os.fdopen(handle, "wb") as file:
            with gzip.GzipFile(path.name, "wb", 6, file) as packed:
                shutil.copyfileobj(source, packed, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
            read = source.tell()
        if path.stat().st_size == read:
            part.replace(target)
            path.unlink()
    except FileNotFoundError:  # another process has done it
        return
    finally:
        part.unlink(missing_ok=True)
