"""`costkit batch status`: how far a job is, once or live."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED
from costkit.cli.run import Finding, Run, shows_progress
from costkit.errors import ExitCode

if TYPE_CHECKING:
    from costkit.batch.job import Job
    from costkit.batch.reconcile import Outside
    from costkit.batch.waiting import Patience
    from costkit.errors import OperationFailed

EXAMPLES = "Exit 8 while a batch still runs, 4 if some were never sent. Example: costkit batch status --watch"


def status(
    run: Run,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB|BATCH_ID]", help="Id, its beginning, or name [default: the newest].")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Stay and show what changes, until all has ended.")] = False,
    poll: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Look at this interval while watching.", rich_help_panel=ADVANCED),
    ] = None,
) -> ExitCode:
    """Show how far a job is: one call to the API, whatever the number of its batches."""
    from costkit.batch.status import job_status
    from costkit.cli.batch_wiring import chosen_job, open_outside, patience
    from costkit.render.views.batch_job import job_view

    patient = patience(poll)
    with open_outside(run) as outside:
        found = chosen_job(outside.ledger, job)
        found, findings = up_to_date(found, outside)
        if watch:
            found = watched(run, found, outside, patient)
        now = outside.clock.now()
    findings += _running(found)
    return run.show("batch-status", job_status(found), lambda: job_view(found, now), findings=findings)


def up_to_date(job: Job, outside: Outside) -> tuple[Job, list[Finding]]:
    """A job after one look at the API, and what is to be said about batches that were not sent yet."""
    from costkit.adapters.batches.job_lock import LockHeld
    from costkit.batch.status import look_once, refresh
    from costkit.batch.submit import UNSENT
    from costkit.cli.batch_wiring import lock_of

    findings = []
    if any(batch.state in UNSENT for batch in job.live_batches):
        try:
            with lock_of(job.digest):
                job = look_once(outside.ledger.job(job.id) or job, outside)
            waiting = sum(batch.state in UNSENT for batch in job.live_batches)
            if waiting:
                message = f"{waiting} of {len(job.live_batches)} batches are not known to be sent"
                findings.append(Finding(ExitCode.INCOMPLETE, message))
        except LockHeld as held:
            findings.append(Finding(ExitCode.RUNNING, str(held)))
    return refresh(job, outside), findings


def watched(run: Run, job: Job, outside: Outside, patience: Patience) -> Job:
    """Wait until no batch of a job runs any more, with a live table for whoever watches; returns the job then."""
    from costkit.batch.status import is_running, refresh
    from costkit.batch.waiting import wait_until
    from costkit.cli.output import say

    def failed(error: OperationFailed) -> None:
        if not run.quiet:
            say(f"! {error}; still watching")

    with _live(run) as draw:

        def ended() -> bool:
            nonlocal job
            job = refresh(job, outside)
            draw(job)
            return not is_running(job)

        try:
            wait_until(ended, outside.clock, patience, chance=random.random, failed=failed)
        except KeyboardInterrupt:
            say(f"the batches go on; costkit batch status {job.id} --watch   looks again")
            raise
    return job


@contextmanager
def _live(run: Run) -> Iterator[Callable[[Job], None]]:
    """A table on stderr that is drawn anew; nothing where nobody watches."""
    if not shows_progress(run):
        yield lambda _job: None
        return
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from costkit.render.table import render_table
    from costkit.render.views.batch_job import job_view

    console = Console(stderr=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def draw(job: Job) -> None:
            page = render_table(job_view(job, datetime.now(UTC)), width=console.width, color=False)
            live.update(Text(page), refresh=True)

        yield draw


def _running(job: Job) -> list[Finding]:
    from costkit.batch.job import SUBMITTED

    running = sum(batch.state == SUBMITTED for batch in job.live_batches)
    if not running:
        return []
    noun = "batch still runs" if running == 1 else "batches still run"
    return [Finding(ExitCode.RUNNING, f"{running} {noun}")]
