"""One look at the batches of a family: which have ended, which still run, and which the API no longer has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costkit.batch.family import Family
from costkit.batch.job import COLLECTED, ENDED, Batch, RemoteBatch
from costkit.batch.reconcile import Outside
from costkit.batch.status import refresh
from costkit.errors import Gone, InvalidInput

_ENDED = "ended"
_NOT_FOUND = "not-found"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look found."""

    ended: Mapping[str, RemoteBatch]
    """By id."""
    running: tuple[str, ...]
    """Ids."""


def look(family: Family, outside: Outside) -> Sight:
    """Ask for every batch that is not known to have ended, and record those that have.

    A batch that was deleted at the API is neither running nor ended. Raises `InvalidInput` where nothing of the family
    was ever sent, `OtherAccount` where the credential can't see its batches.
    """
    if family.stranger is not None:
        remote = outside.api.retrieve(family.stranger)
        is_over = remote.processing_status == _ENDED
        return Sight({remote.id: remote} if is_over else {}, () if is_over else (remote.id,))
    if not any(family.sent()) and not any(family.released()):
        raise InvalidInput(
            f"nothing of job {family.name} was sent yet",
            code="nothing-sent",
            hint="costkit batch submit sends it, or finds out whether it was sent",
        )
    ended: dict[str, RemoteBatch] = {}
    running: list[str] = []
    for job in family.jobs:
        try:
            batches = refresh(job, outside).live_batches
        except Gone:
            batches = job.live_batches
        for batch in batches:
            if batch.id is None:
                continue
            remote_batch = known_end(batch) or _asked(batch.id, outside)
            if remote_batch is None:
                continue
            if remote_batch.processing_status == _ENDED:
                ended[batch.id] = remote_batch
            else:
                running.append(batch.id)
    return Sight(ended, tuple(running))


def known_end(batch: Batch) -> RemoteBatch | None:
    """The batch as the API described it when it had ended: nothing about it changes any more."""
    if batch.state not in (ENDED, COLLECTED) or batch.id is None or batch.request_counts is None:
        return None
    if batch.created_at is None or batch.expires_at is None:
        return None
    return RemoteBatch(batch.id, _ENDED, batch.request_counts, batch.created_at, batch.expires_at, batch.ended_at)


def _asked(batch_id: str, outside: Outside) -> RemoteBatch | None:
    try:
        return outside.api.retrieve(batch_id)
    except InvalidInput as problem:
        if problem.code != _NOT_FOUND:
            raise
        return None
