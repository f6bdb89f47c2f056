"""Sending a job: every intention is in the ledger before the call that carries it out, and every outcome after it.

    read the newest batch id as the cursor · commit the intent · POST once · commit the outcome

A process that dies in between leaves an intent, and the next command finds out from the API's list what became of it.
The caller holds the lock of the job's content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from costkit.batch.job import PLANNED, REJECTED, SENDING, SPLIT, SUBMITTED, Batch, Job
from costkit.batch.ports import Created, Outcome, Refused, Source
from costkit.batch.reconcile import Outside, Rule, created, identify, settle
from costkit.errors import CostkitError, OperationFailed

MOST_LOST_REPLIES = 3
"""So often the same batch is sent again after a call without an outcome that turned out to have made nothing."""
MOST_PAUSES = 12
FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_ASKED_S = 1.0, 60.0, 900.0
_NEIGHBOURS = 8
UNSENT = (PLANNED, SENDING, REJECTED)


class BatchRejected(OperationFailed):
    """Raised when the API refuses a batch for good; what was submitted before stays submitted."""

    default_code = "batch-rejected"
    retryable = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """How the sender speaks, and its dice."""

    tell: Callable[[str], None]
    """Says one line to whoever watches."""
    chance: Callable[[], float]
    """A number from 0 to 1, for the jitter of pauses."""


def send_job(job_id: str, source: Source, outside: Outside, rule: Rule, conversation: Conversation) -> Job:
    """Bring all batches of a recorded job to the API, whatever a run before this one left undone; return the job.

    A lone item that is too large for the API is left `rejected`; all others are sent. Raises `BatchRejected` where the
    API refuses a batch, `AmbiguousSubmission` where it can't be known whether one was made, `OtherAccount`,
    `InputChanged`, or `OperationFailed`. Running it again goes on where it stopped.
    """
    sender = _Sender(source, outside, rule, conversation)
    job = _read(job_id, outside)
    if any(batch.state in UNSENT for batch in job.live_batches):
        identify(job, outside)
    hopeless: set[int] = set()
    while True:
        job = _read(job_id, outside)
        waiting = [b for b in job.live_batches if b.state in UNSENT and b.number not in hopeless]
        if not waiting:
            return job
        batch = min(waiting, key=lambda waits: waits.first)
        if sender.advance(job, batch).state == REJECTED:
            hopeless.add(batch.number)


def _read(job_id: str, outside: Outside) -> Job:
    job = outside.ledger.job(job_id)
    if job is None:
        raise OperationFailed(f"job {job_id} is gone from the ledger", code="unknown-job")
    return job


class _Sender:
    """Remembers how often each batch was tried in this run."""

    def __init__(self, source: Source, outside: Outside, rule: Rule, conversation: Conversation) -> None:
        self._source = source
        self._outside = outside
        self._rule = rule
        self._tell = conversation.tell
        self._chance = conversation.chance
        self._lost: dict[int, int] = {}

    def advance(self, job: Job, batch: Batch) -> Batch:
        """Take one batch a step further: submitted, planned again, split, or rejected as a lone item."""
        if batch.state == SENDING:
            self._tell(f"batch {batch.number}: its outcome is unknown, looking for it in the API's list")
            return self._settle(job, batch)
        if batch.sent_at is not None:  # an earlier call that seemed to have made nothing may still turn up
            batch = settle(job, batch, self._outside, replace(self._rule, looks=1))
            if batch.state == SUBMITTED:
                return batch
        intent = self._intend(job, batch)
        outcome = self._post(job, batch, intent)
        if isinstance(outcome, Created):
            return self._put(job, created(intent, outcome.batch))
        if isinstance(outcome, Refused):
            return self._refused(job, batch, outcome)
        self._lost[batch.number] = self._lost.get(batch.number, 0) + 1
        self._tell(f"batch {batch.number}: {outcome.reason}; looking for it in the API's list")
        settled = self._settle(job, intent)
        if settled.state == PLANNED and self._lost[batch.number] >= MOST_LOST_REPLIES:
            message = f"batch {batch.number} could not be sent: {outcome.reason}, {MOST_LOST_REPLIES} times"
            raise OperationFailed(
                f"{message}; the API has no such batch", hint="the same command goes on", code="no-reply"
            )
        return settled

    def _intend(self, job: Job, batch: Batch) -> Batch:
        """Commit the intention to send; the cursor stays where it was before the first call that got no answer."""
        newest, _, moment = self._outside.api.newest()
        intent = replace(batch, state=SENDING, id=None, adopted=False, problem=None)
        if batch.sent_at is None:
            intent = replace(intent, cursor=newest.id if newest else None, sent_at=moment)
        return self._put(job, intent)

    def _post(self, job: Job, batch: Batch, intent: Batch) -> Outcome:
        """Post, and again after each definite "not now"; what ends without a batch leaves all as it was before."""
        pauses = 0
        while True:
            try:
                outcome = self._outside.api.create(self._source.body(intent))
            except CostkitError:
                self._put(job, replace(batch, state=PLANNED))
                raise
            if not (isinstance(outcome, Refused) and outcome.busy):
                return outcome
            seconds = self._pause(outcome, pauses)
            if pauses == MOST_PAUSES or seconds > LONGEST_ASKED_S:
                self._put(job, replace(batch, state=PLANNED))
                message = f"batch {intent.number} was not accepted: the API asks to wait ({outcome.message})"
                raise OperationFailed(message, hint="the same command goes on later", code="rate-limited")
            self._tell(f"batch {intent.number}: the API is busy, trying again in {seconds:.0f} s ({outcome.message})")
            self._outside.clock.sleep(seconds)
            pauses += 1

    def _pause(self, refused: Refused, pauses: int) -> float:
        if refused.retry_after_s is not None:
            return refused.retry_after_s
        return min(FIRST_PAUSE_S * float(2**pauses), LONGEST_PAUSE_S) * (0.75 + 0.5 * self._chance())

    def _refused(self, job: Job, batch: Batch, refused: Refused) -> Batch:
        if refused.too_large and batch.requests > 1:
            self._tell(f"batch {batch.number}: too large for the API, cutting it in two")
            return self._halve(job, batch)
        rejected = self._put(job, replace(batch, state=REJECTED, problem=f"{refused.status} {refused.message}"))
        if refused.too_large:
            return rejected
        code = "spend-limit" if refused.status == 429 else None  # noqa: PLR2004 - HTTP's own number
        raise BatchRejected(
            f"the API refused batch {batch.number} ({refused.status} {refused.error_type}): {refused.message}",
            hint="once that is solved, the same command goes on",
            code=code,
        )

    def _halve(self, job: Job, batch: Batch) -> Batch:
        others = {other.requests for other in job.live_batches if other.number != batch.number}
        size = half_of(batch.requests, others)
        number = max(other.number for other in job.batches)
        halves = [
            self._source.cut(number + 1, batch.first, size),
            self._source.cut(number + 2, batch.first + size, batch.requests - size),
        ]
        split = replace(batch, state=SPLIT)
        self._outside.ledger.put_batches(job.id, [split, *halves])
        return split

    def _settle(self, job: Job, batch: Batch) -> Batch:
        settled = settle(job, batch, self._outside, self._rule)
        if settled.state == SUBMITTED:
            self._tell(f"batch {batch.number}: found as {settled.id}")
        return settled

    def _put(self, job: Job, batch: Batch) -> Batch:
        self._outside.ledger.put_batch(job.id, batch)
        return batch


def half_of(requests: int, taken: set[int]) -> int:
    """The size of the first part of a batch that is cut in two.

    Close to a half, but so that both parts have a count that no other batch of the job has, where that can be.
    """
    middle = requests // 2
    sizes = [middle + step for step in range(1, min(_NEIGHBOURS, requests - middle - 1) + 1)]
    apart = [size for size in sizes if size != requests - size]
    unique = [size for size in apart if size not in taken and requests - size not in taken]
    return next(iter(unique or apart), middle)
