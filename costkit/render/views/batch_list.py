"""The page of `costkit batch list`."""

from __future__ import annotations

from costkit.batch.status import JobList, JobListing
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Table, View
from costkit.render.views.batch_job import moment


def list_view(result: JobList) -> View:
    """One row for each job, with the days that are left to collect its results."""
    columns = (
        Column("job", "job"),
        Column("name", "name", for_people=any(job.name for job in result.jobs)),
        Column("state", "state"),
        Column("requests", "requests", Kind.COUNT),
        Column("batches", "batches", Kind.COUNT),
        Column("created", "created_at"),
        Column("expected", "expected_usd", Kind.USD),
        Column("at most", "ceiling_usd", Kind.USD),
        Column("results until", "results_until"),
        Column("days left", "days_left", Kind.COUNT),
        Column("input", "path"),
        Column("output", "output", for_people=False),
        Column("retries", "parent", for_people=any(job.parent for job in result.jobs)),
    )
    if not result.jobs:
        return View("no jobs yet", next_command="costkit batch submit FILE   makes one")
    rows = tuple(map(_row, result.jobs))
    facts = ("states are those of the last look",)
    hint = "costkit batch status JOB   asks the API"
    return View(plural(len(rows), "job"), (Table(columns, rows),), facts, hint)


def _row(job: JobListing) -> tuple[Cell, ...]:
    return (
        job.job,
        job.name,
        job.state,
        job.requests,
        job.batches,
        moment(job.created_at),
        job.cost_usd.expected,
        job.cost_usd.ceiling,
        moment(job.results_until),
        job.days_left,
        job.path,
        job.output,
        job.parent,
    )
