"""The price book: which model a name means, and what its tokens cost on a given day.

The data are in `pricing.yaml`; this module holds the values and the two questions asked of them: `resolve` a name,
`quote` a key. Rules: https://platform.claude.com/docs/en/about-claude/pricing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from costkit.core.cost import Cost, cost_of
from costkit.core.modelname import is_dated, spellings
from costkit.core.notice import Notice
from costkit.core.rates import RateKey, Rates
from costkit.core.suggest import close_names
from costkit.core.usage import Usage
from costkit.errors import InvalidInput, Undecidable, UnknownModel

TOKENIZERS = ("v3", "v4.7", "v4.8")
IMAGE_TIERS = ("standard", "high_resolution")
CONFIDENCES = ("official", "two-sources", "one-source", "derived", "conflict")
UNSURE = frozenset({"one-source", "derived", "conflict"})
"""Confidences that cause a warning when the price is used."""
_ONE = Decimal(1)
_NEUTRAL_GEOS = frozenset({None, "", "global", "not_available"})


class Tier(NamedTuple):
    """Rates for requests whose whole prompt has at most `up_to` tokens; `None` means any size.

    A tier prices the whole request, output included: 100,001 tokens in a model with a tier at 100,000 cost the
    higher rate for every one of them.
    """

    up_to: int | None
    rates: Rates


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """The prices of a model from one day on, until the next period begins."""

    effective_from: date
    tiers: tuple[Tier, ...]
    source: str
    checked: date
    confidence: str = "official"
    effective_until: date | None = None
    """The last day of an offer that has ended without a successor (fast mode); `None` otherwise."""

    def tier_for(self, prompt_tokens: int) -> int:
        """The index of the tier that one request with this whole prompt falls in."""
        for index, tier in enumerate(self.tiers):
            if tier.up_to is None or prompt_tokens <= tier.up_to:
                return index
        return len(self.tiers) - 1


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The dates of a model's life; `None` where nothing is announced."""

    released: date
    deprecated: date | None = None
    retired: date | None = None
    note: str | None = None

    def status(self, day: date) -> str:
        """`active`, `deprecated` or `retired` on a day."""
        if self.retired is not None and day >= self.retired:
            return "retired"
        if self.deprecated is not None and day >= self.deprecated:
            return "deprecated"
        return "active"


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One model: its names, its limits and its dated prices, oldest period first."""

    id: str
    lifecycle: Lifecycle
    context_window: int
    max_output_tokens: int
    min_cacheable_tokens: int
    tokenizer: str
    """Tokenizer family: `v3`, `v4.7` or `v4.8`; counts don't carry over from one to another."""
    periods: tuple[PricePeriod, ...]
    fast_periods: tuple[PricePeriod, ...] = ()
    aliases: tuple[str, ...] = ()
    geo_multipliers: Mapping[str, Decimal] = field(default_factory=dict)
    """Multiplier of every token price by `inference_geo`; empty where the parameter is refused."""
    batch_max_output_tokens: int | None = None
    image_tier: str = "standard"
    notes: tuple[str, ...] = ()

    def period(self, day: date) -> PricePeriod:
        """The price period of a day; days before the first period use the first."""
        return _period_on(self.periods, day) or self.periods[0]

    def fast_period(self, day: date) -> PricePeriod | None:
        """The fast-mode prices of a day, or `None` where fast mode isn't offered."""
        period = _period_on(self.fast_periods, day)
        ended = period is not None and period.effective_until is not None and day > period.effective_until
        return None if ended else period


class Source(NamedTuple):
    """Where a price was read."""

    what: str
    seen: str
    """A day, `2026-10-09`, or a month where the day is not known."""
    url: str | None = None


class Quote(NamedTuple):
    """The effective rates for a key (modifiers applied), with what the reader should know about them."""

    model: ModelPrice
    rates: Rates
    list_rates: Rates
    """The same before the batch discount; what `saved_by_batch_usd` is measured against."""
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All models and modifiers of one `pricing.yaml`."""

    models: tuple[ModelPrice, ...]
    checked: date
    batch_multiplier: Decimal
    web_search_usd: Decimal
    source: str = "built-in"
    sha256: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """What the `source` of each period stands for."""
    _index: dict[str, ModelPrice] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for model in self.models:
            for name in (model.id, *model.aliases):
                self._index[name] = model
        for name, model in tuple(self._index.items()):
            self._index.setdefault(spellings(name)[0], model)

    def resolve(self, name: str) -> ModelPrice:
        """Find the model that a name means: exact after normalisation, never by prefix.

        A date that isn't listed is accepted where the model's id has none (`claude-opus-5-5-20260922`); of a model
        whose id is dated every other date is another snapshot, and unknown. Raises `UnknownModel`, with close names.
        """
        found = self._index.get(name)
        if found is not None:
            return found
        candidates = spellings(name)
        for spelling in candidates:
            found = self._index.get(spelling)
            if found is not None and (spelling == candidates[0] or _answers_to(found, spelling, candidates[0])):
                self._index[name] = found
                return found
        raise UnknownModel(name, self._similar(candidates[-1].rsplit("/", 1)[-1]))

    def _similar(self, name: str) -> tuple[str, ...]:
        """The ids of a few models with a name like this one, most similar first."""
        names = {listed: model.id for model in self.models for listed in (*model.aliases, model.id)}
        return tuple(dict.fromkeys(names[close] for close in close_names(name, names, most=6)))[:3]

    def active_models(self, day: date) -> tuple[ModelPrice, ...]:
        """The models that one can use on a day and that no one is asked to leave."""
        return tuple(m for m in self.models if m.lifecycle.released <= day and m.lifecycle.status(day) == "active")

    def quote(self, key: RateKey) -> Quote:
        """The effective rates for a key.

        Raises `UnknownModel`, `Undecidable` where no price is known (fast mode on a model or day without it) and
        `InvalidInput` for fast mode in a batch, which the API refuses.
        """
        if key.batch and key.fast:
            raise InvalidInput("fast mode can't be combined with a batch", code="fast-batch")
        model = self.resolve(key.model)
        period = model.fast_period(key.day) if key.fast else model.period(key.day)
        if period is None:
            raise Undecidable(f"no fast-mode price of {model.id} is known for {key.day}", code="unknown-rate")
        geo = model.geo_multipliers.get(key.inference_geo or "", _ONE)
        base = replace(period.tiers[min(key.tier, len(period.tiers) - 1)].rates, web_search=self.web_search_usd)
        listed = base if geo == _ONE else base.scaled(geo)
        rates = listed.scaled(self.batch_multiplier) if key.batch else listed
        return Quote(model, rates, listed, tuple(_caveats(model, period, key)))

    def key_for(
        self,
        usage: Usage,
        model: str,
        day: date,
        *,
        batch: bool = False,
        fast: bool = False,
        inference_geo: str | None = None,
    ) -> RateKey:
        """The rate key of one request with this usage: the place where its tier is decided."""
        found = self.resolve(model)
        period = (found.fast_period(day) if fast else None) or found.period(day)
        return RateKey(found.id, day, period.tier_for(usage.prompt_tokens), batch, fast, inference_geo)

    def cost(
        self,
        usage: Usage,
        model: str,
        day: date,
        *,
        batch: bool = False,
        fast: bool = False,
        inference_geo: str | None = None,
    ) -> Cost:
        """What one request with this usage costs in US dollars, to the last digit."""
        key = self.key_for(usage, model, day, batch=batch, fast=fast, inference_geo=inference_geo)
        return cost_of(usage, self.quote(key).rates)


def _answers_to(model: ModelPrice, shortened: str, given: str) -> bool:
    """Whether a model may be called by a name that was shortened: without its date only if that is its very id."""
    return not is_dated(given) or spellings(model.id)[0] == shortened


def _period_on(periods: tuple[PricePeriod, ...], day: date) -> PricePeriod | None:
    found = None
    for period in periods:
        if period.effective_from <= day:
            found = period
    return found


def _caveats(model: ModelPrice, period: PricePeriod, key: RateKey) -> list[Notice]:
    notices = []
    if period.confidence in UNSURE:
        kind = "fast-mode price" if key.fast else "price"
        message = f"the {kind} of {model.id} is {_SPOKEN[period.confidence]}: check it against your invoice"
        notices.append(Notice("price-confidence", message))
    if key.day < period.effective_from:
        message = f"{key.day} is before the first known price of {model.id}: priced as on {period.effective_from}"
        notices.append(Notice("before-first-price", message))
    if key.inference_geo not in _NEUTRAL_GEOS and key.inference_geo not in model.geo_multipliers:
        message = f"{model.id} has no price for inference_geo {key.inference_geo!r}: priced without a surcharge"
        notices.append(Notice("unknown-geo", message))
    return notices


_SPOKEN = {
    "one-source": "known from one source only",
    "derived": "derived from other prices",
    "conflict": "given differently by different sources",
}
