"""What the logs of other systems have in common: their counts made disjoint, their model names, one record of both.

Quirks: most systems count cached tokens as part of the input, the API does not; adding them again is the classic way
to bill a cache twice. Whoever knows which it is says so; what can't be (more cached tokens than input) is taken as
the API's way. Costs follow somebody else's prices: they are shown beside the calculated ones, see `charges`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from costkit.adapters.logs.dialects.dialect import Holder, Unbilled, build_record
from costkit.adapters.logs.documents import Document
from costkit.adapters.logs.values import decoded
from costkit.report.charge import Charge
from costkit.report.records import Record, Skipped

REPLAYED = "replayed"
"""The kind of what a gateway or a test harness answered from a cache of its own."""
FAILED = "failed"
"""The kind of a call that a gateway recorded as failed, with no token counted."""

_ARN = re.compile(r"arn:[^/]*/(?=.)")
_PROVIDER = re.compile(r"(?:anthropic(:messages)?|bedrock(:converse|:completion)?|vertex(:chat)?):(?=.*claude)")
_ROUTE = re.compile(r"(?:[^/]+/)+(?=[^/]*claude[^/]*$)")


class Call(NamedTuple):
    """One response as another system tells it."""

    usage: Mapping[str, object]
    """In the API's own terms."""
    model: str | None
    id: object = None
    request_id: object = None
    time: object = None
    session: object = None
    project: object = None
    stop_reason: object = None
    charge: Charge | None = None


def disjoint(
    tokens: object, output: object, read: object = None, write: object = None, *, includes_cache: bool
) -> dict[str, object]:
    """A usage in the API's terms; `tokens` is the input, with or without what was read from or written to it."""
    cached = whole_number(read) + whole_number(write)
    if includes_cache and whole_number(tokens) >= cached:
        tokens = whole_number(tokens) - cached
    return {
        "input_tokens": tokens,
        "output_tokens": output,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": write,
    }


def whole_number(value: object) -> int:
    """A count as it is, nothing as 0. Raises ValueError for anything else."""
    if value is None:
        return 0
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a token count is not a whole number")
    if value < 0:
        raise ValueError("a token count is negative")
    return value


def first_of(holder: Holder, names: Iterable[str]) -> object:
    """The first of these fields that is there and not null."""
    for name in names:
        value = holder.get(name)
        if value is not None:
            return value
    return None


def child(holder: Holder, name: str) -> dict[str, object]:
    """An object inside an object, also where it was written as a text; empty if there is none."""
    value = holder.get(name)
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = decoded(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def children(value: object) -> list[dict[str, object]]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def model_name(*names: object) -> str | None:
    """The first name that is Claude's, otherwise the first one, without provider, route and ARN before it."""
    texts = [name for name in names if isinstance(name, str) and name]
    chosen = next((name for name in texts if "claude" in name.lower()), texts[0] if texts else None)
    return None if chosen is None else _ROUTE.sub("", _PROVIDER.sub("", _ARN.sub("", chosen)))


def record(document: Document, call: Call) -> Record | Skipped:
    """The bill of a call, or why it can't be believed: one bad call costs no other one in the same document."""
    message = {"id": call.id, "model": call.model}
    holder = {"timestamp": call.time, "request_id": call.request_id, "session": call.session, "project": call.project}
    try:
        return build_record(
            document, message, (holder,), usage=call.usage, stop_reason=call.stop_reason, charge=call.charge
        )
    except ValueError as problem:
        return skipped(document, problem)


def skipped(document: Document, problem: ValueError) -> Skipped:
    """What is not counted because its numbers can't be believed."""
    return Skipped(f"bad-usage: {problem}", document.path, document.line, document.offset)


Part = Record | Skipped | Unbilled
Parts = Sequence[Part]
