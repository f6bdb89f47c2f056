"""What a choice of models costs for a whole set of requests, caches included.

Requests are served one after the other through the cache of the API, each model with entries of its own. A request that
finds its prefix with another model only has to write what it could have read: (w - r) · S · P_new, with the tokens S of
the new model's tokenizer, its write and read multiples w and r, and its input price P_new. Here it is the difference
between what the request is billed and what it would be billed if the models shared one cache, to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from costkit.cache.content import digest_of
from costkit.cache.prompt import Prefixes, Prompt
from costkit.cache.sent import Layout, Sent
from costkit.cache.store import CacheStore, Served, step_of
from costkit.cache.tariff import Tariff
from costkit.cache.traffic import LoggedRequest
from costkit.core.money import minus, total
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.core.request import Request as MessagesRequest
from costkit.core.tokens import NO_TOKENS, TokenCount, TokenCounter
from costkit.core.usage import Usage
from costkit.estimate import Prompt as Request
from costkit.route.result import Plan, Share

_STEP = 1_000
"""Microseconds between requests: one after the other, and well within the life of every entry."""


class Priced(NamedTuple):
    """One request on one model."""

    model: str
    tokens: TokenCount
    usage: Usage
    usd: Decimal
    switching_usd: Decimal
    switched: bool


@dataclass(slots=True)
class Pricer:
    """Prices requests on any model; what was counted or laid out for a model is kept for the next plan."""

    requests: Sequence[Request]
    counter: TokenCounter
    book: PriceBook
    as_of: date
    output_tokens: int = 0
    slowed: set[str] = field(default_factory=set)
    """Models without a fast mode that stand in for requests which ask for it."""
    _layout: Layout | None = None
    _counts: dict[tuple[int, str], TokenCount] = field(default_factory=dict)
    _sent: dict[tuple[int, str], Sent] = field(default_factory=dict)
    _digests: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    _shared: Prefixes = field(default_factory=Prefixes)

    def plan(self, name: str, models: Sequence[str], classifier_usd: Decimal) -> tuple[Plan, list[Priced]]:
        """Price the set with a model for each request, in order."""
        self._count(models)
        own, shared = CacheStore(), CacheStore()
        each = [self._price(at, model, own, shared) for at, model in enumerate(models)]
        plan = Plan(
            name,
            _shares(each),
            sum((one.tokens for one in each), NO_TOKENS),
            sum((one.usage for one in each), Usage()),
            total(one.usd for one in each),
            sum(one.switched for one in each),
            total(one.switching_usd for one in each),
            classifier_usd,
        )
        return plan, each

    def notices(self, models: Sequence[str]) -> list[Notice]:
        """What should be known about the prices of models."""
        found = [
            Notice("no-fast-mode", f"{model} has no fast mode: requests that ask for it are priced at the usual speed")
            for model in sorted(self.slowed)
        ]
        for model in dict.fromkeys(models):
            key = self.book.key_for(Usage(), model, self.as_of)
            found += self.book.quote(key).notices
        return found

    def _count(self, models: Sequence[str]) -> None:
        missing = [(at, model) for at, model in enumerate(models) if (at, model) not in self._counts]
        jobs = [(self.requests[at].request, self.book.resolve(model)) for at, model in missing]
        self._counts.update(zip(missing, self.counter.count_many(jobs), strict=True))

    def _price(self, at: int, model: str, own: CacheStore, shared: CacheStore) -> Priced:
        sent, count = self._lay_out(at, model), self._counts[at, model]
        tariff, moment = sent.tariff, at * _STEP
        served = own.serve(moment, step_of(sent.prompt, sent.marks, sent.minimum))
        together = self._together(sent)
        ideal = shared.serve(moment, step_of(together, sent.marks, sent.minimum))
        lost = served.read_tokens < ideal.read_tokens
        usd = tariff.cost(served)
        return Priced(
            model, count, _usage(served, tariff), usd, minus(usd, tariff.cost(ideal)) if lost else Decimal(0), lost
        )

    def _as_sent(self, prompt: Request, model: str) -> MessagesRequest:
        """The request for a model; where that has no fast mode, at the usual speed."""
        request = replace(prompt.request, model=model)
        if request.body.get("speed") == "fast" and self.book.resolve(model).fast_period(self.as_of) is None:
            self.slowed.add(model)
            request = replace(request, body={**request.body, "speed": "standard"})
        return request

    def _together(self, sent: Sent) -> Prompt:
        """The same prompt with prefixes that all models share."""
        prompt = sent.prompt
        sizes = [end - start for start, end in zip((0, *prompt.ends), prompt.ends, strict=False)]
        return self._shared.prompt("all", zip(sent.identities, sizes, strict=True))

    def _lay_out(self, at: int, model: str) -> Sent:
        found = self._sent.get((at, model))
        if found is not None:
            return found
        if self._layout is None:
            self._layout = Layout(self.counter, self.book, self.as_of)
        prompt = self.requests[at]
        if at not in self._digests:
            self._digests[at] = tuple(map(digest_of, prompt.request.blocks))
        request = self._as_sent(prompt, model)
        logged = LoggedRequest(prompt.where, request, digests=self._digests[at])
        sent = self._layout.lay_out(logged, at * _STEP)
        sent = replace(sent, tariff=replace(sent.tariff, output_tokens=self.output_tokens))
        self._sent[at, model] = sent
        return sent


def _usage(served: Served, tariff: Tariff) -> Usage:
    return served.usage(tariff.output_tokens)


def _shares(each: Sequence[Priced]) -> tuple[Share, ...]:
    by_model: dict[str, list[Priced]] = {}
    for one in each:
        by_model.setdefault(one.model, []).append(one)
    shares = [Share(model, len(own), total(one.usd for one in own)) for model, own in by_model.items()]
    return tuple(sorted(shares, key=lambda share: (-share.requests, share.model)))
