"""Failure classes: what became of a request of a batch, whether it was billed, and what to do about it.

The rules are data (`CLASSES`); `classify` reads one line of a results file. Only `succeeded` results are billed.
https://platform.claude.com/docs/en/build-with-claude/batch-processing and …/docs/en/api/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SUCCEEDED, ERRORED, CANCELED, EXPIRED = "succeeded", "errored", "canceled", "expired"
RESULT_TYPES = (SUCCEEDED, ERRORED, CANCELED, EXPIRED)
"""The values of `result.type`."""

BY_DEFAULT, ON_REQUEST, NEVER, PAUSES = "by default", "on request", "never", "pauses"
BILLED, FREE, UNKNOWN = "billed", "free", "unknown"
DONE = "succeeded"
"""The class of a row that needs nothing more."""
RELEASED, UNSENT, SENDING, REJECTED, MISSING = "released", "unsent", "sending", "rejected", "missing"
NOT_SENT = frozenset({UNSENT, SENDING, REJECTED})
"""Rows whose batch the API doesn't have, as far as is known; submitting the input again is what helps."""
ABSENCES = NOT_SENT | {RELEASED, MISSING}
"""Classes of rows that no results file has a line for."""


@dataclass(frozen=True, slots=True)
class FailureClass:
    """One way for a request not to end with a whole answer."""

    code: str
    """What `--include` takes."""
    billed: str
    """`billed`, `free` or `unknown`."""
    retry: str
    """`by default`, `on request`, `never`, or `pauses`: nothing is sent until it is asked for."""
    todo: str
    """What to do next, for people."""


CLASSES = (
    FailureClass(EXPIRED, FREE, BY_DEFAULT, "retry: the batch ran out of its 24 hours"),
    FailureClass("server", FREE, BY_DEFAULT, "retry: overloaded, timed out or an internal error"),
    FailureClass("rate-limited", FREE, BY_DEFAULT, "retry: the rate limit was reached"),
    FailureClass(RELEASED, UNKNOWN, BY_DEFAULT, "retry: the batch that was adopted for these rows is somebody else's"),
    FailureClass(UNSENT, FREE, NEVER, "submit the input again: it goes on where it stopped"),
    FailureClass(SENDING, UNKNOWN, NEVER, "submit the input again: it finds out whether they were sent"),
    FailureClass(
        REJECTED, FREE, NEVER, "the API refused the batch (costkit batch status): correct it, then submit again"
    ),
    FailureClass("credit", FREE, PAUSES, "add credit or raise the spend limit, then retry --include credit"),
    FailureClass(CANCELED, FREE, ON_REQUEST, "retry --include canceled, if they are still wanted"),
    FailureClass("denied", FREE, ON_REQUEST, "check what the key may use, then retry --include denied"),
    FailureClass("invalid", FREE, NEVER, "correct these lines and submit them as a new file"),
    FailureClass("unrecognized", FREE, ON_REQUEST, "read the message, then retry --include unrecognized"),
    FailureClass("truncated", BILLED, ON_REQUEST, "raise max_tokens in a new file; --include truncated pays again"),
    FailureClass("refused", BILLED, ON_REQUEST, "reword the request; --include refused pays again"),
    FailureClass("paused", BILLED, NEVER, "send the answer back as the next turn to let the model go on"),
    FailureClass(
        MISSING, UNKNOWN, ON_REQUEST, "not in the results, so perhaps billed: --include missing may pay twice"
    ),
)
"""Every class, in the order in which tables show them."""
BY_CODE: Mapping[str, FailureClass] = {entry.code: entry for entry in CLASSES}

_STOP_REASONS = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refused",
    "pause_turn": "paused",
}
_ERROR_TYPES = {
    "api_error": "server",
    "overloaded_error": "server",
    "timeout_error": "server",
    "rate_limit_error": "rate-limited",
    "billing_error": "credit",
    "authentication_error": "denied",
    "permission_error": "denied",
    "invalid_request_error": "invalid",
    "not_found_error": "invalid",
    "request_too_large": "invalid",
}
_SPENT_CODES = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})
_SPENT_WORDS = ("credit balance", "usage limit", "spend limit", "spending limit")
"""An `invalid_request_error` with one of these is about the account, not about the request."""


def classify(line: Mapping[str, object]) -> str:
    """The class of one line of a results file; `succeeded` where nothing is wrong.

    Raises ValueError, in a few words, where the line has no result of a known type.
    """
    result = line.get("result")
    kind = result.get("type") if isinstance(result, Mapping) else None
    if not isinstance(result, Mapping) or not isinstance(kind, str) or kind not in RESULT_TYPES:
        raise ValueError(f"result.type {kind!r} is not known" if kind is not None else "has no result.type")
    if kind == SUCCEEDED:
        message = result.get("message")
        if not isinstance(message, Mapping):
            raise ValueError("a succeeded result without a message")
        reason = message.get("stop_reason")
        return _STOP_REASONS.get(reason, DONE) if isinstance(reason, str) else DONE
    return _class_of_error(error_of(line)) if kind == ERRORED else kind


@dataclass(frozen=True, slots=True)
class ResultError:
    """What an errored result says about itself."""

    type: str
    message: str
    code: str | None = None
    """The API's `details.error_code`."""


def error_of(line: Mapping[str, object]) -> ResultError:
    """The error of an errored line: the API wraps it as it wraps the body of a failed call."""
    result = line.get("result")
    error = result.get("error") if isinstance(result, Mapping) else None
    inner = error.get("error") if isinstance(error, Mapping) else None
    found = inner if isinstance(inner, Mapping) else error
    if not isinstance(found, Mapping):
        return ResultError("", "")
    details = found.get("details")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    return ResultError(_text(found.get("type")), _text(found.get("message")), code if isinstance(code, str) else None)


def _class_of_error(error: ResultError) -> str:
    if error.code in _SPENT_CODES:
        return "credit"
    words = error.message.lower()
    if error.type == "invalid_request_error" and any(spent in words for spent in _SPENT_WORDS):
        return "credit"
    return _ERROR_TYPES.get(error.type, "unrecognized")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def type_of(category: str) -> str | None:
    """The `result.type` that a class stands for; `None` for rows without a result."""
    if category in (EXPIRED, CANCELED):
        return category
    if category in ABSENCES:
        return None
    return SUCCEEDED if category == DONE or BY_CODE[category].billed == BILLED else ERRORED
