"""What the stand-in is told, what it gets and what it replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    411: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The API's names for its statuses; all others are `api_error`."""

CUTS = ("reset", "close", "short", "lines")


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a request; the request is recorded all the same."""

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "scripted fault"
    reset: bool = False
    """Cut the connection with an RST instead of answering."""
    delay_s: float = 0.0
    """Wait before answering; with `then_answer`, the answer is the real one."""
    then_answer: bool = False
    on: str | None = None
    """The route it waits for: create, list, retrieve, cancel, delete, results, messages, count_tokens; `None`: any."""
    times: int = 1
    """How many requests it hits."""
    skip: int = 0
    """How many requests of its route pass before it hits."""
    after: bool = False
    """Do what was asked first, then fail: only the reply is lost."""
    early: bool = False
    """With `reset`: before the body is read."""
    hang_up: bool = False
    """Close the connection in good order, but without a reply."""
    error_code: str | None = None
    """`error.details.error_code`, such as `enforced_spend_limit_reached`."""
    redirect_to: str | None = None
    """Answer 302 to this URL."""
    cut: str | None = None
    """Send only the first part of the real reply, then `reset` or `close`; `short` is a well-formed reply that ends in
    the middle of a line, `lines` one that lacks whole lines."""
    cut_at: float = 0.5
    """The share of the body that is sent."""
    body_s: float = 0.0
    """Spread the body of the real reply over this many seconds."""

    def __post_init__(self) -> None:
        if self.cut is not None and self.cut not in CUTS:
            raise ValueError(f"cut is one of {', '.join(CUTS)}")

    @property
    def lets_work(self) -> bool:
        """Whether the request takes effect."""
        return self.then_answer or self.after or self.cut is not None or self.body_s > 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request of a batch ends."""

    type: str = "succeeded"
    """succeeded, errored, canceled or expired."""
    error_type: str = "api_error"
    message: str = "scripted failure"
    error_code: str | None = None
    stop_reason: str | None = None
    """Of a success, such as `max_tokens` or `refusal`."""
    copies: int = 1
    """How many lines of the results it gets: 0 is a lost row, 2 a duplicate."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key it is."""

    organization_id: str
    workspace_id: str | None = None
    is_admin: bool = False
    """Whether it may see the organization's reports."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived; the body of a create call is kept with its batch instead."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """A status with a JSON document, with server-sent events, or with a file."""

    status: int
    document: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    events: tuple[Mapping[str, Any], ...] = ()


def error(status: int, message: str, *, kind: str | None = None, code: str | None = None) -> Reply:
    """An error document as the API writes it."""
    content: dict[str, Any] = {"type": kind or ERROR_TYPES.get(status, "api_error"), "message": message}
    if code:
        content["details"] = {"error_code": code}
    return Reply(status, {"type": "error", "error": content})
