"""What another system wrote down as the cost of one response: shown beside the calculated cost, never added to it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

NO_UNIT = "unit-unknown"
"""The problem of an amount of which nothing says that it is in US dollars."""
NO_AMOUNT = "not-an-amount"
"""The problem of a cost that is no number, or none that can be believed."""


class Charge(NamedTuple):
    """A recorded cost; of the copies of a response the largest stands for all."""

    source: str
    """Who recorded it: the name of a dialect."""
    usd: Decimal | None
    """`None` where it is not known to be US dollars."""
    problem: str = ""
    """Why there are no dollars: `NO_UNIT`, `NO_AMOUNT` or the name of the unit, such as `EUR` or `cents`."""

    def order(self) -> tuple[bool, Decimal, str, str]:
        """A total order: what is known comes after what is not."""
        return (self.usd is not None, self.usd or Decimal(0), self.source, self.problem)


def larger(one: Charge | None, other: Charge | None) -> Charge | None:
    """Merge what two copies of a response say; commutative, associative, idempotent."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=Charge.order)
