"""One model of a price book file: its fields, its dated periods, its tiers. The format is shown in `pricing.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from costkit.adapters.pricing_fields import (
    as_choice,
    as_day,
    as_day_or_none,
    as_items,
    as_multiplier,
    as_name,
    as_rate,
    as_text,
    as_whole_number,
    fields,
    is_null,
    named,
)
from costkit.adapters.yaml_tree import Node
from costkit.core.pricebook import CONFIDENCES, IMAGE_TIERS, TOKENIZERS, Lifecycle, ModelPrice, PricePeriod, Tier
from costkit.core.rates import Rates
from costkit.errors import InvalidPricing

_RATES = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")
_LIMITS = ("context_window", "max_output_tokens", "min_cacheable_tokens")
_REQUIRED = ("lifecycle", *_LIMITS, "tokenizer", "image_tier", "prices")
_OPTIONAL = ("aliases", "batch_max_output_tokens", "inference_geo", "fast", "notes")
_PROVENANCE = ("source", "checked", "confidence")


class Provenance(NamedTuple):
    """Where prices come from: the sources that a file may name, and what holds when a period says nothing."""

    sources: Collection[str]
    required: tuple[str, ...] = _PROVENANCE
    """The keys that every period must have because nothing stands in for them."""
    source: str = ""
    checked: date = date.min
    confidence: str = "official"


def read_model(name: str, node: Node, base: ModelPrice | None, provenance: Provenance) -> ModelPrice:
    """Read a model; with `base`, only what differs from it.

    Aliases and the dates of the lifecycle are added to those of the base; prices take over from their first day, so
    what was billed before keeps its price; everything else is replaced. An empty `fast` takes fast mode away.
    """
    required, optional = ((), (*_REQUIRED, *_OPTIONAL)) if base else (_REQUIRED, _OPTIONAL)
    given = fields(node, name, required, optional)
    changes: dict[str, Any] = {
        attribute: read(given[key], f"{name}: {key}") for key, (attribute, read) in _PLAIN.items() if key in given
    }
    if "lifecycle" in given:
        changes["lifecycle"] = _lifecycle(given["lifecycle"], f"{name}: lifecycle", base.lifecycle if base else None)
    if "aliases" in given:
        kept = base.aliases if base else ()
        added = _aliases(given["aliases"], f"{name}: aliases")
        changes["aliases"] = (*kept, *(alias for alias in added if alias not in kept))
    if "prices" in given:
        periods = _periods(given["prices"], f"{name}: prices", provenance)
        if not periods:
            raise InvalidPricing(f"{name}: prices is empty", where=given["prices"].where)
        changes["periods"] = _continued(base.periods if base else (), periods)
    if "fast" in given:
        fast = _periods(given["fast"], f"{name}: fast", provenance, may_end=True)
        changes["fast_periods"] = _continued(base.fast_periods if base else (), fast)
    return replace(base, **changes) if base else ModelPrice(id=name, **changes)


def _aliases(node: Node, what: str) -> tuple[str, ...]:
    aliases: list[str] = []
    for item in as_items(node, what):
        alias = as_name(item, what)
        if alias in aliases:
            raise InvalidPricing(f"{what}: {alias} is listed twice", where=item.where)
        aliases.append(alias)
    return tuple(aliases)


def _lifecycle(node: Node, what: str, base: Lifecycle | None) -> Lifecycle:
    required, optional = ((), ("released",)) if base else (("released",), ())
    given = fields(node, what, required, (*optional, "deprecated", "retired", "note"))
    changes: dict[str, Any] = {
        key: as_day_or_none(given[key], f"{what}: {key}") for key in ("deprecated", "retired") if key in given
    }
    if "released" in given:
        changes["released"] = as_day(given["released"], f"{what}: released")
    if "note" in given:
        changes["note"] = None if is_null(given["note"]) else as_text(given["note"], f"{what}: note")
    lifecycle = replace(base, **changes) if base else Lifecycle(**changes)
    days = [day for day in (lifecycle.released, lifecycle.deprecated, lifecycle.retired) if day is not None]
    if days != sorted(days):
        raise InvalidPricing(f"{what}: released, deprecated, retired must follow each other", where=node.where)
    return lifecycle


def _whole_number_or_none(node: Node, what: str) -> int | None:
    return None if is_null(node) else as_whole_number(node, what)


def _tokenizer(node: Node, what: str) -> str:
    return as_choice(node, what, TOKENIZERS)


def _image_tier(node: Node, what: str) -> str:
    return as_choice(node, what, IMAGE_TIERS)


def _geo_multipliers(node: Node, what: str) -> Mapping[str, Decimal]:
    return {geo: as_multiplier(value, f"{what}: {geo}") for geo, (_, value) in named(node, what).items()}


def _notes(node: Node, what: str) -> tuple[str, ...]:
    return tuple(as_text(item, what) for item in as_items(node, what))


_PLAIN: Mapping[str, tuple[str, Callable[[Node, str], object]]] = {
    "context_window": ("context_window", as_whole_number),
    "max_output_tokens": ("max_output_tokens", as_whole_number),
    "batch_max_output_tokens": ("batch_max_output_tokens", _whole_number_or_none),
    "min_cacheable_tokens": ("min_cacheable_tokens", as_whole_number),
    "tokenizer": ("tokenizer", _tokenizer),
    "image_tier": ("image_tier", _image_tier),
    "inference_geo": ("geo_multipliers", _geo_multipliers),
    "notes": ("notes", _notes),
}
"""Keys that are read one by one: key in the file → attribute of `ModelPrice`, and how to read it."""


def _periods(node: Node, what: str, provenance: Provenance, *, may_end: bool = False) -> tuple[PricePeriod, ...]:
    periods: list[PricePeriod] = []
    for item in as_items(node, what):
        period = _period(item, what, provenance, may_end=may_end)
        if periods:
            _check_order(periods[-1], period, what, item.where)
        periods.append(period)
    return tuple(periods)


def _continued(base: tuple[PricePeriod, ...], added: tuple[PricePeriod, ...]) -> tuple[PricePeriod, ...]:
    """The periods of the base up to the first day of those that are added; nothing is left of it if none are."""
    if not added:
        return ()
    begin = added[0].effective_from
    kept = [period for period in base if period.effective_from < begin]
    last_day = kept[-1].effective_until if kept else None
    if last_day is not None and last_day >= begin:
        kept[-1] = replace(kept[-1], effective_until=None)
    return (*kept, *added)


def _check_order(earlier: PricePeriod, later: PricePeriod, what: str, where: str) -> None:
    if later.effective_from <= earlier.effective_from:
        message = f"{what}: periods must be sorted: {later.effective_from} comes after {earlier.effective_from}"
        raise InvalidPricing(message, where=where)
    if earlier.effective_until is not None and later.effective_from <= earlier.effective_until:
        message = f"{what}: periods overlap: one lasts until {earlier.effective_until}"
        raise InvalidPricing(f"{message}, the next begins on {later.effective_from}", where=where)


def _period(node: Node, what: str, provenance: Provenance, *, may_end: bool) -> PricePeriod:
    last_day = ("effective_until",) if may_end else ()
    given = fields(node, what, ("effective_from", *provenance.required), ("rates", "tiers", *last_day, *_PROVENANCE))
    if ("rates" in given) == ("tiers" in given):
        raise InvalidPricing(f"{what}: a period has either rates or tiers", where=node.where)
    begin = as_day(given["effective_from"], f"{what}: effective_from")
    end = as_day_or_none(given["effective_until"], f"{what}: effective_until") if "effective_until" in given else None
    if end is not None and end < begin:
        raise InvalidPricing(f"{what}: effective_until is before effective_from", where=given["effective_until"].where)
    tiers = (
        _tiers(given["tiers"], f"{what}: tiers")
        if "tiers" in given
        else (Tier(None, _rates(fields(given["rates"], f"{what}: rates", _RATES), f"{what}: rates")),)
    )
    return replace(
        PricePeriod(begin, tiers, provenance.source, provenance.checked, provenance.confidence, end),
        **_provenance(given, what, provenance),
    )


def _provenance(given: Mapping[str, Node], what: str, provenance: Provenance) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "source" in given:
        changes["source"] = as_choice(given["source"], f"{what}: source", provenance.sources)
    if "checked" in given:
        changes["checked"] = as_day(given["checked"], f"{what}: checked")
    if "confidence" in given:
        changes["confidence"] = as_choice(given["confidence"], f"{what}: confidence", CONFIDENCES)
    return changes


def _tiers(node: Node, what: str) -> tuple[Tier, ...]:
    items = as_items(node, what)
    if not items:
        raise InvalidPricing(f"{what} is empty", where=node.where)
    tiers: list[Tier] = []
    for position, item in enumerate(items, start=1):
        given = fields(item, what, _RATES, ("up_to",))
        up_to = as_whole_number(given["up_to"], f"{what}: up_to") if "up_to" in given else None
        if up_to is None and position < len(items):
            raise InvalidPricing(f"{what}: only the last tier may go without up_to", where=item.where)
        if up_to is not None and position == len(items):
            raise InvalidPricing(f"{what}: the last tier must have no up_to", where=given["up_to"].where)
        if up_to is not None and tiers and up_to <= (tiers[-1].up_to or 0):
            raise InvalidPricing(f"{what}: up_to must rise from tier to tier", where=given["up_to"].where)
        tiers.append(Tier(up_to, _rates(given, what)))
    return tuple(tiers)


def _rates(given: Mapping[str, Node], what: str) -> Rates:
    return Rates(*(as_rate(given[key], f"{what}: {key}") for key in _RATES))
