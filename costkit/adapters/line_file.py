"""Files of lines that are read several times without ever being held: gzip is unpacked on the way, by content.

What can be read only once (standard input, a pipe) is copied to a nameless private file first.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from costkit.adapters.names import shown
from costkit.batch.canonical import RawLine
from costkit.errors import InvalidInput, OperationFailed

Progress = Callable[[int, int | None], None]
"""(bytes read, bytes in all or `None` where that isn't known)"""
_BUFFER = 1 << 18
_MARGIN = 1_024
"""A line may be longer than the longest by its white space; a longer one is not read whole."""
_WHITE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_TELL_EVERY = 256


@contextmanager
def open_lines(path: str, *, spool: Path | None, longest: int) -> Iterator[LineFile]:
    """Open a file of lines; `-` is standard input.

    `spool` is the folder for the private copy of what can't be read twice, by default that of temporary files; it is
    made if need be, and the copy is gone when the block ends, however it ends. Of lines above `longest` bytes only the
    beginning is kept. Raises `InvalidInput` where the file can't be opened, `OperationFailed` where copying it fails.
    """
    with _rereadable(path, spool) as source:
        yield LineFile(source, path, longest)


class LineFile:
    """An open file that can be read again and again, one reading within another if need be."""

    def __init__(self, source: IO[bytes], path: str, longest: int) -> None:
        self.path = "-" if path == "-" else str(Path(path).absolute())
        """Absolute, or `-`."""
        self.shown = path
        """As it was named."""
        self._source = source
        self._longest = longest
        self._digest = ""

    def digest(self) -> str:
        """SHA-256 of the unpacked bytes, in hexadecimal; read once, then remembered."""
        if not self._digest:
            digest = hashlib.sha256()
            with self._reading() as (stream, _):
                while block := stream.read(_BUFFER):
                    digest.update(block)
            self._digest = digest.hexdigest()
        return self._digest

    def lines(self, progress: Progress | None = None) -> Iterator[RawLine]:
        """The lines that are not blank, from the beginning."""
        with self._reading() as (stream, view):
            start, most = 0, self._longest + _MARGIN
            for number, line in enumerate(iter(partial(stream.readline, most), b""), 1):
                read = len(line)
                if read == most and not line.endswith(b"\n"):
                    read += _skip_line(stream)
                    yield RawLine(number, line[:_MARGIN], read, start)
                else:
                    data = _trimmed(line, number)
                    if data:
                        yield RawLine(number, data, len(data), start)
                start += read
                if progress and number % _TELL_EVERY == 0:
                    progress(view.position, view.size)
            if progress:
                progress(view.size, view.size)

    def lines_at(self, places: Iterable[tuple[int, int]]) -> Iterator[RawLine]:
        """Lines that were read before, by their number and where they start, in order; what is between isn't read.

        A file that has changed since then may give other lines, or empty ones.
        """
        with self._reading() as (stream, _):
            for number, start in places:
                stream.seek(start)
                line = stream.readline(self._longest + _MARGIN)
                data = _trimmed(line, number)
                yield RawLine(number, data, len(data), start)

    @contextmanager
    def _reading(self) -> Iterator[tuple[IO[bytes], _View]]:
        """The unpacked bytes from the beginning; read errors become errors that name the file."""
        view = _View(self._source)
        try:
            stream: Any = io.BufferedReader(view, _BUFFER)
            if stream.peek(2)[:2] == _GZIP:
                stream = io.BufferedReader(gzip.GzipFile(fileobj=stream), _BUFFER)
            yield stream, view
        except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
            raise InvalidInput(f"is a damaged gzip file: {problem}", where=shown(self.shown)) from None
        except OSError as problem:
            reason = problem.strerror or str(problem)
            raise OperationFailed(f"can't be read: {reason}", where=shown(self.shown), code="read-failed") from None


def _rereadable(path: str, spool: Path | None) -> IO[bytes]:
    if path == "-":
        return _spooled(_stdin(), spool, path)
    source = _open(path)
    if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
        return source
    with source:
        return _spooled(source, spool, path)


class _View(io.RawIOBase):
    """A reading of a file from its beginning that shares the file with others."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.size = source.seek(0, io.SEEK_END)
        self.position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere."""
        self.position = offset + (0, self.position, self.size)[whence]
        return self.position

    def readinto(self, buffer: Any) -> int:
        """Read where this reading stands."""
        self._source.seek(self.position)
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


def _trimmed(line: bytes, number: int) -> bytes:
    return (line.removeprefix(_BOM) if number == 1 else line).strip(_WHITE)


def _skip_line(stream: IO[bytes]) -> int:
    """Pass over the rest of a line; how long it was."""
    skipped = 0
    while part := stream.readline(_BUFFER):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _stdin() -> IO[bytes]:
    if sys.stdin is None:
        raise InvalidInput("standard input is closed")
    return sys.stdin.buffer


def _open(path: str) -> IO[bytes]:
    try:
        return Path(path).open("rb", buffering=0)
    except FileNotFoundError:
        raise InvalidInput("no such file", where=shown(path)) from None
    except (PermissionError, IsADirectoryError, NotADirectoryError) as problem:
        raise InvalidInput(f"can't be read: {problem.strerror}", where=shown(path)) from None
    except ValueError:
        raise InvalidInput(f"{path!r} can't be the name of a file") from None
    except OSError as problem:
        raise OperationFailed(f"can't be read: {problem.strerror}", where=shown(path), code="read-failed") from None


def _spooled(source: IO[bytes], folder: Path | None, path: str) -> IO[bytes]:
    """A private copy that has no name, so that nothing is left of it whatever happens."""
    try:
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by whoever opened the input
        try:
            shutil.copyfileobj(source, copy, _BUFFER)
            copy.flush()
        except BaseException:
            copy.close()
            raise
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise OperationFailed(f"can't copy {shown(path)} to a private file: {reason}", code="write-failed") from None
    return copy
