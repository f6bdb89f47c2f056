"""The lines that most logs consist of, decoded into typed values that leave out everything else.

A field has the type that it nearly always has: a line with another is not decoded, and the dialects are asked.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.json import Decoder

from costkit.core.response import MOST_TOKENS

Count = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]
Text = Annotated[str, Meta(min_length=1)]
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


class BareMessage(Struct, gc=False, forbid_unknown_fields=True):
    """A Message object with nothing around it, in all fields that the SDK's `Message` and `BetaMessage` have."""

    model: str
    type: Literal["message"]
    usage: BilledTokens
    id: str | None = None
    role: Odd = UNSET
    content: Odd = UNSET
    stop_reason: str | None = None
    stop_sequence: Odd = UNSET
    stop_details: Odd = UNSET
    container: Odd = UNSET
    context_management: Odd = UNSET
    diagnostics: Odd = UNSET
    input_transformations: Odd = UNSET


class Writer(Struct, gc=False, rename={"is_sidechain": "isSidechain", "agent": "agentId"}):
    """What tells who wrote a line."""

    is_sidechain: bool | None = None
    agent: str | None = None
    parent_tool_use_id: str | None = None

    def is_of_sub_agent(self) -> bool:
        """Whether a sub-agent wrote it."""
        return bool(self.is_sidechain or self.agent or self.parent_tool_use_id)


class Envelope(
    Writer,
    gc=False,
    rename={
        "session": "sessionId",
        "request": "requestId",
        "odd_session": "session",
        "odd_request": "_request_id",
    },
):
    """What may stand around a Message, and what only looks so."""

    cwd: str | None = None
    session: str | UnsetType | None = UNSET
    message: Message | None = None
    request: str | None = None
    type: str | None = None
    timestamp: str | None = None
    project: Odd = UNSET
    session_id: str | UnsetType | None = UNSET
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

    def is_turn(self) -> bool:
        """Whether it could have been counted as a `Turn`."""
        message = self.message
        return bool(
            self.type == "assistant"
            and self.request
            and self.session
            and self.cwd
            and self.timestamp
            and message
            and message.id
            and message.model
            and message.stop_reason is not UNSET
            and message.usage
            and not message.usage.iterations
        )


class Reply(Struct, gc=False):
    """A Message object of a `Turn`."""

    model: str
    id: Text
    stop_reason: str | None
    usage: BilledTokens


class Turn(Writer, gc=False, kw_only=True, rename={"session": "sessionId", "request": "requestId"}):
    """A line of a transcript for a block of a response, as nearly all are: nothing need be looked for elsewhere."""

    type: Literal["assistant"]
    message: Reply
    request: Text
    session: Text
    cwd: Text
    timestamp: str


class Tags(Struct, gc=False, rename={"camel_session": "sessionId"}):
    """`tags` of a line of costkit's own log: those that mean something to a report."""

    camel_session: str | None = None
    session_id: str | None = None
    session: str | None = None
    cwd: str | None = None
    project: str | None = None
    requestId: Odd = UNSET  # noqa: N815  # as the other two, only its presence matters
    request_id: Odd = UNSET
    _request_id: Odd = UNSET


class Logged(Struct, gc=False, forbid_unknown_fields=True):
    """A line of costkit's own log, which has no other fields."""

    ts: str
    model: str
    usage: BilledTokens
    id: str | None = None
    request_id: str | None = None
    stop_reason: str | None = None
    tags: Tags | None = None
    incomplete: Odd = UNSET
    duration_ms: Odd = UNSET
    blocks: Odd = UNSET
    prompt: Odd = UNSET
    batch_id: Odd = UNSET
    custom_id: Odd = UNSET
    stop_details: Odd = UNSET
    diagnostics: Odd = UNSET
    request: Odd = UNSET
    response: Odd = UNSET


decode_turn, decode_line = Decoder(Turn).decode, Decoder(Line).decode
decode_logged, decode_bare = Decoder(Logged).decode, Decoder(BareMessage).decode
"""Raise `msgspec.DecodeError`, RecursionError or UnicodeDecodeError for what is not just as described here."""
