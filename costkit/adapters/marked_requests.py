"""Writes requests with new breakpoints into a folder: one file for each that was read, under its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from costkit.adapters.atomic import write_atomically
from costkit.adapters.request_log import read_traffic
from costkit.cache.apply import difference, marked_body
from costkit.cache.breakpoints import breakpoints_of, refusals
from costkit.cache.marks import Mark
from costkit.cache.traffic import LoggedRequest
from costkit.core.request import parse_request
from costkit.errors import InvalidInput, OperationFailed

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written."""

    directory: str
    files: tuple[str, ...]
    requests: int
    changed: int
    """Requests whose breakpoints are others now."""
    diff: tuple[str, ...]
    """The unified diff of the first request of each file that changed."""


def write_marked(paths: Sequence[str], directory: str, marks_of: Callable[[LoggedRequest], Sequence[Mark]]) -> Applied:
    """Write every request of the files with its new breakpoints; a single body indented, others one a line.

    A line keeps what else it holds. Raises `InvalidInput` where two files have one name, for stdin, and where the
    folder can't be made or is where a file was read from.
    """
    folder = _folder(directory)
    written: list[str] = []
    diff: list[str] = []
    requests = changed = 0
    for path, found in _by_file(paths):
        target = folder / _name(path)
        if str(target) in written or target.resolve() == Path(path).resolve():
            raise InvalidInput(f"{target} would be written over", hint="choose another folder, or one file at a time")
        lines: list[Mapping[str, object]] = []
        shown = wrapped = False
        for logged in found:
            if logged.tokens is not None:
                hint = "log with content=True, or give the requests themselves"
                raise InvalidInput("holds no text to mark", where=logged.where, code="no-text", hint=hint)
            body = marked_body(logged.request, marks_of(logged))
            _check(body, logged)
            lines.append({**logged.line, logged.root.rstrip("."): body} if logged.line is not None else body)
            different = [] if shown else difference(logged.request.body, body, logged.where)
            diff += different
            shown = shown or bool(different)
            wrapped = ":requests[" in logged.where
            changed += body != logged.request.body
        if lines:
            requests += len(lines)
            write_atomically(target, _text(lines, path, wrapped=wrapped).encode("utf-8", "surrogatepass"))
            written.append(str(target))
    return Applied(directory, tuple(written), requests, changed, tuple(diff))


def _by_file(paths: Sequence[str]) -> Iterator[tuple[str, Iterator[LoggedRequest]]]:
    from costkit.adapters.logs.sources import find_sources
    from costkit.adapters.names import STDIN

    for source in find_sources(paths)[0]:
        if source.path == STDIN:
            raise InvalidInput("--apply needs files: what came from stdin can't be read again")
        yield source.path, (item for item in read_traffic([source.path]) if isinstance(item, LoggedRequest))


def _folder(directory: str) -> Path:
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidInput("is a file, not a folder", where=directory) from None
    except OSError as problem:
        raise OperationFailed(f"can't make the folder: {problem.strerror}", where=directory) from None
    return folder


def _name(path: str) -> str:
    name = Path(path).name
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    return f"{Path(name).stem}.json" if Path(name).suffix.lower() in (".yaml", ".yml") else name


def _text(lines: Sequence[Mapping[str, object]], path: str, *, wrapped: bool) -> str:
    if wrapped:
        return json.dumps({"requests": lines}, indent=2, ensure_ascii=False) + "\n"
    if len(lines) == 1 and ".json" in path and ".jsonl" not in path:
        return json.dumps(lines[0], indent=2, ensure_ascii=False) + "\n"
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def _check(body: Mapping[str, object], logged: LoggedRequest) -> None:
    """What is written must be a request that the API takes."""
    for refusal in refusals(breakpoints_of(parse_request(body, logged.where))):
        raise InvalidInput(refusal.message, code=refusal.code, where=f"{logged.where}:{refusal.path}")
