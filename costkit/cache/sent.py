"""Logged requests laid out for the simulator: when, which prefixes, how many tokens, which breakpoints, which rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from costkit.cache.breakpoints import breakpoints_of, can_be_marked, end_of_previous_turn, refusals
from costkit.cache.content import content_bytes, digest_of, prompt_settings
from costkit.cache.divergence import start_of_level
from costkit.cache.marks import SECOND, Mark
from costkit.cache.outline import shares
from costkit.cache.prompt import Prefixes, Prompt
from costkit.cache.tariff import Tariff
from costkit.cache.traffic import LoggedRequest
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import Block, Request
from costkit.core.tokens import TokenCounter
from costkit.errors import InvalidInput, UnknownModel


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the cache sees it. Positions count blocks from 0, in cache order."""

    where: str
    at: int
    """Start in microseconds."""
    prompt: Prompt
    identities: tuple[int, ...]
    """A number for each block: equal numbers mean equal content."""
    marks: tuple[Mark, ...]
    """Its own breakpoints."""
    tariff: Tariff
    levels: tuple[int, int]
    """How many blocks are tools, and how many tools or system."""
    unmarkable: frozenset[int]
    """Positions that can't carry a breakpoint."""
    last: int | None
    """The last position that can carry one."""
    previous_end: int | None
    """Where the previous request of this conversation ended, or the last markable position before that."""

    @property
    def minimum(self) -> int:
        """Tokens from which on a prefix is cached."""
        return self.tariff.model.min_cacheable_tokens


@dataclass(slots=True)
class Layout:
    """Lays requests out; those of one layout share the numbers of their prefixes.

    `model` stands in for bodies that name none. A block's tokens are counted where it is first met; what surrounds the
    blocks is counted with the first one, what a longer conversation adds to that with the last one. Once `most_counted`
    characters were counted, the tokens of further blocks are scaled from their length, by what was counted before.
    """

    counter: TokenCounter
    book: PriceBook
    as_of: date
    model: str | None = None
    most_counted: int | None = None
    prefixes: Prefixes = field(default_factory=Prefixes)
    scaled: int = 0
    """Blocks whose tokens were scaled from their length."""
    _seen: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """By model and kind, the tokens and characters that were counted."""
    _ids: dict[object, int] = field(default_factory=dict)
    _tokens: dict[tuple[str, int], int] = field(default_factory=dict)
    _around: dict[tuple[str, int], int] = field(default_factory=dict)
    _tariffs: dict[tuple[object, ...], Tariff] = field(default_factory=dict)

    def lay_out(self, logged: LoggedRequest, at: int) -> Sent:
        """Lay out one request that starts at a moment, in microseconds.

        Raises `InvalidInput` for breakpoints that the API refuses and where no model is known, `UnknownModel` for a
        model without a price.
        """
        request = logged.request
        tariff = self._tariff(logged)
        own = breakpoints_of(request)
        for refusal in refusals(own):
            hint = "costkit cache lint shows everything that is wrong"
            raise InvalidInput(refusal.message, code=refusal.code, where=logged.place(refusal.path), hint=hint)
        identities = self._identities(request, logged.digests or tuple(map(digest_of, request.blocks)))
        if logged.tokens is not None:
            self._take_over(tariff.model, identities, logged.tokens)
        tokens = self._sizes(request, tariff.model, identities)
        unmarkable = frozenset(at for at, block in enumerate(request.blocks) if not can_be_marked(block))
        return Sent(
            logged.where,
            at,
            self.prefixes.prompt(tariff.pool, zip(identities, tokens, strict=True)),
            identities,
            tuple(Mark(position, ttl) for position, ttl in {mark.position: mark.ttl for mark in own}.items()),
            tariff,
            (len(request.level("tools")), len(request.level("tools")) + len(request.level("system"))),
            unmarkable,
            _markable(len(request.blocks) - 1, unmarkable),
            _markable(end_of_previous_turn(request), unmarkable),
        )

    def _tariff(self, logged: LoggedRequest) -> Tariff:
        name = logged.request.model or self.model
        if name is None:
            raise InvalidInput("names no model", where=logged.where, code="no-model", hint="add -m MODEL")
        day = self.as_of if logged.sent is None else datetime.fromtimestamp(logged.sent // SECOND, UTC).date()
        geo = logged.request.body.get("inference_geo") or (logged.usage.inference_geo if logged.usage else None)
        key = (name, day, logged.batch, logged.fast, geo)
        found = self._tariffs.get(key)
        if found is None:
            try:
                model = self.book.resolve(name)
            except UnknownModel as unknown:
                raise UnknownModel(unknown.name, unknown.candidates, where=logged.where) from None
            found = self._tariffs[key] = Tariff(
                self.book,
                model,
                day,
                batch=logged.batch,
                fast=logged.fast,
                inference_geo=geo if isinstance(geo, str) else None,
            )
        return found

    def _identities(self, request: Request, digests: Sequence[bytes]) -> tuple[int, ...]:
        """A number for the content of each block, with the parameters that count from its level on."""
        ids = self._ids
        found = [ids.setdefault(digest, len(ids)) for digest in digests]
        settings: dict[int, list[str]] = {}
        for name, (level, value) in prompt_settings(request).items():
            if value not in (None, False, {"type": "auto"}):
                at = start_of_level(request.blocks, level)
                settings.setdefault(at, []).append(f"{name}={value!r}")
        for at, values in settings.items():
            if at < len(found):
                content = found[at]
                found[at] = ids.setdefault((content, *values), len(ids))
        return tuple(found)

    def _sizes(self, request: Request, model: ModelPrice, identities: tuple[int, ...]) -> list[int]:
        known, extra = self._tokens, 0
        if not all((model.id, identity) in known for identity in identities):
            counted = sum(length for (name, _), (_, length) in self._seen.items() if name == model.id)
            if self.most_counted is None or counted < self.most_counted:
                extra = self._count(request, model, identities)
            else:
                self._scale(request, model, identities)
        stays = self._around.get((model.id, identities[0]))
        if stays is None:
            stays = next(tokens for (name, _), tokens in self._around.items() if name == model.id)
        sizes = [known[model.id, identity] for identity in identities]
        sizes[0] += stays
        sizes[-1] += extra
        return sizes

    def _take_over(self, model: ModelPrice, identities: tuple[int, ...], told: tuple[int, ...]) -> None:
        """Learn the tokens of blocks from a log that tells them.

        What a log tells is one prompt's bill, divided; so new blocks get what the known ones leave of it, and a
        conversation's turns add up to its bills. Where too little is left, they get what is told.
        """
        known = self._tokens
        new = {identity: tokens for identity, tokens in zip(identities, told, strict=True) if tokens}
        new = {identity: tokens for identity, tokens in new.items() if (model.id, identity) not in known}
        left = sum(told) - sum(known.get((model.id, identity), 0) for identity in identities)
        whole = sum(new.values())
        given = shares(left if 2 * left >= whole else whole, list(new.values()))
        for identity, tokens in zip(new, given, strict=True):
            known[model.id, identity] = tokens
        for identity in identities:
            known.setdefault((model.id, identity), 0)
        self._around.setdefault((model.id, identities[0]), 0)

    def _count(self, request: Request, model: ModelPrice, identities: tuple[int, ...]) -> int:
        """Count the blocks of a request; what surrounds them beyond what is usual is returned."""
        parts = self.counter.count_parts(request, model)
        tokens = [part.count.tokens for part in parts if part.block is not None]
        for block, identity, count in zip(request.blocks, identities, tokens, strict=True):
            if (model.id, identity) not in self._tokens:
                self._tokens[model.id, identity] = count
                seen = self._seen.setdefault((model.id, block.kind), [0, 0])
                seen[0] += count
                seen[1] += _length(block)
        around = sum(part.count.tokens for part in parts if part.block is None)
        return around - min(around, self._around.setdefault((model.id, identities[0]), around))

    def _scale(self, request: Request, model: ModelPrice, identities: tuple[int, ...]) -> None:
        for block, identity in zip(request.blocks, identities, strict=True):
            if (model.id, identity) not in self._tokens:
                kinds = [seen for (name, _), seen in self._seen.items() if name == model.id]
                overall = [sum(tokens for tokens, _ in kinds), sum(length for _, length in kinds)]
                tokens, length = self._seen.get((model.id, block.kind), overall)
                self._tokens[model.id, identity] = max(1, _length(block) * tokens // max(1, length))
                self.scaled += 1


def _length(block: Block) -> int:
    """The characters of a block: of its text, or of its content as JSON."""
    return len(str(block.value["text"])) if block.kind == "text" else len(content_bytes(block))


def _markable(position: int | None, unmarkable: frozenset[int]) -> int | None:
    """The last position up to this one that can carry a breakpoint."""
    while position is not None and position in unmarkable:
        position = position - 1 if position else None
    return position if position is None or position >= 0 else None
