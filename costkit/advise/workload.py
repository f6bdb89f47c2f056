"""The working copy of the traffic: remedies are applied to it one after the other, and it is priced again each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from costkit.advise.call import Call
from costkit.advise.sketch import Sketcher
from costkit.core.cost import cost_of
from costkit.core.money import minus, total
from costkit.core.pricebook import PriceBook
from costkit.core.rates import RateKey, Rates
from costkit.core.usage import Usage

_MOST_KNOWN = 50_000
"""Distinct bills that are remembered."""
_Key = tuple[str, date, bool, bool, str | None, Usage]


@dataclass(slots=True)
class Pricer:
    """Prices calls, and remembers for a while what each distinct bill comes to."""

    book: PriceBook
    as_of: date
    _known: dict[_Key, Decimal] = field(default_factory=dict)
    _quoted: dict[RateKey, Rates] = field(default_factory=dict)

    def cost(self, call: Call) -> Decimal:
        """The exact US dollars of a call. Raises `Undecidable` where no price is known."""
        key = (call.model.id, call.day, call.batch, call.fast, call.inference_geo, call.usage)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[key] = cost_of(call.usage, self._rates(call)).total_usd
        return found

    def _rates(self, call: Call) -> Rates:
        key = self.book.key_for(
            call.usage, call.model.id, call.day, batch=call.batch, fast=call.fast, inference_geo=call.inference_geo
        )
        rates = self._quoted.get(key)
        if rates is None:
            rates = self._quoted[key] = self.book.quote(key).rates
        return rates


@dataclass(frozen=True, slots=True)
class Workload:
    """All calls in the order of time (those without a time first), as they are after the remedies so far."""

    calls: tuple[Call, ...]
    pricer: Pricer
    sketcher: Sketcher
    memo: dict[str, object] = field(init=False, default_factory=dict, repr=False, compare=False)
    """What was computed of these calls already."""

    @property
    def total_usd(self) -> Decimal:
        """What all calls cost."""
        return total(map(self.pricer.cost, self.calls))

    def cost_of(self, indices: Iterable[int]) -> Decimal:
        """What some of the calls cost."""
        return total(self.pricer.cost(self.calls[index]) for index in indices)

    def changed(self, calls: Mapping[int, Call]) -> Workload:
        """The same with other calls in some places."""
        if not calls:
            return self
        return replace(self, calls=tuple(calls.get(index, call) for index, call in enumerate(self.calls)))

    def saving_of(self, after: Workload) -> Decimal:
        """What another working copy of the same calls costs less: exact, and only the calls that differ are priced."""
        cost = self.pricer.cost
        pairs = zip(self.calls, after.calls, strict=True)
        return total(minus(cost(old), cost(new)) for old, new in pairs if old is not new)

    def saves(self, index: int, call: Call) -> Decimal:
        """What one call would cost less if it were another; negative if it costs more."""
        return minus(self.pricer.cost(self.calls[index]), self.pricer.cost(call))

    def groups(self, key: Callable[[Call], object]) -> dict[object, list[int]]:
        """The numbers of the calls by something that they share; calls whose key is `None` are left out."""
        found: dict[object, list[int]] = {}
        for index, call in enumerate(self.calls):
            name = key(call)
            if name is not None:
                found.setdefault(name, []).append(index)
        return found


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a remedy would do to the working copy, and how it is told."""

    after: Workload
    touched: Sequence[int]
    """The calls that show what is remedied."""
    tokens: int
    title: str
    what: str
    remedy: str
    risk: str
    certainty: str
    how: tuple[str, ...]
    worst: Workload | None = None
    """The working copy if every assumption turns out at its worst; `None` where none is made."""
    detail: tuple[tuple[str, str], ...] = ()
    tells_anyway: bool = False
    """Whether it is worth a line although it saves no dollars."""


Remedy = Callable[[Workload], Proposal | None]
"""Looks at a working copy and proposes a better one, or has nothing to propose."""
