"""The request that is sent again and again: what stays the same, what is new each time, and how it grows.

A repeat is: the blocks that stay; then, in a growing conversation, the turns so far; then what is new. When a turn
adds at least as many tokens as are new, the new part stays as the question of that turn and the rest is its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from costkit.cache.breakpoints import AUTOMATIC, breakpoints_of, can_be_marked
from costkit.cache.marks import LOOKBACK, Mark
from costkit.cache.prompt import Prefixes, Prompt
from costkit.core.request import Request
from costkit.core.tokens import PartCount

_HISTORY_IN_SIGHT = 2 * LOOKBACK
"""Blocks of the history that are laid out; older ones are out of every breakpoint's sight."""


@dataclass(frozen=True, slots=True)
class Part:
    """One block of the request that is repeated."""

    tokens: int
    level: str
    """`tools`, `system` or `messages`."""
    markable: bool = True


@dataclass(frozen=True, slots=True)
class Shape:
    """A request that is repeated, on one model."""

    parts: tuple[Part, ...]
    stable: int
    """How many of the parts, from the first on, are the same every time."""
    growth: int = 0
    """Tokens by which the conversation is longer with every arrival."""
    written: tuple[Mark, ...] = ()
    """Its own breakpoints, without that of automatic caching."""
    automatic_ttl: str | None = None
    """The TTL of its own automatic caching."""

    @property
    def stable_tokens(self) -> int:
        """Tokens of the parts that stay the same."""
        return sum(part.tokens for part in self.parts[: self.stable])

    @property
    def fresh_tokens(self) -> int:
        """Tokens that are new every time."""
        return sum(part.tokens for part in self.parts[self.stable :])

    @property
    def keeps_questions(self) -> bool:
        """Whether what is new becomes a part of the conversation."""
        return self.growth >= self.fresh_tokens and len(self.parts) == self.stable + 1

    @property
    def head(self) -> int | None:
        """Where a long-lived breakpoint of a mixed strategy stands; `None` where there is only one sensible place.

        That is the end of the last level before what stays ends or, in a growing conversation, the end of its start.
        """
        levels = [part.level for part in self.parts[: self.stable]]
        if self.growth:
            levels.append("messages")
        for position in range(len(levels) - 2, -1, -1):
            if levels[position] != levels[position + 1] and self.parts[position].markable:
                return position
        return self.last_markable(self.stable) if self.growth else None

    def last_markable(self, end: int) -> int | None:
        """The last of the first `end` parts that can carry a breakpoint."""
        return next((i for i in range(end - 1, -1, -1) if self.parts[i].markable), None)


@dataclass(frozen=True, slots=True)
class Laid:
    """One repeat, laid out. Positions are those of `prompt`, from which old history may be left out."""

    prompt: Prompt
    stable_end: int | None
    """The last markable block of what the next repeat will have as well."""
    last: int | None
    """The last markable block."""


def shape_of_sizes(prefix_tokens: int, fresh_tokens: int, growth: int = 0) -> Shape:
    """A prefix that stays and a question that is new every time."""
    fresh = (Part(fresh_tokens, "messages"),) if fresh_tokens else ()
    stable = (Part(prefix_tokens, "system"),) if prefix_tokens else ()
    return Shape((*stable, *fresh), len(stable), growth)


def shape_of_request(request: Request, counts: Sequence[PartCount], growth: int = 0) -> Shape:
    """A request as it is written, with the tokens of its blocks.

    What stays the same is everything up to its last own breakpoint or, where it has none, tools and system or, where
    it has none of these either, everything. A growing conversation starts with all of it.
    """
    parts = tuple(_parts(counts))
    written = {mark.position: mark.ttl for mark in breakpoints_of(request) if mark.path != AUTOMATIC}
    marks = tuple(Mark(position, ttl) for position, ttl in sorted(written.items()))
    static = [position for position, part in enumerate(parts) if part.level != "messages"]
    stable = max([*(mark.position for mark in marks), *static[-1:]], default=len(parts) - 1) + 1
    automatic = request.cache_control.ttl if request.cache_control else None
    return Shape(parts, len(parts) if growth else stable, growth, marks, automatic)


def _parts(counts: Sequence[PartCount]) -> Iterator[Part]:
    """What surrounds the blocks is counted with the block behind it, or with the last one."""
    around = sum(count.count.tokens for count in counts if count.block is None)
    for count in counts:
        if count.block is not None:
            yield Part(count.count.tokens + around, count.block.level, can_be_marked(count.block))
            around = 0


def lay_out(shape: Shape, arrivals: Sequence[int], pool: object) -> list[list[Laid]]:
    """Every request: one list for each arrival, with as many requests as arrive at that instant."""
    prefixes = Prefixes()
    chain = _Chain(prefixes, prefixes.root(pool))
    for number, part in enumerate(shape.parts[: shape.stable]):
        chain.append(("stays", number), part.tokens)
    laid = []
    for turn, requests in enumerate(arrivals):
        laid.append([_one(shape, chain, (turn, number)) for number in range(requests)])
        if shape.growth:
            for identity, tokens in _turn(shape, turn):
                chain.append(identity, tokens)
            chain.forget(shape.stable, len(chain.keys) - _HISTORY_IN_SIGHT)
    return laid


class _Chain:
    """The blocks so far, as numbered prefixes."""

    def __init__(self, prefixes: Prefixes, root: int, keys: Sequence[int] = (), ends: Sequence[int] = ()) -> None:
        self.prefixes = prefixes
        self.root = root
        self.keys = list(keys)
        self.ends = list(ends)

    def append(self, identity: object, tokens: int) -> None:
        """Add a block."""
        self.keys.append(self.prefixes.child(self.keys[-1] if self.keys else self.root, identity))
        self.ends.append((self.ends[-1] if self.ends else 0) + tokens)

    def forget(self, start: int, end: int) -> None:
        """Leave out blocks that nobody looks at any more."""
        if end > start:
            del self.keys[start:end], self.ends[start:end]


def _turn(shape: Shape, turn: int) -> Iterator[tuple[object, int]]:
    """What one turn leaves in the conversation."""
    answer = shape.growth
    if shape.keeps_questions:
        yield ("new", 0, turn, 0), shape.fresh_tokens
        answer -= shape.fresh_tokens
    if answer:
        yield ("turn", turn), answer


def _one(shape: Shape, so_far: _Chain, which: tuple[int, int]) -> Laid:
    chain = _Chain(so_far.prefixes, so_far.root, so_far.keys, so_far.ends)
    before = len(chain.keys)
    for number, part in enumerate(shape.parts[shape.stable :]):
        chain.append(("new", number, *which), part.tokens)
    stable_end = before - 1 if before > shape.stable else shape.last_markable(shape.stable)
    last = shape.last_markable(len(shape.parts))
    if last is None or last < shape.stable:
        last = stable_end
    else:
        last += before - shape.stable
    return Laid(Prompt(tuple(chain.keys), tuple(chain.ends)), stable_end, last)
