"""The decompressed bytes of a log: gzip, bzip2, xz and zstd; recognised by their first bytes."""

from __future__ import annotations

import importlib
import io
import re
import sys
import zlib
from collections.abc import Callable
from typing import IO, Any

from costkit.adapters.logs.feed import BLOCK

_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
SQLITE, ZIP = b"SQLite format 3\x00", b"PK\x03\x04"
_OTHER_BINARY = (SQLITE, ZIP, b"\x89PNG", b"%PDF-", b"\x7fELF", b"PAR1")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 16_384
SAMPLE = 4096
"""How many of the first bytes `check` wants to see."""
_TEXT = bytes(range(32, 256)) + b"\t\n\r\f\v\b\x1b"
_TEXT_START = re.compile(rb"(?:\xef\xbb\xbf)?[\0\s]*(?:[{\[]|data:|event:|:|$)")
_MOST_CONTROLS = 0.1


class Unusable(Exception):
    """Raised for content that no log can be; the message is the reason for skipping the file."""


class Tap(io.RawIOBase):
    """Passes bytes on and tells somebody how many."""

    def __init__(self, stream: IO[bytes] | io.RawIOBase, passed: Callable[[int], None]) -> None:
        super().__init__()
        self._readinto: Callable[[Any], int | None] = getattr(stream, "readinto1", None) or stream.readinto  # type: ignore[union-attr]
        self._passed = passed

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Fill a buffer as far as one read of the stream goes."""
        size = self._readinto(buffer)
        self._passed(size or 0)
        return size


class Unpacked:
    """The plain bytes of a stream; `read` gives about as many as it is asked for, and `b""` at the end.

    Compressed data that break off or contradict themselves end there; `damage` then says so.
    Raises `Unusable` when made for an empty or a binary stream.
    """

    def __init__(self, tap: Tap) -> None:
        self.damage: str | None = None
        buffered: io.BufferedReader = io.BufferedReader(tap, _HEAD)
        self._read, self._kind, self._errors = _opened(buffered)
        self._first = self._safely(BLOCK)
        if self.damage is None:
            check(self._first[:SAMPLE])

    def read(self, size: int) -> bytes:
        """The next bytes. Raises OSError where the system fails."""
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._safely(size)

    def _safely(self, size: int) -> bytes:
        try:
            return self._read(size)
        except self._errors as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            self.damage = f"damaged-{self._kind}"
            return b""


_Opened = tuple[Callable[[int], bytes], str, tuple[type[Exception], ...]]


def _opened(stream: io.BufferedReader) -> _Opened:
    """How to read on, what it is, and what broken data raise."""
    head = stream.peek(len(_XZ))
    if head.startswith(_GZIP):
        import gzip

        return gzip.GzipFile(fileobj=stream).read1, "gzip", (EOFError, OSError, zlib.error)
    if head.startswith(_BZIP2):
        import bz2

        return bz2.BZ2File(stream).read1, "bzip2", (EOFError, OSError)
    if head.startswith(_XZ):
        import lzma

        return lzma.LZMAFile(stream).read1, "xz", (EOFError, lzma.LZMAError)
    if head.startswith(_ZSTD):
        return _zstd(stream)
    return stream.read1, "file", ()


def _zstd(stream: io.BufferedReader) -> _Opened:
    module = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    return module.ZstdFile(stream).read1, "zstd", (EOFError, module.ZstdError)


def is_packed(head: bytes) -> bool:
    """Whether a file that begins like this is compressed."""
    return head.startswith((_GZIP, _BZIP2, _XZ, _ZSTD))


def is_container(head: bytes) -> bool:
    """Whether a file that begins like this may hold documents in a form of its own, see `containers`."""
    return head.startswith((SQLITE, ZIP))


def check(sample: bytes) -> None:
    """Look at the first bytes of a log. Raises `Unusable` where they can't be the beginning of one."""
    if not sample:
        raise Unusable("empty-file")
    if sample.startswith(_UTF16):
        raise Unusable("utf-16-text")
    if sample.startswith(_OTHER_BINARY) or (not _TEXT_START.match(sample) and _is_noise(sample)):
        raise Unusable("binary-file")


def _is_noise(sample: bytes) -> bool:
    return b"\0" in sample or len(sample.translate(None, _TEXT)) > len(sample) * _MOST_CONTROLS
