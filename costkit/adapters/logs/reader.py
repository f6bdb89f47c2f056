"""Reads logs of Claude responses: from arguments as a person gives them to records as a report takes them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TypeVar

from costkit.adapters.logs.detect import Detector
from costkit.adapters.logs.documents import Document, Documents
from costkit.adapters.logs.labels import pickers
from costkit.adapters.logs.sources import Source, find_sources, why
from costkit.adapters.logs.unpack import Tap, Unpacked, Unusable
from costkit.adapters.names import STDIN
from costkit.errors import InvalidInput, OperationFailed
from costkit.report.records import FileRead, Item, Record, RecordedCost, Remark, Skipped

Progress = Callable[[int, int | None], None]
"""Is told the bytes read so far (of compressed files: as they are on disk) and, if known, those there are."""
_T = TypeVar("_T")
_Bills = Sequence[Record | RecordedCost | Skipped]
Each = Callable[[Document | None, _Bills], Iterable[_T]]
"""Is given a document with what it bills; without one, what is known to be billed only at the end of its file."""


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
    return _read_all(sources, skipped, tuple(labels), stdin, progress, None, _as_they_are)


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
    return _read_all(sources, skipped, (), stdin, progress, wanted, each)


def _as_they_are(
    _document: Document | None, found: Sequence[Record | RecordedCost | Skipped]
) -> Sequence[Record | RecordedCost | Skipped]:
    return found


def _read_all(
    sources: list[Source],
    skipped: list[Skipped],
    labels: tuple[str, ...],
    stdin: IO[bytes] | None,
    progress: Progress | None,
    wanted: Callable[[bytes], bool] | None,
    each: Each[_T],
) -> Iterator[_T | Skipped | Remark | FileRead]:
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
        yield from _read(source, labels, stdin, passed, wanted, each)


def read_source(
    source: Source,
    *,
    labels: Sequence[str] = (),
    stdin: IO[bytes] | None = None,
    passed: Callable[[int], None] = lambda _size: None,
) -> Iterator[Item]:
    """Read one file: the unit of work that a log can be split into. `passed` is told about each read."""
    return _read(source, labels, stdin, passed, None, _as_they_are)


def _read(
    source: Source,
    labels: Sequence[str],
    stdin: IO[bytes] | None,
    passed: Callable[[int], None],
    wanted: Callable[[bytes], bool] | None,
    each: Each[_T],
) -> Iterator[_T | Skipped | Remark | FileRead]:
    name = source.name
    if source.path == STDIN:
        if stdin is None and sys.stdin is None:
            raise InvalidInput("standard input is closed", where=name)
        yield from _read_stream(stdin or sys.stdin.buffer, name, labels, passed, wanted, each)
        return
    with ExitStack() as closing:
        try:
            stream = closing.enter_context(Path(source.path).open("rb", buffering=0))
        except OSError as error:
            if source.named:
                raise InvalidInput(f"can't be read: {why(error)}", where=name) from None
            yield Skipped(f"unreadable: {why(error)}", name)
            return
        yield from _read_stream(stream, name, labels, passed, wanted, each)


def _read_stream(
    stream: IO[bytes],
    name: str,
    labels: Sequence[str],
    passed: Callable[[int], None],
    wanted: Callable[[bytes], bool] | None,
    each: Each[_T],
) -> Iterator[_T | Skipped | Remark | FileRead]:
    try:
        unpacked = Unpacked(Tap(stream, passed))
        documents, detector = Documents(unpacked.read, name, pickers(labels), wanted), Detector()
        for document in documents:
            if isinstance(document, Document):
                yield from each(document, detector.read(document))
            else:
                yield document
    except Unusable as problem:
        yield Skipped(str(problem), name)
        return
    except OSError as error:
        raise OperationFailed(f"reading failed: {why(error)}", where=name) from error
    if unpacked.damage is not None:
        yield Skipped(unpacked.damage, name)
    for item in detector.finish(name, documents.passed_over):
        if isinstance(item, FileRead):
            yield item
        else:
            yield from each(None, (item,))
