"""Making a budget, and changing one: what is not said stays as it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from costkit.budget.amount import Amount
from costkit.budget.rules import BudgetRule, check_name
from costkit.budget.scope import Scope, scope_text
from costkit.budget.window import TOTAL, Window
from costkit.core.money import exact_text
from costkit.errors import InvalidInput
from costkit.report import parse_zone

_GLOBAL = "global"


class Change(NamedTuple):
    """What somebody wants a budget to be; `None` leaves a value as it is."""

    limit: Amount | None = None
    window: Window | None = None
    zone: str | None = None
    scope: Scope | None = None
    soft: int | None = None
    """Millionths of the limit; 0 takes the warning away."""
    notify: str | None = None
    """A command line; the empty one takes it away."""
    inference_geo: str | None = None
    """The workspace's default; `global` takes a surcharge away."""


def changed(name: str, before: BudgetRule | None, change: Change) -> BudgetRule:
    """The budget after a change, or the new one where there was none.

    Raises `InvalidInput` for a new budget without a limit, for a name or a zone that can't be, and for a limit in
    another unit than before: what was spent can't be converted.
    """
    if change.zone is not None:
        parse_zone(change.zone)
    if before is None:
        if change.limit is None:
            raise InvalidInput(
                f"there is no budget {name!r} yet", hint="a new one needs --limit", code="unknown-budget"
            )
        before = BudgetRule(check_name(name), change.limit, Window(TOTAL))
    limit = change.limit or before.limit
    if limit.unit != before.limit.unit:
        hint = f"costkit budget delete {name} first, or choose another name"
        raise InvalidInput(f"budget {name} is in {before.limit.unit}, not in {limit.unit}", hint=hint)
    return replace(
        before,
        limit=limit,
        window=change.window or before.window,
        zone=before.zone if change.zone is None else change.zone,
        scope=before.scope if change.scope is None else change.scope,
        soft=before.soft if change.soft is None else change.soft or None,
        notify=before.notify if change.notify is None else change.notify or None,
        inference_geo=before.inference_geo if change.inference_geo is None else _surcharged(change.inference_geo),
    )


def described(before: BudgetRule | None, after: BudgetRule) -> str:
    """What a change changed, for the history: `limit $10.00 -> $20.00, window day -> week`."""
    old = {"geo": _GLOBAL} if before is None else _facts(before)
    news = [(name, old.get(name), value) for name, value in _facts(after).items() if old.get(name) != value]
    return ", ".join(f"{name} {value}" if was is None else f"{name} {was} -> {value}" for name, was, value in news)


def _facts(rule: BudgetRule) -> dict[str, str]:
    return {
        "limit": str(rule.limit),
        "window": str(rule.window),
        "tz": rule.zone,
        "scope": scope_text(rule.scope) or "all",
        "soft": "none" if rule.soft is None else f"{exact_text(Decimal(rule.soft).scaleb(-4))}%",
        "notify": rule.notify or "none",
        "geo": rule.inference_geo or _GLOBAL,
    }


def _surcharged(inference_geo: str) -> str | None:
    return None if inference_geo == _GLOBAL else inference_geo
