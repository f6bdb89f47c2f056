"""Logged requests: what was sent, when, and what the API said about it; what `lint`, `why` and `plan` look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from costkit.core.notice import Notice
from costkit.core.request import Request
from costkit.core.response import BilledUsage
from costkit.errors import InvalidInput

HOW_TO_LOG = (
    'log one line per request: {"ts": "2026-11-21T09:00:00Z", "request": {…the Messages body…}, '
    '"response": {…the Message…}}'
)
"""What `why` and `plan` need; `response` may be left out."""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request to the Messages API with its place in a file."""

    where: str
    """`log.jsonl:17`, or the file alone where it holds a single body."""
    request: Request
    root: str = ""
    """Where the body is in its line: `request.`, `params.` or nothing."""
    sent: int | None = None
    """When the request began, in microseconds since 1970, UTC."""
    batch: bool = False
    usage: BilledUsage | None = None
    message_id: str | None = None
    previous_message_id: str | None = None
    """What the request itself named as its predecessor (`diagnostics.previous_message_id`)."""
    miss_reason: str | None = None
    """The `type` of the API's own `diagnostics.cache_miss_reason`."""
    missed_tokens: int | None = None
    """The API's `cache_missed_input_tokens`."""
    line: Mapping[str, object] | None = None
    """Everything that the line holds, where the body is only a part of it."""
    digests: tuple[bytes, ...] | None = None
    """Those of its blocks, where they were made already."""
    tokens: tuple[int, ...] | None = None
    """Those of its blocks, where the log tells them instead of the text."""

    @property
    def fast(self) -> bool:
        """Whether the request was sent in fast mode."""
        return self.request.body.get("speed") == "fast"

    def place(self, path: str) -> str:
        """A place in the body as file, line and JSON path."""
        return f"{self.where}:{self.root}{path}" if path else self.where


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that holds no request that could be looked at, and why."""

    where: str
    code: str
    """`invalid-request`, `no-request-body`, or why the line is no JSON."""
    message: str


Traffic = LoggedRequest | Unusable
INVALID = "invalid-request"
"""The code of a request that the API would not take for one."""


@dataclass(slots=True)
class PassedOver:
    """Counts what could not be looked at, by file and reason."""

    counts: dict[tuple[str, str], tuple[int, Unusable]] = field(default_factory=dict)

    def add(self, item: Unusable) -> None:
        """Count one."""
        key = (item.where.rpartition(":")[0] or item.where, item.code)
        count, first = self.counts.get(key, (0, item))
        self.counts[key] = (count + 1, first)

    def nothing_left(self) -> InvalidInput:
        """The error where nothing was left: why the first line that looked like a request could not be used."""
        for (_, code), (_, first) in self.counts.items():
            if code != "no-request-body":
                return InvalidInput(first.message, where=first.where, code=code)
        return InvalidInput("no request body found", code="no-request-body", hint=HOW_TO_LOG)

    def notices(self) -> Iterator[Notice]:
        """One notice for each file and reason, with the first place."""
        for (_, code), (count, first) in self.counts.items():
            more = f" (and {count - 1:,} more lines)" if count > 1 else ""
            yield Notice(code, f"{first.message}{more}", first.where)
