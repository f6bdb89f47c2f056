"""One look at the batches of a family: which have ended, and what the ledger should know about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from costkit.batch.family import Family
from costkit.batch.job import COLLECTED, ENDED, SUBMITTED, Batch, RemoteBatch
from costkit.batch.ports import BatchApi, Ledger
from costkit.errors import InvalidInput

_ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look found."""

    ended: Mapping[str, RemoteBatch]
    """By id."""
    running: tuple[RemoteBatch, ...]

    @property
    def running_requests(self) -> int:
        """How many requests are not known to be done; counts only move when a batch ends."""
        return sum(remote.request_counts.total for remote in self.running)


def look(family: Family, api: BatchApi, ledger: Ledger) -> Sight:
    """Ask for every batch that is not known to have ended, and record those that have.

    Raises `InvalidInput` where nothing of the family was ever sent.
    """
    ended: dict[str, RemoteBatch] = {}
    running: list[RemoteBatch] = []
    for _generation, job, batch in family.sent():
        remote = _known(batch) or api.retrieve(batch.id or "")
        if remote.processing_status != _ENDED:
            running.append(remote)
            continue
        ended[remote.id] = remote
        if batch.state == SUBMITTED:
            ledger.put_batch(job.id, with_end(batch, remote))
    if family.stranger is not None:
        remote = api.retrieve(family.stranger)
        if remote.processing_status == _ENDED:
            ended[remote.id] = remote
        else:
            running.append(remote)
    if not ended and not running and not any(family.released()):
        raise InvalidInput(
            f"nothing of job {family.name} was sent yet",
            code="nothing-sent",
            hint=f"costkit batch submit {family.job.path if family.job else ''}",
        )
    return Sight(ended, tuple(running))


def with_end(batch: Batch, remote: RemoteBatch) -> Batch:
    """A batch of the ledger with what the API says about its end."""
    return replace(
        batch,
        state=ENDED,
        created_at=remote.created_at,
        expires_at=remote.expires_at,
        ended_at=remote.ended_at,
        request_counts=remote.request_counts,
    )


def _known(batch: Batch) -> RemoteBatch | None:
    """The batch as the API described it when it had ended: nothing about it changes any more."""
    if batch.state not in (ENDED, COLLECTED) or batch.id is None or batch.request_counts is None:
        return None
    if batch.created_at is None or batch.expires_at is None:
        return None
    return RemoteBatch(batch.id, _ENDED, batch.request_counts, batch.created_at, batch.expires_at, batch.ended_at)
