"""What a request may cost at most, and what a response did cost, in the unit of a budget; fails closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costkit.budget.amount import TOKENS, Amount, token_amount, usd_amount
from costkit.core.money import total
from costkit.core.pricebook import PriceBook
from costkit.core.response import BilledUsage, Iteration, read_usage
from costkit.core.usage import Usage
from costkit.errors import InvalidInput, Undecidable

_TIERS = (None, "", "standard", "batch", "priority")
_SPEEDS = (None, "", "standard", "fast")


@dataclass(frozen=True, slots=True)
class Terms:
    """How a request is sent, as far as its price depends on it."""

    model: str
    day: date
    """The UTC day of the request."""
    batch: bool = False
    fast: bool = False
    inference_geo: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How large one request may get."""

    input_tokens: int
    """The whole prompt, at the high end of its count."""
    max_tokens: int
    """The limit of the output, thinking included."""
    web_searches: int = 0
    ttl: str | None = None
    """`5m` or `1h` where the request writes to the cache, which is dearer than plain input."""


def ceiling(size: Size, terms: Terms, unit: str, book: PriceBook) -> Amount:
    """The most that one request can cost: every token of its prompt billed as the dearest kind that it may be.

    Raises `UnknownModel` or `Undecidable` where no price is known, for a budget in dollars.
    """
    usage = Usage(
        input_tokens=size.input_tokens if size.ttl is None else 0,
        ephemeral_5m_input_tokens=size.input_tokens if size.ttl == "5m" else 0,
        ephemeral_1h_input_tokens=size.input_tokens if size.ttl == "1h" else 0,
        output_tokens=size.max_tokens,
        web_search_requests=size.web_searches,
    )
    return _amount(usage, terms, unit, book)


def billed(usage: Usage | Mapping[str, object], terms: Terms, unit: str, book: PriceBook) -> Amount:
    """What a response was billed: a `Usage` of one request, or the API's own `usage` object with its iterations.

    The API's `service_tier`, `speed` and `inference_geo` win over the terms. A budget in tokens counts every token of
    the prompt, cached or not, and of the output. Raises `InvalidInput` for a usage that can't be believed,
    `UnknownModel` or `Undecidable` where no price is known.
    """
    if isinstance(usage, Usage):
        return _amount(usage, terms, unit, book)
    try:
        read = read_usage(usage)
    except ValueError as problem:
        raise InvalidInput(str(problem), code="bad-usage") from None
    parts = [_amount(part.counts.usage(), _terms(part, read, terms), unit, book) for part in read.bill()]
    if unit == TOKENS:
        return token_amount(sum(part.value for part in parts))
    return usd_amount(total(part.usd or Decimal(0) for part in parts))


def _terms(part: Iteration, read: BilledUsage, terms: Terms) -> Terms:
    for name, value, known in (("service_tier", read.service_tier, _TIERS), ("speed", read.speed, _SPEEDS)):
        if value not in known:
            raise Undecidable(f"no price is known for {name} {value!r}", code="unknown-rate")
    return Terms(
        part.model or terms.model,
        terms.day,
        terms.batch if read.service_tier is None else read.service_tier == "batch",
        terms.fast if read.speed is None else read.speed == "fast",
        terms.inference_geo if read.inference_geo is None else read.inference_geo,
    )


def _amount(usage: Usage, terms: Terms, unit: str, book: PriceBook) -> Amount:
    if unit == TOKENS:
        return token_amount(usage.prompt_tokens + usage.output_tokens)
    cost = book.cost(
        usage, terms.model, terms.day, batch=terms.batch, fast=terms.fast, inference_geo=terms.inference_geo
    )
    return usd_amount(cost.total_usd)
