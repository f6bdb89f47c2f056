"""Where a breakpoint may stand in every request of a log, said once for all of them.

A place is a block counted from the start of its level, the last tool, the last system block, the end of the previous
turn, or the last block. Where tools or system are shorter than a place says, it is their last block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from costkit.cache.marks import Mark
from costkit.cache.sent import Sent

LAST = -1


class Place(NamedTuple):
    """One place; in the order of the cache, so that places can be compared."""

    depth: int
    """0 tools, 1 system, 2 messages, 3 the end of the previous turn, 4 the last block."""
    nth: int = LAST
    """Counted from the start of the level; `LAST` is its end, and the only one of the two moving places."""

    @property
    def moves(self) -> bool:
        """Whether it stands somewhere else in every request of a conversation."""
        return self.depth >= PREVIOUS_END.depth

    @property
    def name(self) -> str:
        """The place in words."""
        if self.moves:
            return "the end of the previous turn" if self.depth == PREVIOUS_END.depth else "the last block"
        if self.nth == LAST:
            return ("the last tool", "the last system block")[self.depth]
        return (f"tools[{self.nth}]", f"system block {self.nth + 1}", f"message block {self.nth + 1}")[self.depth]


PREVIOUS_END, LAST_BLOCK = Place(3), Place(4)


class Planned(NamedTuple):
    """A breakpoint of a plan."""

    place: Place
    ttl: str


Plan = tuple[Planned, ...]
"""At most four breakpoints in the order of their places, those of 1h first."""


def position_of(place: Place, sent: Sent) -> int | None:
    """Where a place is in a request; `None` where the request has no such block."""
    if place.depth == LAST_BLOCK.depth:
        return sent.last
    if place.depth == PREVIOUS_END.depth:
        return sent.previous_end
    tools, static = sent.levels
    if place.depth == 0:
        at = (tools if place.nth == LAST else min(place.nth + 1, tools)) - 1
    elif place.depth == 1:
        at = (static if place.nth == LAST else min(tools + place.nth + 1, static)) - 1
    else:
        at = static + place.nth
        return at if at < len(sent.prompt.keys) else None
    return at if at >= 0 else None


def marks_of_plan(plan: Plan, sent: Sent) -> tuple[Mark, ...]:
    """The breakpoints that a plan sets in a request, in cache order.

    Two places at one block are one breakpoint, of the longer TTL; a moving place that is not behind the others sets
    none.
    """
    marks: list[Mark] = []
    for place, ttl in plan:
        at = position_of(place, sent)
        if at is not None and at not in sent.unmarkable and (not marks or at > marks[-1].position):
            marks.append(Mark(at, ttl))
    return tuple(marks)


def fixed_places(sent: Sequence[Sent]) -> Iterator[Place]:
    """Every place that does not move and that at least one request has, in cache order."""
    tools = max((one.levels[0] for one in sent), default=0)
    system = max((one.levels[1] - one.levels[0] for one in sent), default=0)
    messages = max((len(one.prompt.keys) - one.levels[1] for one in sent), default=0)
    yield from chain((Place(0, index) for index in range(tools)), [Place(0)] * (tools > 0))
    yield from chain((Place(1, index) for index in range(system)), [Place(1)] * (system > 0))
    yield from (Place(2, index) for index in range(messages))


def candidates(sent: Sequence[Sent]) -> list[Place]:
    """The places that an optimal plan can need: where a prefix stops being shared by the same requests.

    Between two of them every breakpoint is read and written by the same requests, so that what it costs is linear in
    its size, and best at one of the ends. Ends of turns count too, because moving breakpoints leave entries there.
    """
    ends = {one.prompt.keys[at] for one in sent for at in (one.previous_end, one.last) if at is not None}
    kept: list[Place] = []
    usable: Place | None = None
    before: tuple[int, int, int] | None = None
    for place in fixed_places(sent):
        shape, can_be_used, ends_turns = _shape(place, sent, ends)
        if shape != before and usable is not None:
            kept.append(usable)
            usable = None
        before = shape
        if can_be_used and ends_turns:
            kept.append(place)
            usable = None
        elif can_be_used:
            usable = place
    return kept if usable is None else [*kept, usable]


def _shape(place: Place, sent: Sequence[Sent], turn_ends: set[int]) -> tuple[tuple[int, int, int], bool, bool]:
    """What tells a place from the next (prefixes, requests, requests above the minimum), and two facts about it.

    These are whether every request can carry a breakpoint there, and whether a turn of some request ends there.
    """
    prefixes: set[int] = set()
    requests = live = 0
    usable = True
    for one in sent:
        at = position_of(place, one)
        if at is not None:
            usable = usable and at not in one.unmarkable
            requests += 1
            live += one.prompt.ends[at] >= one.minimum
            prefixes.add(one.prompt.keys[at])
    return (len(prefixes), requests, live), usable and live > 0, not prefixes.isdisjoint(turn_ends)
