"""What changed between two estimates, in dollars, and why.

Models are alternatives, so each is compared for itself: a file on a model with the same file on the same model, or on
the only other one. Both sides are priced with the same book. The change of each file is divided among its causes, and
the parts sum to it exactly (see `attribution`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from functools import cache

from costkit.core.cost import cost_of
from costkit.core.money import EXACT, ZERO, total
from costkit.core.pricebook import PriceBook, Quote
from costkit.core.rates import Rates
from costkit.core.usage import Usage
from costkit.errors import Undecidable, UnknownModel
from costkit.estimate.attribution import RatesOf, Side, Terms, attribute, sum_of
from costkit.estimate.result import RatedUsage

_ROUGH = Context(prec=60)
"""For a share that is rounded anyway."""
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one file."""

    path: str
    base_model: str | None
    """`None` where the file is new."""
    model: str | None
    """`None` where the file is gone."""
    base_usd: Decimal
    usd: Decimal
    change_usd: Decimal
    attribution: Mapping[str, Decimal]
    """US dollars by factor (`FACTORS`, `TERMS`, or `added` or `removed`); they sum to `change_usd` exactly."""


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """The changes of all files on one model."""

    model: str
    base_usd: Decimal
    usd: Decimal
    change_usd: Decimal
    change_percent: Decimal | None
    """Rounded to hundredths; `None` where the base costs nothing."""
    attribution: Mapping[str, Decimal]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file on a model that has no counterpart, while the file itself is on both sides."""

    path: str
    model: str
    in_base: bool
    """Whether it is the base that has it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides priced with the same price book, model by model."""

    models: tuple[ModelComparison, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def undecided(self) -> tuple[LeftOut, ...]:
        """What there is now of files that could be compared on no model at all."""
        compared = {change.path for model in self.models for change in model.changes}
        return tuple(one for one in self.left_out if not one.in_base and one.path not in compared)


def side_of(path: str, model: str, parts: tuple[RatedUsage, ...], book: PriceBook, day: date) -> Side:
    """Price what was sent with the rates of a day.

    Requests with the same rates had prompts within one tier, so the tier of their average is that of each of them.
    Raises `UnknownModel`, and `Undecidable` where there is no price on that day.
    """
    name = book.resolve(model).id
    costs = (cost_of(part.usage, _quote(book, name, _average_prompt(part), _terms(part), day).rates) for part in parts)
    return Side(path, name, parts, total(cost.total_usd for cost in costs))


def _average_prompt(part: RatedUsage) -> int:
    return -(-part.usage.prompt_tokens // part.requests)


def _terms(part: RatedUsage) -> Terms:
    return part.batch, part.speed, part.inference_geo


def _quote(book: PriceBook, model: str, prompt_tokens: int, terms: Terms, day: date) -> Quote:
    batch, speed, geo = terms
    probe = Usage(input_tokens=prompt_tokens)
    return book.quote(book.key_for(probe, model, day, batch=batch, fast=speed == "fast", inference_geo=geo))


def compare_estimates(base: Sequence[Side], now: Sequence[Side], book: PriceBook, day: date) -> Comparison:
    """Say for each model what changed from `base` to `now`, both priced with the rates of `day`."""
    rates = _rates_of(book, day)
    pairs, left_out = _pairs(_by_path(base), _by_path(now))
    groups: dict[str, list[Change]] = {}
    for model, old, new in pairs:
        groups.setdefault(model, []).append(_change(old, new, rates))
    return Comparison(tuple(_whole(model, changes) for model, changes in groups.items()), tuple(left_out))


def _rates_of(book: PriceBook, day: date) -> RatesOf:
    @cache
    def rates(model: str, prompt_tokens: int, terms: Terms) -> Rates:
        try:
            return _quote(book, model, prompt_tokens, terms, day).rates
        except UnknownModel:
            raise
        except Undecidable:  # between the two sides: a model without a fast mode is as fast as it is
            return _quote(book, model, prompt_tokens, (terms[0], "standard", terms[2]), day).rates

    return rates


_Sides = dict[str, dict[str, Side]]
_Pair = tuple[str, Side | None, Side | None]
"""The model that it counts for, before, now."""


def _by_path(sides: Iterable[Side]) -> _Sides:
    """Sides by path and model; what is there twice is added up."""
    found: _Sides = {}
    for side in sides:
        models = found.setdefault(side.path, {})
        known = models.get(side.model)
        models[side.model] = (
            Side(side.path, side.model, known.parts + side.parts, EXACT.add(known.usd, side.usd)) if known else side
        )
    return found


def _pairs(base: _Sides, now: _Sides) -> tuple[list[_Pair], list[LeftOut]]:
    pairs: list[_Pair] = []
    left_out: list[LeftOut] = []
    for path, news in now.items():
        olds = base.get(path)
        if olds:
            own = list(_same_file(olds, news))
            before, after = {old.model for _, old, _ in own}, {new.model for _, _, new in own}
            left_out += [LeftOut(path, model, in_base=False) for model in news if model not in after]
            left_out += [LeftOut(path, model, in_base=True) for model in olds if model not in before]
            pairs += own
    heirs = {old.model: model for model, old, _ in reversed(pairs) if old}
    for path, news in now.items():
        if path not in base:
            kept = _comparable(news, {*heirs.values(), *(model for models in base.values() for model in models)})
            pairs += [(side.model, None, side) for side in kept]
            left_out += [LeftOut(path, side.model, in_base=False) for side in news.values() if side not in kept]
    for path, olds in base.items():
        if path not in now:
            kept = _comparable(olds, {*heirs, *(model for models in now.values() for model in models)})
            pairs += [(heirs.get(side.model, side.model), side, None) for side in kept]
            left_out += [LeftOut(path, side.model, in_base=True) for side in olds.values() if side not in kept]
    return pairs, left_out


def _same_file(olds: Mapping[str, Side], news: Mapping[str, Side]) -> Iterator[tuple[str, Side, Side]]:
    """A file on both sides: each model with itself, and what is left if it is one on either side."""
    for model, side in news.items():
        if model in olds:
            yield model, olds[model], side
    gone = [side for model, side in olds.items() if model not in news]
    come = [side for model, side in news.items() if model not in olds]
    if len(gone) == len(come) == 1:
        yield come[0].model, gone[0], come[0]


def _comparable(sides: Mapping[str, Side], models: set[str]) -> list[Side]:
    """A file on one side only: its models that the other side has too; all of them if that has none."""
    return [side for model, side in sides.items() if model in models] or list(sides.values())


def _change(old: Side | None, new: Side | None, rates: RatesOf) -> Change:
    base_usd = old.usd if old else ZERO
    usd = new.usd if new else ZERO
    difference = EXACT.subtract(usd, base_usd)
    if old is None or new is None:
        attribution = {"added" if old is None else "removed": difference}
    else:
        attribution = attribute(old, new, rates)
    side = new or old
    assert side is not None  # noqa: S101  a pair has at least one side
    return Change(
        side.path, old.model if old else None, new.model if new else None, base_usd, usd, difference, attribution
    )


def _whole(model: str, changes: Sequence[Change]) -> ModelComparison:
    base_usd, usd = total(change.base_usd for change in changes), total(change.usd for change in changes)
    difference = EXACT.subtract(usd, base_usd)
    percent = _percent(difference, base_usd) if base_usd else None
    attribution = sum_of(change.attribution for change in changes)
    return ModelComparison(model, base_usd, usd, difference, percent, attribution, tuple(changes))


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return _ROUGH.divide(_ROUGH.multiply(part, Decimal(100)), whole).quantize(_HUNDREDTH, context=_ROUGH)
