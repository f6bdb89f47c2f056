"""Cache breakpoints: where they may stand, and what the API refuses.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from costkit.core.notice import Notice
from costkit.core.request import Block, Request
from costkit.errors import InvalidInput

MOST_MARKS = 4
"""Breakpoints in one request; automatic caching uses one of them."""
LOOKBACK = 20
"""Positions that a breakpoint checks for an entry, counting its own."""
SECOND = 1_000_000
"""Times are whole microseconds, so that a request at exactly TTL is decided by arithmetic and not by rounding."""
TTL_MICROSECONDS = {"5m": 300 * SECOND, "1h": 3600 * SECOND}
_THINKING = frozenset({"thinking", "redacted_thinking"})


class Mark(NamedTuple):
    """A breakpoint on the block at a position (from 0, in cache order)."""

    position: int
    ttl: str = "5m"
    """`5m` or `1h`."""


def written_marks(request: Request) -> tuple[Mark, ...]:
    """The breakpoints of a request as it is written, automatic caching included, in cache order.

    Automatic caching marks the last block that can be cached; where that block has the same mark already, nothing is
    added. Doesn't check anything: see `refused_marks`.
    """
    marks = list(explicit_marks(request))
    automatic = automatic_mark(request)
    if automatic is not None and automatic.position not in {mark.position for mark in marks}:
        marks.append(automatic)
        marks.sort()
    return tuple(marks)


def explicit_marks(request: Request) -> tuple[Mark, ...]:
    """The breakpoints that are written on blocks."""
    return tuple(Mark(i, block.cache_control.ttl) for i, block in enumerate(request.blocks) if block.cache_control)


def automatic_mark(request: Request) -> Mark | None:
    """Where automatic caching puts its mark; `None` without it, or where no block can be cached."""
    if request.cache_control is None:
        return None
    position = last_markable(request.blocks)
    return None if position is None else Mark(position, request.cache_control.ttl)


def last_markable(blocks: Sequence[Block]) -> int | None:
    """The position of the last block that can carry a breakpoint."""
    return next((i for i in range(len(blocks) - 1, -1, -1) if why_unmarkable(blocks[i]) is None), None)


def why_unmarkable(block: Block) -> str | None:
    """Why a block can't carry a breakpoint; `None` where it can."""
    if block.kind in _THINKING:
        return "thinking blocks can't carry a breakpoint"
    if block.kind == "text" and not str(block.value.get("text")).strip():
        return "a text without a visible character can't carry a breakpoint"
    return None


def refused_marks(request: Request, where: str) -> Iterator[Notice]:
    """Everything about the breakpoints of a request that the API answers with 400; `where` names the file.

    The codes are `too-many-breakpoints`, `ttl-order`, `ttl-conflict` and `unmarkable-block`.
    """
    blocks = request.blocks
    for block in blocks:
        reason = why_unmarkable(block) if block.cache_control else None
        if reason:
            yield Notice("unmarkable-block", reason, f"{where}:{block.path}.cache_control")
    automatic = automatic_mark(request)
    own = automatic and blocks[automatic.position].cache_control
    if automatic and own and own.ttl != automatic.ttl:
        message = f"automatic caching with ttl {automatic.ttl} meets a block that is marked with {own.ttl}"
        yield Notice("ttl-conflict", message, f"{where}:cache_control")
    marks = written_marks(request)
    if len(marks) > MOST_MARKS:
        counted = ", automatic caching included" if automatic and not own else ""
        message = f"{len(marks)} breakpoints{counted}; the API allows {MOST_MARKS}"
        yield Notice("too-many-breakpoints", message, f"{where}:{_path(request, marks[MOST_MARKS], automatic)}")
    for earlier, later in pairwise(marks):
        if ttl_falls(earlier, later):
            message = f"a breakpoint of 1h stands after one of 5m ({blocks[earlier.position].path})"
            yield Notice("ttl-order", message, f"{where}:{_path(request, later, automatic)}")


def ttl_falls(earlier: Mark, later: Mark) -> bool:
    """Whether two marks in cache order stand in the order that the API refuses: 5m before 1h."""
    return earlier.ttl == "5m" and later.ttl == "1h"


def _path(request: Request, mark: Mark, automatic: Mark | None) -> str:
    block = request.blocks[mark.position]
    return "cache_control" if mark == automatic and not block.cache_control else f"{block.path}.cache_control"


def check_marks(marks: Sequence[Mark], blocks: int) -> None:
    """Raise `InvalidInput` for marks that no request could carry: too many, out of order, or beside the prompt."""
    if len(marks) > MOST_MARKS:
        raise InvalidInput(f"{len(marks)} breakpoints; the API allows {MOST_MARKS}", code="too-many-breakpoints")
    for mark in marks:
        if mark.ttl not in TTL_MICROSECONDS:
            raise InvalidInput(f"ttl must be 5m or 1h, not {mark.ttl!r}", code="bad-ttl")
        if not 0 <= mark.position < blocks:
            raise InvalidInput(f"a breakpoint at position {mark.position} of {blocks}", code="bad-breakpoint")
    for earlier, later in pairwise(marks):
        if earlier.position >= later.position:
            raise InvalidInput("breakpoints must be in cache order, one for each block", code="bad-breakpoint")
        if ttl_falls(earlier, later):
            raise InvalidInput("a breakpoint of 1h stands after one of 5m: the API refuses it", code="ttl-order")
