"""Which batches an argument means: a job with everything that retries it, or a batch that the ledger has never seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from costkit.batch.job import REJECTED, RELEASED, Batch, Job
from costkit.batch.ports import Ledger
from costkit.errors import InvalidInput

_BATCH_ID = re.compile(r"msgbatch_[A-Za-z0-9_-]{1,120}")


@dataclass(frozen=True, slots=True)
class Family:
    """A job and the jobs that retry its items, oldest first; no job at all for a batch without a ledger."""

    name: str
    """The job's id, or the batch's."""
    jobs: tuple[Job, ...]
    stranger: str | None = None
    """The id of a batch that the ledger does not know."""

    @property
    def job(self) -> Job | None:
        """The job whose items are collected."""
        return self.jobs[0] if self.jobs else None

    def sent(self) -> Iterator[tuple[int, Job, Batch]]:
        """The batches that the API has, with the generation and the job that each belongs to."""
        for generation, job in enumerate(self.jobs):
            for batch in job.live_batches:
                if batch.id is not None and batch.state != REJECTED:
                    yield generation, job, batch

    def released(self) -> Iterator[tuple[int, Batch]]:
        """The batches that turned out to be somebody else's, with the generation of their job."""
        for generation, job in enumerate(self.jobs):
            for batch in job.batches:
                if batch.state == RELEASED:
                    yield generation, batch


def find_family(text: str, ledger: Ledger) -> Family:
    """Find what `JOB|BATCH_ID` means; the id of a batch that belongs to a job stands for that job.

    Raises `InvalidInput` where nothing is meant, or several jobs could be.
    """
    job = ledger.job(text)
    if job is None and _BATCH_ID.fullmatch(text):
        job = next((job for job in ledger.jobs() if any(batch.id == text for batch in job.live_batches)), None)
        if job is None:
            return Family(text, (), text)
    if job is None:
        raise InvalidInput(f"no job or batch {text!r}", code="unknown-job", hint="costkit batch list shows the jobs")
    return Family(job.id, (job, *_descendants(job, ledger)))


def root_of(text: str, ledger: Ledger) -> Family:
    """The family that a job belongs to, from its first submission on: retries are counted from there."""
    family = find_family(text, ledger)
    job, seen = family.job, {family.name}
    while job is not None and job.parent is not None and job.parent not in seen:
        seen.add(job.parent)
        parent = ledger.job(job.parent)
        if parent is None:
            break
        job = parent
    return family if job is None or job.id == family.name else find_family(job.id, ledger)


def _descendants(job: Job, ledger: Ledger) -> list[Job]:
    found: list[Job] = []
    queue, seen = [job.id], {job.id}
    while queue:
        for child in ledger.children(queue.pop(0)):
            if child.id not in seen:
                seen.add(child.id)
                found.append(child)
                queue.append(child.id)
    return sorted(found, key=lambda child: (child.attempt, child.created_at, child.id))
