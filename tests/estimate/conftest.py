"""A counter whose answers can be read off the prompt: the text `250 tokens` has 250."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from costkit.core.pricebook import ModelPrice
from costkit.core.request import Block, Request
from costkit.core.tokens import NO_TOKENS, PartCount, TokenCount


@dataclass(frozen=True, slots=True)
class StatedCounter:
    """Believes what each block says about itself; the band is `spread` tokens wide on both sides of every block."""

    spread: int = 0
    method: str = "offline"

    def count_many(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[TokenCount]:
        return [sum((part.count for part in self.count_parts(*job)), NO_TOKENS) for job in jobs]

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:  # noqa: ARG002  the protocol
        return [PartCount(block.path, block, self._count(block)) for block in request.blocks]

    def _count(self, block: Block) -> TokenCount:
        stated = int(str(block.value.get("text") or block.value.get("description")).split()[0])
        return TokenCount(stated, max(0, stated - self.spread), stated + self.spread, self.method)


@pytest.fixture
def stated() -> type[StatedCounter]:
    return StatedCounter
