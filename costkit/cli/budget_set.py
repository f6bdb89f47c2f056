"""`costkit budget set`, `reset` and `delete`: the limits themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.budget_wiring import Name, now, open_budgets, state_notices
from costkit.cli.run import Run
from costkit.errors import ExitCode

if TYPE_CHECKING:
    from costkit.budget import Scope

EXAMPLES = {
    "set": "Example: costkit budget set team-a --limit 50 --window day --tz Europe/Berlin --soft 80%",
}
_ALL, _NONE = "all", "none"


def set_(
    run: Run,
    name: Name,
    limit: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="US dollars (50, $0.25) or tokens (2000000tokens, 2M).")
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(metavar="WINDOW", help="day, week, month, total or rolling:5h [default: total]."),
    ] = None,
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Whose midnights cut the windows [default: UTC].")
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(metavar="WHAT=…,…", help="Only these requests: model=*opus*,tag=team:search,user=ann; or all."),
    ] = None,
    soft: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Warn once per window from here on, e.g. 80%; or none.")
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(metavar="CMD", help="A command that gets the warning as JSON on its stdin; or none."),
    ] = None,
    geo: Annotated[
        str | None,
        typer.Option(metavar="GEO", help="us: your workspace's default, so its surcharge is reserved; or global."),
    ] = None,
) -> ExitCode:
    """Make a budget, or change one: what is not said stays, and so does what was spent.

    Spending belongs to the window in which it was reserved. Weeks begin on Monday; what was spent in a rolling window
    counts for its whole length.
    """
    from costkit.budget import Change, parse_amount, parse_window, soft_share
    from costkit.cli.values import one_of, share_from
    from costkit.render.views.budget import state_view

    share = None if soft is None or soft == _NONE else share_from("--soft", soft)
    change = Change(
        limit=None if limit is None else parse_amount(limit),
        window=None if window is None else parse_window(window),
        zone=tz,
        scope=_scope(scope),
        soft=0 if soft == _NONE else None if share is None else soft_share(share),
        notify="" if notify == _NONE else notify,
        inference_geo=one_of("--geo", geo, ("us", "global")),
    )
    with open_budgets() as store:
        is_new = all(rule.name != name for rule in store.rules())
        state = store.define(name, change._replace(zone=tz or (run.settings.tz if is_new else None)), now())
    return run.show("budget-set", {"budget": state}, lambda: state_view(state), notices=state_notices(state))


def reset(run: Run, name: Name) -> ExitCode:
    """Begin again with nothing spent; what is held stays held, because it may still be spent."""
    from costkit.render.views.budget import state_view

    with open_budgets() as store:
        state = store.reset(name, now())
    return run.show("budget-reset", {"budget": state}, lambda: state_view(state), notices=state_notices(state))


def delete(
    run: Run,
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Also while something is held.")] = False,
) -> ExitCode:
    """Remove a budget with its history."""
    from costkit.render.views.budget import deleted_view

    with open_budgets() as store:
        store.delete(name, force=force)
    return run.show("budget-delete", {"deleted": name}, lambda: deleted_view(name))


def _scope(text: str | None) -> Scope | None:
    from costkit.budget import parse_scope

    if text is None:
        return None
    return () if text.strip().lower() == _ALL else parse_scope(text)
