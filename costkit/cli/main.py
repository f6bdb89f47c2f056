"""The command line: finds the command, runs it, and is the one place where errors become exit codes."""

from __future__ import annotations

import difflib
import importlib
import os
import traceback
from collections.abc import Sequence

from costkit.cli.output import report_error, write_answer
from costkit.cli.registry import COMMANDS, Command, root_help
from costkit.errors import CostkitError, ExitCode, InvalidInput, OperationFailed


class Interrupted(CostkitError):
    """Raised when the user pressed Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED
    default_code = "interrupted"


def main(argv: Sequence[str]) -> int:
    """Run a command line (without the program's name) and return its exit status.

    Expected errors become one line on stderr, and a document on stdout where a machine format was asked for. A bug
    prints its traceback and returns 1.
    """
    answer_format = asked_format(argv)
    try:
        return int(_dispatch(list(argv)))
    except CostkitError as error:
        return int(report_error(error, answer_format))
    except KeyboardInterrupt:
        return int(report_error(Interrupted("interrupted"), answer_format))
    except RecursionError:
        return int(report_error(InvalidInput("the input is nested too deeply"), answer_format))
    except MemoryError:
        return int(report_error(OperationFailed("out of memory", code="out-of-memory"), answer_format))
    except Exception:  # noqa: BLE001  a bug: the one place that may see anything
        traceback.print_exc()
        bug = OperationFailed("this is a bug in costkit; the traceback above says where", code="bug")
        return int(report_error(bug, answer_format))


def asked_format(argv: Sequence[str]) -> str:
    """The format that a command line asks for, found without parsing it: its flags may be the error."""
    found = os.environ.get("COSTKIT_FORMAT", "table")
    for position, word in enumerate(argv):
        if word == "--":
            break
        if word == "--json":
            found = "json"
        elif word in ("-f", "--format") and position + 1 < len(argv):
            found = argv[position + 1]
        elif word.startswith("--format="):
            found = word.removeprefix("--format=")
        elif word.startswith("-f") and len(word) > len("-f") and not word.startswith("--"):
            found = word.removeprefix("-f").removeprefix("=")
    return found


def _dispatch(argv: list[str]) -> ExitCode:
    if argv in (["--version"], ["-V"]):
        from costkit import __version__

        write_answer(f"costkit {__version__}\n", None)
        return ExitCode.OK
    if argv in ([], ["--help"], ["-h"], ["help"]):
        write_answer(root_help(), None)
        return ExitCode.OK if argv else ExitCode.INVALID
    command = _find(argv[0])
    if command.is_group and len(argv) == 1:
        _run_command(command, [*argv, "--help"])
        return ExitCode.INVALID
    return _run_command(command, argv)


def _find(name: str) -> Command:
    for command in COMMANDS:
        if command.name == name:
            return command
    if name.startswith("-"):
        raise InvalidInput(
            f"no such option before the command: {name}", code="usage", hint="flags come after the command"
        )
    close = difflib.get_close_matches(name, [command.name for command in COMMANDS], n=1)
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
