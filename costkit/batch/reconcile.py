"""What became of a create call whose outcome is unknown: the API's own list decides, and nothing is guessed.

Every batch of a job has a request count of its own where that costs nothing, so the count tells a batch from others.
What is adopted here is proven later: the custom_ids of its results must be ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from costkit.batch.job import PLANNED, RELEASED, SENDING, SUBMITTED, Batch, Job, RemoteBatch
from costkit.batch.ports import BatchApi, Clock, Ledger
from costkit.errors import InvalidInput, Undecidable

LOOKS = 3
"""A list may show a new batch late, so one look without it proves nothing."""
WAIT_S = 90.0
"""Over this long the looks are spread."""
FAIL, ADOPT_NEWEST, RESEND = "fail", "adopt-newest", "resend"
ON_AMBIGUOUS = (FAIL, ADOPT_NEWEST, RESEND)
_CLOCK_SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Outside:
    """The world as a submission sees it."""

    api: BatchApi
    ledger: Ledger
    clock: Clock


@dataclass(frozen=True, slots=True)
class Rule:
    """How to look for a batch, and what to do where several could be it."""

    wait_s: float = WAIT_S
    looks: int = LOOKS
    on_ambiguous: str = FAIL


class AmbiguousSubmission(Undecidable):
    """Raised when several batches of the account could be the one that was sent."""

    default_code = "ambiguous-submission"


class OtherAccount(InvalidInput):
    """Raised when the credential belongs to another account than the job."""

    default_code = "other-account"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look at the list found."""

    candidates: tuple[RemoteBatch, ...]
    """Newest first."""
    rivals: tuple[str, ...]
    """Other jobs that wait for the outcome of a batch of the same size: a candidate may be theirs."""

    @property
    def certain(self) -> bool:
        """Whether the one candidate can only be ours."""
        return len(self.candidates) == 1 and not self.rivals


def identify(job: Job, outside: Outside) -> None:
    """Make sure that the credential belongs to the account of the job; the first reply decides whose job it is.

    Raises `OtherAccount`: the batches of another account or workspace can't be seen, so looking for ours there would
    end in sending them again.
    """
    _, account, _ = outside.api.newest()
    if job.account is None:
        outside.ledger.bind(job.id, account)
    elif job.account != account:
        where = " ".join(part for part in (account.organization_id, account.workspace_id, account.base_url) if part)
        raise OtherAccount(
            f"job {job.id} belongs to another account than this credential ({where})",
            hint="use the credential that the job was submitted with",
        )


def settle(job: Job, batch: Batch, outside: Outside, rule: Rule) -> Batch:
    """Find out what became of a batch that is `sending`, and record it: `submitted`, or `planned` to send it again.

    With fewer than `LOOKS` looks, not having found it decides nothing and the state stays. Raises
    `AmbiguousSubmission` where several batches could be it, unless the rule says what to do then.
    """
    sighting = Sighting((), ())
    for look in range(rule.looks):
        if look:
            outside.clock.sleep(rule.wait_s / (LOOKS - 1))
        sighting = look_for(job, batch, outside)
        if sighting.certain:
            return _record(job, adopted(batch, sighting.candidates[0]), outside)
        if len(sighting.candidates) > 1:
            break
    if sighting.candidates and rule.on_ambiguous == ADOPT_NEWEST:
        return _record(job, adopted(batch, sighting.candidates[0]), outside)
    if sighting.candidates and rule.on_ambiguous == FAIL:
        raise _ambiguous(job, batch, sighting)
    if sighting.candidates:  # none of them is ours, says the rule: don't look at them again
        return _record(job, replace(batch, state=PLANNED, cursor=None, sent_at=None), outside)
    return _record(job, replace(batch, state=PLANNED), outside) if rule.looks >= LOOKS else batch


def look_for(job: Job, batch: Batch, outside: Outside) -> Sighting:
    """Look once: batches of the right size that are newer than the cursor and not in the ledger.

    The list comes before the ledger: whatever the list shows of another job of ours was intended there before.
    """
    fitting = _fitting(batch, outside.api)
    jobs = outside.ledger.jobs()
    taken = {
        known.id for other in jobs for known in other.batches if known.state != RELEASED or other.id == job.id
    }  # fmt: skip
    rivals = (
        other.id
        for other in jobs
        for waiting in other.batches
        if other.id != job.id and waiting.state == SENDING and waiting.requests == batch.requests
    )
    return Sighting(tuple(remote for remote in fitting if remote.id not in taken), tuple(dict.fromkeys(rivals)))


def adopted(batch: Batch, remote: RemoteBatch) -> Batch:
    """A batch of a job with the identity of a batch that was found at the API."""
    return replace(created(batch, remote), adopted=True)


def created(batch: Batch, remote: RemoteBatch) -> Batch:
    """A batch of a job with the identity that the API gave it."""
    return replace(
        batch,
        state=SUBMITTED,
        id=remote.id,
        adopted=False,
        created_at=remote.created_at,
        expires_at=remote.expires_at,
        ended_at=remote.ended_at,
        request_counts=remote.request_counts,
        problem=None,
    )


def _fitting(batch: Batch, api: BatchApi) -> Sequence[RemoteBatch]:
    found = []
    for remote in api.newest_first():
        if remote.id == batch.cursor or _too_old(batch, remote):
            break
        if remote.request_counts.total == batch.requests:
            found.append(remote)
    return found


def _too_old(batch: Batch, remote: RemoteBatch) -> bool:
    """Where the cursor itself was deleted meanwhile, time has to say how far back to look."""
    return bool(batch.cursor and batch.sent_at and remote.created_at < batch.sent_at - _CLOCK_SLACK)


def _record(job: Job, batch: Batch, outside: Outside) -> Batch:
    outside.ledger.put_batch(job.id, batch)
    return batch


def _ambiguous(job: Job, batch: Batch, sighting: Sighting) -> AmbiguousSubmission:
    listed = ", ".join(f"{remote.id} ({remote.created_at:%Y-%m-%d %H:%M:%S} UTC)" for remote in sighting.candidates)
    message = f"batch {batch.number} of job {job.id} may be one of these: {listed}"
    if sighting.rivals:
        message += f"; so may that of {', '.join(sighting.rivals)}"
    hint = f"costkit batch adopt BATCH_ID --job {job.id} decides, or --on-ambiguous adopt-newest or resend"
    return AmbiguousSubmission(message, hint=hint)
