"""Cache misses by cause, through `costkit cache why`'s own eyes, without holding any text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from costkit.advise.call import Call
from costkit.advise.sketch import Sketcher
from costkit.advise.words import many
from costkit.advise.workload import Workload
from costkit.cache.content import DIGEST
from costkit.cache.miss import CauseSum
from costkit.cache.sent import Layout
from costkit.cache.traffic import LoggedRequest
from costkit.cache.why import explain_misses
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.core.request import LEVELS, Block, CacheControl, Request
from costkit.core.response import BilledUsage, Counts

MOST_BLOCKS = 2_000_000
"""Blocks of all requests together up to which misses are explained; beyond that, the later requests are left out."""


def misses_by_cause(work: Workload, book: PriceBook, as_of: date) -> tuple[tuple[CauseSum, ...], tuple[Notice, ...]]:
    """What each cause of missed reads cost, the dearest first, and a notice where requests had to be left out."""
    requests: list[LoggedRequest] = []
    starts: list[int] = []
    blocks = left_out = 0
    known: dict[tuple[object, ...], Block] = {}
    for call in work.calls:
        sketch = call.replayable
        if sketch is None or call.at is None:
            continue
        blocks += len(sketch.identities)
        if blocks > MOST_BLOCKS:
            left_out += 1
            continue
        requests.append(_outlined(call, work.sketcher, known))
        starts.append(call.at)
    if not requests:
        return (), ()
    why = explain_misses(requests, Layout(work.sketcher.counter, book, as_of), starts=starts)
    message = f"misses are not explained for the last {many(left_out, 'request')}: memory is bounded"
    return why.causes, (Notice("misses-left-out", message),) * (left_out > 0)


def _outlined(call: Call, sketcher: Sketcher, known: dict[tuple[object, ...], Block]) -> LoggedRequest:
    """A request that says nothing but which of its blocks are the same as others."""
    sketch = call.sketch
    assert sketch is not None  # noqa: S101  the caller has looked
    marks = {mark.position: mark.ttl for mark in sketch.marks}
    blocks = tuple(
        _block(position, identity, sketch.levels, marks.get(position), sketcher, known)
        for position, identity in enumerate(sketch.identities)
    )
    body = {"speed": "fast"} if call.fast else {}
    usage = call.usage
    counts = Counts(usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    return LoggedRequest(
        call.where,
        Request(body, blocks, call.model.id),
        sent=call.at,
        batch=call.batch,
        usage=None if call.simulated else BilledUsage(counts, inference_geo=call.inference_geo),
        digests=tuple(identity.to_bytes(8, "big") for identity in sketch.identities),
        tokens=tuple(sketch.sizes),
    )


def _block(
    position: int,
    identity: int,
    levels: tuple[int, int],
    ttl: str | None,
    sketcher: Sketcher,
    known: dict[tuple[object, ...], Block],
) -> Block:
    level = LEVELS[next((depth for depth, end in enumerate(levels) if position < end), 2)]
    key = (identity, position, level, ttl)
    found = known.get(key)
    if found is None:
        kind = sketcher.facts[identity].kind
        value = dict(_value(identity, kind, level))
        control = CacheControl(ttl) if ttl else None
        role, message = ("user", 0) if level == LEVELS[2] else (None, None)
        found = known[key] = Block(f"{level}[{position}]", level, kind, value, role, message, control)
    return found


def _value(identity: int, kind: str, level: str) -> Iterator[tuple[str, object]]:
    yield DIGEST, f"{identity:016x}"
    if level != LEVELS[0]:
        yield "type", kind
    if kind == "text":
        yield "text", f"{identity:016x}"
