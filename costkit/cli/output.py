"""The way out: one answer on stdout or in a file, the conversation on stderr.

A reader that went away (`| head -1`) is no error: the command ends with the code it would have had.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from costkit.errors import CostkitError, ExitCode, OperationFailed, worst

if TYPE_CHECKING:
    from typing import TextIO

    from costkit.cli.run import Finding, Run
    from costkit.core.notice import Assumption, Notice
    from costkit.render.view import View

MOST_OF_A_KIND = 5
"""How many notices of one kind are said on stderr; documents hold them all."""
PICTURES = (".svg", ".html")
"""Names of files that get a picture instead of the answer."""
FIXED_WIDTH = 160
"""Columns of a table that doesn't go to a terminal, so that a log looks the same everywhere."""


def show(
    run: Run,
    command: str,
    result: object,
    view: Callable[[], View],
    *,
    notices: Sequence[Notice],
    assumptions: Sequence[Assumption],
    findings: Sequence[Finding],
) -> ExitCode:
    """Write an answer in the format of the run, then notices and findings; return the exit code."""
    exit_code = worst(finding.exit_code for finding in findings)
    page = None
    if run.format == "json":
        from costkit.render.document import envelope, to_json

        document = envelope(
            command,
            result,
            book=run.book,
            as_of=run.as_of,
            assumptions=assumptions,
            notices=notices,
            exit_code=exit_code,
        )
        text = to_json(document)
    else:
        page = view()
        text = _written(page, run)
    write_answer(text, run.output)
    if not run.quiet:
        _say_notices(notices)
    for finding in findings:
        say(f"costkit: {finding.message}")
    if page is not None and page.next_command and not run.quiet and run.format == "table":
        say(page.next_command)
    return exit_code


def _say_notices(notices: Sequence[Notice]) -> None:
    """Say what should be known; of many notices of one kind (a long batch has one for each line) only the first."""
    said = Counter[str]()
    for notice in notices:
        said[notice.code] += 1
        if said[notice.code] <= MOST_OF_A_KIND:
            say(f"! {notice.where}: {notice.message}" if notice.where else f"! {notice.message}")
    for code, count in said.items():
        if count > MOST_OF_A_KIND:
            say(f"! {count - MOST_OF_A_KIND:,} more of the kind {code}: --json lists them all")


def _written(page: View, run: Run) -> str:
    if run.format == "csv":
        from costkit.render.csvtext import render_csv

        return render_csv(page)
    if run.format == "markdown":
        from costkit.render.markdown import render_markdown

        return render_markdown(page, also=run.also)
    from costkit.render.table import render_table

    to_terminal = _goes_to_terminal(run)
    color = _colored(run, to_terminal=to_terminal)
    return render_table(page, width=width_of(run), color=color, also=run.also, to_terminal=to_terminal)


def width_of(run: Run) -> int:
    """How many columns there are for the answer."""
    return shutil.get_terminal_size((FIXED_WIDTH, 24)).columns if _goes_to_terminal(run) else FIXED_WIDTH


def is_plain(run: Run) -> bool:
    """Whether the answer goes to where only ASCII is sure to be shown."""
    if not _goes_to_terminal(run):
        return False
    return "utf" not in (sys.stdout.encoding or "").lower()


def _goes_to_terminal(run: Run) -> bool:
    return _goes_to_stdout(run) and sys.stdout is not None and sys.stdout.isatty()


def _colored(run: Run, *, to_terminal: bool) -> bool:
    if run.settings.color in ("always", "never"):
        return run.settings.color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") and _goes_to_stdout(run):
        return True
    return to_terminal and os.environ.get("TERM") != "dumb"


def _goes_to_stdout(run: Run) -> bool:
    return run.output in (None, "-")


def is_picture(output: str | None) -> bool:
    """Whether `-o` names a picture; the answer then goes to stdout."""
    return output is not None and output.lower().endswith(PICTURES)


def is_page(output: str | None) -> bool:
    """Whether `-o` names a page for a browser."""
    return output is not None and output.lower().endswith(".html")


def write_picture(run: Run, svg: Callable[[], str], html: Callable[[], str]) -> None:
    """Write the picture that `-o` names, and leave stdout to the answer."""
    draw = html if is_page(run.output) else svg
    write_answer(draw(), run.output)
    run.output = None


def write_answer(text: str, target: str | None) -> None:
    """Write a whole answer to stdout, or atomically to a file."""
    data = text.encode("utf-8", "backslashreplace")
    if target not in (None, "-"):
        from costkit.adapters.atomic import write_atomically

        write_atomically(Path(str(target)), data)
        return
    if sys.stdout is None:
        raise OperationFailed("can't write the answer: standard output is closed", code="write-failed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _forget(sys.stdout)
    except OSError as problem:
        _forget(sys.stdout)
        raise OperationFailed(f"can't write the answer: {problem.strerror}", code="write-failed") from None


def say(line: str) -> None:
    """Write one line to stderr, made harmless; a stderr that nobody reads any more is ignored."""
    from costkit.render.harmless import harmless

    if sys.stderr is None:
        return
    try:
        sys.stderr.write(harmless(line) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        _forget(sys.stderr)


def report_error(error: CostkitError, answer_format: str) -> ExitCode:
    """Say what went wrong: one line for people, and the error document where a program listens."""
    codes = [error.exit_code]
    try:
        _write_error(error, answer_format)
    except OperationFailed as unwritten:
        say(f"costkit: {unwritten}")
        codes.append(unwritten.exit_code)
    say(f"costkit: {error}" + (f" ({error.hint})" if error.hint else ""))
    return worst(codes)


def _write_error(error: CostkitError, answer_format: str) -> None:
    if answer_format == "json":
        from costkit.render.document import error_document, to_json

        write_answer(to_json(error_document(error)), None)
    elif answer_format == "csv":
        write_answer(_error_csv(error), None)


def _error_csv(error: CostkitError) -> str:
    from costkit.render.csvtext import render_csv
    from costkit.render.view import Column, Table, View

    keys = ("schema", "code", "message", "hint", "retryable", "exit")
    row = ("costkit/error@1", error.code, str(error), error.hint, str(error.retryable).lower(), int(error.exit_code))
    return render_csv(View("", (Table(tuple(Column(key, key) for key in keys), (row,)),)))


def _forget(stream: TextIO) -> None:
    """Point a stream whose reader is gone at nothing, so that the interpreter's last flush stays quiet."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, stream.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(devnull)
