"""The order of a report's rows, and which of them are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from costkit.core.money import EXACT, ZERO
from costkit.core.period import UNITS
from costkit.report.result import Figures, Row

OTHER = "other"
Group = tuple[str | None, ...]


def arrange(groups: dict[Group, Figures], by: tuple[str, ...], top: int | None) -> tuple[Row, ...]:
    """Lay the groups out as rows: times in their order, everything else by falling cost, level by level.

    `top` keeps the dearest rows and folds the others into one, so that the rows still add up to the total.
    """
    order = _order(groups, by)
    kept, folded = list(groups), []
    if top is not None and len(kept) > top:
        dearest = sorted(kept, key=lambda group: (-groups[group].cost_usd, order(group)))
        kept, folded = dearest[:top], dearest[top:]
    rows = [_row(group, groups[group], by) for group in sorted(kept, key=order)]
    if folded:
        rows.append(_row((OTHER,) * len(by), add_up(groups[group] for group in folded), by, len(folded)))
    return tuple(rows)


def add_up(figures: Iterable[Figures]) -> Figures:
    """The sum of figures; neutral for none."""
    return sum(figures, Figures())


def _row(group: Group, figures: Figures, by: tuple[str, ...], folded: int = 0) -> Row:
    return Row(tuple(zip(by, group, strict=True)), figures, folded)


def _order(groups: dict[Group, Figures], by: tuple[str, ...]) -> Callable[[Group], tuple[object, ...]]:
    costs: dict[Group, Decimal] = {}
    for group, figures in groups.items():
        for level in range(1, len(group) + 1):
            prefix = group[:level]
            costs[prefix] = EXACT.add(costs.get(prefix, ZERO), figures.cost_usd)

    def order(group: Group) -> tuple[object, ...]:
        return tuple(
            _time_order(value, name) if name in UNITS else (-costs[group[: level + 1]], value is None, value or "")
            for level, (name, value) in enumerate(zip(by, group, strict=True))
        )

    return order


def _time_order(value: str | None, unit: str) -> tuple[object, ...]:
    """Hours are compared as moments, because their labels carry a UTC offset; a missing time comes last."""
    if value is None:
        return (True,)
    return (False, datetime.fromisoformat(value) if unit == "hour" else value)
