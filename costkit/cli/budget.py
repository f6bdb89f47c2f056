"""`costkit budget`: hard limits for scripts, one command per step."""

from __future__ import annotations

import importlib

import typer

from costkit.cli.framework import CONTEXT, CommandGroup, add_command

_STEPS = (
    ("set", "costkit.cli.budget_set", "set_"),
    ("status", "costkit.cli.budget_status", "status"),
    ("reserve", "costkit.cli.budget_reserve", "reserve"),
    ("commit", "costkit.cli.budget_settle", "commit"),
    ("release", "costkit.cli.budget_settle", "release"),
    ("history", "costkit.cli.budget_status", "history"),
    ("list", "costkit.cli.budget_status", "list_"),
    ("reset", "costkit.cli.budget_set", "reset"),
    ("delete", "costkit.cli.budget_set", "delete"),
)
"""Name, module and function of each command."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    from costkit.cli.budget_run import add_run

    group = typer.Typer(
        cls=CommandGroup,
        context_settings=CONTEXT,
        help="Keep spending within limits: reserve before a request, commit what it did cost.",
        rich_markup_mode=None,
    )
    for name, module, function in _STEPS:
        home = importlib.import_module(module)
        examples = getattr(home, "EXAMPLES", {}).get(name, "")
        add_command(group, name, getattr(home, function), examples=examples)
    add_run(group)
    app.add_typer(group, name="budget")
