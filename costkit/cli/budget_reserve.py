"""`costkit budget reserve`: hold the most that a request can cost, before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.budget_wiring import NameOrRunning, meant, now, open_budgets, outcome_notices, read_objects
from costkit.cli.framework import ADVANCED, whole_number
from costkit.cli.run import Finding, Run
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.budget import Amount, Ask, Outcome, Size

EXAMPLES = {"reserve": "Example: ID=$(costkit budget reserve team-a --request body.json --id) || exit"}


def reserve(
    run: Run,
    name: NameOrRunning = None,
    usd: Annotated[str | None, typer.Option(metavar="USD", help="Hold this many US dollars.")] = None,
    tokens: Annotated[
        int | None, typer.Option(parser=whole_number(), metavar="N", help="Hold this many tokens.")
    ] = None,
    request: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A Messages body, - is stdin: hold its ceiling (input and max_tokens)."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", metavar="MODEL", help="The model.")] = None,
    input_tokens: Annotated[
        int | None,
        typer.Option(parser=whole_number(), metavar="N", help="With --model and --max-tokens: the size of the prompt."),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(parser=whole_number(), metavar="N", help="The limit of the output.")
    ] = None,
    id_: Annotated[bool, typer.Option("--id", help="Print nothing but the reservation's id, for scripts.")] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="At batch prices, and held as long as a batch may run (25 hours).")
    ] = False,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", rich_help_panel=ADVANCED, help="For budgets with a scope of tags."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="USER", rich_help_panel=ADVANCED, help="For budgets with a scope of users.")
    ] = None,
    lease: Annotated[
        str | None,
        typer.Option(metavar="TIME", rich_help_panel=ADVANCED, help="After this it is uncertain [default: 15m]."),
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", rich_help_panel=ADVANCED, help="For the history.")] = None,
) -> ExitCode:
    """Hold an amount of a budget if it fits; exit 3, with what is left, if it doesn't.

    Settle it with `commit` or `release`. Without that it stays counted, and from the end of its lease on it is shown
    as uncertain. A price that is not known ends with exit code 5, and nothing is held.
    """
    from costkit.budget import refused, units_asked
    from costkit.render.views.budget import outcome_view

    budget = meant(name)
    size, tags = _size(input_tokens, max_tokens), _tags(tag or [], user)
    ask = _ask(run, _amount(usd, tokens), request, size, model, tags)._replace(batch=batch)
    with open_budgets() as store:
        outcome = store.reserve(
            budget,
            lambda rule: units_asked(rule, ask, run.book),
            now(),
            lease=_lease(lease, batch=batch),
            model=ask.model,
            batch=batch,
            note=note,
        )
    if id_:
        return _print_id(run, outcome)
    findings = [] if outcome.reservation else [Finding(ExitCode.LIMIT, str(refused(outcome)))]
    return run.show(
        "budget-reserve", outcome, lambda: outcome_view(outcome), notices=outcome_notices(outcome), findings=findings
    )


def _print_id(run: Run, outcome: Outcome) -> ExitCode:
    from costkit.budget import refused
    from costkit.cli.output import say, write_answer

    if outcome.reservation is None:
        raise refused(outcome)
    write_answer(f"{outcome.reservation.id}\n", run.output)
    for notice in outcome_notices(outcome):
        if not run.quiet:
            say(f"! {notice.message}")
    return ExitCode.OK


def _lease(text: str | None, *, batch: bool) -> timedelta:
    from costkit.adapters.budgets.store import BATCH_LEASE, DEFAULT_LEASE
    from costkit.cli.values import seconds_from

    seconds = seconds_from("--lease", text)
    if seconds is None:
        return BATCH_LEASE if batch else DEFAULT_LEASE
    return timedelta(seconds=seconds)


def _ask(
    run: Run, amount: Amount | None, request: str | None, size: Size | None, model: str | None, tags: dict[str, str]
) -> Ask:
    """What the flags ask for; raises `InvalidInput` unless exactly one of them says how much."""
    from costkit.budget import Ask

    if sum(given is not None for given in (amount, request, size)) != 1:
        raise InvalidInput(
            "say how much: --usd, --tokens, --request, or --input-tokens and --max-tokens with --model", code="usage"
        )
    ask = Ask(run.as_of, amount, size, tags, model)
    if request is None:
        return ask
    from costkit.adapters.budgets.size import request_size

    (body, *more) = read_objects(request)
    if more:
        raise InvalidInput("holds more than one request", where=request, hint="reserve for one at a time")
    parsed, measured = request_size({**body, "model": model} if model else body, run.book)
    geo = body.get("inference_geo")
    return ask._replace(
        size=measured,
        model=parsed.model,
        fast=body.get("speed") == "fast",
        inference_geo=geo if isinstance(geo, str) else None,
    )


def _amount(usd: str | None, tokens: int | None) -> Amount | None:
    from costkit.budget import token_amount, usd_amount

    if usd is not None and tokens is not None:
        raise InvalidInput("give --usd or --tokens, not both", code="usage")
    if usd is not None:
        return usd_amount(usd, "--usd")
    return None if tokens is None else token_amount(tokens)


def _size(input_tokens: int | None, max_tokens: int | None) -> Size | None:
    from costkit.budget import Size

    if input_tokens is None and max_tokens is None:
        return None
    if input_tokens is None or max_tokens is None:
        raise InvalidInput("--input-tokens and --max-tokens belong together", code="usage")
    return Size(input_tokens, max_tokens)


def _tags(texts: Sequence[str], user: str | None) -> dict[str, str]:
    from costkit.budget import USER

    pairs = [text.partition("=") for text in texts]
    for text, (name, _, value) in zip(texts, pairs, strict=True):
        if not name or not value:
            raise InvalidInput(f"--tag {text!r} is not NAME=VALUE", code="usage")
    tags = {name: value for name, _, value in pairs}
    return tags if user is None else {**tags, USER: user}
