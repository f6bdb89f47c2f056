"""The page of one job: submit, status, cancel and adopt show the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from costkit.batch.job import SUBMITTED, Batch, Job
from costkit.batch.status import next_command
from costkit.core.money import display
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Table, View

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def job_view(job: Job, now: datetime, *, done: str | None = None) -> View:
    """One row for each batch; `done` says what the command has just done."""
    facts = [*_running_facts(job), *_cost_facts(job), *_problems(job)]
    lead = [done] if done else []
    parts = [*lead, _named(job), job.state, _size(job), *_age(job, now)]
    return View(" · ".join(parts), (_table(job),), tuple(facts), _hint(job))


def _named(job: Job) -> str:
    return f"job {job.id} ({job.name})" if job.name else f"job {job.id}"


def _size(job: Job) -> str:
    return f"{plural(job.requests, 'request')} in {plural(len(job.live_batches), 'batch', 'batches')}"


def _age(job: Job, now: datetime) -> list[str]:
    running = [batch.created_at for batch in job.live_batches if batch.state == SUBMITTED and batch.created_at]
    return [f"running for {duration(now - min(running))}"] if running else []


def _table(job: Job) -> Table:
    columns = (
        Column("#", "number", Kind.COUNT),
        Column("batch", "id"),
        Column("requests", "requests", Kind.COUNT),
        Column("bytes", "bytes", Kind.COUNT, for_people=False),
        Column("state", "state"),
        Column("created", "created_at"),
        Column("ends by", "expires_at"),
        Column("results until", "results_until"),
        Column("processing", "processing", Kind.COUNT, for_people=False),
        Column("succeeded", "succeeded", Kind.COUNT, for_people=_ended(job)),
        Column("errored", "errored", Kind.COUNT, for_people=_ended(job)),
        Column("canceled", "canceled", Kind.COUNT, for_people=_ended(job)),
        Column("expired", "expired", Kind.COUNT, for_people=_ended(job)),
    )
    batches = sorted(job.live_batches, key=lambda batch: batch.first)
    return Table(columns, tuple(map(_row, batches)))


def _ended(job: Job) -> bool:
    return any(batch.ended_at for batch in job.live_batches)


def _row(batch: Batch) -> tuple[Cell, ...]:
    counts = batch.request_counts
    over = batch.ended_at is not None
    numbers: tuple[Cell, ...] = (None,) * 5
    if counts is not None:
        final = (counts.succeeded, counts.errored, counts.canceled, counts.expired)
        numbers = (counts.processing, *(final if over else (None,) * 4))
    return (
        batch.number,
        batch.id,
        batch.requests,
        batch.bytes,
        batch.state,
        moment(batch.created_at),
        None if over else moment(batch.expires_at),
        moment(batch.results_until),
        *numbers,
    )


def _running_facts(job: Job) -> list[str]:
    if not any(batch.state == SUBMITTED for batch in job.live_batches):
        return []
    return ["most batches end within an hour, all within a day; the API counts only when a batch has ended"]


def _cost_facts(job: Job) -> list[str]:
    if job.estimate is None:
        return []
    most = f", at most {display(job.estimate.ceiling)}" if job.estimate.ceiling is not None else ""
    return [f"expected to cost {display(job.estimate.expected)}{most} (batch prices)"]


def _problems(job: Job) -> list[str]:
    return [f"batch {batch.number} was refused: {batch.problem}" for batch in job.live_batches if batch.problem]


def _hint(job: Job) -> str:
    return f"{next_command(job)}   goes on from here"


def moment(value: datetime | None) -> str | None:
    """A moment as people read it, to the minute, UTC."""
    return f"{value:%Y-%m-%d %H:%M}" if value else None


def duration(span: timedelta) -> str:
    """A length of time in its two largest units: `3 h 12 min`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"
