"""Where breakpoints may stand in a prompt, and the times that the cache counts in.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from costkit.errors import InvalidInput

MOST_MARKS = 4
"""Breakpoints in one request; automatic caching uses one of them."""
LOOKBACK = 20
"""Positions that a breakpoint checks for an entry, counting its own."""
SECOND = 1_000_000
"""Times are whole microseconds, so that a request at exactly TTL is decided by arithmetic and not by rounding."""
TTL_MICROSECONDS = {"5m": 300 * SECOND, "1h": 3600 * SECOND}


class Mark(NamedTuple):
    """A breakpoint on the block at a position (from 0, in cache order)."""

    position: int
    ttl: str = "5m"
    """`5m` or `1h`."""


def ttl_falls(earlier: Mark, later: Mark) -> bool:
    """Whether two marks in cache order stand in the order that the API refuses: 5m before 1h."""
    return earlier.ttl == "5m" and later.ttl == "1h"


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
