"""Token counts that say how sure they are, and the interface of whatever counts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from costkit.core.pricebook import ModelPrice
from costkit.core.request import Block, Request


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens with its band: `low <= tokens <= high`, and how it was counted.

    Adding keeps the band honest by adding the ends. `TokenCount(0, 0, 0, "")` is the neutral element.
    """

    tokens: int
    low: int
    high: int
    method: str
    """`exact` (the API), `calibrated` (local, corrected by exact counts), `offline` (a local tokenizer), `tiktoken` or
    `characters`, coarser in this order; `mixed` for a sum of several."""

    def __add__(self, other: TokenCount) -> TokenCount:
        methods = {self.method, other.method} - {""}
        method = methods.pop() if len(methods) == 1 else ("mixed" if methods else "")
        return TokenCount(self.tokens + other.tokens, self.low + other.low, self.high + other.high, method)

    def __mul__(self, times: int) -> TokenCount:
        return TokenCount(self.tokens * times, self.low * times, self.high * times, self.method)

    def as_json(self) -> dict[str, int | str]:
        """The `input_tokens` object of costkit's JSON documents."""
        return {"low": self.low, "expected": self.tokens, "high": self.high, "method": self.method}


NO_TOKENS = TokenCount(0, 0, 0, "")


@dataclass(frozen=True, slots=True)
class PartCount:
    """The tokens of one block, or of what surrounds the blocks (`block` is `None`: frame, tool prompt)."""

    path: str
    block: Block | None
    count: TokenCount


class TokenCounter(Protocol):
    """Counts the input tokens of whole requests; adapters satisfy it without inheriting from it."""

    def count_many(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[TokenCount]:
        """Count each request with the tokenizer of its model, in order."""

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:
        """Count a request block by block, in cache order; the parts sum to the count of the whole request."""
