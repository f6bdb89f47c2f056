"""`costkit report --budgets`: what is left of each budget, beside what was spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from costkit.budget import BudgetState
from costkit.cli.budget_wiring import now, open_budgets, state_notices
from costkit.core.notice import Notice
from costkit.report import Report

if TYPE_CHECKING:
    from costkit.render.view import View


@dataclass(frozen=True, slots=True)
class Limits:
    """The budgets as they stand now; a log has no part in that."""

    states: Sequence[BudgetState]

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What should be known about them."""
        return tuple(state_notices(*self.states))

    def beside(self, report: Report) -> dict[str, object]:
        """The result of the report, with the budgets under a key of their own."""
        return {**report.as_json(), "budgets": [state.as_json() for state in self.states]}

    def below(self, page: View) -> View:
        """The page of the report, with the budgets under it."""
        from costkit.render.views.budget import budgets_table

        if not self.states:
            return replace(page, facts=(*page.facts, "no budgets: costkit budget set NAME --limit 50 makes one"))
        return replace(page, tables=(*page.tables, budgets_table(self.states, "budgets, as they stand now")))


def read_limits() -> Limits:
    """The budgets of this user."""
    with open_budgets() as store:
        return Limits(store.states(now()))
