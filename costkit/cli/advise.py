"""`costkit advise`: the flags of the advice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.run import Run, piped_input
from costkit.errors import ExitCode

if TYPE_CHECKING:
    from costkit.advise import Advice
    from costkit.core.tokens import TokenCounter
    from costkit.render.view import View

EXAMPLES = "Example: costkit advise usage.jsonl -o advise.html, or --format markdown for an issue"
_PAGES = (".html", ".htm")


def advise(
    run: Run,
    logs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOG|DIR|GLOB|-]...", show_default=False, help="Logs of any known dialect."),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this day or moment on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="To this day, or before this moment.")] = None,
    top: Annotated[
        int | None, typer.Option(parser=whole_number(1), metavar="N", help="Show the N findings that save most.")
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of --since and --until [default: UTC].", rich_help_panel=ADVANCED),
    ] = None,
    dedupe: Annotated[
        str,
        typer.Option(metavar="HOW", rich_help_panel=ADVANCED, help="auto, id or none, as in costkit report."),
    ] = "auto",
    tokens: Annotated[
        str | None,
        typer.Option(metavar="HOW", rich_help_panel=ADVANCED, help="auto, exact (the API), offline [default] or fast."),
    ] = None,
) -> ExitCode:
    """Say where the money goes, and what each remedy would have saved on this very traffic.

    Reads what report reads. It sees most where the log has the requests too: {"ts": …, "request": {…}, "response": {…}}
    a line, or costkit's own log, which has their outline without a word of their text.
    """
    from costkit.adapters.call_log import read_calls
    from costkit.advise import MOST_COUNTED, AdviseOptions, advise_on
    from costkit.cli.progress import byte_progress
    from costkit.report import parse_since, parse_until, parse_zone

    zone = parse_zone(tz or run.settings.tz or "UTC")
    options = AdviseOptions(
        as_of=run.as_of,
        since=None if since is None else parse_since(since, zone),
        until=None if until is None else parse_until(until, zone),
        dedupe=dedupe,
        zone=zone,
        most_counted=MOST_COUNTED if tokens is None else None,
    )
    with byte_progress(run, "reading") as progress:
        items = read_calls(logs or [piped_input()], progress=progress)
        result = advise_on(items, _counter(run, tokens), run.book, options)
    if run.output is not None and run.output.lower().endswith(_PAGES) and run.format == "table":
        _draw(run, result)
    return run.show(
        "advise",
        result,
        lambda: _page(result, run, top),
        notices=result.notices,
        assumptions=result.assumptions,
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "advise", advise, examples=EXAMPLES)


def _counter(run: Run, tokens: str | None) -> TokenCounter:
    """How tokens are counted: offline unless something else is asked for, because logs are long."""
    from costkit.adapters.settings import TOKEN_MODES
    from costkit.adapters.tokens import make_counter
    from costkit.cli.values import one_of

    mode = one_of("--tokens", tokens, TOKEN_MODES) or "offline"
    return make_counter(mode, offline=run.offline, cache_dir=run.cache_dir(), environ=os.environ)


def _page(result: Advice, run: Run, top: int | None) -> View:
    from costkit.render.views.advise import advise_view

    return advise_view(result, run.book_line, top)


def _draw(run: Run, result: Advice) -> None:
    """Write the page; the answer then goes to stdout."""
    from costkit.cli.output import write_answer
    from costkit.render.views.advise_page import advise_html

    write_answer(advise_html(result, run.book_line), run.output)
    run.output = None
