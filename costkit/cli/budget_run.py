"""`costkit budget run`: start a program that spends from a budget."""

from __future__ import annotations

import os
from typing import Any

import typer  # noqa: TC002 - Typer reads the annotation

from costkit.cli.budget_wiring import VARIABLE, NameOrRunning, meant, now, open_budgets
from costkit.cli.framework import CONTEXT, SectionedCommand
from costkit.errors import ExitCode, InvalidInput

_EXAMPLE = "Example: costkit budget run team-a -- python nightly.py"
_COMMAND = "costkit.command"


class _CommandBehindDashes(SectionedCommand):
    """A command line whose part behind `--` belongs to the program that is started."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep what is behind the dashes for the body, and read the rest as usual."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[at + 1 :]
        rest: list[str] = super().parse_args(ctx, args[:at])
        return rest

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What the help shows after the command's name."""
        return [*super().collect_usage_pieces(ctx), "-- CMD [ARGUMENT]..."]


def run(context: typer.Context, name: NameOrRunning = None) -> ExitCode:
    """Start a program with COSTKIT_BUDGET set, if the budget has something left; its exit code is passed on.

    A program that makes its requests through `costkit.track(client)` or `costkit.Budget()` spends from that budget:
    each request is reserved before it is sent, and refused when it doesn't fit. So do `costkit budget` commands
    without a NAME. Other requests of the program are not seen. With nothing left, the program is not started (exit 3).
    """
    command: list[str] = context.meta[_COMMAND]
    if not command:
        raise InvalidInput("no program was named", code="usage", hint="costkit budget run NAME -- CMD")
    chosen = meant(name)
    with open_budgets() as store:
        state = store.state(chosen, now())
    if not state.standing.available:
        from costkit.budget import Outcome, refused

        raise refused(Outcome(state, None))
    _become(command, {**os.environ, VARIABLE: chosen})
    return ExitCode.OK


def add_run(app: typer.Typer) -> None:
    """Add the command to its group."""
    summary = (run.__doc__ or "").split("\n", 1)[0]
    app.command("run", cls=_CommandBehindDashes, context_settings=CONTEXT, epilog=_EXAMPLE, short_help=summary)(run)


def _become(command: list[str], environ: dict[str, str]) -> None:
    """Turn into the program, so that its signals, its terminal and its exit code are its own."""
    try:
        if os.name == "nt":  # where a process can't become another one
            import subprocess

            raise SystemExit(subprocess.call(command, env=environ))  # noqa: S603 - the user's own command
        os.execvpe(command[0], command, environ)  # noqa: S606 - the same
    except FileNotFoundError:
        raise InvalidInput(f"there is no program {command[0]!r}", code="no-such-program") from None
    except OSError as problem:
        raise InvalidInput(f"{command[0]!r} can't be run: {problem.strerror}", code="no-such-program") from None
