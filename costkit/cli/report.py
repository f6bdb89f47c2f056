"""`costkit report`: the flags of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.output import is_picture, write_picture
from costkit.cli.run import Finding, Run, piped_input
from costkit.errors import ExitCode

if TYPE_CHECKING:
    from decimal import Decimal

    from costkit.render.view import View
    from costkit.report import Report

EXAMPLES = "Example: costkit report logs/ --by model,day --since 2026-11-01 --max-cost 100"


def report(
    run: Run,
    logs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOG|DIR|GLOB|-]...", show_default=False, help="Logs of any known dialect."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT,…",
            help="model, day, week, month, hour, project, session, tier, speed, file, key:PATH, tag:NAME.",
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this day or moment on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="To this day, or before this moment.")] = None,
    tz: Annotated[str | None, typer.Option(metavar="ZONE", help="Cuts days for grouping [default: UTC].")] = None,
    model: Annotated[str | None, typer.Option(metavar="GLOB", help="Only these models, e.g. '*opus*'.")] = None,
    top: Annotated[
        int | None, typer.Option(parser=whole_number(1), metavar="N", help="The N dearest rows; the rest as one.")
    ] = None,
    max_cost: Annotated[str | None, typer.Option(metavar="USD", help="Exit 3 if the total is above this.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 4 if anything was skipped, 5 if anything has no price.")
    ] = False,
    chart: Annotated[bool, typer.Option("--chart", help="Draw a bar for each row.")] = False,
    dedupe: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            rich_help_panel=ADVANCED,
            help="auto (message and request id), id (message id), file (auto, within each file) or none.",
        ),
    ] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(1),
            metavar="N",
            rich_help_panel=ADVANCED,
            help="Processes that read [default: one for each core, as far as the size of the logs is worth it].",
        ),
    ] = None,
    no_cache: Annotated[
        bool,
        typer.Option(
            "--no-cache", rich_help_panel=ADVANCED, help="Read every log again, also one that has not changed."
        ),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            rich_help_panel=ADVANCED,
            help="Read with a Dask cluster: tcp://scheduler:8786, or local:N. Logs may be URLs such as s3://.",
        ),
    ] = None,
) -> ExitCode:
    """Say what was spent, on what.

    Reads Message objects, batch results, Claude Code transcripts, recorded streams and costkit's own log, by content.
    With -o NAME.svg or NAME.html the file is a picture, and the answer goes to stdout.
    """
    from costkit.adapters.logs.summaries import summarize_logs
    from costkit.cli.progress import byte_progress
    from costkit.cli.values import usd_from
    from costkit.report import ReportOptions, parse_by, parse_since, parse_until, parse_zone, settle

    zone = parse_zone(tz or run.settings.tz or "UTC")
    limit = usd_from("--max-cost", max_cost if max_cost is not None else run.settings.max_cost)
    options = ReportOptions(
        as_of=run.as_of,
        by=parse_by(by or ["model"]),
        zone=zone,
        since=None if since is None else parse_since(since, zone),
        until=None if until is None else parse_until(until, zone),
        model_glob=model,
        top=top,
        dedupe=dedupe,
    )
    with byte_progress(run, "reading") as progress:
        paths = logs or [piped_input()]
        if cluster is not None:
            from costkit.cli.report_cluster import summarize

            summary = summarize(run, paths, options.fold(run.book), cluster, workers=workers, progress=progress)
        else:
            remembered = None if no_cache else run.cache_dir() / "report"
            summary = summarize_logs(
                paths, options.fold(run.book), workers=workers, remembered=remembered, progress=progress
            )
        result = settle(summary, run.book, options)
    if is_picture(run.output):
        _draw(run, result)
    return run.show(
        "report",
        result,
        lambda: _page(result, run, chart=chart),
        notices=result.notices,
        findings=[*_over(result, limit), *_strict(result, strict=strict)],
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "report", report, examples=EXAMPLES)


def _draw(run: Run, result: Report) -> None:
    from costkit.render.views.report_picture import report_html, report_svg

    footer = run.book_line
    write_picture(run, lambda: report_svg(result, footer), lambda: report_html(result, footer))


def _page(result: Report, run: Run, *, chart: bool) -> View:
    from costkit.render.views.report import report_view

    return report_view(result, run.book_line, chart=chart)


def _over(result: Report, limit: Decimal | None) -> Iterator[Finding]:
    if limit is None:
        return
    from costkit.core.money import display, display_apart

    cost = result.total.cost_usd
    if not result.complete:
        yield Finding(ExitCode.UNDECIDED, f"--max-cost {display(limit)} can't be judged: some usage has no price")
    elif not result.total.requests and (result.skipped or result.is_unrecognised):
        yield Finding(ExitCode.UNDECIDED, f"--max-cost {display(limit)} can't be judged: nothing could be read")
    if cost > limit:
        spent, allowed = display_apart(cost, limit)
        yield Finding(ExitCode.LIMIT, f"{spent} is over --max-cost {allowed}")


def _strict(result: Report, *, strict: bool) -> Iterator[Finding]:
    if not strict:
        return
    from costkit.render.text import plural
    from costkit.report.records import TORN_LAST_LINE

    if not result.complete:
        yield Finding(ExitCode.UNDECIDED, "some usage has no price")
    skipped = sum(skipped.count for skipped in result.skipped if skipped.reason != TORN_LAST_LINE)
    if skipped:
        yield Finding(ExitCode.INCOMPLETE, f"skipped {plural(skipped, 'line or file', 'lines or files')}")
