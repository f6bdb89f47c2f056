"""The cache breakpoints of a request as it is written, and what the API says against them.

Rules: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from costkit.cache.marks import MOST_MARKS
from costkit.core.request import Block, Request

AUTOMATIC = "cache_control"
"""The path of automatic caching: the top level of the body."""
UNMARKABLE = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """One mark: everything up to and including its block is one cache entry."""

    path: str
    """The marked block, or `cache_control` for the automatic one."""
    ttl: str
    position: int
    """Index in `Request.blocks` of the block that it stands on or in."""
    kind: str
    """The type of the marked block."""
    empty: bool = False
    """Whether it stands on a text without a visible character."""

    @property
    def control(self) -> str:
        """The path of the `cache_control` that made it."""
        return self.path if self.path == AUTOMATIC else f"{self.path}.cache_control"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something about the breakpoints of a request that the API answers with 400."""

    code: str
    """`too-many-breakpoints`, `ttl-order`, `ttl-conflict` or `unmarkable-block`."""
    message: str
    path: str


def breakpoints_of(request: Request) -> tuple[Breakpoint, ...]:
    """All marks in cache order, those inside of tool results and documents included, the automatic one last.

    Automatic caching marks the last block that can be marked; where that has a mark of the same TTL it adds nothing.
    """
    marks = [mark for position, block in enumerate(request.blocks) for mark in _marks(block, position)]
    automatic = _automatic(request)
    if automatic is not None and not any(_repeats(automatic, mark) for mark in marks):
        marks.append(automatic)
    return tuple(marks)


def _repeats(automatic: Breakpoint, mark: Breakpoint) -> bool:
    return mark.position == automatic.position and mark.ttl == automatic.ttl


def _automatic(request: Request) -> Breakpoint | None:
    if request.cache_control is None:
        return None
    for position in range(len(request.blocks) - 1, -1, -1):
        block = request.blocks[position]
        if can_be_marked(block):
            return Breakpoint(AUTOMATIC, request.cache_control.ttl, position, block.kind)
    return None


def can_be_marked(block: Block) -> bool:
    """Whether a block can carry a breakpoint: thinking and empty texts can't."""
    return block.kind not in UNMARKABLE and not is_empty(block.value)


def is_empty(block: Mapping[str, object]) -> bool:
    """Whether a block is a text without a visible character, which can't be marked."""
    return block.get("type") == "text" and not str(block.get("text")).strip()


def _marks(block: Block, position: int) -> Iterator[Breakpoint]:
    contains = "content" in block.value or "source" in block.value  # most blocks don't, and long logs have many
    for path, inner in _inside(block.value, block.path) if contains else ():
        control = inner.get("cache_control")
        if isinstance(control, Mapping):
            kind, ttl = str(inner.get("type")), str(control.get("ttl") or "5m")
            yield Breakpoint(path, ttl, position, kind, is_empty(inner))
    if block.cache_control is not None:
        yield Breakpoint(block.path, block.cache_control.ttl, position, block.kind, is_empty(block.value))


def _inside(block: Mapping[str, object], path: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The blocks that a block contains, the innermost first, with their paths."""
    source = block.get("source")
    for holder, place in ((block, path), (source, f"{path}.source")):
        content = holder.get("content") if isinstance(holder, Mapping) else None
        for index, inner in enumerate(content if isinstance(content, list) else ()):
            if isinstance(inner, Mapping):
                yield from _inside(inner, f"{place}.content[{index}]")
                yield f"{place}.content[{index}]", inner


def refusals(marks: Sequence[Breakpoint]) -> Iterator[Refusal]:
    """Everything that the API refuses about the marks of one request, as `breakpoints_of` returns them."""
    for mark in marks:
        if mark.kind in UNMARKABLE:
            yield Refusal("unmarkable-block", f"a {mark.kind} block can't carry a breakpoint", mark.control)
        elif mark.empty:
            yield Refusal("unmarkable-block", "an empty text block can't carry a breakpoint", mark.control)
    automatic = marks[-1] if marks and marks[-1].path == AUTOMATIC else None
    own = next((mark for mark in marks if automatic and mark.position == automatic.position), automatic)
    if automatic and own and own is not automatic:
        message = f"automatic caching with ttl {automatic.ttl} meets a block that is marked with {own.ttl}"
        yield Refusal("ttl-conflict", message, AUTOMATIC)
    if len(marks) > MOST_MARKS:
        counted = ", automatic caching included" if automatic else ""
        message = f"{len(marks)} breakpoints{counted}; the API allows {MOST_MARKS}"
        yield Refusal("too-many-breakpoints", message, marks[MOST_MARKS].control)
    yield from _order(marks if own is automatic else marks[:-1])


def _order(marks: Sequence[Breakpoint]) -> Iterator[Refusal]:
    short = None
    for mark in marks:
        if mark.ttl == "5m":
            short = short or mark
        elif short is not None:
            yield Refusal("ttl-order", f"a 1h breakpoint stands after a 5m one ({short.path})", mark.control)
            return


def end_of_previous_turn(request: Request) -> int | None:
    """The position of the last block that the previous request of this conversation ended with, if there was one.

    That is the last block before the last answer: whatever follows was added since.
    """
    blocks = request.blocks
    at = len(blocks) - 1
    for answering in (True, False, True):  # an answer that is prefilled, this turn, the last answer
        while at >= 0 and (blocks[at].role == "assistant") is answering:
            at -= 1
    return at if at >= 0 and blocks[at].level == "messages" else None
