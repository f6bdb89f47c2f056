"""What a reader of logs hands to the report: billed responses, what could not be read, what else a file held."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from costkit.core.response import BilledUsage
from costkit.errors import InvalidInput
from costkit.report.charge import Charge
from costkit.report.table import KEY_BYTES

DEDUPE_MODES = ("auto", "id", "file", "none")
"""`auto`: message id and request id; `id`: message id alone; `file`: as `auto`, within a file; `none`."""
TORN_LAST_LINE = "torn-last-line"
"""The reason for which the last line of a file is skipped where its writer is still at work, or died: no defect of
what was read, so it doesn't fail `--strict`."""


class Record(NamedTuple):
    """One billed response as a log tells it; several records may be copies of the same response."""

    usage: BilledUsage
    path: str
    line: int
    """From 1, within the decompressed file."""
    offset: int
    """Bytes before the document within the decompressed file: tells documents on one line apart."""
    model: str | None = None
    message_id: str | None = None
    request_id: str | None = None
    timestamp: int | None = None
    """Microseconds since 1970-01-01 UTC."""
    session: str | None = None
    project: str | None = None
    labels: tuple[str | None, ...] = ()
    """The values of the `key:` and `tag:` dimensions that the reader was asked for, in that order."""
    placeholder: bool = False
    """The output count is a sub-agent's provisional one, not the final one."""
    incomplete: bool = False
    """A recorded stream ended before its final counts."""
    refused: bool = False
    """The response has `stop_reason` refusal: where it had no output yet, it may not be billed."""
    charge: Charge | None = None
    """What another system recorded as its cost."""


class Skipped(NamedTuple):
    """Something that could not be read, and why; `line` 0 means the whole file."""

    reason: str
    path: str
    line: int = 0
    offset: int = 0


GLUED, UNREADABLE_TIME = "glued", "unreadable-time"
"""Kinds of a `Remark`: about a line that holds several documents, and about a response whose time can't be read."""


class Remark(NamedTuple):
    """Something odd that was read all the same, for the data quality of the report."""

    kind: str
    path: str
    line: int
    offset: int = 0


class RecordedCost(NamedTuple):
    """What a client wrote down as the cost of its session so far: shown beside the calculated cost, never added."""

    session: str
    usd: Decimal
    """Cumulative: the last one that a file has for a session stands for all of them."""
    path: str
    line: int
    offset: int
    complete: bool = True
    """Whether the client knew the prices of everything that it used."""


class FileRead(NamedTuple):
    """What a file held besides records; a reader yields it when it has reached the end of the file."""

    path: str
    documents: int
    """Every JSON document, with or without a bill."""
    other: int
    """Documents that bill nothing and were never meant to."""
    unbilled: tuple[tuple[str, int], ...] = ()
    """Responses that are known not to be billed, by kind: `synthetic`, `api-error`, `batch-errored` …"""
    files: int = 1
    """0 for a part of a file of which another part is counted."""


Item = Record | Skipped | Remark | RecordedCost | FileRead


def response_key(message_id: str | None, request_id: str | None, dedupe: str) -> bytes | None:
    """The identity of the billed response as a digest; `None` where the record is counted by itself.

    The identity is the message id with the request id, where a missing request id is a value of its own.
    """
    if message_id is None or dedupe == "none":
        return None
    if dedupe == "id":
        identity = message_id
    else:
        identity = f"{message_id}\0" if request_id is None else f"{message_id}\0{request_id}\0"
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def check_dedupe(mode: str) -> str:
    """Accept a `--dedupe` mode or raise `InvalidInput`."""
    if mode not in DEDUPE_MODES:
        raise InvalidInput(f"unknown way to dedupe {mode!r}", hint=f"choose from {', '.join(DEDUPE_MODES)}")
    return mode


def smallest_places(places: Sequence[tuple[str, int, int]], most: int) -> tuple[tuple[str, int, int], ...]:
    """The first few distinct places (path, offset, line), whatever the order in which they were found."""
    return tuple(sorted(set(places))[:most])
