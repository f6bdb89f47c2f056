"""`costkit budget commit` and `release`: what became of a reservation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.budget_wiring import now, open_budgets, outcome_notices, read_objects
from costkit.cli.framework import whole_number
from costkit.cli.run import Finding, Run
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.budget import Outcome, Spent
    from costkit.core.notice import Notice

EXAMPLES = {"commit": 'Example: curl … | costkit budget commit "$ID" --response -'}
Id = Annotated[str, typer.Argument(metavar="ID", show_default=False, help="The reservation.")]


def commit(
    run: Run,
    reservation: Id,
    response: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The API's answer, or a list of them, as JSON; - is stdin: commit its bill."),
    ] = None,
    usd: Annotated[str | None, typer.Option(metavar="USD", help="Commit this many US dollars.")] = None,
    tokens: Annotated[
        int | None, typer.Option(parser=whole_number(), metavar="N", help="Commit this many tokens.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="Where the answer names none.")
    ] = None,
) -> ExitCode:
    """Settle a reservation with what was spent; without an amount, with all that it holds.

    What was spent is recorded even if it is more than was held; exit 3 if the budget is then over its limit. The same
    commit again changes nothing. A price that is not known ends with exit code 5, and the amount stays held.
    """
    from costkit.budget import units_spent
    from costkit.render.views.budget import outcome_view

    spent = _spent(response, usd, tokens, model)._replace(day=run.as_of if run.as_of_given else None)
    with open_budgets() as store:
        outcome = store.commit(reservation, lambda held: units_spent(held, spent, run.book), now())
    return run.show(
        "budget-commit",
        outcome,
        lambda: outcome_view(outcome),
        notices=[*_overrun(outcome), *outcome_notices(outcome)],
        findings=_over(outcome),
    )


def release(run: Run, reservation: Id) -> ExitCode:
    """Give back what a reservation holds, because nothing was spent."""
    from costkit.render.views.budget import outcome_view

    with open_budgets() as store:
        outcome = store.release(reservation, now())
    return run.show("budget-release", outcome, lambda: outcome_view(outcome), notices=outcome_notices(outcome))


def _spent(response: str | None, usd: str | None, tokens: int | None, model: str | None) -> Spent:
    from costkit.budget import Spent, token_amount, usd_amount

    if sum(given is not None for given in (response, usd, tokens)) > 1:
        raise InvalidInput("give one of --response, --usd and --tokens", code="usage")
    if response is not None:
        return Spent(usages=tuple(_usage(answer, model, response) for answer in read_objects(response)))
    if usd is not None:
        return Spent(usd_amount(usd, "--usd"))
    return Spent(None if tokens is None else token_amount(tokens))


def _usage(answer: Mapping[str, object], model: str | None, path: str) -> tuple[Mapping[str, object], str | None]:
    usage, named = answer.get("usage"), answer.get("model")
    if not isinstance(usage, Mapping):
        raise InvalidInput("is no answer of the Messages API: it has no usage", where=path)
    return usage, named if isinstance(named, str) else model


def _overrun(outcome: Outcome) -> Iterator[Notice]:
    from costkit.core.notice import Notice

    held = outcome.reservation
    if held is not None and held.committed is not None and held.committed.value > held.reserved.value:
        yield Notice("overrun", f"{held.committed} was spent, more than the {held.reserved} that was held", held.id)


def _over(outcome: Outcome) -> Iterator[Finding]:
    standing, rule = outcome.state.standing, outcome.state.rule
    if standing.over:
        over = standing.amount(standing.over)
        yield Finding(ExitCode.LIMIT, f"budget {rule.name} is {over} over its limit of {rule.limit}")
