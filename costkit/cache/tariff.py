"""What each kind of request costs on one model and day: priced once per distinct bill."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costkit.cache.store import Served
from costkit.core.pricebook import ModelPrice, PriceBook, Quote


@dataclass(frozen=True, slots=True)
class Tariff:
    """The rates of one model on a day, for requests that are sent in one way. Tiers are chosen per request."""

    book: PriceBook
    model: ModelPrice
    day: date
    output_tokens: int = 0
    batch: bool = False
    fast: bool = False
    inference_geo: str | None = None
    _known: dict[Served, Decimal] = field(default_factory=dict, repr=False, compare=False)

    @property
    def pool(self) -> tuple[str, bool, bool]:
        """What entries are never shared across: the model, the speed, and whether requests are in a batch."""
        return (self.model.id, self.fast, self.batch)

    def cost(self, served: Served) -> Decimal:
        """The exact US dollars of one request, its output included."""
        found = self._known.get(served)
        if found is None:
            found = self._known[served] = self.book.cost(
                served.usage(self.output_tokens),
                self.model.id,
                self.day,
                batch=self.batch,
                fast=self.fast,
                inference_geo=self.inference_geo,
            ).total_usd
        return found

    def quote(self, prompt_tokens: int) -> Quote:
        """The rates of a request with a prompt of this size."""
        key = self.book.key_for(
            Served(prompt_tokens, 0, 0, 0).usage(),
            self.model.id,
            self.day,
            batch=self.batch,
            fast=self.fast,
            inference_geo=self.inference_geo,
        )
        return self.book.quote(key)
