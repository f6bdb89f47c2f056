"""What the budget commands share: the file, the budget that is meant, and what should be said about it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.errors import InvalidInput

if TYPE_CHECKING:
    from costkit.adapters.budgets.store import BudgetStore
    from costkit.budget.result import BudgetState, Outcome
    from costkit.core.notice import Notice

VARIABLE = "COSTKIT_BUDGET"
_SECONDS_TO_MENTION = 2

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="The budget.")]
NameOrRunning = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", show_default=False, help=f"The budget [default: {VARIABLE}, see budget run]."),
]


@contextmanager
def open_budgets() -> Iterator[BudgetStore]:
    """The budgets of this user."""
    from costkit.adapters.budgets.store import BudgetStore
    from costkit.adapters.state_folder import state_folder

    with BudgetStore(state_folder()) as store:
        yield store


def now() -> datetime:
    """The current moment, UTC."""
    return datetime.now(UTC)


def meant(name: str | None) -> str:
    """The budget that a command is about: the argument, else the variable; raises `InvalidInput` without either."""
    chosen = name or os.environ.get(VARIABLE)
    if not chosen:
        raise InvalidInput(
            f"no budget was named, and {VARIABLE} is not set", hint="costkit budget list shows them", code="usage"
        )
    return chosen


def read_objects(path: str) -> list[Mapping[str, object]]:
    """The JSON object, or the list of them, in a file or in stdin (`-`); raises `InvalidInput` for anything else."""
    where = "<stdin>" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        found = json.loads(data)
    except OSError as problem:
        raise InvalidInput(f"can't be read: {problem.strerror}", where=where) from None
    except (ValueError, RecursionError):
        raise InvalidInput("is not JSON", where=where) from None
    objects = found if isinstance(found, list) else [found]
    if not objects or not all(isinstance(one, Mapping) for one in objects):
        raise InvalidInput("is neither a JSON object nor a list of them", where=where)
    return objects


def state_notices(*states: BudgetState) -> Iterator[Notice]:
    """What should be known about budgets: a clock that was put back, reservations that nobody settled."""
    from costkit.core.notice import Notice

    for state in states:
        name = state.rule.name
        if state.clock_behind_s >= _SECONDS_TO_MENTION:
            message = (
                f"the clock is {state.clock_behind_s:,} s behind the latest entry, whose time holds until it catches up"
                f" (costkit budget reset {name} begins again)"
            )
            yield Notice("clock-behind", message, name)
        uncertain = [one for one in state.open if one.state == "uncertain"]
        if uncertain:
            what = "1 reservation was" if len(uncertain) == 1 else f"{len(uncertain)} reservations were"
            message = f"{what} never settled and may be spent: costkit budget commit ID, or costkit budget release ID"
            yield Notice("uncertain-reservations", message, name)


def outcome_notices(outcome: Outcome) -> Iterator[Notice]:
    """The same after a change, with the warning of a soft limit, which is told to the budget's command as well."""
    from costkit.core.notice import Notice

    yield from state_notices(outcome.state)
    if not outcome.is_warning_due:
        return
    from costkit.adapters.budgets.notify import notify, warning_of

    yield Notice("soft-limit", warning_of(outcome.state))
    problem = notify(outcome.state)
    if problem:
        yield Notice("notify-failed", problem, outcome.state.rule.name)
