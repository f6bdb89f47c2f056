"""Where a breakpoint may stand in every request of a log, said once for all of them.

A place is a block counted from the start of its level, the last tool, the last system block, the end of the previous
turn, or the last block. Where tools or system are shorter than a place says, it is their last block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from costkit.cache.marks import LOOKBACK, Mark
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
    yield from _level(0, {one.levels[0] for one in sent})
    yield from _level(1, {one.levels[1] - one.levels[0] for one in sent})
    yield from (Place(2, nth) for nth in range(max((len(one.prompt.keys) - one.levels[1] for one in sent), default=0)))


def _level(depth: int, sizes: set[int]) -> Iterator[Place]:
    """The blocks of a level and its end; where all requests have as many, the last block is the end."""
    longest = max(sizes, default=0)
    yield from (Place(depth, nth) for nth in range(longest - (len(sizes - {0}) == 1)))
    if longest:
        yield Place(depth)


def candidates(sent: Sequence[Sent], *, boundaries_only: bool = False) -> list[Place]:
    """The places that an optimal plan can need, in cache order.

    Between two places where prefixes stop being shared by the same requests, a breakpoint is read and written by the
    same requests wherever it stands. With one prefix for all of them its bill is linear in its size, so that it is best
    at one of the ends: the last place, or the first, from which it sees what moving breakpoints left before it. With
    several prefixes, one may grow where another hardly does, so that every place can be best. `boundaries_only` leaves
    all but the last out. Ends of turns count too, and the last places that look back to one.
    """
    ends = {one.prompt.keys[at] for one in sent for at in (one.previous_end, one.last) if at is not None}
    kept: list[Place] = []
    usable: Place | None = None
    before: tuple[int, int, int] | None = None
    first = True
    for place in fixed_places(sent):
        shape, can_be_used, sees_an_end = _shape(place, sent, ends)
        if shape != before:
            kept += [usable] if usable is not None else []
            usable, before, first = None, shape, True
        if can_be_used and (sees_an_end or ((first or shape[0] > 1) and not boundaries_only)):
            kept.append(place)
            usable = None
        elif can_be_used:
            usable = place
        first = first and not can_be_used
    return kept if usable is None else [*kept, usable]


def _shape(place: Place, sent: Sequence[Sent], turn_ends: set[int]) -> tuple[tuple[int, int, int], bool, bool]:
    """What tells a place from the next (prefixes, requests, requests above the minimum), and two facts about it.

    These are whether every request can carry a breakpoint there, and whether a turn of some request ends there, or at
    the furthest position that a breakpoint there looks at.
    """
    prefixes: set[int] = set()
    requests = live = 0
    usable, sees_an_end = True, False
    for one in sent:
        at = position_of(place, one)
        if at is not None:
            keys = one.prompt.keys
            usable = usable and at not in one.unmarkable
            requests += 1
            live += one.prompt.ends[at] >= one.minimum
            prefixes.add(keys[at])
            sees_an_end = sees_an_end or (at >= LOOKBACK - 1 and keys[at - LOOKBACK + 1] in turn_ends)
    sees_an_end = sees_an_end or not prefixes.isdisjoint(turn_ends)
    return (len(prefixes), requests, live), usable and live > 0, sees_an_end
