"""The answers of the budget commands as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from costkit.budget.amount import Amount
from costkit.budget.rules import SHARES, BudgetRule, Standing, refusal
from costkit.budget.scope import scope_text
from costkit.budget.window import Span
from costkit.core.money import exact_text
from costkit.errors import BudgetExceeded


@dataclass(frozen=True, slots=True)
class Reservation:
    """An amount that is held for a request until its cost is known."""

    id: str
    budget: str
    state: str
    """`open`, `uncertain` (open, but its lease ran out), `committed` or `released`."""
    reserved: Amount
    committed: Amount | None
    reserved_at: datetime
    """Decides the window that it counts in, also when it is settled later."""
    lease_until: datetime
    model: str | None = None
    batch: bool = False
    note: str | None = None

    def as_json(self) -> dict[str, object]:
        """The reservation, with both units of each amount."""
        return {
            "id": self.id,
            "budget": self.budget,
            "state": self.state,
            **_both("reserved", self.reserved),
            **_both("committed", self.committed),
            "reserved_at": moment_text(self.reserved_at),
            "lease_until": moment_text(self.lease_until),
            "model": self.model,
            "batch": self.batch,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget with what stands on it in the window that holds now."""

    rule: BudgetRule
    standing: Standing
    span: Span
    open: tuple[Reservation, ...] = ()
    """Every reservation that is not settled, of earlier windows too, oldest first."""
    clock_behind_s: int = 0
    """How many seconds the clock is behind the latest entry; the entry's time holds then."""

    @property
    def used_share(self) -> Decimal | None:
        """Used of the limit, in millionths; `None` for a limit of 0."""
        if not self.standing.limit.value:
            return None
        return Decimal(self.standing.used * SHARES // self.standing.limit.value).scaleb(-6)

    @property
    def is_soft_reached(self) -> bool:
        """Whether the soft limit is reached."""
        return self.standing.is_soft_reached(self.rule.soft)

    def as_json(self) -> dict[str, object]:
        """The budget, with both units of each amount; times are UTC."""
        rule, standing = self.rule, self.standing
        share = self.used_share
        return {
            "name": rule.name,
            "unit": rule.limit.unit,
            **_both("limit", rule.limit),
            **_both("committed", standing.amount(standing.committed)),
            **_both("reserved", standing.amount(standing.reserved)),
            **_both("uncertain", standing.amount(standing.uncertain)),
            **_both("available", standing.amount(standing.available)),
            **_both("over", standing.amount(standing.over)),
            "used_share": None if share is None else float(share),
            "window": str(rule.window),
            "tz": rule.zone,
            "window_start": moment_text(self.span.start),
            "window_end": moment_text(self.span.end),
            "scope": scope_text(rule.scope),
            "soft": None if rule.soft is None else float(Decimal(rule.soft).scaleb(-6)),
            "soft_reached": self.is_soft_reached,
            "notify": rule.notify,
            "inference_geo": rule.inference_geo,
            "open_reservations": [reservation.as_json() for reservation in self.open],
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reservation, a commit or a release came to."""

    state: BudgetState
    """The budget afterwards."""
    reservation: Reservation | None
    """`None` where nothing was reserved, because it doesn't fit."""
    asked: Amount | None = None
    """What a reservation was asked for."""
    is_warning_due: bool = False
    """Whether this reached the soft limit, for the first time in its window."""

    def as_json(self) -> dict[str, object]:
        """The `result` of reserve, commit and release."""
        return {
            "reservation": None if self.reservation is None else self.reservation.as_json(),
            "budget": self.state.as_json(),
        }


def refused(outcome: Outcome) -> BudgetExceeded:
    """The error for a reservation that didn't fit."""
    state = outcome.state
    return refusal(state.rule, state.standing, state.span, outcome.asked or state.standing.amount(0))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a budget."""

    at: datetime
    budget: str
    event: str
    """`set`, `reserve`, `commit`, `release`, `renew`, `reset` or `warn`."""
    reservation: str | None
    amount: Amount | None
    note: str | None

    def as_json(self) -> dict[str, object]:
        """The event, with both units of its amount."""
        return {
            "at": moment_text(self.at),
            "budget": self.budget,
            "event": self.event,
            "reservation": self.reservation,
            **_both("amount", self.amount),
            "note": self.note,
        }


def moment_text(moment: datetime | None) -> str | None:
    """RFC 3339, UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _both(name: str, amount: Amount | None) -> dict[str, object]:
    usd = amount.usd if amount else None
    return {
        f"{name}_usd": None if usd is None else exact_text(usd),
        f"{name}_tokens": amount.tokens if amount else None,
    }
