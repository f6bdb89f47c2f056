"""Cost: a usage times rates. Every dollar that costkit prints comes from `cost_of`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from costkit.core.money import EXACT, ZERO, price_of_tokens, times, total
from costkit.core.rates import Rates
from costkit.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Cost:
    """Exact US dollars by kind of token; `total_usd` is their sum. `Cost()` is the neutral element of `+`."""

    input_usd: Decimal = ZERO
    cache_read_usd: Decimal = ZERO
    cache_write_5m_usd: Decimal = ZERO
    cache_write_1h_usd: Decimal = ZERO
    output_usd: Decimal = ZERO
    web_search_usd: Decimal = ZERO

    @property
    def total_usd(self) -> Decimal:
        """The sum of all parts."""
        return total(
            (
                self.input_usd,
                self.cache_read_usd,
                self.cache_write_5m_usd,
                self.cache_write_1h_usd,
                self.output_usd,
                self.web_search_usd,
            )
        )

    def __add__(self, other: Cost) -> Cost:
        add = EXACT.add
        return Cost(
            add(self.input_usd, other.input_usd),
            add(self.cache_read_usd, other.cache_read_usd),
            add(self.cache_write_5m_usd, other.cache_write_5m_usd),
            add(self.cache_write_1h_usd, other.cache_write_1h_usd),
            add(self.output_usd, other.output_usd),
            add(self.web_search_usd, other.web_search_usd),
        )

    def __mul__(self, count: int) -> Cost:
        """The cost of `count` requests like this one."""
        return Cost(
            times(self.input_usd, count),
            times(self.cache_read_usd, count),
            times(self.cache_write_5m_usd, count),
            times(self.cache_write_1h_usd, count),
            times(self.output_usd, count),
            times(self.web_search_usd, count),
        )


def cost_of(usage: Usage, rates: Rates) -> Cost:
    """Price a usage: the dot product of token counts and rates.

    The rates must be those of the tier that each single request falls in (see `PriceBook.rates`); a usage summed
    over several requests may only be priced here when all of them share the same rates.
    """
    return Cost(
        price_of_tokens(usage.input_tokens, rates.input),
        price_of_tokens(usage.cache_read_input_tokens, rates.cache_read),
        price_of_tokens(usage.ephemeral_5m_input_tokens, rates.cache_write_5m),
        price_of_tokens(usage.ephemeral_1h_input_tokens, rates.cache_write_1h),
        price_of_tokens(usage.output_tokens, rates.output),
        times(rates.web_search, usage.web_search_requests),
    )
