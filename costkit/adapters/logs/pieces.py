"""Pieces of work that a log can be split into, and how one is read into a summary, whoever does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from io import FileIO, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from costkit.adapters.logs.plain import BUFFER, NO_LINE, PlainReader, Range
from costkit.adapters.logs.reader import Open, read_source
from costkit.adapters.logs.sources import Source, why
from costkit.adapters.logs.unpack import SAMPLE, Unusable, check, is_packed
from costkit.errors import OperationFailed
from costkit.report.fold import add_item, close
from costkit.report.options import FoldOptions
from costkit.report.summary import UsageSummary

if TYPE_CHECKING:
    from costkit.adapters.logs.remembered import Memory

RANGE = 16 << 20
"""Bytes of a file that one piece covers at most."""
LOAD = 8 << 20
"""Bytes of small files that are handed over at once."""
_TRACES = (b'"resourceSpans"', b'span_id"', b'"traceId"')
"""Spans may stand anywhere in their file, so they are read with all of it."""


class Piece(NamedTuple):
    """A file, or the lines of it that begin in a range of bytes."""

    source: Source
    start: int = 0
    stop: int | None = None
    """`None` means to the end, wherever that is by then."""
    ranged: bool = False
    """Whether other pieces cover other ranges of the same file."""

    @property
    def name(self) -> str:
        """The name under which it is remembered."""
        return repr((str(Path(self.source.path).absolute()), self.source.name, self.start, self.stop))


Load = list[Piece]


class Folder:
    """Reads pieces, one after the other; holds the buffer for it and what they came to.

    Ranges of a file are kept apart from everything else until it is known that they fit together.
    """

    def __init__(
        self,
        options: FoldOptions,
        memory: Memory | None = None,
        passed: Callable[[int], None] = lambda _size: None,
        open_file: Open = FileIO,
    ) -> None:
        self.summary = UsageSummary(options)
        self._memory = memory
        self.split: dict[str, UsageSummary] = {}
        self._passed, self._open = passed, open_file
        self._buffer = bytearray(BUFFER)

    def fold(self, piece: Piece) -> Range | None:
        """Read a piece, or recall what it came to. Raises what `read_logs` raises."""
        summary = self.summary
        if piece.ranged:
            summary = self.split.setdefault(piece.source.path, UsageSummary(summary.options))
        signed = None if self._memory is None or piece.source.size is None else self._memory.sign(piece.source.path)
        if self._memory is None or signed is None:
            return self._read(piece, summary)
        known = self._memory.recall(piece.name, signed)
        if known is None:
            known = (UsageSummary(summary.options), None)
            known = (known[0], self._read(piece, known[0]))
            if self._memory.sign(piece.source.path) == signed:
                self._memory.keep(piece.name, signed, *known)
        summary.absorb(known[0])
        return known[1]

    def _read(self, piece: Piece, summary: UsageSummary) -> Range | None:
        if piece.ranged:
            return self._quickly(piece, summary)
        found = None if piece.source.size is None else self._quickly(piece, summary)
        if found is None:
            asked = summary.options
            items = read_source(
                piece.source, labels=asked.labels, dialect=asked.dialect, passed=self._passed, open_file=self._open
            )
            for item in items:
                add_item(summary, item)
        if summary.options.dedupe == "file":
            close(summary)
        return found

    def join(self, paths: Sequence[str]) -> None:
        """Take the ranges of these files for good, and forget those of all others."""
        for path in paths:
            if path in self.split:
                self.summary.absorb(self.split.pop(path))
        self.split.clear()

    def _quickly(self, piece: Piece, summary: UsageSummary) -> Range | None:
        source = piece.source
        try:
            file = self._open(source.path)
        except (OSError, ValueError):
            return None
        with file:
            try:
                if piece.start == 0 and not _is_plain(file):
                    return None
                file.seek(0)
                buffer, passed = self._buffer, self._passed
                return PlainReader(file, source.name, summary, buffer, piece.start, piece.stop, passed).read()
            except OSError as error:
                raise OperationFailed(f"reading failed: {why(error)}", where=source.name) from error


Found = tuple[Load, list[Range | None]]
"""A load, and what became of each of its pieces."""


def fold_load(folder: Folder, load: Load) -> Found:
    """Read the pieces of a load."""
    return (load, [folder.fold(piece) for piece in load])


def plan(
    sources: Sequence[Source],
    *,
    may_split: bool,
    largest: int = RANGE,
    load_size: int = LOAD,
    is_made_of_lines: Callable[[Source], bool] | None = None,
) -> list[Load]:
    """Share files out: large ones by ranges of bytes, small ones several at a time.

    `largest` is how many bytes a range has, `load_size` how many the small files that are handed over at once.
    """
    has_lines = is_made_of_lines or _is_made_of_lines
    loads: list[Load] = []
    load, size = Load(), 0
    for source in sources:
        if may_split and (source.size or 0) > largest and has_lines(source):
            loads.extend([piece] for piece in _ranges(source, largest))
            continue
        load.append(Piece(source))
        size += source.size or 0
        if size > load_size:
            loads.append(load)
            load, size = Load(), 0
    return [*loads, load] if load else loads


def _ranges(source: Source, largest: int) -> Iterator[Piece]:
    """The last one has no end: the file may have grown."""
    size = source.size or 0
    for start in range(0, size, largest):
        yield Piece(source, start, start + largest if start + largest < size else None, ranged=True)


def fit_together(ranges: Sequence[Range | None]) -> bool:
    """Whether the ranges of a file, in their order, were read as the file would have been as a whole."""
    at = 0
    for found in ranges:
        if found == NO_LINE:
            continue
        if found is None or found.entered != at or not found.alone:
            return False
        at = found.left
    return True


def _is_plain(file: RawIOBase) -> bool:
    head = file.read(SAMPLE) or b""
    try:
        check(head)
    except Unusable:
        return False
    return not is_packed(head)


def _is_made_of_lines(source: Source) -> bool:
    """A first look, so that ranges of a pretty-printed or a packed file, or of one with spans, are not read in vain.

    `fit_together` has the last word.
    """
    try:
        with Path(source.path).open("rb", buffering=0) as file:
            head = file.read(SAMPLE)
    except OSError:
        return False
    return head.startswith((b'{"', b'{ "')) and not any(mark in head for mark in _TRACES)
