"""Prompts from files with one request a line, however many: read twice, with only those in memory that are counted."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from costkit.adapters import prompts as prompt_files
from costkit.adapters.glimpse import glimpse
from costkit.adapters.line_file import LineFile, open_lines
from costkit.adapters.names import printable, shown
from costkit.core.request import Request
from costkit.errors import InputChanged, InvalidInput
from costkit.estimate.result import Prompt
from costkit.estimate.sample import ALL_UP_TO, AUTO_BYTES, OFF, Sample, draw_sample, text_size, wanted_size

Complete = Callable[[Request], Request]
"""Adds what all requests share, such as a system prompt."""


def holds_lines(path: str, kind: str | None) -> bool:
    """Whether a file is read line by line: by its name, or because it is said to be a batch."""
    name = path.lower().removesuffix(".gz")
    if kind == "text" or prompt_files.is_yaml(name):
        return False
    return kind == "batch" or prompt_files.is_json_lines(name)


def read_sampled(
    path: str, kind: str | None, choice: str | int, complete: Complete | None
) -> tuple[list[Prompt], Sample | None]:
    """The prompts of a file of lines that are to be counted, and the sample that they are, if they aren't all.

    Gzip is unpacked; `-` is standard input. Every line is checked, counted or not. Raises `InvalidInput` naming the
    line, `InputChanged` if the file is another at the second reading.
    """
    with open_lines(path, spool=None, longest=prompt_files.MOST_BYTES_OF_ONE) as file:
        lines = _Lines(file, kind, complete)
        columns = _Columns(choice)
        lines.survey(columns)
        if not columns.sizes:
            raise InvalidInput("is empty", where=shown(path))
        wanted = wanted_size(choice, len(columns.sizes), sum(columns.sizes))
        if wanted == len(columns.sizes) and columns.kept is not None:
            return [Prompt(printable(path), index, request) for index, request in enumerate(columns.kept)], None
        sample = draw_sample(columns.sizes, columns.groups, columns.max_tokens, wanted)
        columns.kept = None
        prompts = list(lines.members(sample.members, columns.lines))
        return prompts, None if sample.is_complete else sample


@dataclass(frozen=True, slots=True)
class _Lines:
    """An open file with how its lines are read."""

    file: LineFile
    kind: str | None
    complete: Complete | None

    def survey(self, columns: _Columns) -> None:
        """Check every line, and remember of each request what drawing a sample takes."""
        name = shown(self.file.shown)
        for raw in self.file.lines():
            if raw.size > prompt_files.MOST_BYTES_OF_ONE:
                raise InvalidInput(
                    "is larger than 32 MB, the API's limit for one request", where=f"{name}:{raw.number}"
                )
            value = prompt_files.value_in_line(raw.data, name, raw.number)
            seen = None if columns.keeps else glimpse(value, self.kind, shares=self.complete is not None)
            if seen is not None:
                columns.note(raw.number, raw.size, seen.max_tokens, (seen.model, None, None))
                continue
            requests = self._requests(value, raw.number)
            for request in requests:
                columns.add(raw.number, request, raw.size // len(requests))

    def members(self, members: Sequence[int], lines: Sequence[int]) -> Iterator[Prompt]:
        """The chosen requests, read again; lines without any are not even parsed."""
        name = shown(self.file.shown)
        at, wanted = 0, {lines[member] for member in members}
        for raw in self.file.lines():
            if raw.number not in wanted:
                continue
            index = bisect_left(lines, raw.number)
            for request in self._requests(prompt_files.value_in_line(raw.data, name, raw.number), raw.number):
                if at < len(members) and members[at] == index:
                    yield Prompt(printable(self.file.shown), index, request)
                    at += 1
                index += 1
            if at == len(members):
                return
        raise InputChanged("the file has changed while it was read", where=name)

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
    """Which line of the file."""
    kept: list[Request] | None = field(default_factory=list)
    _bytes: int = 0
    _group_list: dict[tuple[object, object, object], int] = field(default_factory=dict)

    @property
    def keeps(self) -> bool:
        """Whether requests are kept: until there are more than are all counted."""
        return self.kept is not None

    def add(self, line: int, request: Request, size: int) -> None:
        """Remember one request."""
        model, geo, speed = (request.body.get(name) for name in ("model", "inference_geo", "speed"))
        self.note(line, text_size(request, size), request.max_tokens, (model, geo, speed))
        if self.kept is not None:
            self.kept.append(request)
            if self.choice != OFF and (len(self.kept) > ALL_UP_TO or self._bytes > AUTO_BYTES):
                self.kept = None

    def note(self, line: int, size: int, max_tokens: int | None, alike: tuple[object, object, object]) -> None:
        """Remember of a request what drawing a sample takes: its text's bytes, its limit, and what prices it alike."""
        self.groups.append(self._group_list.setdefault(alike, len(self._group_list)))
        self.sizes.append(size)
        self.max_tokens.append(-1 if max_tokens is None else max_tokens)
        self.lines.append(line)
        self._bytes += size
