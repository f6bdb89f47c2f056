"""The prompts of `costkit estimate`: every request of every file, with what all of them share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from costkit.adapters import prompts as prompt_files
from costkit.adapters.names import printable, shown
from costkit.adapters.prompt_lines import LongFile, holds_lines, read_sampled
from costkit.core.request import Request
from costkit.errors import InvalidInput
from costkit.estimate import Prompt
from costkit.estimate.sample import OFF, Sample

Source = list[Prompt] | LongFile


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: what they are said to hold, and what is added to each request."""

    kind: str | None
    system: str | None
    tools: list[object] | None

    @classmethod
    def of(cls, kind: str | None, system: str | None, tools: str | None) -> Reading:
        """Read the files of `--system` and `--tools`; raises `InvalidInput`."""
        text = None if system is None else prompt_files.read_system(system)
        return cls(kind, text, None if tools is None else prompt_files.read_tools(tools))

    @property
    def shares(self) -> bool:
        """Whether anything is added to each request."""
        return self.system is not None or self.tools is not None

    def complete(self, request: Request, path: str) -> Request:
        """Add the system prompt and the tools that all requests share."""
        if not self.shares:
            return request
        return prompt_files.with_system_and_tools(request, self.system, self.tools, shown(path))

    def requests(self, path: str, data: bytes) -> list[Request]:
        """The requests in the bytes of a file."""
        return [self.complete(request, path) for request in prompt_files.read_requests(path, data, self.kind)]


def read_prompts(paths: Sequence[str], reading: Reading, choice: str | int) -> tuple[list[Source], dict[str, Sample]]:
    """Every request of every file, in order; of long files of lines a sample, which is told by path.

    A long file of which all is to be counted is a source of its own; the requests of all others are in lists.
    """
    found: list[Source] = []
    samples: dict[str, Sample] = {}
    for path in prompt_files.find_files(paths):
        name = printable(path)
        if name in samples:
            raise InvalidInput("is named twice: a sample stands for one file", where=shown(path), hint="use -n 2")
        if holds_lines(path, reading.kind):
            complete = partial(reading.complete, path=path) if reading.shares else None
            prompts, sample = read_sampled(path, reading.kind, choice, complete)
            found.append(prompts)
            if sample is not None:
                samples[name] = sample
        else:
            requests = reading.requests(path, prompt_files.read_file(path))
            found.append([Prompt(name, index, request) for index, request in enumerate(requests)])
    return found, samples


def in_memory(sources: Sequence[Source]) -> list[Prompt]:
    """The requests of all sources but long files."""
    return [prompt for source in sources if not isinstance(source, LongFile) for prompt in source]


def every_prompt(paths: Sequence[str], reading: Reading) -> list[Prompt]:
    """Every request of every file, in order and in memory."""
    sources, _ = read_prompts(paths, reading, OFF)
    return [prompt for source in sources for prompt in _prompts(source)]


def _prompts(source: Source) -> Iterator[Prompt]:
    if not isinstance(source, LongFile):
        yield from source
        return
    for portion in source.portions():
        yield from source.reader.prompts(portion)
