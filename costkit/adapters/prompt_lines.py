"""Prompts from files with one request a line, however many: read twice, with only those in memory that are counted."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from costkit.adapters import prompts as prompt_files
from costkit.adapters.names import printable, shown
from costkit.core.request import Request
from costkit.errors import InputChanged, InvalidInput
from costkit.estimate.result import Prompt
from costkit.estimate.sample import ALL_UP_TO, AUTO_BYTES, OFF, Sample, draw_sample, text_size, wanted_size

if TYPE_CHECKING:
    from costkit.adapters.line_file import LineFile

Complete = Callable[[Request], Request]
"""Adds what all requests share, such as a system prompt."""
KEEP = "keep"
"""In place of a sample's size: all requests, in memory, because they can't be read again."""
PORTION_REQUESTS, PORTION_BYTES = 1_000, 2_000_000
"""Whichever comes first: a few seconds of work at most, and little enough to hold several."""


def holds_lines(path: str, kind: str | None) -> bool:
    """Whether a file is read line by line: by its name, or because it is said to be a batch."""
    name = path.lower().removesuffix(".gz")
    if kind == "text" or prompt_files.is_yaml(name):
        return False
    return kind == "batch" or prompt_files.is_json_lines(name)


def read_sampled(
    path: str, kind: str | None, choice: str | int, complete: Complete | None
) -> tuple[list[Prompt] | LongFile, Sample | None]:
    """The prompts of a file of lines that are to be counted, and the sample that they are, if they aren't all.

    A long file of which all is to be counted is a `LongFile` instead, where it can be opened again. Gzip is unpacked;
    `-` is standard input. Every line is checked, counted or not. Raises `InvalidInput` naming the line,
    `InputChanged` if the file is another at the second reading.
    """
    from costkit.adapters.line_file import open_lines  # most prompts are no file of lines

    again = path != "-" and Path(path).is_file()
    with open_lines(path, spool=None, longest=prompt_files.MOST_BYTES_OF_ONE) as file:
        lines = _Lines(file, kind, complete)
        columns = _Columns(KEEP if choice == OFF and not again else choice)
        lines.survey(columns)
        if not columns.sizes:
            raise InvalidInput("is empty", where=shown(path))
        wanted = wanted_size(choice, len(columns.sizes), sum(columns.sizes))
        if choice == OFF and not columns.keeps:  # `KEEP` does, whatever comes
            return LongFile(LineReader(path, kind, complete), columns.lines), None
        if wanted == len(columns.sizes) and columns.kept is not None:
            return [Prompt(printable(path), index, request) for index, request in enumerate(columns.kept)], None
        sample = draw_sample(columns.sizes, columns.groups, columns.max_tokens, wanted)
        columns.kept = None
        prompts = list(lines.members(sample.members, columns))
        return prompts, None if sample.is_complete else sample


class RawPortion(NamedTuple):
    """Some lines of a long file, and the position of their first request."""

    first: int
    lines: list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class LineReader:
    """How the lines of a file become requests; small enough to be sent to another process."""

    path: str
    kind: str | None
    complete: Complete | None

    def prompts(self, portion: RawPortion) -> list[Prompt]:
        """The requests of a portion; raises `InvalidInput` naming the line."""
        name, path, found = shown(self.path), printable(self.path), list[Prompt]()
        for number, data in portion.lines:
            value = prompt_files.value_in_line(data, name, number)
            for request in prompt_files.requests_in_value(value, name, number, self.kind):
                index = portion.first + len(found)
                found.append(Prompt(path, index, self.complete(request) if self.complete else request))
        return found


@dataclass(frozen=True, slots=True)
class LongFile:
    """A file whose requests are all counted, a portion at a time; every line has been checked."""

    reader: LineReader
    lines: array[int]
    """Which line each request is from."""

    def portions(self) -> Iterator[RawPortion]:
        """The lines of the file in portions; raises `InputChanged` if it is another than the one that was checked."""
        from costkit.adapters.line_file import open_lines

        number = size = 0
        lines: list[tuple[int, bytes]] = []
        with open_lines(self.reader.path, spool=None, longest=prompt_files.MOST_BYTES_OF_ONE) as file:
            for number, data, length, _ in file.lines():
                lines.append((number, data))
                size += length
                if len(lines) == PORTION_REQUESTS or size >= PORTION_BYTES:
                    yield self._portion(lines)
                    lines, size = [], 0
        if lines:
            yield self._portion(lines)
        if number != self.lines[-1]:
            raise InputChanged("the file has changed while it was read", where=shown(self.reader.path))

    def _portion(self, lines: list[tuple[int, bytes]]) -> RawPortion:
        return RawPortion(bisect_left(self.lines, lines[0][0]), lines)


@dataclass(frozen=True, slots=True)
class _Lines:
    """An open file with how its lines are read."""

    file: LineFile
    kind: str | None
    complete: Complete | None

    def survey(self, columns: _Columns) -> None:
        """Check every line, and remember of each request what drawing a sample takes."""
        from costkit.adapters.glimpse import glimpse

        name, shares = shown(self.file.shown), self.complete is not None
        for number, data, size, start in self.file.lines():
            if size > prompt_files.MOST_BYTES_OF_ONE:
                raise InvalidInput("is larger than 32 MB, the API's limit for one request", where=f"{name}:{number}")
            seen = None if columns.kept is not None else glimpse(data, self.kind, shares=shares)
            if seen is not None:
                columns.note(number, start, size, seen.max_tokens, (seen.model, None, None))
                continue
            requests = self._requests(prompt_files.value_in_line(data, name, number), number)
            for request in requests:
                columns.add(number, start, request, size // len(requests))

    def members(self, members: Sequence[int], columns: _Columns) -> Iterator[Prompt]:
        """The chosen requests, read again; lines without any are passed over."""
        name = shown(self.file.shown)
        places = {columns.lines[member]: columns.starts[member] for member in members}
        chosen = set(members)
        for raw in self.file.lines_at(places.items()):
            try:
                requests = self._requests(prompt_files.value_in_line(raw.data, name, raw.number), raw.number)
            except InvalidInput:
                requests = []
            first = bisect_left(columns.lines, raw.number)
            if len(requests) != bisect_right(columns.lines, raw.number) - first:
                raise InputChanged("the file has changed while it was read", where=f"{name}:{raw.number}")
            for index, request in enumerate(requests, first):
                if index in chosen:
                    yield Prompt(printable(self.file.shown), index, request)

    def _requests(self, value: object, number: int) -> list[Request]:
        found = prompt_files.requests_in_value(value, shown(self.file.shown), number, self.kind)
        return found if self.complete is None else [self.complete(request) for request in found]


@dataclass(slots=True)
class _Columns:
    """What is remembered of each request; the requests themselves as long as they may all be counted."""

    choice: str | int
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    groups: array[int] = field(default_factory=lambda: array("I"))
    max_tokens: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("Q"))
    """Which line of the file, and where that starts."""
    starts: array[int] = field(default_factory=lambda: array("Q"))
    kept: list[Request] | None = field(default_factory=list)
    _bytes: int = 0
    _group_list: dict[tuple[object, object, object], int] = field(default_factory=dict)

    @property
    def keeps(self) -> bool:
        """Whether requests are kept: until there are more than are all counted."""
        return self.kept is not None

    def add(self, line: int, start: int, request: Request, size: int) -> None:
        """Remember one request."""
        model, geo, speed = (request.body.get(name) for name in ("model", "inference_geo", "speed"))
        self.note(line, start, text_size(request, size), request.max_tokens, (model, geo, speed))
        if self.kept is not None:
            self.kept.append(request)
            if self.choice != KEEP and (len(self.kept) > ALL_UP_TO or self._bytes > AUTO_BYTES):
                self.kept = None

    def note(
        self, line: int, start: int, size: int, max_tokens: int | None, alike: tuple[object, object, object]
    ) -> None:
        """Remember of a request what drawing a sample takes: its text's bytes, its limit, and what prices it alike."""
        self.groups.append(self._group_list.setdefault(alike, len(self._group_list)))
        self.sizes.append(size)
        self.max_tokens.append(-1 if max_tokens is None else max_tokens)
        self.lines.append(line)
        self.starts.append(start)
        self._bytes += size
