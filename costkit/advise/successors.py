"""Which model could have answered instead: the newer ones of the same class, and the smaller ones."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from costkit.core.pricebook import ModelPrice, PriceBook

_CLASS = re.compile(r"claude-(?:[\d-]+-)?(fable|mythos|opus|sonnet|haiku)\b")
TOP_CLASSES = frozenset({"fable", "mythos", "opus"})
SMALL_CLASS = "haiku"


def class_of(model: ModelPrice) -> str | None:
    """`opus`, `sonnet`, …; `None` for a model whose name says none."""
    found = _CLASS.match(model.id)
    return found.group(1) if found else None


def successors_of(model: ModelPrice, book: PriceBook, day: date) -> list[ModelPrice]:
    """The models of the same class that came later and can be used on a day, the newest first."""
    own = class_of(model)
    found = [
        other
        for other in book.active_models(day)
        if own is not None and class_of(other) == own and other.lifecycle.released > model.lifecycle.released
    ]
    return sorted(found, key=lambda other: (other.lifecycle.released, other.id), reverse=True)


def small_models(book: PriceBook, day: date) -> list[ModelPrice]:
    """The models of the smallest class that can be used on a day, the cheapest first."""
    found = [model for model in book.active_models(day) if class_of(model) == SMALL_CLASS]
    return sorted(found, key=lambda model: (output_rate(model, day), model.id))


def output_rate(model: ModelPrice, day: date) -> Decimal:
    """US dollars per million output tokens of a short prompt: how dear a model is."""
    return model.period(day).tiers[0].rates.output


def targets_of(model: ModelPrice, book: PriceBook, day: date) -> list[ModelPrice]:
    """Every model that advice could name instead of this one."""
    smaller = small_models(book, day)[:1] if class_of(model) in TOP_CLASSES else []
    return [*successors_of(model, book, day), *smaller]
