"""`costkit batch`: the life of a Message Batch job, one command per step."""

from __future__ import annotations

import importlib

import typer

from costkit.cli.framework import CONTEXT, CommandGroup, add_command

_STEPS = (
    ("lint", "costkit.cli.batch_lint", "lint"),
    ("submit", "costkit.cli.batch_submit", "submit"),
    ("status", "costkit.cli.batch_status", "status"),
    ("collect", "costkit.cli.batch_collect", "collect"),
    ("retry", "costkit.cli.batch_retry", "retry"),
    ("retry", "costkit.cli.batch_retry", "retry"),
    ("cancel", "costkit.cli.batch_cancel", "cancel"),
    ("list", "costkit.cli.batch_list", "list_"),
    ("adopt", "costkit.cli.batch_adopt", "adopt"),
)
"""Name, module and function of each command, in the order of a job's life."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        cls=CommandGroup,
        context_settings=CONTEXT,
        help="Send large jobs at half price: never pay twice, never lose a row.",
        rich_markup_mode=None,
    )
    for name, module, function in _STEPS:
        home = importlib.import_module(module)
        add_command(group, name, getattr(home, function), examples=getattr(home, "EXAMPLES", ""))
    app.add_typer(group, name="batch")
