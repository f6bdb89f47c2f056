"""`costkit report`: the flags of the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.output import is_page, is_picture, is_plain, width_of, write_picture
from costkit.cli.run import Finding, Run, piped_input
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from decimal import Decimal

    from costkit.cli.report_budgets import Limits
    from costkit.render.view import View
    from costkit.report import Report, ReportOptions, UsageSummary
    from costkit.report.picture import OverTime

EXAMPLES = "Example: costkit report logs/ --by model,day --since 2026-11-01 --max-cost 100"

_DEAREST = 20
"""How many of the dearest responses a page shows."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a picture of a report is made from."""

    summary: UsageSummary
    options: ReportOptions
    report: Report

    def over_time(self, run: Run) -> OverTime:
        """Spend by calendar window and model."""
        from costkit.report.picture import over_time

        return over_time(self.summary, run.book, self.options, self.report.period)


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
    chart: Annotated[bool, typer.Option("--chart", help="Draw spend over time.")] = False,
    budgets: Annotated[bool, typer.Option("--budgets", help="Show what is left of each budget as well.")] = False,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="DIALECT",
            rich_help_panel=ADVANCED,
            help="Read this dialect only, such as otel or litellm; an unknown name lists them [default: by content].",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            rich_help_panel=ADVANCED,
            help="Instead of costs: which dialects each file speaks, which lines count, and why the others don't.",
        ),
    ] = False,
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

    Reads Message objects, batch results, Claude Code transcripts, recorded streams, costkit's own log, OpenTelemetry
    and OpenInference spans, and what LiteLLM, Langfuse, Bedrock, llm, promptfoo and Inspect write, by content. What a
    log itself recorded as its costs, in US dollars, is shown beside the calculated cost of the same responses.
    With -o NAME.html the file is a page with charts and the dearest responses, with NAME.svg a picture; the answer then
    goes to stdout.
    """
    from costkit.adapters.logs.early import processes, worthwhile
    from costkit.adapters.logs.sources import find_sources

    paths = logs or [piped_input()]
    if explain:
        if max_cost is not None or strict or is_picture(run.output):
            raise InvalidInput("--explain names no costs", hint="leave out --max-cost, --strict and pictures")
        return _explain(run, paths, input_, dedupe)
    found = None if cluster is not None else find_sources(paths)  # before the imports: there may be nothing to read
    with processes(0 if found is None else worthwhile(found[0], workers)) as started:
        from costkit.adapters.logs.detect import check_dialect
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
            dialect=None if input_ is None else check_dialect(input_),
            over_time=chart or is_picture(run.output),
            dearest=_DEAREST if is_page(run.output) else 0,
        )
        with byte_progress(run, "reading") as progress:
            if cluster is not None:
                from costkit.cli.report_cluster import summarize

                summary = summarize(run, paths, options.fold(run.book), cluster, workers=workers, progress=progress)
            else:
                remembered = None if no_cache else run.cache_dir() / "report"
                summary = summarize_logs(
                    paths,
                    options.fold(run.book),
                    workers=workers,
                    remembered=remembered,
                    progress=progress,
                    found=found,
                    started=started,
                )
            result = settle(summary, run.book, options)
    limits = _limits() if budgets else None
    drawn = Drawing(summary, options, result)
    if is_picture(run.output):
        _draw(run, drawn, limits)
    return run.show(
        "report",
        result if limits is None else limits.beside(result),
        lambda: _page(run, drawn, limits, chart=chart, log=_again(paths)),
        notices=[*result.notices, *(limits.notices if limits else ())],
        findings=[*_over(result, limit), *_strict(result, strict=strict)],
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "report", report, examples=EXAMPLES)


def _explain(run: Run, paths: list[str], dialect: str | None, dedupe: str) -> ExitCode:
    from shlex import join

    from costkit.adapters.logs.explain import explain_logs
    from costkit.render.views.report_explain import report_explain_view

    result = explain_logs(paths, dialect=dialect, dedupe=dedupe)
    again = join(["costkit", "report", *paths, *(["--input", dialect] if dialect else [])])
    return run.show("report-explain", result, lambda: report_explain_view(result, again))


def _draw(run: Run, drawn: Drawing, limits: Limits | None) -> None:
    from costkit.render.views.report_page import report_html
    from costkit.render.views.report_picture import report_svg
    from costkit.report.picture import dearest_responses

    time = drawn.over_time(run)
    write_picture(
        run,
        lambda: report_svg(drawn.report, time, run.book_line),
        lambda: report_html(
            drawn.report,
            _page(run, drawn, limits, chart=False),
            time,
            dearest_responses(drawn.summary, drawn.options),
        ),
    )


def _limits() -> Limits:
    from costkit.cli.report_budgets import read_limits

    return read_limits()


def _again(paths: list[str]) -> str:
    """What to write for the same logs in another command."""
    from shlex import quote

    from costkit.render.harmless import harmless

    return harmless(quote(paths[0])) if len(paths) == 1 and paths[0] != "-" else "LOG"


def _page(run: Run, drawn: Drawing, limits: Limits | None, *, chart: bool, log: str | None = None) -> View:
    from costkit.render.views.report import report_view, spend_chart

    lines = spend_chart(drawn.over_time(run), width=width_of(run), plain=is_plain(run)) if chart else ()
    page = report_view(drawn.report, run.book_line, lines, log=log)
    return page if limits is None else limits.below(page)


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
