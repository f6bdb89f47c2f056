"""What the account sent lately that looks like a job: the only hint where a ledger is new."""

from __future__ import annotations

from datetime import timedelta

from costkit.batch.job import Job, RemoteBatch
from costkit.batch.reconcile import Outside

RECENT = timedelta(hours=24)


def lookalikes(job: Job, outside: Outside) -> tuple[RemoteBatch, ...]:
    """Batches of the last 24 hours with as many requests as one of the job's, newest first."""
    sizes = {batch.requests for batch in job.live_batches}
    _, _, now = outside.api.newest()
    found = []
    for remote in outside.api.newest_first():
        if remote.created_at < now - RECENT:
            break
        if remote.request_counts.total in sizes:
            found.append(remote)
    return tuple(found)
