"""Caching strategies: where each of them puts its breakpoints in a repeated request."""

from __future__ import annotations

from collections.abc import Sequence

from costkit.cache.marks import Mark, check_marks
from costkit.cache.shape import Laid, Shape
from costkit.cache.store import Step, step_of
from costkit.errors import InvalidInput

STRATEGIES = ("none", "as-written", "5m", "1h", "mixed", "automatic")
"""Simplest first: of two that cost the same, the earlier one is recommended."""


def strategies_for(shape: Shape, wanted: str = "auto") -> tuple[str, ...]:
    """The strategies that make sense for a shape; `wanted` other than `auto` is compared with no caching only.

    Raises `InvalidInput` for a strategy that this shape doesn't have.
    """
    possible = ["none", "5m", "1h", "automatic"]
    if shape.head is not None:
        possible.append("mixed")
    if shape.written or shape.automatic_ttl:
        possible.append("as-written")
    if wanted == "auto":
        return tuple(name for name in STRATEGIES if name in possible)
    if wanted not in possible:
        raise InvalidInput(_WHY_NOT.get(wanted, f"there is no strategy {wanted!r}"), code="no-such-strategy")
    return tuple(dict.fromkeys(("none", wanted)))


_WHY_NOT = {
    "mixed": "a mixed strategy needs two places for breakpoints: this prompt has only one",
    "as-written": "this prompt has no breakpoints of its own",
}


def marks_of_strategy(name: str, shape: Shape, laid: Laid) -> tuple[Mark, ...]:
    """The breakpoints that a strategy sets in one repeat, in cache order."""
    if name == "as-written":
        return _as_written(shape, laid)
    if name == "automatic":
        return () if laid.last is None else (Mark(laid.last, "5m"),)
    if name == "none" or laid.stable_end is None:
        return ()
    if name == "mixed":
        head = shape.head
        tail = (Mark(laid.stable_end, "5m"),) if head is None or head < laid.stable_end else ()
        return (*(() if head is None else (Mark(head, "1h"),)), *tail)
    return (Mark(laid.stable_end, name),)


def _as_written(shape: Shape, laid: Laid) -> tuple[Mark, ...]:
    places = {mark.position for mark in shape.written}
    if shape.automatic_ttl is None or laid.last is None or laid.last in places:
        return shape.written
    return (*shape.written, Mark(laid.last, shape.automatic_ttl))


def steps_of_strategy(name: str, shape: Shape, laid: Sequence[Sequence[Laid]], minimum: int) -> list[list[Step]]:
    """Every request of every arrival with the breakpoints of a strategy, ready to be served."""
    marked = [[(one, marks_of_strategy(name, shape, one)) for one in group] for group in laid]
    known = {one.prompt.keys[mark.position] for group in marked for one, marks in group for mark in marks}
    for one, marks in (pair for group in marked[:1] + marked[-1:] for pair in group):
        check_marks(marks, len(one.prompt.keys))
    return [[step_of(one.prompt, marks, minimum, known) for one, marks in group] for group in marked]
