"""Prompts from files with one request a line, however many: read twice, with only those in memory that are counted."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from costkit.adapters import prompts as prompt_files
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
    path: str, kind: str | None, choice: str | int, complete: Complete
) -> tuple[list[Prompt], Sample | None]:
    """The prompts of a file of lines that are to be counted, and the sample that they are, if they aren't all.

    Gzip is unpacked; `-` is standard input. Every line is checked, counted or not. Raises `InvalidInput` naming the
    line, `InputChanged` if the file is another at the second reading.
    """
    with open_lines(path, spool=None, longest=prompt_files.MOST_BYTES_OF_ONE) as file:
        columns = _Columns(choice)
        for line, request, size in _requests(file, kind, complete):
            columns.add(line, request, size)
        if not columns.sizes:
            raise InvalidInput("is empty", where=shown(path))
        wanted = wanted_size(choice, len(columns.sizes), sum(columns.sizes))
        if wanted == len(columns.sizes) and columns.kept is not None:
            return [Prompt(printable(path), index, request) for index, request in enumerate(columns.kept)], None
        sample = draw_sample(columns.sizes, columns.groups, columns.max_tokens, wanted)
        columns.kept = None
        prompts = list(_members(file, kind, complete, sample.members, columns.lines))
        return prompts, None if sample.is_complete else sample


def _requests(file: LineFile, kind: str | None, complete: Complete) -> Iterator[tuple[int, Request, int]]:
    """Each request with its line and its share of the line's bytes."""
    for raw in file.lines():
        if raw.size > prompt_files.MOST_BYTES_OF_ONE:
            where = f"{shown(file.shown)}:{raw.number}"
            raise InvalidInput("is larger than 32 MB, the API's limit for one request", where=where)
        found = prompt_files.requests_in_line(raw.data, shown(file.shown), raw.number, kind)
        for request in found:
            yield raw.number, complete(request), raw.size // len(found)


def _members(
    file: LineFile, kind: str | None, complete: Complete, members: Sequence[int], lines: Sequence[int]
) -> Iterator[Prompt]:
    """The chosen requests, read again; lines without any are not even parsed."""
    at, wanted = 0, {lines[member] for member in members}
    for raw in file.lines():
        if raw.number not in wanted:
            continue
        index = bisect_left(lines, raw.number)
        for request in prompt_files.requests_in_line(raw.data, shown(file.shown), raw.number, kind):
            if at < len(members) and members[at] == index:
                yield Prompt(printable(file.shown), index, complete(request))
                at += 1
            index += 1
    if at < len(members):
        raise InputChanged("the file has changed while it was read", where=shown(file.shown))


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
    _group_list: dict[tuple[str, ...], int] = field(default_factory=dict)

    def add(self, line: int, request: Request, size: int) -> None:
        """Remember one request."""
        alike = tuple(repr(request.body.get(name)) for name in ("model", "inference_geo", "speed"))
        self.groups.append(self._group_list.setdefault(alike, len(self._group_list)))
        self.sizes.append(text_size(request, size))
        self.max_tokens.append(-1 if request.max_tokens is None else request.max_tokens)
        self.lines.append(line)
        self._bytes += self.sizes[-1]
        if self.kept is not None:
            self.kept.append(request)
            if self.choice != OFF and (len(self.kept) > ALL_UP_TO or self._bytes > AUTO_BYTES):
                self.kept = None
