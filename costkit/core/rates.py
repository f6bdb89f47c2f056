"""Rates: the prices that a usage is multiplied with, and the key that selects them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from costkit.core.money import ZERO, times


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens for each bucket of a `Usage`, and per web search."""

    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal
    web_search: Decimal = ZERO
    """US dollars for one web search; discounts and surcharges on tokens don't touch it."""

    def scaled(self, multiplier: Decimal) -> Rates:
        """The rates with every token price multiplied; the search fee stays."""
        return Rates(
            times(self.input, multiplier),
            times(self.output, multiplier),
            times(self.cache_write_5m, multiplier),
            times(self.cache_write_1h, multiplier),
            times(self.cache_read, multiplier),
            self.web_search,
        )


class RateKey(NamedTuple):
    """Everything that selects a price, and nothing that is summed."""

    model: str
    """Any name that the price book resolves."""
    day: date
    """The UTC day of the request."""
    tier: int = 0
    """Index of the whole-request tier, decided for each single request by `PricePeriod.tier_for`."""
    batch: bool = False
    fast: bool = False
    inference_geo: str | None = None
