"""What changed between two estimates, in dollars, and why.

The change of each file is attributed to tokens, model, output and volume by Shapley values: each factor is credited
with its average effect over all orders in which the factors could have changed. The parts sum to the change exactly.
Tokens are all that the prompt uses, cached or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

from costkit.core.money import EXACT, ZERO, total
from costkit.core.usage import Usage

FACTORS = ("tokens", "model", "output", "volume")
_PLACES = 12


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: what was sent, to what model, how often."""

    path: str
    model: str
    requests: int
    """At least 1."""
    usage: Usage
    """Of all requests together, with this side's tokenizer."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one file on one model."""

    path: str
    base_model: str | None
    """`None` where the file is new."""
    model: str | None
    """`None` where the file is gone."""
    base_usd: Decimal
    usd: Decimal
    change_usd: Decimal
    attribution: Mapping[str, Decimal]
    """US dollars by factor (`FACTORS`, or `added` or `removed`); they sum to `change_usd` exactly."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides priced with the same price book."""

    base_usd: Decimal
    usd: Decimal
    change_usd: Decimal
    change_percent: Decimal | None
    """`None` where the base costs nothing."""
    attribution: Mapping[str, Decimal]
    changes: tuple[Change, ...]


def compare_estimates(base: Sequence[Side], now: Sequence[Side], price: Callable[[Side], Decimal]) -> Comparison:
    """Attribute the change from `base` to `now`.

    `price` prices a side with today's book. Sides are paired by path and model, then by path alone, in order.
    """
    changes = [_change(old, new, price) for old, new in _pairs(base, now)]
    base_usd = total(change.base_usd for change in changes)
    usd = total(change.usd for change in changes)
    factors = dict.fromkeys(factor for change in changes for factor in change.attribution)
    attribution = {factor: total(change.attribution.get(factor, ZERO) for change in changes) for factor in factors}
    difference = EXACT.subtract(usd, base_usd)
    percent = (difference / base_usd * 100).quantize(Decimal("0.01")) if base_usd else None
    return Comparison(base_usd, usd, difference, percent, attribution, tuple(changes))


def _pairs(base: Sequence[Side], now: Sequence[Side]) -> list[tuple[Side | None, Side | None]]:
    waiting = list(base)
    found: dict[int, Side] = {}
    for same in (_same_model, _same_path):
        for index, side in enumerate(now):
            if index in found:
                continue
            match = next((old for old in waiting if same(old, side)), None)
            if match is not None:
                waiting.remove(match)
                found[index] = match
    return [(found.get(index), side) for index, side in enumerate(now)] + [(old, None) for old in waiting]


def _same_model(old: Side, new: Side) -> bool:
    return (old.path, old.model) == (new.path, new.model)


def _same_path(old: Side, new: Side) -> bool:
    return old.path == new.path


def _change(old: Side | None, new: Side | None, price: Callable[[Side], Decimal]) -> Change:
    base_usd = price(old) if old else ZERO
    usd = price(new) if new else ZERO
    difference = EXACT.subtract(usd, base_usd)
    if old is None or new is None:
        attribution = {"added" if old is None else "removed": difference}
    else:
        attribution = _shapley(old, new, price, difference)
    side = new or old
    assert side is not None  # noqa: S101  a pair has at least one side
    return Change(
        side.path, old.model if old else None, new.model if new else None, base_usd, usd, difference, attribution
    )


def _shapley(old: Side, new: Side, price: Callable[[Side], Decimal], difference: Decimal) -> dict[str, Decimal]:
    worth: dict[frozenset[str], Fraction] = {}

    def value(changed: frozenset[str]) -> Fraction:
        if changed not in worth:
            worth[changed] = Fraction(price(_mixture(old, new, changed)))
        return worth[changed]

    orders = list(permutations(FACTORS))
    credit = dict.fromkeys(FACTORS, Fraction(0))
    for order in orders:
        done: frozenset[str] = frozenset()
        for factor in order:
            credit[factor] += value(done | {factor}) - value(done)
            done |= {factor}
    return _to_decimals({factor: summed / len(orders) for factor, summed in credit.items()}, difference)


def _mixture(old: Side, new: Side, changed: frozenset[str]) -> Side:
    """The base with some factors already changed; tokens and output are per request, so volume stays apart."""
    requests = (new if "volume" in changed else old).requests
    tokens = new if "tokens" in changed else old
    output = new if "output" in changed else old

    def spread(count: int, side: Side) -> int:
        return count * requests // side.requests

    prompt = tokens.usage
    usage = Usage(
        spread(prompt.input_tokens, tokens),
        spread(prompt.cache_read_input_tokens, tokens),
        spread(prompt.ephemeral_5m_input_tokens, tokens),
        spread(prompt.ephemeral_1h_input_tokens, tokens),
        spread(output.usage.output_tokens, output),
    )
    return Side(old.path, (new if "model" in changed else old).model, requests, usage)


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
