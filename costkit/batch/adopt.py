"""Bringing a batch that the API has into the ledger: by hand, where nothing else can decide."""

from __future__ import annotations

from collections.abc import Sequence

from costkit.batch.job import Batch, Job, RemoteBatch
from costkit.batch.reconcile import Outside, adopted, identify
from costkit.batch.submit import UNSENT
from costkit.errors import InvalidInput


def holder_of(batch_id: str, jobs: Sequence[Job]) -> Job | None:
    """The job that a batch belongs to already; one that was released belongs to none."""
    return next((job for job in jobs if any(batch.id == batch_id for batch in job.live_batches)), None)


def waiting_for(requests: int, jobs: Sequence[Job]) -> Job:
    """The one job with a batch of this size that is not known to be sent; `InvalidInput` if none or several have."""
    found = [job for job in jobs if open_places(job, requests)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidInput(
            f"no job waits for a batch of {requests:,} requests",
            hint="--input FILE says what was sent",
            code="no-place",
        )
    raise InvalidInput(
        f"several jobs wait for such a batch: {', '.join(job.id for job in found)}", hint="--job JOB decides"
    )


def open_places(job: Job, requests: int) -> list[Batch]:
    """The batches of a job that a batch of this size may be: those not known to be sent."""
    return [batch for batch in job.live_batches if batch.state in UNSENT and batch.requests == requests]


def adopt_batch(remote: RemoteBatch, job: Job, outside: Outside, number: int | None = None) -> Job:
    """Give a recorded job the batch that the API has; `number` says which of its batches it is, if several fit.

    That it is the right one is proven when its results are collected: their custom_ids must be the job's. Raises
    `InvalidInput` where none or several fit, `OtherAccount` where the job belongs to another account.
    """
    identify(job, outside)
    requests = remote.request_counts.total
    places = [batch for batch in open_places(job, requests) if number in (None, batch.number)]
    if not places:
        sizes = ", ".join(f"#{b.number} ({b.requests:,})" for b in job.live_batches if b.state in UNSENT) or "none"
        raise InvalidInput(
            f"job {job.id} has no open batch of {requests:,} requests; open are: {sizes}", code="no-place"
        )
    if len(places) > 1:
        listed = ", ".join(f"#{batch.number}" for batch in places)
        raise InvalidInput(f"several batches of job {job.id} fit: {listed}", hint="--number N decides")
    outside.ledger.put_batch(job.id, adopted(places[0], remote))
    return outside.ledger.job(job.id) or job
