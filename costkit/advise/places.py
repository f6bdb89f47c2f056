"""Breakpoints as rules: where in its request each one stands, so that advice can be followed by changing one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from costkit.advise.call import Call, Sketch
from costkit.advise.replay import replayed, sents
from costkit.advise.workload import Workload
from costkit.cache.marks import LOOKBACK, MOST_MARKS, Mark, ttl_falls
from costkit.cache.places import LAST_BLOCK, PREVIOUS_END, Place
from costkit.cache.search import Fleet, bill, fleet_of, simulate

Marks = Sequence[tuple[Mark, ...]]
MOST_SEARCHED = 2_000
"""Requests of one kind that a choice of breakpoints is made on; all are priced."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests that can share entries: one model, speed and way of sending, and the same first block.

    Of each model, those that share their first block with none are a kind too: their breakpoints follow the same rules,
    although there is nothing to read.
    """

    indices: tuple[int, ...]
    fleet: Fleet
    shares: bool = True
    """Whether they have a prefix in common."""


def kinds_of(work: Workload) -> list[Kind]:
    """The kinds of requests that can be replayed, in the order of their first request."""
    groups = work.groups(lambda call: (call.pool, sketch.identities[0]) if (sketch := call.replayable) else None)
    sharing = [indices for indices in groups.values() if len(indices) > 1]
    alone: dict[object, list[int]] = {}
    for indices in groups.values():
        if len(indices) == 1:
            alone.setdefault(work.calls[indices[0]].pool, []).append(indices[0])
    return [_kind(work, indices, shares=True) for indices in sharing] + [
        _kind(work, sorted(indices), shares=False) for indices in alone.values()
    ]


def _kind(work: Workload, indices: Sequence[int], *, shares: bool) -> Kind:
    fleet = fleet_of(sents((work.calls[index] for index in indices), work.pricer.book))
    return Kind(tuple(indices), fleet, shares)


def place_of(sketch: Sketch, mark: Mark) -> Place:
    """Which rule a breakpoint follows."""
    tools, static = sketch.levels
    if mark.position < tools:
        return Place(0) if mark.position == tools - 1 else Place(0, mark.position)
    if mark.position < static:
        return Place(1) if mark.position == static - 1 else Place(1, mark.position - tools)
    if mark.position == sketch.last:
        return LAST_BLOCK
    if mark.position == sketch.previous_end:
        return PREVIOUS_END
    return Place(2, mark.position - static)


def without_place(sketch: Sketch, place: Place) -> tuple[Mark, ...]:
    """The marks but for those of one rule."""
    return tuple(mark for mark in sketch.marks if place_of(sketch, mark) != place)


def with_ttl(sketch: Sketch, place: Place, ttl: str) -> tuple[Mark, ...] | None:
    """The marks with another TTL at one place; `None` where the API would refuse the order."""
    marks = tuple(Mark(m.position, ttl) if place_of(sketch, m) == place else m for m in sketch.marks)
    falls = any(ttl_falls(earlier, later) for earlier, later in pairwise(marks))
    return None if falls else marks


def with_previous_end(sketch: Sketch) -> tuple[Mark, ...] | None:
    """The marks and one more where the previous request ended, for turns that are too long to look back over."""
    at, marks = sketch.previous_end, sketch.marks
    if at is None or not marks or len(marks) >= MOST_MARKS or marks[-1].position - at < LOOKBACK:
        return None
    if any(mark.position - LOOKBACK < at <= mark.position for mark in marks):
        return None
    new = Mark(at, next((mark.ttl for mark in marks if mark.position > at), "5m"))
    return tuple(sorted((*marks, new)))


Change = Callable[[Sketch, Place], "tuple[Mark, ...] | None"]


def improve(work: Workload, change: Change, chosen: Callable[[Mark], bool]) -> tuple[Workload, dict[Place, list[int]]]:
    """Apply a change at every place where that makes a kind of request cheaper, one place after the other.

    `change` gives the new marks of a request (`None`: not possible), `chosen` says which marks it is about. Returns
    the working copy, billed for it, and the calls that were changed by the place.
    """
    changed: dict[int, Call] = {}
    touched: dict[Place, list[int]] = {}
    for kind in kinds_of(work):
        sketches = _sketches(work, kind)
        cost = bill(kind.fleet, simulate(kind.fleet, [sketch.marks for sketch in sketches]))
        for place in _places(sketches, chosen):
            trial = [_changed(sketch, change, place) for sketch in sketches]
            new = bill(kind.fleet, simulate(kind.fleet, [sketch.marks for sketch in trial]))
            if new < cost:
                moved = [i for i, old, one in zip(kind.indices, sketches, trial, strict=True) if old.marks != one.marks]
                touched.setdefault(place, []).extend(moved)
                sketches, cost = trial, new
        changed |= remarked(work, kind, sketches)
    return replayed(work, work.changed(changed)), touched


def remarked(work: Workload, kind: Kind, sketches: Sequence[Sketch]) -> Mapping[int, Call]:
    """The calls of a kind whose sketches are others now."""
    return {
        index: replace(work.calls[index], sketch=sketch)
        for index, sketch in zip(kind.indices, sketches, strict=True)
        if work.calls[index].sketch is not sketch
    }


def _sketches(work: Workload, kind: Kind) -> list[Sketch]:
    return [sketch for index in kind.indices if (sketch := work.calls[index].sketch) is not None]


def _changed(sketch: Sketch, change: Change, place: Place) -> Sketch:
    marks = change(sketch, place)
    return sketch if marks is None or marks == sketch.marks else replace(sketch, marks=marks)


def _places(sketches: Sequence[Sketch], chosen: Callable[[Mark], bool]) -> Iterator[Place]:
    found = {place_of(sketch, mark) for sketch in sketches for mark in sketch.marks if chosen(mark)}
    yield from sorted(found)[:LOOKBACK]
