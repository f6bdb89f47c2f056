"""`costkit batch list`: the jobs of the ledger, and what is about to vanish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from costkit.cli.run import Run
from costkit.errors import ExitCode

if TYPE_CHECKING:
    from costkit.batch.status import JobList
    from costkit.core.notice import Notice

_DAYS_TO_WARN = 3


def list_(run: Run) -> ExitCode:
    """Show every job with the days that are left to collect its results; asks nobody."""
    from datetime import UTC, datetime

    from costkit.batch.status import list_jobs
    from costkit.cli.batch_wiring import open_ledger
    from costkit.render.views.batch_list import list_view

    with open_ledger() as ledger:
        result = list_jobs(ledger.jobs(), datetime.now(UTC))
    return run.show("batch-list", result, lambda: list_view(result), notices=_vanishing(result))


def _vanishing(result: JobList) -> Iterator[Notice]:
    from costkit.core.notice import Notice

    for job in result.jobs:
        if job.days_left is not None and job.days_left < _DAYS_TO_WARN:
            when = f"in {job.days_left} days" if job.days_left else "within a day, or are gone"
            yield Notice("results-vanish", f"results vanish {when}: costkit batch collect {job.job}", job.job)
