"""`costkit tail`: what a running program is spending."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.run import Run, interactive, shows_progress
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.adapters.following import FollowedLog
    from costkit.report.pace import Pace, Spending

EXAMPLES = "Ctrl-C ends with the totals (exit 130). Example: costkit tail usage.jsonl --for 10m --json"
_LIVE_S, _LINES_S = 1.0, 10.0
_LOOK_S = 0.25
Draw = Callable[["Spending"], None]


def tail(
    run: Run,
    logs: Annotated[list[str], typer.Argument(metavar="LOG...", help="Logs that a program writes; they may be new.")],
    once: Annotated[bool, typer.Option("--once", help="Show what is there, and end.")] = False,
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this long, e.g. 10m.")] = None,
    minutes: Annotated[
        int, typer.Option(parser=whole_number(1), metavar="N", help="Rows for the newest N minutes with requests.")
    ] = 5,
    interval: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            rich_help_panel=ADVANCED,
            help="Between two looks [default: 1s; 10s where lines are written].",
        ),
    ] = None,
) -> ExitCode:
    """Show the cost by minute, model and tags while a program runs.

    Reads the end of the log, then what is added to it, through rotation and truncation. On a terminal the table is
    drawn anew; elsewhere each interval with news is a line. Formats for programs need --once or --for.
    """
    from costkit.adapters.following import FollowedLog
    from costkit.cli.values import seconds_from
    from costkit.render.views.tail import tail_view
    from costkit.report import ReportOptions
    from costkit.report.pace import BY, Pace

    length, pause = seconds_from("--for", for_), seconds_from("--interval", interval)
    _check(run, once=once, length=length, pause=pause)
    pace = Pace(run.book, ReportOptions(as_of=run.as_of, by=BY))
    with ExitStack() as stack:
        files = [stack.enter_context(closing(FollowedLog(path, BY[1:]))) for path in logs]
        missing = [path for path, file in zip(logs, files, strict=True) if not file.is_there()]
        if once and missing:
            raise InvalidInput("does not exist", where=missing[0])
        interrupted = not _watch(run, files, pace, minutes, until=0.0 if once else length, pause=pause)
    found = pace.spending(minutes)
    if interrupted and run.format != "table":
        raise KeyboardInterrupt
    code = run.show("tail", found, lambda: tail_view(found, run.book_line))
    if interrupted:
        raise KeyboardInterrupt
    return code


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "tail", tail, examples=EXAMPLES)


def _check(run: Run, *, once: bool, length: float | None, pause: float | None) -> None:
    if once and length is not None:
        raise InvalidInput("--once and --for contradict each other", code="usage")
    if pause is not None and pause <= 0:
        raise InvalidInput("--interval must be more than nothing", code="usage")
    if run.format != "table" and not once and length is None:
        hint = "add --once, or --for 10s"
        raise InvalidInput(f"--format {run.format} is one answer, and this never ends", code="usage", hint=hint)


def _watch(
    run: Run, files: list[FollowedLog], pace: Pace, minutes: int, *, until: float | None, pause: float | None
) -> bool:
    """Read until the time is over; `False` where the user ended it. `until` 0 is a single look."""
    started = time.monotonic()
    try:
        with _showing(run, once=until == 0, pause=pause) as (draw, every):
            shown = None
            while True:
                for file in files:
                    pace.take(file.read(), time.time_ns() // 1000)
                now = time.monotonic()
                if shown is None or now - shown >= every:
                    draw(pace.spending(minutes))
                    shown = now
                left = None if until is None else started + until - now
                if left is not None and left <= 0:
                    return True
                time.sleep(min(_LOOK_S, every, left or _LOOK_S))
    except KeyboardInterrupt:
        return False


@contextmanager
def _showing(run: Run, *, once: bool, pause: float | None) -> Iterator[tuple[Draw, float]]:
    """How news are shown, and how often."""
    if once or run.quiet or run.format != "table":
        yield _ignore, pause or _LIVE_S
    elif shows_progress(run) and interactive(sys.stdout):
        with _live(run) as draw:
            yield draw, pause or _LIVE_S
    else:
        yield _lines(), pause or _LINES_S


def _ignore(_spending: Spending) -> None:
    """Show nothing until the end."""


def _lines() -> Draw:
    """One line on stdout for each interval with news."""
    from costkit.cli.output import write_answer
    from costkit.render.harmless import harmless
    from costkit.render.views.tail import headline, news_line

    before: Spending | None = None

    def draw(spending: Spending) -> None:
        nonlocal before
        at = f"{datetime.now(UTC):%H:%M:%S}"
        if before is None:
            write_answer(harmless(f"{at}  {headline(spending)}") + "\n", None)
        elif spending.total != before.total:
            write_answer(harmless(news_line(before, spending, at)) + "\n", None)
        before = spending

    return draw


@contextmanager
def _live(run: Run) -> Iterator[Draw]:
    """A table that is drawn anew, and makes room for the final one."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from costkit.render.table import render_table
    from costkit.render.views.tail import tail_view

    console = Console(stderr=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def draw(spending: Spending) -> None:
            view = tail_view(spending, f"{run.book_line} · Ctrl-C ends")
            page = render_table(view, width=console.width, color=False, to_terminal=True)
            live.update(Text(page), refresh=True)

        yield draw
