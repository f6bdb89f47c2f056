"""One file or object, read by whoever has to: its bytes, and what tells it from what it was before.

A path with `://` goes through fsspec, any other is a file that every worker sees under the same name.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from costkit.adapters.logs.sources import why

BLOCK = 8 << 20
"""Bytes that are asked for at once: as many as hide what it takes an object store to begin its answer."""
_VERSIONS = ("ETag", "etag", "md5Hash", "generation", "content_md5")
"""What the file systems of fsspec call that which changes whenever an object does."""
_TIMES = ("mtime", "LastModified", "last_modified", "updated")
_LOCAL = "file://"


class Mark(NamedTuple):
    """What tells an object from what it was before."""

    size: int
    version: str | None = None
    time: str | None = None

    def is_now(self, now: Mark, *, may_grow: bool) -> bool:
        """Whether what was read under this mark is still as it was; a log on a disk may have been added to."""
        if may_grow and now.size > self.size:
            return True
        both = ((self.version, now.version), (self.time, now.time))
        told = [one == other for one, other in both if one is not None and other is not None]
        return self.size == now.size and (not told or told[0])


def is_url(path: str) -> bool:
    """Whether a path is one for fsspec."""
    return "://" in path


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and its path there. Raises ImportError for one whose package is not installed."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url)
    return system, str(path)


def mark_of(info: Mapping[str, Any]) -> Mark:
    """The mark of what fsspec says about a file."""
    version = next((str(info[name]) for name in _VERSIONS if info.get(name)), None)
    time = next((str(info[name]) for name in _TIMES if info.get(name)), None)
    return Mark(int(info.get("size") or 0), version, time)


def mark_now(path: str, folder: str) -> Mark:
    """The mark of a file or an object as it is now. Raises OSError."""
    if not is_url(path):
        status = Path(folder, path).stat()
        return Mark(status.st_size, None, str(status.st_mtime_ns))
    with plain_errors():
        system, inner = file_system(path)
        system.invalidate_cache(inner)
        return mark_of(system.info(inner))


def is_unchanged(path: str, folder: str, mark: Mark) -> bool:
    """Whether a file or an object is what it was when it was marked. Raises OSError."""
    return mark.is_now(mark_now(path, folder), may_grow=not is_url(path) or path.startswith(_LOCAL))


def why_unreadable(url: str) -> str | None:
    """Why nothing of an object can be read here; `None` where its first byte can."""
    try:
        with plain_errors():
            system, inner = file_system(url)
            system.cat_file(inner, start=0, end=1)
    except Exception as error:  # noqa: BLE001  # a missing package, or any error of a store
        return explain(error)
    return None


def opener(folder: str, marks: Mapping[str, Mark], stop: int | None = None) -> Callable[[str], io.RawIOBase]:
    """What opens paths; relative ones are meant in `folder`. Nothing from `stop` on is fetched ahead."""

    def open_file(path: str) -> io.RawIOBase:
        if not is_url(path):
            return io.FileIO(os.path.join(folder, path))  # noqa: PTH118  # paths may be any bytes
        with plain_errors():
            system, inner = file_system(path)
        return ObjectFile(lambda start, end: system.cat_file(inner, start=start, end=end), marks[path].size, stop)

    return open_file


class ObjectFile(io.RawIOBase):
    """The bytes of an object, a block at a time; the next block is on its way while one is read."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, stop: int | None = None) -> None:
        super().__init__()
        self._fetch, self._size = fetch, size
        self._ahead_to = size if stop is None else min(stop, size)
        self._at = 0
        self._block, self._base = b"", 0
        self._next: tuple[int, Future[bytes]] | None = None
        self._thread = ThreadPoolExecutor(1)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to an offset from the beginning, where nothing else is asked for."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        """Where the next byte is."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the block goes. Raises OSError where the store fails."""
        if self._at >= self._size:
            return 0
        if not self._base <= self._at < self._base + len(self._block):
            self._block, self._base = self._get(self._at), self._at
        piece = memoryview(self._block)[self._at - self._base :][: len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        """Let go of the block that is on its way."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._block = b""
        super().close()

    def _get(self, start: int) -> bytes:
        waiting, self._next = self._next, None
        block = waiting[1].result() if waiting and waiting[0] == start else self._ask(start)
        if not block:
            raise OSError(errno.EIO, "the object ends before its size")
        after = start + len(block)
        if after < self._ahead_to:
            self._next = (after, self._thread.submit(self._ask, after))
        return block

    def _ask(self, start: int) -> bytes:
        with plain_errors():
            return self._fetch(start, min(start + BLOCK, self._size))


class plain_errors:  # noqa: N801  # used like a function
    """Turns whatever the packages behind fsspec raise into an OSError with a number and one line."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ImportError) or error is None or not isinstance(error, Exception):
            return
        if isinstance(error, OSError) and error.errno is not None:
            return
        known = ((FileNotFoundError, errno.ENOENT), (PermissionError, errno.EACCES))
        number = next((number for kind, number in known if isinstance(error, kind)), errno.EIO)
        raise OSError(number, explain(error)) from error


def explain(error: BaseException) -> str:
    """What went wrong, in one line without a traceback."""
    if isinstance(error, FileNotFoundError):
        return "no such file or object"
    if isinstance(error, PermissionError):
        return "access denied"
    if type(error).__name__ in {"NoCredentialsError", "PartialCredentialsError"}:
        return "no credentials"
    if isinstance(error, OSError) and error.strerror:
        return why(error)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
