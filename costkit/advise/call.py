"""One billed response as a remedy sees it: what selects its price, what it used, and what is known of its request."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from costkit.cache.marks import Mark
from costkit.cache.traffic import LoggedRequest
from costkit.core.pricebook import ModelPrice
from costkit.core.usage import Usage
from costkit.report.records import FileRead, Record, Remark, Skipped


class Heard(NamedTuple):
    """What one document of a log tells: a billed response, the request that led to it, or both."""

    record: Record | None
    logged: LoggedRequest | None
    stop_reason: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


Item = Heard | Skipped | Remark | FileRead


@dataclass(frozen=True, slots=True)
class Sketch:
    """A request without its text: numbers for its blocks in cache order, their tokens, and where its marks are.

    Equal identities mean equal content (and equal parameters of the level); they come from one `Sketcher`.
    """

    identities: array[int]
    sizes: array[int]
    """Tokens of each block with the tokenizer of the call's model; what surrounds them is in the first and last."""
    marks: tuple[Mark, ...]
    levels: tuple[int, int]
    """How many blocks are tools, and how many tools or system."""
    unmarkable: frozenset[int]
    last: int | None
    """The last position that can carry a breakpoint."""
    previous_end: int | None
    """Where the previous request of this conversation ended."""
    digest: bytes
    """Of the whole request, every parameter included."""
    has_text: bool = True
    """Whether the request was logged, or only the digests of its blocks."""
    other_sizes: array[int] | None = None
    """Tokens of each block with the tokenizer of newer models, where that is another one and the text is there."""
    max_tokens: int | None = None
    has_thinking: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of the whole prompt, as counted."""
        return sum(self.sizes)

    def with_blocks(self, blocks: Mapping[int, tuple[int, int]]) -> Sketch:
        """The same with other blocks at some positions: (identity, how many tokens more it has; never below one)."""
        identities, sizes = array("q", self.identities), array("q", self.sizes)
        others = array("q", self.other_sizes) if self.other_sizes is not None else None
        for position, (identity, more) in blocks.items():
            identities[position] = identity
            sizes[position] = max(1, sizes[position] + more)
            if others is not None:
                others[position] = max(1, others[position] + more)
        return replace(self, identities=identities, sizes=sizes, other_sizes=others)


@dataclass(frozen=True, slots=True)
class Call:
    """A response that was billed at one model's rates."""

    where: str
    """`file:line`."""
    at: int | None
    """Microseconds since 1970, UTC."""
    day: date
    """The UTC day whose prices hold."""
    model: ModelPrice
    usage: Usage
    batch: bool = False
    fast: bool = False
    inference_geo: str | None = None
    session: str | None = None
    project: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    stop_reason: str | None = None
    refused: bool = False
    is_request: bool = True
    """False for a further sampling inside of a response, which has a bill but no prompt of its own."""
    simulated: bool = False
    """Whether the log has no usage, and the input is what the request should have been billed for as it is written."""
    sketch: Sketch | None = None

    @property
    def pool(self) -> tuple[str, bool, bool]:
        """What cache entries are never shared across."""
        return (self.model.id, self.fast, self.batch)

    @property
    def replayable(self) -> Sketch | None:
        """Its request, where the cache can be replayed with it: that takes the time as well."""
        return self.sketch if self.at is not None else None
