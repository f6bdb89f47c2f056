"""How far a job is: what the ledger knows, brought up to date with one look at the API's list."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from costkit.batch.job import (
    COLLECTED,
    ENDED,
    PLANNED,
    REJECTED,
    SENDING,
    SUBMITTED,
    Batch,
    Job,
    RemoteBatch,
    RequestCounts,
)
from costkit.batch.reconcile import Outside, Rule, identify, settle
from costkit.errors import Gone, InvalidInput

_ENDED = "ended"
_CLOCK_SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """One batch of a job as the JSON documents show it."""

    number: int
    id: str | None
    requests: int
    bytes: int
    state: str
    created_at: datetime | None
    expires_at: datetime | None
    results_until: datetime | None
    request_counts: RequestCounts | None


@dataclass(frozen=True, slots=True)
class EstimatedCost:
    """What the job was expected to cost when it was submitted, at batch prices; exact US dollars, `None` if unknown."""

    expected: Decimal | None
    ceiling: Decimal | None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The result of submit, status and cancel."""

    job: str
    state: str
    digest: str
    requests: int
    batches: tuple[BatchStatus, ...]
    cost_usd: EstimatedCost
    next: str | None
    """The command to type next."""


def job_status(job: Job) -> JobStatus:
    """A job as its ledger entry shows it."""
    return JobStatus(
        job.id,
        job.state,
        job.digest,
        job.requests,
        tuple(_batch_status(batch) for batch in sorted(job.live_batches, key=lambda batch: batch.first)),
        EstimatedCost(job.estimate.expected, job.estimate.ceiling) if job.estimate else EstimatedCost(None, None),
        next_command(job),
    )


def _batch_status(batch: Batch) -> BatchStatus:
    return BatchStatus(
        batch.number,
        batch.id,
        batch.requests,
        batch.bytes,
        batch.state,
        batch.created_at,
        batch.expires_at,
        batch.results_until,
        batch.request_counts,
    )


def next_command(job: Job) -> str:
    """The command that takes a job further."""
    states = {batch.state for batch in job.live_batches}
    if states <= {COLLECTED} and job.output:
        return f"costkit report {shlex.quote(job.output)}"
    if states & {PLANNED, SENDING} or states <= {REJECTED}:
        return f"costkit batch retry {job.parent}" if job.parent else f"costkit batch submit {shlex.quote(job.path)}"
    return f"costkit batch collect {job.id}{' --wait' if SUBMITTED in states else ''}"


def is_running(job: Job) -> bool:
    """Whether the API still works on a batch of the job."""
    return any(batch.state == SUBMITTED for batch in job.live_batches)


def refresh(job: Job, outside: Outside) -> Job:
    """Bring the batches of a job up to date, and record what is new; returns the job.

    One pass over the API's list serves all batches; those that it doesn't show are asked for one by one. Raises `Gone`
    for a batch that the API doesn't have any more, `OtherAccount` if the credential can't see the job's batches.
    """
    running = {batch.id: batch for batch in job.live_batches if batch.state == SUBMITTED and batch.id}
    if not running:
        return job
    remotes = _listed(list(running.values()), outside)
    for batch_id in running.keys() - remotes.keys():
        remotes[batch_id] = _retrieved(batch_id, job, outside)
    news = [
        news for batch_id, batch in running.items() if (news := brought_up_to_date(batch, remotes[batch_id])) != batch
    ]  # fmt: skip
    if news:
        outside.ledger.put_batches(job.id, news)
    return _again(job, outside)


def brought_up_to_date(batch: Batch, remote: RemoteBatch) -> Batch:
    """A submitted batch with what the API says about it now."""
    return replace(
        batch,
        state=ENDED if remote.processing_status == _ENDED else batch.state,
        expires_at=remote.expires_at,
        ended_at=remote.ended_at,
        request_counts=remote.request_counts,
    )


def look_once(job: Job, outside: Outside) -> Job:
    """Adopt a batch whose reply was lost if one look shows it; anything less certain stays as it is.

    The caller holds the lock of the job's content. Raises `AmbiguousSubmission` where several batches could be it.
    """
    lost = [batch for batch in job.live_batches if batch.state == SENDING]
    if not lost:
        return job
    identify(job, outside)
    for batch in lost:
        settle(job, batch, outside, Rule(looks=1))
    return _again(job, outside)


def cancel_job(job: Job, outside: Outside) -> Job:
    """Ask the API to end every batch of a job that still runs; returns the job as it is then."""
    job = refresh(job, outside)
    for batch in job.live_batches:
        if batch.state == SUBMITTED and batch.id:
            outside.ledger.put_batch(job.id, brought_up_to_date(batch, outside.api.cancel(batch.id)))
    return _again(job, outside)


def _listed(wanted: Sequence[Batch], outside: Outside) -> dict[str, RemoteBatch]:
    ids = {batch.id for batch in wanted}
    oldest = min(batch.created_at for batch in wanted if batch.created_at) - _CLOCK_SLACK
    found: dict[str, RemoteBatch] = {}
    for remote in outside.api.newest_first():
        if remote.id in ids:
            found[remote.id] = remote
        if len(found) == len(ids) or remote.created_at < oldest:
            break
    return found


def _retrieved(batch_id: str, job: Job, outside: Outside) -> RemoteBatch:
    try:
        return outside.api.retrieve(batch_id)
    except InvalidInput:
        identify(job, outside)
        hint = "it was deleted there; costkit batch collect goes on without it"
        raise Gone(f"the API has no batch {batch_id} any more", hint=hint) from None


def _again(job: Job, outside: Outside) -> Job:
    return outside.ledger.job(job.id) or job


@dataclass(frozen=True, slots=True)
class JobListing:
    """One line of the list of jobs."""

    job: str
    name: str | None
    state: str
    """As of the last look: the list asks nobody."""
    requests: int
    batches: int
    created_at: datetime
    results_until: datetime | None
    """The moment after which results of the job begin to vanish."""
    days_left: int | None
    """Whole days until then; `None` where nothing was submitted, or all was collected."""
    cost_usd: EstimatedCost
    path: str
    output: str | None
    parent: str | None


@dataclass(frozen=True, slots=True)
class JobList:
    """The result of list."""

    jobs: tuple[JobListing, ...]


def list_jobs(jobs: Sequence[Job], now: datetime) -> JobList:
    """The jobs of a ledger, in the order given, with the time that is left to collect their results."""
    return JobList(tuple(_listing(job, now) for job in jobs))


def _listing(job: Job, now: datetime) -> JobListing:
    until = min((batch.results_until for batch in job.live_batches if batch.results_until), default=None)
    waits = until is not None and job.state != COLLECTED
    return JobListing(
        job.id,
        job.name,
        job.state,
        job.requests,
        len(job.live_batches),
        job.created_at,
        until,
        max(0, (until - now).days) if waits and until else None,
        EstimatedCost(job.estimate.expected, job.estimate.ceiling) if job.estimate else EstimatedCost(None, None),
        job.path,
        job.output,
        job.parent,
    )
