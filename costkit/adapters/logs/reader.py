"""Reads logs of Claude responses: from arguments as a person gives them to records as a report takes them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO, RawIOBase
from typing import IO, Generic, Protocol, TypeVar

from costkit.adapters.logs.detect import Detector, Result, check_dialect
from costkit.adapters.logs.documents import Document, Documents, Found, any_line
from costkit.adapters.logs.labels import pickers
from costkit.adapters.logs.sources import Source, find_sources, why
from costkit.adapters.logs.unpack import SAMPLE, Tap, Unpacked, Unusable, is_container
from costkit.adapters.names import STDIN
from costkit.errors import InvalidInput, OperationFailed
from costkit.report.records import FileRead, Item, Remark, Skipped

Open = Callable[[str], RawIOBase]
"""Opens the file of a path for reading; the bytes are not buffered. Raises OSError."""
Progress = Callable[[int, int | None], None]
"""Is told the bytes read so far (of compressed files: as they are on disk) and, if known, those there are."""
_T = TypeVar("_T")
_Bills = Sequence[Result]
Each = Callable[[Document | None, _Bills], Iterable[_T]]
"""Is given a document with what it bills; without one, what is known to be billed only at the end of its file."""


class Witness(Protocol):
    """Looks on while a file is read."""

    def read(self, document: Document, dialect: str | None, results: Sequence[Result]) -> None:
        """A document, the dialect that knew it, and what it bills so far: a bill may be complete only later."""

    def unbilled(self, kind: str, line: int, offset: int) -> None:
        """A response that is known to cost nothing."""


class _Nobody:
    def read(self, document: Document, dialect: str | None, results: Sequence[Result]) -> None:
        """Look away."""

    def unbilled(self, kind: str, line: int, offset: int) -> None:
        """Look away."""


_NOBODY = _Nobody()


def read_logs(
    paths: Sequence[str],
    *,
    labels: Sequence[str] = (),
    dialect: str | None = None,
    stdin: IO[bytes] | None = None,
    progress: Progress | None = None,
) -> Iterator[Item]:
    """Read files, folders, patterns and `-`, and yield what they bill, in the order of the arguments.

    `labels` are the `key:` and `tag:` dimensions to pick out of each document (`ReportOptions.labels`); `dialect` is
    the only one to read, found by content otherwise; `stdin` stands in for standard input. Arguments are checked
    before this returns: `InvalidInput` for one that does not exist, can't be opened or holds no log, and for an
    unknown dialect. While reading, `OperationFailed` means that the system failed midway; whatever else can't be read
    is yielded as `Skipped` and reading goes on. Memory does not grow with the size of the logs.
    """
    if dialect is not None:
        check_dialect(dialect)
    sources, skipped = find_sources(paths)
    reading = _Reading(tuple(labels), dialect, _NOBODY, None, _as_they_are)
    return _read_all(sources, skipped, reading, stdin, progress)


def read_documents(
    paths: Sequence[str],
    each: Each[_T],
    *,
    wanted: Callable[[bytes], bool],
    stdin: IO[bytes] | None = None,
    progress: Progress | None = None,
) -> Iterator[_T | Skipped | Remark | FileRead]:
    """The same for whoever needs more of a document than its bill: `each` is asked what to yield for it.

    `wanted` says of a line before it is decoded whether it is looked at.
    """
    sources, skipped = find_sources(paths)
    return _read_all(sources, skipped, _Reading((), None, _NOBODY, wanted, each), stdin, progress)


def _as_they_are(_document: Document | None, found: _Bills) -> _Bills:
    return found


def _read_all(
    sources: list[Source],
    skipped: list[Skipped],
    reading: _Reading[_T],
    stdin: IO[bytes] | None,
    progress: Progress | None,
) -> Iterator[_T | Skipped | Remark | FileRead]:
    yield from skipped
    passed = adding_up(progress, whole_size(sources))
    for source in sources:
        yield from _read(source, reading, stdin, passed)


def whole_size(sources: Iterable[Source]) -> int | None:
    """Bytes of some files together; `None` with a pipe among them."""
    sizes = [source.size for source in sources]
    return None if None in sizes else sum(size or 0 for size in sizes)


def adding_up(progress: Progress | None, whole: int | None) -> Callable[[int], None]:
    """What each read of so many bytes is told to, so that `progress` hears of all of them together."""
    done = 0

    def passed(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, whole)

    return passed


def read_source(
    source: Source,
    *,
    labels: Sequence[str] = (),
    dialect: str | None = None,
    stdin: IO[bytes] | None = None,
    passed: Callable[[int], None] = lambda _size: None,
    witness: Witness | None = None,
    open_file: Open = FileIO,
) -> Iterator[Item]:
    """Read one file: the unit of work that a log can be split into.

    `passed` is told about each read, `witness` about each document that was looked into; `open_file` opens the path.
    """
    reading = _Reading(tuple(labels), dialect, witness or _NOBODY, None, _as_they_are)
    return _read(source, reading, stdin, passed, open_file)


def _read(
    source: Source,
    reading: _Reading[_T],
    stdin: IO[bytes] | None,
    passed: Callable[[int], None],
    open_file: Open = FileIO,
) -> Iterator[_T | Skipped | Remark | FileRead]:
    name = source.name
    if source.path == STDIN:
        if stdin is None and sys.stdin is None:
            raise InvalidInput("standard input is closed", where=name)
        yield from reading.stream(stdin or sys.stdin.buffer, name, passed)
        return
    with ExitStack() as closing:
        try:
            stream = closing.enter_context(open_file(source.path))
        except OSError as error:
            if source.named:
                raise InvalidInput(f"can't be read: {why(error)}", where=name) from None
            yield Skipped(f"unreadable: {why(error)}", name)
            return
        head = _head(stream, name) if source.size is not None else b""
        if not is_container(head):
            yield from reading.stream(stream, name, passed)
        elif isinstance(stream, FileIO):  # databases are opened by their path
            passed(source.size or 0)
            yield from reading.container(os.fspath(stream.name), name, head)
        else:
            yield from reading.container_elsewhere(stream, name, head, passed)


def _head(stream: IO[bytes] | RawIOBase, name: str) -> bytes:
    try:
        head = stream.read(SAMPLE) or b""
        stream.seek(0)
    except OSError as error:
        raise OperationFailed(f"reading failed: {why(error)}", where=name) from error
    return head


@dataclass(frozen=True, slots=True)
class _Reading(Generic[_T]):
    """How files are read."""

    labels: tuple[str, ...]
    dialect: str | None
    witness: Witness
    wanted: Callable[[bytes], bool] | None
    each: Each[_T]

    def stream(
        self, stream: IO[bytes] | RawIOBase, name: str, passed: Callable[[int], None]
    ) -> Iterator[_T | Skipped | Remark | FileRead]:
        """What the text in a stream bills, compressed or not."""
        wanted = self.wanted if self.dialect is None else any_line
        detector = Detector(self.dialect, self.witness.unbilled)
        try:
            unpacked = Unpacked(Tap(stream, passed))
            documents = Documents(unpacked.read, name, pickers(self.labels), wanted)
            yield from self._documents(documents, detector)
        except Unusable as problem:
            yield Skipped(str(problem), name)
            return
        except OSError as error:
            raise OperationFailed(f"reading failed: {why(error)}", where=name) from error
        if unpacked.damage is not None:
            yield Skipped(unpacked.damage, name)
        yield from self._end(detector, name, documents.passed_over)

    def container(self, path: str, name: str, head: bytes) -> Iterator[_T | Skipped | Remark | FileRead]:
        """What a database or an archive bills."""
        from costkit.adapters.logs.containers import documents_of

        detector = Detector(self.dialect, self.witness.unbilled)
        try:
            yield from self._documents(documents_of(path, head, name, pickers(self.labels)), detector)
        except Unusable as problem:
            yield Skipped(str(problem), name)
            if not detector.documents:
                return
        yield from self._end(detector, name, 0)

    def container_elsewhere(
        self, stream: RawIOBase, name: str, head: bytes, passed: Callable[[int], None]
    ) -> Iterator[_T | Skipped | Remark | FileRead]:
        """The same for one that has no path of its own."""
        from costkit.adapters.logs.copies import copied

        try:
            with copied(stream, name, passed) as path:
                yield from self.container(path, name, head)
        except Unusable as problem:
            yield Skipped(str(problem), name)

    def _documents(self, documents: Iterable[Found], detector: Detector) -> Iterator[_T | Skipped | Remark]:
        for document in documents:
            if isinstance(document, Document):
                results = detector.read(document)
                self.witness.read(document, detector.spoken, results)
                yield from self.each(document, results)
            else:
                yield document

    def _end(self, detector: Detector, name: str, passed_over: int) -> Iterator[_T | FileRead]:
        for item in detector.finish(name, passed_over):
            if isinstance(item, FileRead):
                yield item
            else:
                yield from self.each(None, (item,))
