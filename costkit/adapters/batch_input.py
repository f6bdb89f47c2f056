"""The input of a batch job: read once to check and digest it, a second time to send the bytes that were digested.

Lines are streamed, never held; gzip is unpacked on the way, by content. What can be read only once (standard input, a
pipe) is copied to a nameless private file first.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from costkit.batch.canonical import MOST_BYTES_OF_ITEM, Item, LineProblem, RawLine, Shape, read_item
from costkit.batch.job import Batch, Line
from costkit.batch.lint import CLOSING, COMMA, OPENING, Linted, Manifest, line_mark, lint_lines
from costkit.batch.plan import MOST_BYTES, MOST_REQUESTS, body_size, plan_cuts
from costkit.batch.ports import Body
from costkit.batch.rules import Rules
from costkit.errors import InputChanged, InvalidInput, OperationFailed

Progress = Callable[[int, int | None], None]
"""(bytes read, bytes in all or `None` where that isn't known)"""
_BUFFER = 1 << 18
_CHUNK = 1 << 17
_MOST_OF_LINE = MOST_BYTES_OF_ITEM + 1_024
"""A longer line is not read whole: it is refused whatever it holds."""
_KEPT_OF_LONG_LINE = 1_024
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_TELL_EVERY = 256


@contextmanager
def open_batch_input(
    path: str, *, spool: Path, model: str | None = None, max_tokens: int | None = None
) -> Iterator[BatchInput]:
    """Open an input; `-` is standard input.

    `spool` is the folder for the private copy of what can't be read twice; it is made if need be, and the copy is gone
    when the block ends, however it ends. `model` and `max_tokens` complete lines that hold `content` only. Raises
    `InvalidInput` where the input can't be opened, `OperationFailed` where copying it fails.
    """
    with _rereadable(path, spool) as source:
        yield BatchInput(source, path, model, max_tokens)


def _rereadable(path: str, spool: Path) -> IO[bytes]:
    if path == "-":
        return _spooled(_stdin(), spool, path)
    source = _open(path)
    if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
        return source
    with source:
        return _spooled(source, spool, path)


class BatchInput:
    """An open input that can be read again and again, one reading at a time."""

    def __init__(self, source: IO[bytes], shown: str, model: str | None, max_tokens: int | None) -> None:
        self.path = "-" if shown == "-" else str(Path(shown).absolute())
        """Absolute, or `-`."""
        self.shown = shown
        """As it was named."""
        self._source = source
        self._file_id = ""
        self._shape = Shape(self._id_of_file, model, max_tokens)

    def lint(self, rules: Rules, progress: Progress | None = None) -> Linted:
        """Check every line; `progress` is told how far it is, in bytes of the file."""
        return lint_lines(self.shown, self._raw_lines(progress), self._shape, rules)

    def plan(
        self, manifest: Manifest, *, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES
    ) -> tuple[Batch, ...]:
        """The batches that the input is cut into, numbered from 1; reads it again if there are several.

        Raises `InputChanged` if the lines are no longer those that were checked.
        """
        cuts = plan_cuts(manifest.lengths, most_requests=most_requests, most_bytes=most_bytes)
        if len(cuts) == 1:
            return (Batch(1, 0, cuts[0].requests, cuts[0].bytes, manifest.body_sha256),)
        digests = self._digests([cut.requests for cut in cuts], manifest)
        return tuple(
            Batch(number, cut.first, cut.requests, cut.bytes, digest)
            for number, (cut, digest) in enumerate(zip(cuts, digests, strict=True), 1)
        )

    def cut(self, number: int, first: int, requests: int, manifest: Manifest) -> Batch:
        """Any run of items as a planned batch, such as a half of one that was too large; reads the input again."""
        digest = hashlib.sha256(OPENING)
        for line in self.lines(manifest, first, requests):
            digest.update(line.data if line.index == first else COMMA + line.data)
        digest.update(CLOSING)
        size = body_size(manifest.lengths[first : first + requests])
        return Batch(number, first, requests, size, digest.hexdigest())

    def body(self, batch: Batch, manifest: Manifest) -> Body:
        """The exact bytes of a batch, read while they are sent.

        Its chunks raise `InputChanged` at the first line that is no longer what it was, before any of it is handed out;
        the last bytes of a body come only once its whole digest is the batch's.
        """
        return Body(batch.bytes, lambda: self._chunks(batch, manifest))

    def lines(self, manifest: Manifest, first: int = 0, requests: int | None = None) -> Iterator[Line]:
        """The canonical lines of a run of items, or of all.

        Raises `InputChanged` where they are not those that were checked.
        """
        end = len(manifest) if requests is None else first + requests
        index = -1
        for index, raw in enumerate(self._raw_lines()):
            if index >= end:
                return
            if index >= first:
                item = self._item(raw)
                if manifest.marks[index] != line_mark(item.data):
                    raise self._changed(f"line {raw.number:,} is not what it was when it was checked")
                yield Line(index, raw.number, item.custom_id, item.data)
        if index + 1 < end:
            raise self._changed("it has fewer lines than when it was checked")

    def _item(self, raw: RawLine) -> Item:
        try:
            return read_item(raw, self._shape)
        except LineProblem as problem:
            raise self._changed(f"line {raw.number:,} {problem.message}") from None

    def _changed(self, what: str) -> InputChanged:
        hint = "what was already submitted stays; restore the file and submit it again"
        return InputChanged(f"the input has changed: {what}", where=self.shown, hint=hint)

    def _digests(self, counts: Sequence[int], manifest: Manifest) -> list[str]:
        """The digests of consecutive bodies, in one reading."""
        found, lines = [], self.lines(manifest)
        for count in counts:
            digest = hashlib.sha256(OPENING)
            for position in range(count):
                data = next(lines).data
                digest.update(COMMA + data if position else data)
            digest.update(CLOSING)
            found.append(digest.hexdigest())
        return found

    def _chunks(self, batch: Batch, manifest: Manifest) -> Iterator[bytes]:
        digest, size, pending = hashlib.sha256(), 0, bytearray(OPENING)
        for line in self.lines(manifest, batch.first, batch.requests):
            if line.index != batch.first:
                pending += COMMA
            pending += line.data
            if len(pending) >= _CHUNK:
                digest.update(pending)
                size += len(pending)
                yield bytes(pending)
                pending.clear()
        pending += CLOSING
        digest.update(pending)
        if digest.hexdigest() != batch.sha256 or size + len(pending) != batch.bytes:
            raise self._changed(f"the bytes of batch {batch.number} are not those that were planned")
        yield bytes(pending)

    def _id_of_file(self) -> str:
        if not self._file_id:
            digest = hashlib.sha256()
            with self._reading() as (stream, _):
                while block := stream.read(_BUFFER):
                    digest.update(block)
            self._file_id = digest.hexdigest()[:8]
        return self._file_id

    def _raw_lines(self, progress: Progress | None = None) -> Iterator[RawLine]:
        """The lines that are not blank, from the beginning."""
        with self._reading() as (stream, view):
            number = 0
            while line := stream.readline(_MOST_OF_LINE):
                number += 1
                size = len(line)
                if size == _MOST_OF_LINE and not line.endswith(b"\n"):
                    size += _skip_line(stream)
                    yield RawLine(number, line[:_KEPT_OF_LONG_LINE], size)
                    continue
                data = (line.removeprefix(_BOM) if number == 1 else line).strip(b" \t\r\n")
                if data:
                    yield RawLine(number, data, len(data))
                if progress and number % _TELL_EVERY == 0:
                    progress(view.position, view.size)
            if progress:
                progress(view.size, view.size)

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
            raise InvalidInput(f"is a damaged gzip file: {problem}", where=self.shown) from None
        except OSError as problem:
            reason = problem.strerror or str(problem)
            raise OperationFailed(f"can't be read: {reason}", where=self.shown, code="read-failed") from None


class _View(io.RawIOBase):
    """A reading of a file from its beginning that shares the file with others."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.size = source.seek(0, io.SEEK_END)
        self.position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read where this reading stands."""
        self._source.seek(self.position)
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


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
        raise InvalidInput("no such file", where=path) from None
    except (PermissionError, IsADirectoryError, NotADirectoryError) as problem:
        raise InvalidInput(f"can't be read: {problem.strerror}", where=path) from None
    except ValueError:
        raise InvalidInput(f"{path!r} can't be the name of a file") from None
    except OSError as problem:
        raise OperationFailed(f"can't be read: {problem.strerror}", where=path, code="read-failed") from None


def _spooled(source: IO[bytes], folder: Path, path: str) -> IO[bytes]:
    """A private copy that has no name, so that nothing is left of it whatever happens."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  closed by whoever opened the input
        try:
            shutil.copyfileobj(source, copy, _BUFFER)
        except BaseException:
            copy.close()
            raise
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise OperationFailed(f"can't copy {path} to {folder}: {reason}", code="write-failed") from None
    return copy
