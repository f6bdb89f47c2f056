"""What clients wrote down as the cost of their sessions, beside what the prices of this report make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from costkit.core.money import ZERO, exact_text, minus, total
from costkit.report.records import RecordedCost

MOST_SHOWN = 5
"""How many sessions are listed, those with the largest difference first."""

SessionCosts = dict[tuple[str, str], RecordedCost]
"""The last recorded cost by session and file."""


def both_sides(recorded_usd: Decimal, calculated_usd: Decimal) -> dict[str, object]:
    """A recorded amount, the calculated one beside it, and how much more was recorded, as exact text."""
    return {
        "recorded_usd": exact_text(recorded_usd),
        "calculated_usd": exact_text(calculated_usd),
        "difference_usd": exact_text(minus(recorded_usd, calculated_usd)),
    }


class SessionComparison(NamedTuple):
    """A session as its client priced it and as its responses are priced here."""

    session: str
    recorded_usd: Decimal
    calculated_usd: Decimal

    @property
    def difference_usd(self) -> Decimal:
        """Recorded less calculated: positive where the client knows of more than its log shows."""
        return minus(self.recorded_usd, self.calculated_usd)

    def as_json(self) -> dict[str, object]:
        """An entry of `quality.recorded.largest`."""
        return {
            "session": self.session,
            **both_sides(self.recorded_usd, self.calculated_usd),
        }


class Comparison(NamedTuple):
    """All sessions that have a recorded cost, added up."""

    sessions: int
    recorded_usd: Decimal
    calculated_usd: Decimal
    complete: bool
    """Whether neither side lacks a price."""
    largest: tuple[SessionComparison, ...]
    """The sessions with the largest difference."""

    @property
    def difference_usd(self) -> Decimal:
        """Recorded less calculated."""
        return minus(self.recorded_usd, self.calculated_usd)

    def as_json(self) -> dict[str, object]:
        """The `quality.recorded` of a report."""
        return {
            "sessions": self.sessions,
            **both_sides(self.recorded_usd, self.calculated_usd),
            "complete": self.complete,
            "largest": [session.as_json() for session in self.largest],
        }


def keep_last(costs: SessionCosts, cost: RecordedCost) -> None:
    """Add a recorded cost: of those of one session in one file the last stays, whatever the order of adding."""
    key = (cost.session, cost.path)
    known = costs.get(key)
    if known is None or (known.offset, known.line, known.usd, known.complete) < (
        cost.offset,
        cost.line,
        cost.usd,
        cost.complete,
    ):
        costs[key] = cost


def sessions_in(costs: SessionCosts) -> frozenset[str]:
    """The sessions that have a recorded cost."""
    return frozenset(session for session, _ in costs)


def compare(
    costs: SessionCosts, calculated: Mapping[str, Decimal], unpriced: Iterable[str | None] = ()
) -> Comparison | None:
    """Put recorded and calculated costs side by side; `None` where nothing was recorded.

    A session that several files tell of (a resumed one copies its lines) has the largest of their costs, because they
    only ever grow. `unpriced` are the sessions with usage that has no price.
    """
    if not costs:
        return None
    recorded: dict[str, Decimal] = {}
    for cost in costs.values():
        recorded[cost.session] = max(recorded.get(cost.session, ZERO), cost.usd)
    sessions = [SessionComparison(name, usd, calculated.get(name, ZERO)) for name, usd in recorded.items()]
    sessions.sort(key=lambda session: (-abs(session.difference_usd), session.session))
    return Comparison(
        len(sessions),
        total(session.recorded_usd for session in sessions),
        total(session.calculated_usd for session in sessions),
        all(cost.complete for cost in costs.values()) and recorded.keys().isdisjoint(name or "" for name in unpriced),
        tuple(sessions[:MOST_SHOWN]),
    )
