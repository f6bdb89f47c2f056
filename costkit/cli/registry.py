"""Every command with its one-line summary: what the root help shows, and which module to import for which name.

Only the module of the command that runs is imported; registering all of them would double the start-up.
"""

from __future__ import annotations

from typing import NamedTuple

from costkit.errors import ExitCode


class Command(NamedTuple):
    """A command of the root help."""

    name: str
    module: str
    summary: str
    section: str
    is_group: bool = False
    """Whether it only holds commands of its own."""


COMMANDS = (
    Command("estimate", "costkit.cli.estimate", "What will this prompt cost, and how sure are we?", "Before you send"),
    Command("calibrate", "costkit.cli.calibrate", "Make local token counts fit your own requests.", "Before you send"),
    Command("simulate", "costkit.cli.simulate", "When does caching pay for these repeats?", "Before you send"),
    Command(
        "cache",
        "costkit.cli.cache",
        "Cache breakpoints: lint them, explain a miss, plan better ones.",
        "Before you send",
        is_group=True,
    ),
    Command("route", "costkit.cli.route", "Which model for which request, and what does that cost?", "Before you send"),
    Command(
        "route evaluate", "costkit.cli.route_evaluate", "Which model is cheapest and not worse?", "Before you send"
    ),
    Command(
        "batch",
        "costkit.cli.batch",
        "Send large jobs at half price: never pay twice, never lose a row.",
        "In batches",
        is_group=True,
    ),
    Command(
        "budget",
        "costkit.cli.budget",
        "Hard limits for scripts: reserve, commit, and see what is left.",
        "While it runs",
        is_group=True,
    ),
    Command("report", "costkit.cli.report", "What did we spend, on what?", "After you sent"),
    Command("reconcile", "costkit.cli.reconcile", "Does it agree with the invoice?", "After you sent"),
    Command("advise", "costkit.cli.advise", "Where does the money go, and what would save some?", "After you sent"),
    Command("tail", "costkit.cli.tail", "What is a running program spending, minute by minute?", "After you sent"),
    Command(
        "pricing",
        "costkit.cli.pricing",
        "Look into the price book: list, show, check, diff.",
        "Reference",
        is_group=True,
    ),
    Command("schema", "costkit.cli.schema", "Print the JSON Schema of a command's result.", "Reference"),
)

EXIT_CODES = (
    (ExitCode.OK, "done (also: nothing to do)"),
    (ExitCode.FAILED, "could not do it: network, API, a read or write error; trying again may help"),
    (ExitCode.INVALID, "the command, the configuration or the input is invalid; nothing was done"),
    (ExitCode.LIMIT, "a limit that you set was exceeded"),
    (ExitCode.INCOMPLETE, "done, but incomplete: some items failed"),
    (ExitCode.UNDECIDED, "cannot be decided: price unknown, submission ambiguous, evidence too thin"),
    (ExitCode.RUNNING, "still running"),
    (ExitCode.INTERRUPTED, "interrupted; remote work goes on"),
)


def root_help() -> str:
    """The text of `costkit --help`."""
    lines = [
        "Usage: costkit COMMAND [OPTIONS] [ARGUMENTS]",
        "",
        "  Exact costs for the Claude API, offline where it can be.",
        "",
    ]
    width = max(len(command.name) for command in COMMANDS) + 2
    for section in dict.fromkeys(command.section for command in COMMANDS):
        lines.append(f"{section}:")
        lines += [f"  {c.name:<{width}}{c.summary}" for c in COMMANDS if c.section == section]
        lines.append("")
    lines.append("Exit codes:")
    lines += [f"  {int(code):<{width}}{meaning}" for code, meaning in EXIT_CODES]
    lines += [
        "",
        "Options:",
        f"  {'--version':<{width}}  Show the version.",
        f"  {'--help':<{width}}  Show this message; `costkit COMMAND --help` shows a command's flags.",
    ]
    return "\n".join(lines) + "\n"
