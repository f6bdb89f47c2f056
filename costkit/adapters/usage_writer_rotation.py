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
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

_PART = ".part"
_GZIP = ".gz"
_MOMENT = "%Y-%m-%dT%H-%M-%S.%fZ"
_ABANDONED_S = 3600
"""A half-written compressed file that is older than this belongs to a process that died."""


class Rotation:
    """Moves a full log away, compresses what was moved, and deletes all but the newest `keep`."""

    def __init__(self, path: Path, keep: int) -> None:
        self._path = path
        self._keep = keep
        self._tidying = threading.Lock()

    def move_away(self) -> None:
        """Give the log its rotated name; the caller holds its lock. Raises `OSError`."""
        moment = datetime.now(UTC)
        while (target := self._named(moment)).exists() or target.with_name(f"{target.name}{_GZIP}").exists():
            moment += timedelta(microseconds=1)
        self._path.rename(target)
        with contextlib.suppress(RuntimeError):  # no threads any more: the next program compresses it
            threading.Thread(target=self.tidy, name="costkit-rotation", daemon=True).start()

    def tidy(self) -> None:
        """Delete what is too much, compress the rest. One look decides: what is rotated meanwhile is not touched."""
        with self._tidying, contextlib.suppress(OSError):  # trouble here is no reason to disturb a program
            found = list(self._rotated())
            names = sorted({path.name.removesuffix(_GZIP) for path in found})
            surplus = set(names[: -self._keep] if self._keep else names)
            for path in found:
                if path.name.removesuffix(_GZIP) in surplus:
                    path.unlink(missing_ok=True)
                elif path.suffix != _GZIP:
                    _compress(path)
            for part in self._path.parent.glob(f"{glob.escape(self._path.stem)}.*{_PART}"):
                if time.time() - part.stat().st_mtime > _ABANDONED_S:
                    part.unlink(missing_ok=True)

    def _named(self, moment: datetime) -> Path:
        return self._path.with_name(f"{self._path.stem}.{moment.strftime(_MOMENT)}{self._path.suffix}")

    def _rotated(self) -> Iterator[Path]:
        stem, suffix = self._path.stem, self._path.suffix
        for path in sorted(self._path.parent.iterdir()):
            bare = path.name.removesuffix(_GZIP)
            if bare.startswith(f"{stem}.") and bare.endswith(f"Z{suffix}") and _is_moment(bare, stem, suffix):
                yield path


def _is_moment(name: str, stem: str, suffix: str) -> bool:
    middle = name[len(stem) + 1 : len(name) - len(suffix)]
    with contextlib.suppress(ValueError):
        datetime.strptime(middle, _MOMENT).replace(tzinfo=UTC)
        return True
    return False


def _compress(path: Path) -> None:
    """Write the compressed file beside it, then let it take its place; of several processes that do, one is enough."""
    target = path.with_name(f"{path.name}{_GZIP}")
    handle, name = tempfile.mkstemp(_PART, f"{path.name}.", path.parent)  # 0600, and nobody else's
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, path.open("rb") as source:
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
