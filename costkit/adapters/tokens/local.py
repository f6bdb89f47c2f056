"""Counting without a network: the layout of a request, the best engine at hand, and the measured band."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from costkit.adapters.tokens.overheads import Profile, band_for, profile_for
from costkit.adapters.tokens.piece import Piece
from costkit.adapters.tokens.structure import lay_out
from costkit.core.pricebook import ModelPrice
from costkit.core.request import Block, Request
from costkit.core.tokens import PartCount, TokenCount
from costkit.estimate.calibration import Compared, Correction

MOST_REMEMBERED = 65_536


class Engine(Protocol):
    """Counts the tokens of one text for one tokenizer family."""

    @property
    def method(self) -> str:
        """The `method` of its counts."""

    def supports(self, family: str) -> bool:
        """Whether it can count for a family here and now."""

    def count(self, text: str, family: str) -> int:
        """Tokens of a text, without what surrounds it."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """One place of a request with its tokens before the band of the whole."""

    path: str
    tokens: int
    low: int
    high: int


class LocalCounter:
    """Counts requests with the first of its engines that supports the model's tokenizer.

    A text that several requests share (a system prompt, a tool) is counted once. `corrections` are what exact counts
    of the user's own requests have taught.
    """

    def __init__(self, engines: Sequence[Engine], corrections: Sequence[Correction] = ()) -> None:
        self._engines = tuple(engines)
        self._corrections = {(one.family, one.method): one for one in corrections}
        self._chosen: dict[str, Engine] = {}
        self._remembered: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._profiles: dict[str, tuple[ModelPrice, Profile]] = {}

    def count_many(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[TokenCount]:
        """Count each request with the tokenizer of its model, in order."""
        return [self._count(request, model)[1] for request, model in jobs]

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:
        """Count a request block by block, in cache order; the parts and their bands sum to the whole.

        The first part (without a block) is what surrounds the blocks: frame, turns, tool prompt.
        """
        counted, whole = self._count(request, model)
        return share_out(request, counted, whole)

    def compare(self, request: Request, model: ModelPrice, exact: int) -> Compared:
        """The local count beside an exact one, with what decides how far they may be apart."""
        profile = self._profile(model)
        return Compared(profile.family, lay_out(request, profile).kind, exact, self._count(request, model)[1])

    def divide(self, request: Request, model: ModelPrice, whole: TokenCount) -> Sequence[PartCount]:
        """Divide a count that came from elsewhere over the blocks, in the proportions of the local count."""
        counted, _ = self._count(request, model)
        even = [_Counted(item.path, item.tokens, item.tokens, item.tokens) for item in counted]
        return share_out(request, even, whole)

    def _count(self, request: Request, model: ModelPrice) -> tuple[list[_Counted], TokenCount]:
        profile = self._profile(model)
        engine = self._engine(profile.family)
        layout = lay_out(request, profile)
        counted = [self._piece(piece, engine, profile.family) for piece in layout.pieces]
        band = band_for(engine.method, profile, layout.kind)
        tokens = sum(item.tokens for item in counted)
        low, high = sum(item.low for item in counted), sum(item.high for item in counted)
        low -= math.floor(low * band.below) + band.absolute
        high += math.floor(high * band.above) + band.absolute
        whole = TokenCount(tokens, max(0, low), high, engine.method)
        correction = self._corrections.get((profile.family, engine.method))
        return counted, correction.applied(whole) if correction and layout.kind in correction.kinds else whole

    def _profile(self, model: ModelPrice) -> Profile:
        known = self._profiles.get(model.id)
        if known is None or known[0] is not model:
            known = self._profiles[model.id] = (model, profile_for(model))
        return known[1]

    def _engine(self, family: str) -> Engine:
        if family not in self._chosen:
            self._chosen[family] = next(engine for engine in self._engines if engine.supports(family))
        return self._chosen[family]

    def _piece(self, piece: Piece, engine: Engine, family: str) -> _Counted:
        if not piece.text:
            return _Counted(piece.path, piece.tokens, piece.low, piece.high)
        tokens = self._text(piece.before + piece.text, engine, family)
        if piece.before:
            tokens = max(0, tokens - self._text(piece.before, engine, family))
        return _Counted(piece.path, tokens, tokens, tokens)

    def _text(self, text: str, engine: Engine, family: str) -> int:
        key = (family, hashlib.blake2b(text.encode(), digest_size=16).digest())
        tokens = self._remembered.get(key)
        if tokens is None:
            tokens = engine.count(text, family)
            self._remembered[key] = tokens
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        else:
            self._remembered.move_to_end(key)
        return tokens


def share_out(request: Request, counted: Iterable[_Counted], whole: TokenCount) -> list[PartCount]:
    """Divide a whole count over the blocks in proportion to what was counted, without losing a token.

    Each of the three numbers is cut at the running sums, so that parts add up to the whole and keep their order.
    """
    places: list[tuple[str, Block | None]] = [("", None), *((block.path, block) for block in request.blocks)]
    sums = {path: [0, 0, 0] for path, _ in places}
    for item in counted:
        for index, amount in enumerate((item.tokens, item.low, item.high)):
            sums[item.path][index] += amount
    columns = [
        _cut([sums[path][index] for path, _ in places], total)
        for index, total in enumerate((whole.tokens, whole.low, whole.high))
    ]
    return [
        PartCount(path, block, TokenCount(tokens, low, high, whole.method))
        for (path, block), tokens, low, high in zip(places, *columns, strict=True)
    ]


def _cut(shares: Sequence[int], total: int) -> list[int]:
    """Cut a total into whole numbers proportional to the shares."""
    weight, running, before, parts = sum(shares), 0, 0, []
    for share in shares:
        running += share
        upto = total * running // weight if weight else 0
        parts.append(upto - before)
        before = upto
    return parts
