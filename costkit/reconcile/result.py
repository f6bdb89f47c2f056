"""The answer of a reconciliation as plain values: both sides of every row, and what their differences are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costkit.core.money import exact_text, minus
from costkit.core.notice import Notice
from costkit.core.usage import Usage

Sides = dict[str, object]


@dataclass(frozen=True, slots=True)
class Cause:
    """A part of a difference, and what it is due to."""

    code: str
    """Stable and kebab-case, for scripts."""
    cost_usd: Decimal
    """Logs less API; the causes of a row add up to its difference."""


@dataclass(frozen=True, slots=True)
class ReconciledRow:
    """One day, kind, model and tier, as the logs have it and as the API has it."""

    day: date
    """UTC, as the API cuts its days."""
    kind: str
    """`tokens`, or a kind that is billed apart from models, such as `web_search`."""
    model: str | None
    tier: str | None
    logs_usage: Usage
    api_usage: Usage
    logs_cost_usd: Decimal
    api_cost_usd: Decimal | None
    """`None` where no cost report was given, or where it leaves this tier out."""
    causes: tuple[Cause, ...] = ()

    @property
    def difference_usd(self) -> Decimal | None:
        """Logs less API."""
        return None if self.api_cost_usd is None else minus(self.logs_cost_usd, self.api_cost_usd)

    @property
    def agrees(self) -> bool:
        """Whether both sides are the same, to the last token and digit."""
        return self.logs_usage == self.api_usage and self.api_cost_usd in (None, self.logs_cost_usd)

    def as_json(self) -> dict[str, object]:
        """The entry of `rows`."""
        return {
            "day": self.day,
            "kind": self.kind,
            "model": self.model,
            "tier": self.tier,
            **_both(self.logs_usage, self.api_usage, self.logs_cost_usd, self.api_cost_usd),
            "difference_usd": _text(self.difference_usd),
            "causes": [{"code": cause.code, "cost_usd": exact_text(cause.cost_usd)} for cause in self.causes],
        }


@dataclass(frozen=True, slots=True)
class CauseTotal:
    """What one cause comes to over all rows."""

    code: str
    message: str
    rows: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class WorkspaceShare:
    """What the API has for one workspace; logs don't say which one they were in."""

    workspace: str | None
    """`None` is the default workspace."""
    usage: Usage
    cost_usd: Decimal | None

    def as_json(self) -> dict[str, object]:
        """The entry of `workspaces`."""
        return {"workspace": self.workspace, "usage": self.usage.as_json(), "cost_usd": _text(self.cost_usd)}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Whether logs and API agree, and where not."""

    first: date
    last: date
    """Both included, UTC."""
    workspace: str | None
    """The only workspace that was looked at, if one was asked for."""
    rows: tuple[ReconciledRow, ...]
    logs_usage: Usage
    api_usage: Usage
    logs_cost_usd: Decimal
    """Of the rows that the cost report covers, or of all without one."""
    api_cost_usd: Decimal | None
    causes: tuple[CauseTotal, ...]
    workspaces: tuple[WorkspaceShare, ...]
    tolerance: Decimal | None
    """A share of the API's side."""
    within_tolerance: bool | None
    """`None` where no tolerance was given."""
    notices: tuple[Notice, ...] = ()

    @property
    def difference_usd(self) -> Decimal | None:
        """Logs less API."""
        return None if self.api_cost_usd is None else minus(self.logs_cost_usd, self.api_cost_usd)

    def as_json(self) -> dict[str, object]:
        """The `result` of `costkit reconcile --json`."""
        return {
            "period": {"from": self.first, "to": self.last},
            "workspace": self.workspace,
            "rows": [row.as_json() for row in self.rows],
            "total": {
                **_both(self.logs_usage, self.api_usage, self.logs_cost_usd, self.api_cost_usd),
                "difference_usd": _text(self.difference_usd),
            },
            "causes": [
                {"code": c.code, "message": c.message, "rows": c.rows, "cost_usd": exact_text(c.cost_usd)}
                for c in self.causes
            ],
            "workspaces": [share.as_json() for share in self.workspaces],
            "tolerance": _text(self.tolerance),
            "within_tolerance": self.within_tolerance,
        }


def _both(logs: Usage, api: Usage, logs_usd: Decimal, api_usd: Decimal | None) -> Sides:
    return {
        "logs": {"usage": logs.as_json(), "cost_usd": exact_text(logs_usd)},
        "api": {"usage": api.as_json(), "cost_usd": _text(api_usd)},
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else exact_text(amount)
