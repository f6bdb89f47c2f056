"""Which price a cell of a summary has: asked of the price book once for each combination that selects one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from costkit.core.pricebook import PriceBook, Quote
from costkit.core.rates import RateKey
from costkit.core.usage import Usage
from costkit.errors import CostkitError
from costkit.report.attributes import Attributes
from costkit.report.group import EPOCH
from costkit.report.options import DAY, QUARTER_HOUR, brackets_of
from costkit.report.tally import Cell

_QUARTERS_PER_DAY = DAY // QUARTER_HOUR
NO_MODEL = "no-model"
_PRICED = {"service_tier": ("", "standard", "batch", "priority"), "speed": ("", "standard", "fast")}
"""The values that have a price; https://platform.claude.com/docs/en/api/messages"""


class Selection(NamedTuple):
    """The price of a cell, or why there is none."""

    model: str | None
    """The canonical id of a known model; otherwise the name as it was written."""
    key: RateKey | None
    problem: str | None = None
    """A stable code where `key` is `None`."""


class Pricer:
    """Remembers the quotes of one price book, so that each is looked up once.

    `quotes` and `problems` (by model and code) collect what was used and what failed, for the notices of the report.
    """

    def __init__(self, book: PriceBook, as_of: date) -> None:
        self.quotes: dict[RateKey, Quote] = {}
        self.problems: dict[tuple[str, str], CostkitError] = {}
        self._book = book
        self._as_of = as_of
        self._prompts = _typical_prompts(brackets_of(book))
        self._selections: dict[tuple[object, ...], Selection] = {}

    def select(self, cell: Cell) -> Selection:
        """Find the rate key of a cell."""
        attributes = cell.attributes
        day = None if cell.quarter_hour is None else cell.quarter_hour // _QUARTERS_PER_DAY
        facts = (cell.model, day, attributes.service_tier, attributes.speed, attributes.inference_geo, cell.bracket)
        found = self._selections.get(facts)
        if found is None:
            found = self._selections[facts] = self._select(cell, day)
        return found

    def _select(self, cell: Cell, day: int | None) -> Selection:
        if cell.model is None:
            return Selection(None, None, NO_MODEL)
        try:
            key = self._book.key_for(
                Usage(input_tokens=self._prompts[cell.bracket]),
                cell.model,
                self._as_of if day is None else EPOCH.date() + timedelta(days=day),
                batch=cell.attributes.service_tier == "batch",
                fast=cell.attributes.speed == "fast",
                inference_geo=cell.attributes.inference_geo,
            )
            self.quotes[key] = self._book.quote(key)
        except CostkitError as error:
            model = self._name(cell.model)
            known = self.problems.get((model, error.code), error)
            self.problems[model, error.code] = min(known, error, key=str)  # the earliest day, whatever came first
            return Selection(model, None, error.code)
        return Selection(key.model, key)

    def _name(self, model: str) -> str:
        try:
            return self._book.resolve(model).id
        except CostkitError:
            return model


def unknown_modifiers(attributes: Attributes) -> Iterator[tuple[str, str]]:
    """What a response says about its price that no price is known for, such as a new `service_tier`."""
    for name, value in (("service_tier", attributes.service_tier), ("speed", attributes.speed)):
        if value is not None and value not in _PRICED[name]:
            yield name, value


def _typical_prompts(brackets: tuple[int, ...]) -> tuple[int, ...]:
    """A prompt size within each bracket: every prompt of a bracket falls in the same tier of every model."""
    return (*brackets, brackets[-1] + 1) if brackets else (0,)
