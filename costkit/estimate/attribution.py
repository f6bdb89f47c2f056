"""Why a cost changed: the change of one file on one model, divided among what caused it.

Each factor is credited with its average effect over all orders in which the factors could have changed (its Shapley
value), and the parts sum to the change exactly. Both ends are the exact costs. What lies between them (the new model
with the old tokens, say) is priced from the averages of each group of requests that had the same rates. A factor in
which the two sides don't differ has no part in the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from math import ceil

from costkit.core.money import EXACT, ZERO
from costkit.core.rates import Rates
from costkit.core.usage import Usage
from costkit.estimate.result import RatedUsage

FACTORS = ("tokens", "model", "output", "volume")
TERMS = "terms"
"""How requests are sent: batch, speed, geography, and which share of the prompt is cached. Named where it differs."""
_PLACES = 12
_MTOK = 1_000_000

Terms = tuple[bool, str, str | None]
"""Batch, speed, inference_geo."""
RatesOf = Callable[[str, int, Terms], Rates]
"""The rates of a request: model, whole prompt in tokens, terms."""
_Shares = tuple[Fraction, Fraction, Fraction, Fraction]
"""Of a prompt: input, cache read, 5m write, 1h write."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: what is sent from one file to one model, and what that costs."""

    path: str
    model: str
    parts: tuple[RatedUsage, ...]
    """At least one."""
    usd: Decimal

    @property
    def requests(self) -> int:
        """How many there are."""
        return sum(part.requests for part in self.parts)

    @property
    def usage(self) -> Usage:
        """Of all requests together, with this side's tokenizer."""
        return sum((part.usage for part in self.parts), Usage())


@dataclass(frozen=True, slots=True)
class _Manner:
    """A way of sending with the share of a side's requests that are sent so."""

    terms: Terms
    share: Fraction
    shares: _Shares


def attribute(old: Side, new: Side, rates: RatesOf) -> dict[str, Decimal]:
    """Divide the change from `old` to `new` into US dollars by factor; they sum to it exactly."""
    difference = EXACT.subtract(new.usd, old.usd)
    active = _differing(old, new)
    credit = dict.fromkeys(FACTORS, ZERO) | ({TERMS: ZERO} if TERMS in active else {})
    if len(active) < 2:  # noqa: PLR2004  nobody to share with
        return credit | {(active or FACTORS)[0]: difference}
    worth = {frozenset[str](): Fraction(old.usd), frozenset(active): Fraction(new.usd)}

    def value(changed: frozenset[str]) -> Fraction:
        if changed not in worth:
            worth[changed] = _mixture(old, new, changed, rates)
        return worth[changed]

    orders = list(permutations(active))
    parts = dict.fromkeys(active, Fraction(0))
    for order in orders:
        done: frozenset[str] = frozenset()
        for factor in order:
            parts[factor] += value(done | {factor}) - value(done)
            done |= {factor}
    return credit | _to_decimals({factor: part / len(orders) for factor, part in parts.items()}, difference)


def _differing(old: Side, new: Side) -> tuple[str, ...]:
    before, after = old.usage, new.usage
    model, volume = old.model != new.model, old.requests != new.requests
    output = before.output_tokens * new.requests != after.output_tokens * old.requests
    terms = _manners(old.parts) != _manners(new.parts)
    tokens = before.prompt_tokens * new.requests != after.prompt_tokens * old.requests
    if not model and not terms:  # else the groups differ for another reason
        tokens = tokens or _sizes(old) != _sizes(new)
    found = {"tokens": tokens, "model": model, "output": output, "volume": volume, TERMS: terms}
    return tuple(factor for factor, differs in found.items() if differs)


def _sizes(side: Side) -> set[tuple[Fraction, Fraction]]:
    whole = side.requests
    return {(Fraction(part.requests, whole), Fraction(part.usage.prompt_tokens, part.requests)) for part in side.parts}


def _mixture(old: Side, new: Side, changed: frozenset[str], rates: RatesOf) -> Fraction:
    """What it would cost if only some factors had changed."""

    def of(factor: str) -> Side:
        return new if factor in changed else old

    tokens, output, terms = of("tokens"), of("output"), of(TERMS)
    model, requests = of("model").model, of("volume").requests
    written = Fraction(output.usage.output_tokens, output.requests)
    return (
        sum(
            (
                Fraction(part.requests, tokens.requests) * manner.share * _price(part, written, model, manner, rates)
                for part in tokens.parts
                for manner in _manners((part,) if terms is tokens else terms.parts)
            ),
            Fraction(0),
        )
        * requests
    )


def _price(part: RatedUsage, written: Fraction, model: str, manner: _Manner, rates: RatesOf) -> Fraction:
    """One average request of a group, sent in a manner, with so much output."""
    prompt = Fraction(part.usage.prompt_tokens, part.requests)
    found = rates(model, ceil(prompt), manner.terms)
    prices = (found.input, found.cache_read, found.cache_write_5m, found.cache_write_1h)
    per_token = sum((share * Fraction(price) for share, price in zip(manner.shares, prices, strict=True)), Fraction(0))
    return (prompt * per_token + written * Fraction(found.output)) / _MTOK


def _manners(parts: tuple[RatedUsage, ...]) -> list[_Manner]:
    """The ways in which requests are sent, each once, with what it does to the prompt."""
    groups: dict[Terms, list[RatedUsage]] = {}
    for part in parts:
        groups.setdefault((part.batch, part.speed, part.inference_geo), []).append(part)
    whole = sum(part.requests for part in parts)
    return [
        _Manner(terms, Fraction(sum(part.requests for part in group), whole), _shares(group))
        for terms, group in sorted(groups.items(), key=str)
    ]


def _shares(group: list[RatedUsage]) -> _Shares:
    usage = sum((part.usage for part in group), Usage())
    whole = usage.prompt_tokens or 1
    cached = (usage.cache_read_input_tokens, usage.ephemeral_5m_input_tokens, usage.ephemeral_1h_input_tokens)
    read, short, long = (Fraction(count, whole) for count in cached)
    return (1 - read - short - long, read, short, long)


def sum_of(parts: Iterator[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Add up attributions factor by factor."""
    whole: dict[str, Decimal] = {}
    for part in parts:
        for factor, amount in part.items():
            whole[factor] = EXACT.add(whole.get(factor, ZERO), amount)
    return whole


def _to_decimals(parts: Mapping[str, Fraction], whole: Decimal) -> dict[str, Decimal]:
    """Round each part to 12 places and give the last units to the largest remainders, so that nothing is lost."""
    exponent = whole.as_tuple().exponent
    places = max(_PLACES, -exponent if isinstance(exponent, int) else 0)
    unit = Decimal(1).scaleb(-places)
    scaled = {name: part * 10**places for name, part in parts.items()}
    floors = {name: amount.numerator // amount.denominator for name, amount in scaled.items()}
    missing = int(whole.scaleb(places, EXACT)) - sum(floors.values())
    by_remainder = sorted(parts, key=lambda name: scaled[name] - floors[name], reverse=True)
    for name in by_remainder[:missing]:
        floors[name] += 1
    return {name: EXACT.multiply(Decimal(amount), unit) for name, amount in floors.items()}
