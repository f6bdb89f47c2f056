"""Requests in the order in which they were sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from costkit.cache.breakpoints import breakpoints_of, refusals
from costkit.cache.content import digest_of
from costkit.cache.marks import SECOND
from costkit.cache.traffic import HOW_TO_LOG, LoggedRequest, PassedOver, Traffic, Unusable
from costkit.core.notice import Notice
from costkit.core.request import Block
from costkit.errors import InvalidInput

_KEPT = ("model", "speed", "tool_choice", "thinking", "output_config", "output_format", "inference_geo", "diagnostics")
"""The parameters of a body that are looked at again after its blocks were laid out."""
PAIR = 2


@dataclass(frozen=True, slots=True)
class Timeline:
    """Requests by their start."""

    requests: tuple[LoggedRequest, ...]
    starts: tuple[int, ...]
    """Microseconds; of two bodies without times, one second apart."""
    notices: tuple[Notice, ...] = ()
    """What was passed over."""


def in_order(traffic: Iterable[Traffic], *, pairs: bool = False) -> Timeline:
    """Put requests into the order of their times; content that they share is held once.

    With `pairs`, two requests without times stay in the order in which they were given, and requests whose breakpoints
    the API refuses are passed over, as it did. Raises `InvalidInput` where no request is left, or no pair.
    """
    passed_over = PassedOver()
    found = list(_slim(traffic, passed_over, refused=not pairs))
    if not found or (pairs and len(found) < PAIR and passed_over.counts):
        raise passed_over.nothing_left()
    if len(found) == 1 and found[0].sent is None:
        hint = "for one body, say how often it is sent: --repeats N --every GAP"
        raise InvalidInput("one request without a time", where=found[0].where, code="no-timestamp", hint=hint)
    if pairs and len(found) == PAIR and all(logged.sent is None for logged in found):
        return Timeline(tuple(found), (0, SECOND), tuple(passed_over.notices()))
    timed = []
    for logged in found:
        if logged.sent is None:
            passed_over.add(Unusable(logged.where, "no-timestamp", "doesn't say when it was sent"))
        else:
            timed.append((logged.sent, logged))
    if not timed:
        raise InvalidInput(
            "no request says when it was sent", where=found[0].where, code="no-timestamp", hint=HOW_TO_LOG
        )
    timed.sort(key=lambda pair: pair[0])
    requests, starts = tuple(logged for _, logged in timed), tuple(sent for sent, _ in timed)
    return Timeline(requests, starts, tuple(passed_over.notices()))


def _slim(traffic: Iterable[Traffic], passed_over: PassedOver, *, refused: bool) -> Iterator[LoggedRequest]:
    contents: dict[bytes, Mapping[str, object]] = {}
    same: dict[bytes, bytes] = {}
    names: dict[str, str] = {}
    for item in traffic:
        if isinstance(item, Unusable):
            passed_over.add(item)
            continue
        problem = _problem(item, refused=refused)
        if problem is not None:
            passed_over.add(problem)
            continue
        digests = tuple(same.setdefault(digest, digest) for digest in map(digest_of, item.request.blocks))
        blocks = tuple(
            _shared(block, digest, contents, names) for block, digest in zip(item.request.blocks, digests, strict=True)
        )
        body = {name: item.request.body[name] for name in _KEPT if name in item.request.body}
        yield replace(item, request=replace(item.request, body=body, blocks=blocks), line=None, digests=digests)


def _problem(logged: LoggedRequest, *, refused: bool) -> Unusable | None:
    if not logged.request.blocks:
        return Unusable(logged.where, "no-content", "a request without any content")
    refusal = None if refused else next(refusals(breakpoints_of(logged.request)), None)
    return None if refusal is None else Unusable(logged.place(refusal.path), refusal.code, refusal.message)


def _shared(block: Block, digest: bytes, contents: dict[bytes, Mapping[str, object]], names: dict[str, str]) -> Block:
    value = block.value
    if "cache_control" in value:
        value = {key: item for key, item in value.items() if key != "cache_control"}
    if not isinstance(value.get("content"), list) and "source" not in value:  # there may be breakpoints inside
        value = contents.setdefault(digest, value)
    path = names.setdefault(block.path, block.path)
    return Block(path, block.level, block.kind, value, block.role, block.message, block.cache_control)


def only_one(traffic: Iterable[Traffic]) -> LoggedRequest:
    """The one request that is to be repeated; raises `InvalidInput` where there is none, or more."""
    passed_over = PassedOver()
    found = list(_slim(traffic, passed_over, refused=True))
    if len(found) == 1:
        return found[0]
    if not found:
        raise passed_over.nothing_left()
    raise InvalidInput(f"--repeats and --every need one request, not {len(found)}", code="usage")


def repeated(logged: LoggedRequest, starts: Iterable[int]) -> Timeline:
    """One request, sent again and again."""
    times = tuple(starts)
    return Timeline((logged,) * len(times), times)
