"""The lines that most logs consist of, decoded into typed values that leave out everything else.

`bill_of` answers for a line just as the dialects would, many times faster, or not at all: for whatever is not just
as expected (another type, a field that stands in for a missing one, a number that is no plain count) the dialects
are asked. That both agree is tested with generated and damaged lines.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.json import Decoder

from costkit.adapters.logs.dialect import LATEST, REFUSAL, SYNTHETIC, timestamp
from costkit.adapters.logs.transcripts import MOST_PROVISIONAL_TOKENS, WITHOUT_BILL
from costkit.core.response import MOST_TOKENS, Counts, Iteration
from costkit.report.group import EPOCH
from costkit.report.table import ANSWERED, NO_TIME, PLACEHOLDER

Count = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]
fromisoformat = datetime.fromisoformat
_DAY_S = 24 * 60 * 60
_OUTPUT = Counts._fields.index("output_tokens")
_STAMP, _HOUR = len("2026-11-21T09:00:00.000Z"), len("2026-11-21T09:")
"""Times that are written this way within one hour come in the order of their text."""
Odd = Raw | UnsetType
"""A field of which only the presence matters."""


class Split(Struct, gc=False):
    """`usage.cache_creation`."""

    ephemeral_5m_input_tokens: Count | None = 0
    ephemeral_1h_input_tokens: Count | None = 0


class Searches(Struct, gc=False):
    """`usage.server_tool_use`."""

    web_search_requests: Count | None = 0


class Tokens(Struct, gc=False):
    """The counts that a usage and each of its iterations have."""

    input_tokens: Count | None = 0
    cache_creation_input_tokens: Count | None = 0
    cache_read_input_tokens: Count | None = 0
    cache_creation: Split | None = None
    output_tokens: Count | None = 0
    server_tool_use: Searches | None = None

    def counts(self) -> tuple[int, ...]:
        """What `Counts` has."""
        split, searches = self.cache_creation, self.server_tool_use
        return (
            self.input_tokens or 0,
            self.cache_read_input_tokens or 0,
            self.cache_creation_input_tokens or 0,
            0 if split is None else split.ephemeral_5m_input_tokens or 0,
            0 if split is None else split.ephemeral_1h_input_tokens or 0,
            self.output_tokens or 0,
            0 if searches is None else searches.web_search_requests or 0,
        )


class Pass(Tokens, gc=False):
    """One of `usage.iterations`."""

    model: str | None = None


class BilledTokens(Tokens, gc=False):
    """The API's `usage`."""

    service_tier: str | None = None
    inference_geo: str | None = None
    speed: str | None = None
    iterations: list[Pass] | None = None


class Message(Struct, gc=False):
    """A Message object."""

    model: str | None = None
    id: str | None = None
    stop_reason: str | UnsetType | None = UNSET
    usage: BilledTokens | None = None


class Envelope(
    Struct,
    gc=False,
    rename={
        "is_sidechain": "isSidechain",
        "session": "sessionId",
        "request": "requestId",
        "agent": "agentId",
        "odd_session": "session",
        "odd_request": "_request_id",
    },
):
    """What may stand around a Message, and what only looks so."""

    is_sidechain: bool | None = None
    cwd: str | None = None
    session: str | UnsetType | None = UNSET
    message: Message | None = None
    request: str | None = None
    type: str | None = None
    timestamp: str | None = None
    agent: str | None = None
    parent_tool_use_id: str | None = None
    project: Odd = UNSET
    session_id: Odd = UNSET
    odd_session: Odd = UNSET
    request_id: Odd = UNSET
    odd_request: Odd = UNSET
    ts: Odd = UNSET
    created_at: Odd = UNSET
    created: Odd = UNSET
    time: Odd = UNSET
    start_time: Odd = UNSET


class Data(Struct, gc=False):
    """`data` of a `progress` line."""

    type: str | None = None
    message: Envelope | None = None


class Line(Envelope, gc=False, rename={"parent": "parentUuid", "leaf": "leafUuid"}):
    """A line of a transcript, or a bare Message."""

    data: Data | None = None
    parent: Odd = UNSET
    uuid: Odd = UNSET
    leaf: Odd = UNSET
    custom_id: Odd = UNSET
    model: str | None = None
    id: str | None = None
    stop_reason: str | UnsetType | None = UNSET
    usage: BilledTokens | None = None


Bill = tuple[
    tuple[int, ...],
    str | None,
    str | None,
    int,
    tuple[str | None, str | None, str | None, str | None, str | None, str | None],
    int,
    tuple[Iteration, ...],
]
"""A `Record` without its place: counts, message id, request id, time (microseconds since 1970 or `NO_TIME`), the
attributes from model to project, flags, iterations."""


class Unsure(Exception):
    """Raised for a line that has to be read as a whole; decoding raises `msgspec.DecodeError` as well."""


decode_line = Decoder(Line).decode


def bill_of(line: Line) -> Bill | None:
    """What a line bills, `None` for nothing. Raises `Unsure`."""
    kind = line.type
    if kind == "assistant":
        if line.message is None:
            raise Unsure
        is_sub_agent = line.is_sidechain or line.agent or line.parent_tool_use_id
        return _bill(line.message, line, None, provisional=bool(is_sub_agent))
    if kind == "message":
        if line.usage is None or line.custom_id is not UNSET or line.ts is not UNSET:
            raise Unsure
        return _bill(line, line, None, provisional=False)
    if kind == "progress" and line.data is not None:
        inner = line.data.message
        if inner is None or inner.message is None or line.data.type != "agent_progress":
            return None
        return _bill(inner.message, inner, line, provisional=True)
    if kind in WITHOUT_BILL and not (
        line.session is UNSET
        and line.parent is UNSET
        and line.uuid is UNSET
        and line.session_id is UNSET
        and line.leaf is UNSET
    ):
        return None
    raise Unsure


def _bill(message: Message | Line, holder: Envelope, outer: Envelope | None, *, provisional: bool) -> Bill | None:
    usage = message.usage
    if usage is None:
        return None
    if message.model == SYNTHETIC:
        raise Unsure
    counts = usage.counts()
    flags = _flags(message, counts, provisional=provisional)
    passes = usage.iterations
    return (
        counts,
        message.id or None,
        holder.request or _request(holder, outer),
        _moment(holder, outer),
        (
            message.model,
            usage.service_tier,
            usage.speed,
            usage.inference_geo,
            holder.session or _session(holder, outer),
            holder.cwd or _project(holder, outer),
        ),
        flags,
        tuple([Iteration(item.model, Counts(*item.counts())) for item in passes]) if passes else (),
    )


class LastResponse:
    """The response that was counted last, by a line of a transcript: a copy of it needs less looking at."""

    __slots__ = ("counts", "flags", "has_grown", "message_id", "model", "request_id", "row", "time")

    def __init__(self) -> None:
        self.row = self.flags = 0
        self.counts: tuple[int, ...] = ()
        self.has_grown = False
        self.message_id: str | None = None
        self.request_id: str | None = None
        self.model: str | None = None
        self.time = ""

    def remember(self, row: int, line: Line, counts: tuple[int, ...], flags: int) -> None:
        """Keep what tells a copy of this one, if it can have any that are told this way."""
        message, time = line.message, line.timestamp or ""
        if line.type != "assistant" or message is None or len(time) != _STAMP or time[-1] != "Z":
            self.message_id = None
            return
        self.row, self.flags, self.counts = row, flags, counts
        self.message_id, self.request_id, self.model, self.time = message.id, line.request, message.model, time

    def forget(self) -> None:
        """The next line is not about a response that is known here."""
        self.message_id = None


def copy_of(line: Line, last: LastResponse) -> tuple[tuple[int, ...], int] | None:
    """Counts and flags of a line that is a later copy of the last response, `None` for any other line.

    Of such a copy nothing else matters: time, session and so on are those of the earliest one.
    """
    message = line.message
    if message is None or message.id is None or message.id != last.message_id or line.type != "assistant":
        return None
    usage, time = message.usage, line.timestamp
    if (
        usage is None
        or usage.iterations
        or not line.request
        or line.request != last.request_id
        or message.model != last.model
        or time is None
        or len(time) != _STAMP
        or time <= last.time
        or time[:_HOUR] != last.time[:_HOUR]
        or time[-1] != "Z"
    ):
        return None
    try:
        fromisoformat(time)
    except ValueError:
        return None
    is_sub_agent = line.is_sidechain or line.agent or line.parent_tool_use_id
    counts = usage.counts()
    return counts, _flags(message, counts, provisional=bool(is_sub_agent))


def _flags(message: Message | Line, counts: tuple[int, ...], *, provisional: bool) -> int:
    if message.stop_reason == REFUSAL:
        return 0
    if provisional and message.stop_reason is None and counts[_OUTPUT] <= MOST_PROVISIONAL_TOKENS:
        return ANSWERED | PLACEHOLDER
    return ANSWERED


def _request(holder: Envelope, outer: Envelope | None) -> str | None:
    if holder.request_id is not UNSET or holder.odd_request is not UNSET:
        raise Unsure
    return None if outer is None else outer.request or _request(outer, None)


def _session(holder: Envelope, outer: Envelope | None) -> str | None:
    if holder.session_id is not UNSET or holder.odd_session is not UNSET:
        raise Unsure
    return None if outer is None else outer.session or _session(outer, None)


def _project(holder: Envelope, outer: Envelope | None) -> str | None:
    if holder.project is not UNSET:
        raise Unsure
    return None if outer is None else outer.cwd or _project(outer, None)


def _moment(holder: Envelope, outer: Envelope | None) -> int:
    text = holder.timestamp
    if text is not None:
        try:
            since = fromisoformat(text) - EPOCH
            moment: int | None = (since.days * _DAY_S + since.seconds) * 1_000_000 + since.microseconds
        except (ValueError, TypeError, OverflowError):
            moment = timestamp(text)
        if moment is not None and (0 < moment < LATEST or (moment := timestamp(text)) is not None):
            return moment
    if not (
        holder.ts is UNSET
        and holder.created_at is UNSET
        and holder.created is UNSET
        and holder.time is UNSET
        and holder.start_time is UNSET
    ):
        raise Unsure
    return NO_TIME if outer is None else _moment(outer, None)
