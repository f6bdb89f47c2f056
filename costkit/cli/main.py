"""The command line: finds the command, runs it, and is the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Sequence

from costkit.cli.output import report_error, write_answer
from costkit.cli.registry import COMMANDS, Command, root_help
from costkit.core.suggest import close_names
from costkit.errors import CostkitError, ExitCode, InvalidInput, OperationFailed

_SHORT_FORMAT = re.compile(r"-[qh]*f=?(.*)")
"""`-f json`, `-fjson`, and the same behind switches, as in `-qf json`."""


class Interrupted(CostkitError):
    """Raised when the user pressed Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED
    default_code = "interrupted"


class Bug(CostkitError):
    """Raised when something happened that can't be the user's doing; trying again won't help."""

    default_code = "bug"


def main(argv: Sequence[str]) -> int:
    """Run a command line (without the program's name) and return its exit status.

    Expected errors become one line on stderr, and a document on stdout where a machine format was asked for. A bug
    prints its traceback and returns 1.
    """
    try:
        return int(_dispatch(list(argv)))
    except CostkitError as error:
        problem = error
    except KeyboardInterrupt:
        problem = Interrupted("interrupted")
    except RecursionError:
        problem = InvalidInput("the input is nested too deeply")
    except MemoryError:
        problem = OperationFailed("out of memory", code="out-of-memory")
    except Exception:  # noqa: BLE001  a bug: the one place that may see anything
        import traceback

        traceback.print_exc()
        problem = Bug("this is a bug in costkit; the traceback above says where")
    return int(report_error(problem, asked_format(argv)))


def asked_format(argv: Sequence[str]) -> str:
    """The format that was asked for, found without parsing the command line: its flags may be the error."""
    return _flagged_format(argv) or os.environ.get("COSTKIT_FORMAT") or _configured_format() or "table"


def _flagged_format(argv: Sequence[str]) -> str | None:
    found = None
    for word, following in zip(argv, [*argv[1:], None], strict=False):
        if word == "--":
            break
        short = _SHORT_FORMAT.fullmatch(word)
        if word == "--json":
            found = "json"
        elif word.startswith("--format="):
            found = word.removeprefix("--format=")
        elif word == "--format" or (short and not short[1]):
            found = following or found
        elif short:
            found = short[1]
    return found


def _configured_format() -> str | None:
    from costkit.cli.run import settings_here

    try:
        return settings_here().format
    except CostkitError:
        return None


def _dispatch(argv: list[str]) -> ExitCode:
    if argv in (["--version"], ["-V"]):
        from costkit import __version__

        write_answer(f"costkit {__version__}\n", None)
        return ExitCode.OK
    if argv in ([], ["--help"], ["-h"], ["help"]):
        if not argv:
            _refuse_a_program("costkit")
        write_answer(root_help(), None)
        return ExitCode.OK if argv else ExitCode.INVALID
    if argv[0] == "help":
        argv = [*argv[1:], "--help"]
    if any(command.name == " ".join(argv[:2]) for command in COMMANDS):  # a command of two words
        argv = [" ".join(argv[:2]), *argv[2:]]
    command = _find(argv[0])
    if command.is_group and len(argv) == 1:
        _refuse_a_program(f"costkit {command.name}")
        _run_command(command, [*argv, "--help"])
        return ExitCode.INVALID
    return _run_command(command, argv)


def _refuse_a_program(path: str) -> None:
    """A person who gives no command is shown the help; a program gets a document that says so."""
    if asked_format(()) in ("json", "csv"):
        raise InvalidInput("no command was given", code="usage", hint=f"{path} --help lists the commands")


def _find(name: str) -> Command:
    for command in COMMANDS:
        if command.name == name:
            return command
    if name.startswith("-"):
        raise InvalidInput(
            f"no such option before the command: {name}", code="usage", hint="flags come after the command"
        )
    close = close_names(name, (command.name for command in COMMANDS))
    hint = f"did you mean {close[0]}?" if close else "costkit --help lists the commands"
    raise InvalidInput(f"no such command: {name}", code="usage", hint=hint)


def _run_command(command: Command, argv: list[str]) -> ExitCode:
    import typer
    from typer.main import get_command

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback()(_root)
    importlib.import_module(command.module).register(app)
    # Typer's own copy of click is private; the base of a public exception is the one that covers all usage errors.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        code = get_command(app).main(argv, prog_name="costkit", standalone_mode=False)
    except usage_error as problem:
        raise InvalidInput(_one_line(problem), code="usage", hint=_help_hint(problem)) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    if code == ExitCode.INTERRUPTED:  # what Typer makes of Ctrl-C
        raise KeyboardInterrupt
    return ExitCode(code or 0)


def _root() -> None:
    """Exact costs for the Claude API, offline where it can be."""


def _one_line(problem: Exception) -> str:
    message = problem.format_message() if hasattr(problem, "format_message") else str(problem)
    return " ".join(str(message).split()).rstrip(".")


def _help_hint(problem: Exception) -> str:
    context = getattr(problem, "ctx", None)
    path = context.command_path if context is not None else "costkit"
    return f"{path} --help shows the flags"
