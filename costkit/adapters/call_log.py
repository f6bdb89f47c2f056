"""Logs with everything that is in them: bills, and the requests that led to them, document by document.

Any dialect that `read_logs` knows is read; where a document holds a request too (a body under `request`, `params` or
`body`, or the outline of costkit's own usage log), it comes with its response.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

from costkit.adapters.logs.detect import Result
from costkit.adapters.logs.documents import Document, is_marked
from costkit.adapters.logs.reader import Progress, read_documents
from costkit.adapters.request_log import requests_of
from costkit.advise.call import Heard, Item
from costkit.cache.traffic import INVALID, LoggedRequest
from costkit.report.records import Record, Skipped

_MESSAGES = b'"messages"'
_DEEPEST = 4
_WRAPPERS = ("response", "message", "result", "body", "data")


def read_calls(
    paths: Sequence[str], *, stdin: IO[bytes] | None = None, progress: Progress | None = None
) -> Iterator[Item]:
    """Read files, folders, patterns and `-`; what can't be read is yielded as `Skipped`.

    Raises what `read_logs` raises. Nothing is held in memory but the document that is yielded.
    """
    return read_documents(paths, _hear, wanted=_is_wanted, stdin=stdin, progress=progress)


def _is_wanted(line: bytes) -> bool:
    return is_marked(line) or _MESSAGES in line


def _hear(document: Document | None, found: Sequence[Result]) -> Iterable[Heard | Skipped]:
    yield from (item for item in found if isinstance(item, Skipped))
    records = [item for item in found if isinstance(item, Record)]
    if document is None:
        yield from (Heard(record, None) for record in records)
        return
    requests, refused = _requests(document)
    yield from refused
    if len(records) == 1 and len(requests) <= 1:
        reason, tags = _stop_reason(document.value, _DEEPEST), _tags(document.value)
        yield Heard(records[0], requests[0] if requests else None, reason, tags)
        return
    yield from (Heard(record, None) for record in records)
    yield from (Heard(None, logged, tags=_tags(document.value)) for logged in requests)


def _requests(document: Document) -> tuple[list[LoggedRequest], list[Skipped]]:
    requests: list[LoggedRequest] = []
    refused: list[Skipped] = []
    for item in requests_of(document, f"{document.path}:{document.line}"):
        if isinstance(item, LoggedRequest):
            requests.append(item)
        elif item.code == INVALID:
            refused.append(Skipped(INVALID, document.path, document.line, document.offset))
    return requests, refused


def _stop_reason(holder: Mapping[str, object], depth: int) -> str | None:
    """Why the response ended, wherever in its wrappers the message is."""
    found = holder.get("stop_reason")
    if isinstance(found, str):
        return found
    for name in _WRAPPERS if depth else ():
        inner = holder.get(name)
        if isinstance(inner, Mapping):
            reason = _stop_reason(inner, depth - 1)
            if reason is not None:
                return reason
    return None


def _tags(line: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    tags = line.get("tags")
    if not isinstance(tags, Mapping):
        return ()
    return tuple(sorted((str(name), str(value)) for name, value in tags.items() if isinstance(value, str | int | bool)))
