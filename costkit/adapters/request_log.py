"""Requests out of files: single bodies, JSONL of bodies or batch lines, and logs that hold requests.

A line may be a Messages body, or hold one under `request`, `params` or `body`; beside it, `ts` (or another usual name)
says when it was sent and `response` (or `message`, `result.message`) what came back. A line of costkit's usage log
holds the outline of a request (`blocks` and `prompt`), which is as good for everything but the text. Files may be
compressed; folders, patterns and `-` work as everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from costkit.adapters.logs.dialects.dialect import first_text, first_time
from costkit.adapters.logs.documents import Document, Documents
from costkit.adapters.logs.reader import Progress, adding_up, whole_size
from costkit.adapters.logs.sources import Source, find_sources, why
from costkit.adapters.logs.unpack import Tap, Unpacked
from costkit.adapters.logs.unpack import Unusable as NoLog
from costkit.adapters.names import STDIN
from costkit.cache.outline import read_outline
from costkit.cache.traffic import LoggedRequest, Traffic, Unusable
from costkit.core.request import parse_request
from costkit.core.response import BilledUsage, read_usage
from costkit.errors import InvalidInput, OperationFailed
from costkit.report.records import Skipped

_HOLDERS = ("request", "params", "body")
_YAML = frozenset({".yaml", ".yml"})
Json = Mapping[str, object]
_NOTHING: Json = {}


def read_traffic(
    paths: Sequence[str], *, stdin: IO[bytes] | None = None, progress: Progress | None = None
) -> Iterator[Traffic]:
    """Read the requests of files, folders, patterns and `-`, in the order of the arguments.

    Arguments are checked before this returns: `InvalidInput` for one that does not exist or can't be opened. What holds
    no request is yielded as `Unusable`; `OperationFailed` means that the system failed midway. Nothing is held in
    memory but the request that is yielded.
    """
    sources, skipped = find_sources(paths)
    return _read_all(sources, skipped, stdin, progress)


def _read_all(
    sources: Sequence[Source], skipped: Sequence[Skipped], stdin: IO[bytes] | None, progress: Progress | None
) -> Iterator[Traffic]:
    yield from (Unusable(skip.path, "unreadable", skip.reason) for skip in skipped)
    passed = adding_up(progress, whole_size(sources))
    for source in sources:
        if Path(source.path).suffix.lower() in _YAML:
            yield from _yaml_bodies(source.path)
            continue
        with ExitStack() as closing:
            yield from _read_stream(_opened(source, stdin, closing), source.name, passed)


def _yaml_bodies(path: str) -> Iterator[LoggedRequest]:
    from costkit.adapters.prompts import read_file, read_requests

    for request in read_requests(path, read_file(path), "request"):
        yield LoggedRequest(path, request)


def _opened(source: Source, stdin: IO[bytes] | None, closing: ExitStack) -> IO[bytes]:
    if source.path == STDIN:
        return stdin or sys.stdin.buffer
    try:
        return closing.enter_context(Path(source.path).open("rb", buffering=0))
    except OSError as error:
        raise InvalidInput(f"can't be read: {why(error)}", where=source.name) from None


def _read_stream(stream: IO[bytes], name: str, passed: Callable[[int], None]) -> Iterator[Traffic]:
    try:
        unpacked = Unpacked(Tap(stream, passed))
        found: Document | None = None
        several = False
        for document in Documents(unpacked.read, name, wanted=_any_line):
            if found is not None:
                several = True
                yield from requests_of(found, f"{name}:{found.line}")
                found = None
            if isinstance(document, Document):
                found = document
            elif isinstance(document, Skipped):
                several = True
                message = f"is no JSON that can be read: {document.reason}"
                yield Unusable(f"{name}:{document.line}", document.reason, message)
        if found is not None:
            yield from requests_of(found, f"{name}:{found.line}" if several else name)
    except NoLog as problem:
        raise InvalidInput(f"holds no request ({problem})", where=name) from None
    except OSError as error:
        raise OperationFailed(f"reading failed: {why(error)}", where=name) from error
    if unpacked.damage is not None:
        yield Unusable(name, unpacked.damage, f"breaks off: {unpacked.damage}")


def _any_line(_line: bytes) -> bool:
    return True


def requests_of(document: Document, where: str) -> Iterator[Traffic]:
    """The requests of one document; `where` is its place."""
    value = document.value
    inside = value.get("requests")
    if isinstance(inside, list) and "messages" not in value:  # the body of a batch's creation
        for index, item in enumerate(inside):
            place = f"{where}:requests[{index}]"
            if isinstance(item, Mapping):
                yield _request(item, place)
            else:
                yield Unusable(place, "no-request-body", "must be an object")
        return
    yield _request(value, where)


def _request(line: Json, where: str) -> Traffic:
    holder = next((name for name in _HOLDERS if "messages" not in line and _is_body(line.get(name))), None)
    body = line if holder is None else line[holder]
    is_outline = holder is None and "blocks" in line and "prompt" in line
    if holder is None and "messages" not in line and not is_outline:
        return Unusable(where, "no-request-body", "holds no request body")
    root = f"{holder}." if holder else ""
    outlined = None
    try:
        if is_outline:
            outlined = read_outline(line, where)
        request = outlined.request if outlined else parse_request(body, f"{where}:{holder}" if holder else where)
        response = _response(line)
        usage = _usage(response.get("usage") or line.get("usage"), where)
    except InvalidInput as problem:
        return Unusable(where, "invalid-request", str(problem).removeprefix(f"{where}:").strip())
    reason = _child(_child(response, "diagnostics"), "cache_miss_reason")
    missed = reason.get("cache_missed_input_tokens")
    return LoggedRequest(
        where,
        request,
        root,
        first_time((line, response)),
        "custom_id" in line or (usage is not None and usage.service_tier == "batch"),
        usage,
        first_text((response, line), ("id",)),
        first_text((_child(request.body, "diagnostics"),), ("previous_message_id",)),
        first_text((reason,), ("type",)),
        missed if isinstance(missed, int) and not isinstance(missed, bool) else None,
        line if holder else None,
        outlined.digests if outlined else None,
        outlined.tokens if outlined else None,
    )


def _is_body(value: object) -> bool:
    return isinstance(value, Mapping) and "messages" in value


def _response(line: Json) -> Json:
    for holder in (line, _child(line, "result")):
        for name in ("response", "message"):
            if _child(holder, name):
                return _child(holder, name)
    return _NOTHING


def _child(parent: Json, name: str) -> Json:
    value = parent.get(name)
    return value if isinstance(value, Mapping) else _NOTHING


def _usage(value: object, where: str) -> BilledUsage | None:
    if not isinstance(value, Mapping):
        return None
    try:
        return read_usage(value)
    except ValueError as problem:
        raise InvalidInput(str(problem), where=where) from None
