"""Reads logs of Claude responses: from arguments as a person gives them to records as a report takes them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from io import FileIO, RawIOBase
from typing import IO

from costkit.adapters.logs.detect import Detector
from costkit.adapters.logs.documents import Document, Documents
from costkit.adapters.logs.labels import pickers
from costkit.adapters.logs.sources import Source, find_sources, why
from costkit.adapters.logs.unpack import Tap, Unpacked, Unusable
from costkit.adapters.names import STDIN
from costkit.errors import InvalidInput, OperationFailed
from costkit.report.records import Item, Skipped

Open = Callable[[str], RawIOBase]
"""Opens the file of a path for reading; the bytes are not buffered. Raises OSError."""
Progress = Callable[[int, int | None], None]
"""Is told the bytes read so far (of compressed files: as they are on disk) and, if known, those there are."""


def read_logs(
    paths: Sequence[str],
    *,
    labels: Sequence[str] = (),
    stdin: IO[bytes] | None = None,
    progress: Progress | None = None,
) -> Iterator[Item]:
    """Read files, folders, patterns and `-`, and yield what they bill, in the order of the arguments.

    `labels` are the `key:` and `tag:` dimensions to pick out of each document (`ReportOptions.labels`); `stdin`
    stands in for standard input. Arguments are checked before this returns: `InvalidInput` for one that does not exist,
    can't be opened or holds no log. While reading, `OperationFailed` means that the system failed midway; whatever
    else can't be read is yielded as `Skipped` and reading goes on. Memory does not grow with the size of the logs.
    """
    sources, skipped = find_sources(paths)
    return _read_all(sources, skipped, tuple(labels), stdin, progress)


def _read_all(
    sources: list[Source],
    skipped: list[Skipped],
    labels: tuple[str, ...],
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
        yield from read_source(source, labels=labels, stdin=stdin, passed=passed)


def read_source(
    source: Source,
    *,
    labels: Sequence[str] = (),
    stdin: IO[bytes] | None = None,
    passed: Callable[[int], None] = lambda _size: None,
    open_file: Open = FileIO,
) -> Iterator[Item]:
    """Read one file: the unit of work that a log can be split into. `passed` is told about each read."""
    name = source.name
    if source.path == STDIN:
        if stdin is None and sys.stdin is None:
            raise InvalidInput("standard input is closed", where=name)
        yield from _read_stream(stdin or sys.stdin.buffer, name, labels, passed)
        return
    with ExitStack() as closing:
        try:
            stream = closing.enter_context(open_file(source.path))
        except OSError as error:
            if source.named:
                raise InvalidInput(f"can't be read: {why(error)}", where=name) from None
            yield Skipped(f"unreadable: {why(error)}", name)
            return
        yield from _read_stream(stream, name, labels, passed)


def _read_stream(
    stream: IO[bytes] | RawIOBase, name: str, labels: Sequence[str], passed: Callable[[int], None]
) -> Iterator[Item]:
    try:
        unpacked = Unpacked(Tap(stream, passed))
        documents, detector = Documents(unpacked.read, name, pickers(labels)), Detector()
        for document in documents:
            if isinstance(document, Document):
                yield from detector.read(document)
            else:
                yield document
    except Unusable as problem:
        yield Skipped(str(problem), name)
        return
    except OSError as error:
        raise OperationFailed(f"reading failed: {why(error)}", where=name) from error
    if unpacked.damage is not None:
        yield Skipped(unpacked.damage, name)
    yield from detector.finish(name, documents.passed_over)
