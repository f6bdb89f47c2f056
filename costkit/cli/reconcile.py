"""`costkit reconcile`: the logs beside the organization's own usage and cost reports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, add_command
from costkit.cli.run import Finding, Run, piped_input, today
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from costkit.core.notice import Notice
    from costkit.reconcile import Books, CostLine, Reconciliation, UsageLine
    from costkit.render.view import View
    from costkit.report import Report

EXAMPLES = "Example: costkit reconcile logs/ --from 2026-11-01 --to 2026-11-15 --tolerance 0.5%"
_MOST_DAYS = 366


def reconcile(
    run: Run,
    logs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOG|DIR|GLOB|-]...", show_default=False, help="Logs of any known dialect."),
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, UTC.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, UTC [default: --from].")] = None,
    tolerance: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Exit 4 if dollars or tokens differ by more, e.g. 0.5%.")
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this workspace; `default` is the default one.")
    ] = None,
    usage: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", rich_help_panel=ADVANCED, help="Saved pages of usage_report/messages."),
    ] = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", rich_help_panel=ADVANCED, help="Saved pages of cost_report."),
    ] = None,
    save: Annotated[
        str | None, typer.Option(metavar="DIR", rich_help_panel=ADVANCED, help="Keep the pages of both reports here.")
    ] = None,
) -> ExitCode:
    """Say whether logs agree with what the API counted and charged, and what the differences are due to.

    Asks the Admin API with the key in ANTHROPIC_ADMIN_KEY, or reads pages that were saved.
    """
    from costkit.reconcile import compare

    first, last = _days(from_, to)
    share = None if tolerance is None else _share(tolerance)
    books = _books(run, logs or [piped_input()], (first, last), workspace, (usage or [], cost or [], save))
    result = compare(books, run.book, tolerance=share)
    return run.show(
        "reconcile",
        result,
        lambda: _page(result, run),
        notices=[*result.notices, *_late(last)],
        findings=_findings(result),
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "reconcile", reconcile, examples=EXAMPLES)


def _days(from_: str | None, to: str | None) -> tuple[date, date]:
    from costkit.cli.values import day_from

    if from_ is None:
        raise InvalidInput("--from is missing", hint="write the first day, such as --from 2026-11-01", code="usage")
    first = day_from("--from", from_)
    last = first if to is None else day_from("--to", to)
    if last < first:
        raise InvalidInput("--from must not come after --to", code="usage")
    if (last - first).days >= _MOST_DAYS:
        raise InvalidInput(f"at most {_MOST_DAYS} days at a time", code="usage")
    return first, last


def _share(text: str) -> Decimal:
    from costkit.core.money import decimal_from

    number = text.strip().removesuffix("%").strip()
    try:
        share = decimal_from(number)
    except ValueError:
        share = None
    if share is None or not 0 <= share <= 100 or number == text.strip():  # noqa: PLR2004  percent
        raise InvalidInput(f"--tolerance {text!r} is no percentage", hint="write it as 0.5%", code="usage")
    return share.scaleb(-2)


def _books(
    run: Run,
    logs: list[str],
    days: tuple[date, date],
    workspace: str | None,
    pages: tuple[list[str], list[str], str | None],
) -> Books:
    from costkit.reconcile import Books

    usage, cost, save = pages
    if usage:
        if save is not None:
            raise InvalidInput("--save keeps what the API sends; with --usage it is not asked", code="usage")
        lines, costs = _saved(usage, cost)
    elif cost:
        raise InvalidInput("--cost needs the usage report too", hint="add --usage FILE", code="usage")
    else:
        lines, costs = _asked(run, days, workspace, save)
    first, last = days
    wanted = None if workspace == "default" else workspace

    def keep(line: UsageLine | CostLine) -> bool:
        return first <= line.day <= last and (workspace is None or line.workspace == wanted)

    report = _report(run, logs, first, last)
    return Books(
        report,
        [line for line in lines if keep(line)],
        None if costs is None else [line for line in costs if keep(line)],
        first,
        last,
        workspace,
    )


def _report(run: Run, logs: list[str], first: date, last: date) -> Report:
    from datetime import UTC

    from costkit.adapters.logs.summaries import summarize_logs
    from costkit.cli.progress import byte_progress
    from costkit.report import ReportOptions, parse_since, parse_until, settle

    options = ReportOptions(
        as_of=run.as_of,
        by=("day", "model", "tier"),
        since=parse_since(first.isoformat(), UTC),
        until=parse_until(last.isoformat(), UTC),
    )
    with byte_progress(run, "reading") as progress:
        return settle(summarize_logs(logs, options.fold(run.book), progress=progress), run.book, options)


def _saved(usage: list[str], cost: list[str]) -> tuple[list[UsageLine], list[CostLine] | None]:
    from costkit.adapters.saved_pages import read_pages
    from costkit.reconcile import read_cost_page, read_usage_page

    lines = [line for page, where in read_pages(usage) for line in read_usage_page(page, where)]
    costs = [line for page, where in read_pages(cost) for line in read_cost_page(page, where)]
    return lines, costs if cost else None


def _asked(
    run: Run, days: tuple[date, date], workspace: str | None, save: str | None
) -> tuple[list[UsageLine], list[CostLine]]:
    from costkit.adapters.organization_api import COST, USAGE, OrganizationApi
    from costkit.adapters.saved_pages import save_pages
    from costkit.reconcile import read_cost_page, read_usage_page

    if run.offline:
        hint = "give saved pages with --usage and --cost"
        raise InvalidInput("this command asks the API, which --offline forbids", hint=hint, code="usage")
    only = None if workspace == "default" else workspace
    with OrganizationApi(os.environ) as api:
        usage, cost = (list(api.pages(report, *days, workspace=only)) for report in (USAGE, COST))
    if save is not None:
        for name, pages in (("usage", usage), ("cost", cost)):
            save_pages(pages, Path(save), name)
    lines = [line for page in usage for line in read_usage_page(page, USAGE)]
    return lines, [line for page in cost for line in read_cost_page(page, COST)]


def _page(result: Reconciliation, run: Run) -> View:
    from costkit.render.views.reconcile import reconcile_view

    return reconcile_view(result, run.book_line)


def _late(last: date) -> Iterator[Notice]:
    from costkit.core.notice import Notice

    if last >= today():
        yield Notice("day-not-over", "the last day is not over, and the API's reports are some minutes late")


def _findings(result: Reconciliation) -> Iterator[Finding]:
    if result.within_tolerance is False and result.tolerance is not None:
        from costkit.render.text import percent

        yield Finding(ExitCode.INCOMPLETE, f"logs and API differ by more than {percent(result.tolerance)}")
