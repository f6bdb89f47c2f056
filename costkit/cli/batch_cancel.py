"""`costkit batch cancel`: stop what still runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.run import Run
from costkit.errors import ExitCode

if TYPE_CHECKING:
    from costkit.batch.job import Job
    from costkit.core.notice import Notice

EXAMPLES = "Requests that are done by then stay done, and billed. Example: costkit batch cancel 3f9a"


def cancel(
    run: Run,
    job: Annotated[str, typer.Argument(metavar="JOB|BATCH_ID", help="A job: all of its batches are canceled.")],
) -> ExitCode:
    """Ask the API to end every batch of a job that still runs."""
    from costkit.batch.status import cancel_job, is_running, job_status
    from costkit.cli.batch_status import up_to_date
    from costkit.cli.batch_wiring import chosen_job, open_outside
    from costkit.render.views.batch_job import job_view

    with open_outside(run) as outside:
        found, findings = up_to_date(chosen_job(outside.ledger, job), outside)
        ran = is_running(found)
        found = cancel_job(found, outside)
        now = outside.clock.now()
    done = "canceling" if ran else "nothing to cancel"
    return run.show(
        "batch-cancel", job_status(found), lambda: job_view(found, now, done=done), notices=_billed(found, ran=ran),
        findings=findings,
    )  # fmt: skip


def _billed(job: Job, *, ran: bool) -> Iterator[Notice]:
    from costkit.core.notice import Notice

    if ran:
        message = "requests that are finished by now are billed and have results; the rest is free and ends as canceled"
        yield Notice("cancel-billing", message, job.id)
