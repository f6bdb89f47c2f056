"""Reads logs of Claude responses: from arguments as a person gives them to records as a report takes them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from costkit.adapters.logs.detect import Detector, Result, check_dialect
from costkit.adapters.logs.documents import Document, Documents, Found, any_line
from costkit.adapters.logs.labels import Picker, pickers
from costkit.adapters.logs.sources import Source, find_sources, why
from costkit.adapters.logs.unpack import SAMPLE, Tap, Unpacked, Unusable, is_container
from costkit.adapters.names import STDIN
from costkit.errors import InvalidInput, OperationFailed
from costkit.report.records import Item, Skipped

Progress = Callable[[int, int | None], None]
"""Is told the bytes read so far (of compressed files: as they are on disk) and, if known, those there are."""


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
    return _read_all(sources, skipped, tuple(labels), dialect, stdin, progress)


def _read_all(
    sources: list[Source],
    skipped: list[Skipped],
    labels: tuple[str, ...],
    dialect: str | None,
    stdin: IO[bytes] | None,
    progress: Progress | None,
) -> Iterator[Item]:
    yield from skipped
    sizes = [source.size for source in sources]
    whole = None if None in sizes else sum(size or 0 for size in sizes)
    done = 0

    def passed(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, whole)

    for source in sources:
        yield from read_source(source, labels=labels, dialect=dialect, stdin=stdin, passed=passed)


def read_source(
    source: Source,
    *,
    labels: Sequence[str] = (),
    dialect: str | None = None,
    stdin: IO[bytes] | None = None,
    passed: Callable[[int], None] = lambda _size: None,
    witness: Witness | None = None,
) -> Iterator[Item]:
    """Read one file: the unit of work that a log can be split into.

    `passed` is told about each read, `witness` about each document that was looked into.
    """
    name = source.name
    reading = _Reading(name, pickers(labels), dialect, witness or _Nobody())
    if source.path == STDIN:
        if stdin is None and sys.stdin is None:
            raise InvalidInput("standard input is closed", where=name)
        yield from reading.stream(stdin or sys.stdin.buffer, passed)
        return
    with ExitStack() as closing:
        try:
            stream = closing.enter_context(Path(source.path).open("rb", buffering=0))
        except OSError as error:
            if source.named:
                raise InvalidInput(f"can't be read: {why(error)}", where=name) from None
            yield Skipped(f"unreadable: {why(error)}", name)
            return
        head = _head(stream, name) if source.size is not None else b""
        if is_container(head):
            passed(source.size or 0)
            yield from reading.container(source.path, head)
        else:
            yield from reading.stream(stream, passed)


def _head(stream: IO[bytes], name: str) -> bytes:
    try:
        head = stream.read(SAMPLE)
        stream.seek(0)
    except OSError as error:
        raise OperationFailed(f"reading failed: {why(error)}", where=name) from error
    return head


class _Reading(NamedTuple):
    """How a file is read."""

    name: str
    pickers: tuple[Picker, ...]
    dialect: str | None
    witness: Witness

    def stream(self, stream: IO[bytes], passed: Callable[[int], None]) -> Iterator[Item]:
        """What the text in a stream bills, compressed or not."""
        wanted = None if self.dialect is None else any_line
        try:
            unpacked = Unpacked(Tap(stream, passed))
            documents, detector = (
                Documents(unpacked.read, self.name, self.pickers, wanted),
                Detector(self.dialect, self.witness.unbilled),
            )
            yield from self._read(documents, detector)
        except Unusable as problem:
            yield Skipped(str(problem), self.name)
            return
        except OSError as error:
            raise OperationFailed(f"reading failed: {why(error)}", where=self.name) from error
        if unpacked.damage is not None:
            yield Skipped(unpacked.damage, self.name)
        yield from detector.finish(self.name, documents.passed_over)

    def container(self, path: str, head: bytes) -> Iterator[Item]:
        """What a database or an archive bills."""
        from costkit.adapters.logs.containers import documents_of

        detector = Detector(self.dialect, self.witness.unbilled)
        try:
            yield from self._read(documents_of(path, head, self.name, self.pickers), detector)
        except Unusable as problem:
            yield Skipped(str(problem), self.name)
            if not detector.documents:
                return
        yield from detector.finish(self.name, 0)

    def _read(self, documents: Iterable[Found], detector: Detector) -> Iterator[Item]:
        for document in documents:
            if isinstance(document, Document):
                results = detector.read(document)
                self.witness.read(document, detector.spoken, results)
                yield from results
            else:
                yield document
