"""`costkit budget status`, `list` and `history`: what is left, what is held, what happened."""

from __future__ import annotations

from typing import Annotated

import typer

from costkit.cli.budget_wiring import NameOrRunning, now, open_budgets, state_notices
from costkit.cli.framework import whole_number
from costkit.cli.run import Finding, Run
from costkit.errors import ExitCode

EXAMPLES = {"status": "Example: costkit budget status team-a --check || exit 3"}


def status(
    run: Run,
    name: NameOrRunning = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 3 if a budget has nothing left.")] = False,
) -> ExitCode:
    """Show what is left of each budget or of one, and every reservation that is not settled."""
    import os

    from costkit.cli.budget_wiring import VARIABLE
    from costkit.render.views.budget import status_view

    chosen = name or os.environ.get(VARIABLE) or None
    with open_budgets() as store:
        states = store.states(now()) if chosen is None else [store.state(chosen, now())]
    empty = [state for state in states if not state.standing.available]
    findings = [Finding(ExitCode.LIMIT, f"budget {state.rule.name} has nothing left") for state in empty if check]
    return run.show(
        "budget-status",
        {"budgets": states},
        lambda: status_view(states),
        notices=state_notices(*states),
        findings=findings,
    )


def list_(run: Run) -> ExitCode:
    """Show every budget in one line."""
    from costkit.render.views.budget import list_view

    with open_budgets() as store:
        states = store.states(now())
    return run.show("budget-list", {"budgets": states}, lambda: list_view(states), notices=state_notices(*states))


def history(
    run: Run,
    name: NameOrRunning = None,
    top: Annotated[
        int | None, typer.Option(parser=whole_number(1), metavar="N", help="Only the latest N events.")
    ] = None,
) -> ExitCode:
    """Show what happened to one budget or to all, oldest first."""
    from costkit.render.views.budget import history_view

    with open_budgets() as store:
        events = store.history(name, top)
    return run.show("budget-history", {"events": events}, lambda: history_view(events))
