"""What a typed line bills: just what the dialects would say of it, many times faster, or nothing at all.

For whatever is not just as expected (a field that stands in for a missing one, a time that is no time) the dialects
are asked. That both agree is tested with generated and damaged lines.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, UnsetType

from costkit.adapters.logs.dialects.dialect import LATEST, REFUSAL, SYNTHETIC, timestamp
from costkit.adapters.logs.dialects.transcripts import MOST_PROVISIONAL_TOKENS, WITHOUT_BILL
from costkit.adapters.logs.shapes import BareMessage, BilledTokens, Envelope, Line, Logged, Message, Tags, Writer
from costkit.core.response import Counts, Iteration
from costkit.report.group import EPOCH
from costkit.report.table import ANSWERED, NO_TIME, PLACEHOLDER

fromisoformat = datetime.fromisoformat
_DAY_S = 24 * 60 * 60
_INPUT, _OUTPUT = Counts._fields.index("input_tokens"), Counts._fields.index("output_tokens")
_NO_TAGS, _UNNAMED = Tags(), (UNSET, UNSET, UNSET)

Names = tuple[str | None, str | None, str | None, str | None, str | None, str | None]
"""Attributes of a response: model, tier, speed, geography, session, project."""
Bill = tuple[
    tuple[int, ...],
    str | None,
    str | None,
    int,
    Names,
    int,
    tuple[Iteration, ...],
]
"""A `Record` without its place: counts, message id, request id, time (microseconds since 1970 or `NO_TIME`), the
attributes from model to project, flags, iterations."""


class Unsure(Exception):
    """Raised for a line that has to be read as a whole; decoding raises `msgspec.DecodeError` as well."""


def bill_of(line: Line) -> Bill | None:
    """What a line bills, `None` for nothing. Raises `Unsure`."""
    message: Message | Line
    holder: Envelope = line
    outer: Envelope | None = None
    is_inner, kind = False, line.type
    if kind == "assistant":
        if line.message is None:
            raise Unsure
        message = line.message
    elif kind == "message":
        if line.usage is None or line.custom_id is not UNSET or line.ts is not UNSET:
            raise Unsure
        message = line
    elif kind == "progress" and line.data is not None:
        inner = line.data.message
        if inner is None or inner.message is None or line.data.type != "agent_progress":
            return None
        message, holder, outer, is_inner = inner.message, inner, line, True
    else:
        _check_bills_nothing(line)
        return None
    usage = message.usage
    if usage is None:
        return None
    if message.model == SYNTHETIC:
        raise Unsure
    counts, request, session, project = _counts_of(usage), holder.request, holder.session or None, holder.cwd
    if not (request and session and project):
        request, session, project = _others(holder, outer)
    return (
        counts,
        message.id or None,
        request,
        _moment(holder, outer),
        (message.model, usage.service_tier, usage.speed, usage.inference_geo, session, project),
        flags_of(message.stop_reason, counts, None if kind == "message" else holder, is_inner=is_inner),
        _passes(usage) if usage.iterations else (),
    )


def bill_of_bare(message: BareMessage) -> Bill:
    """What a Message with nothing around it bills: it has neither a time nor a request id. Raises `Unsure`."""
    usage, model = message.usage, message.model
    if model == SYNTHETIC:
        raise Unsure
    return (
        _counts_of(usage),
        message.id or None,
        None,
        NO_TIME,
        (model, usage.service_tier, usage.speed, usage.inference_geo, None, None),
        0 if message.stop_reason == REFUSAL else ANSWERED,
        _passes(usage) if usage.iterations else (),
    )


def bill_of_logged(line: Logged) -> Bill:
    """What a line of costkit's own log bills. Raises `Unsure`."""
    usage, tags, moment = line.usage, line.tags or _NO_TAGS, moment_of(line.ts)
    request = line.request_id or None
    named = tags.requestId, tags.request_id, tags._request_id  # noqa: SLF001  # a tag of that name
    if moment is None or line.incomplete is not UNSET or (request is None and named != _UNNAMED):
        raise Unsure
    return (
        _counts_of(usage),
        line.id or None,
        request,
        moment,
        (
            line.model,
            usage.service_tier,
            usage.speed,
            usage.inference_geo,
            tags.camel_session or tags.session_id or tags.session or None,
            tags.cwd or tags.project or None,
        ),
        0 if line.stop_reason == REFUSAL else ANSWERED,
        _passes(usage) if usage.iterations else (),
    )


def _counts_of(usage: BilledTokens) -> tuple[int, ...]:
    counts = usage.counts()
    if not names_tokens(counts):
        raise Unsure
    return counts


def names_tokens(counts: tuple[int, ...]) -> bool:
    """Whether a usage with these counts is one for sure: without any, it may not have named them."""
    return bool(counts[_INPUT] or counts[_OUTPUT])


def _passes(usage: BilledTokens) -> tuple[Iteration, ...]:
    return tuple([Iteration(item.model, Counts(*item.counts())) for item in usage.iterations or ()])


def flags_of(
    reason: str | UnsetType | None, counts: tuple[int, ...], around: Writer | None, *, is_inner: bool = False
) -> int:
    """What a copy says of a response that stopped for some reason, as its row in the table has it.

    Sub-agents write provisional copies. A copy is a sub-agent's if the line `around` it says so, or if that stands in
    another line itself (`is_inner`).
    """
    if (
        reason is None
        and counts[_OUTPUT] <= MOST_PROVISIONAL_TOKENS
        and (is_inner or (around is not None and around.is_of_sub_agent()))
    ):
        return ANSWERED | PLACEHOLDER
    return 0 if reason == REFUSAL else ANSWERED


def _check_bills_nothing(line: Line) -> None:
    """Raise `Unsure` unless a line is of a kind that never has a bill."""
    if line.type not in WITHOUT_BILL or (
        line.session is UNSET
        and line.parent is UNSET
        and line.uuid is UNSET
        and line.session_id is UNSET
        and line.leaf is UNSET
    ):
        raise Unsure


def _others(holder: Envelope, outer: Envelope | None) -> tuple[str | None, str | None, str | None]:
    """Request id, session and project, of which at least one is not where it is looked for first."""
    request, session, project = holder.request or None, holder.session or holder.session_id or None, holder.cwd or None
    if (
        (request is None and not (holder.request_id is UNSET and holder.odd_request is UNSET))
        or (session is None and holder.odd_session is not UNSET)
        or (project is None and holder.project is not UNSET)
    ):
        raise Unsure
    if outer is None or (request and session and project):
        return request, session, project
    further = _others(outer, None)
    return request or further[0], session or further[1], project or further[2]


def _moment(holder: Envelope, outer: Envelope | None) -> int:
    moment = None if holder.timestamp is None else moment_of(holder.timestamp)
    if moment is not None:
        return moment
    if not (
        holder.timestamp is None  # one that can't be read is told of
        and holder.ts is UNSET
        and holder.created_at is UNSET
        and holder.created is UNSET
        and holder.time is UNSET
        and holder.start_time is UNSET
    ):
        raise Unsure
    return NO_TIME if outer is None else _moment(outer, None)


def is_time(text: str) -> bool:
    """Whether a text is a time as it is nearly always written."""
    try:
        fromisoformat(text)
    except ValueError:
        return False
    return True


def moment_of(text: str) -> int | None:
    """As `dialect.timestamp`, and in less time for a text as nearly all are."""
    try:
        since = fromisoformat(text) - EPOCH
        moment = (since.days * _DAY_S + since.seconds) * 1_000_000 + since.microseconds
    except (ValueError, TypeError, OverflowError):
        return timestamp(text)
    return moment if 0 < moment < LATEST else timestamp(text)
