"""A batch job as values: what was asked for, how it was cut into batches, and how far each of them has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

RESULTS_KEPT = timedelta(days=29)
"""Results can be fetched this long after creation.
https://platform.claude.com/docs/en/build-with-claude/batch-processing"""

PLANNED, SENDING, SUBMITTED, ENDED, COLLECTED = "planned", "sending", "submitted", "ended", "collected"
REJECTED, RELEASED, SPLIT = "rejected", "released", "split"
BATCH_STATES = (PLANNED, SENDING, SUBMITTED, ENDED, COLLECTED, REJECTED, RELEASED, SPLIT)
"""What a batch may be.

`planned`: nothing was sent. `sending`: the intention is committed, the outcome is not known yet. `submitted`: the API
gave an id. `ended`: all of it was processed. `collected`: its results are in the output file. `rejected`: the API
refused it for good. `released`: it was adopted and turned out to be somebody else's. `split`: too large for the API,
cut into smaller ones.
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose batches these are: what the API's replies say, and where they came from."""

    base_url: str
    organization_id: str | None = None
    workspace_id: str | None = None


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """The API's `request_counts`; all but `processing` stay 0 until the batch ends."""

    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        """How many requests the batch has."""
        return self.processing + self.succeeded + self.errored + self.canceled + self.expired


@dataclass(frozen=True, slots=True)
class Batch:
    """One Message Batch of a job: a run of consecutive items of the input."""

    number: int
    """From 1; a batch that was split keeps its number and its halves get new ones."""
    first: int
    """Index of its first item."""
    requests: int
    bytes: int
    """Length of the body that is posted."""
    sha256: str
    """Of the body that is posted."""
    state: str = PLANNED
    cursor: str | None = None
    """Newest batch id of the account just before it was sent: the reconciliation looks no further back."""
    sent_at: datetime | None = None
    """When the intention to send was first committed, by the API's clock; a `planned` batch that has it was sent before
    and seems not to have been made: it is looked for once more before it is sent again."""
    id: str | None = None
    adopted: bool = False
    """Whether the id was found in the API's list instead of in the reply to the create call."""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    request_counts: RequestCounts | None = None
    problem: str | None = None
    """Why it was rejected, in the API's words."""

    @property
    def results_until(self) -> datetime | None:
        """The moment after which its results are gone."""
        return self.created_at + RESULTS_KEPT if self.created_at else None


@dataclass(frozen=True, slots=True)
class JobEstimate:
    """What the job was expected to cost when it was submitted, at batch prices; exact US dollars."""

    expected: Decimal
    ceiling: Decimal | None


@dataclass(frozen=True, slots=True)
class Job:
    """One input file, submitted."""

    id: str
    """The first 12 characters of the digest; jobs of the same content after the first get `-2`, `-3`, …"""
    digest: str
    """SHA-256 of the canonical lines."""
    path: str
    """The input file, absolute, or `-`."""
    created_at: datetime
    requests: int
    bytes: int
    """Of the canonical lines, newlines not counted."""
    name: str | None = None
    parent: str | None = None
    """The job whose failed items this one retries."""
    attempt: int = 1
    account: Account | None = None
    """`None` until the first reply of the API."""
    estimate: JobEstimate | None = None
    output: str | None = None
    """Where its results were collected to."""
    batches: tuple[Batch, ...] = ()

    @property
    def live_batches(self) -> tuple[Batch, ...]:
        """The batches that carry the items: those that were split or given up are left out."""
        return tuple(batch for batch in self.batches if batch.state not in (SPLIT, RELEASED))

    @property
    def state(self) -> str:
        """The state of the batch that is furthest behind; a rejected one counts as planned."""
        order = {PLANNED: 0, REJECTED: 0, SENDING: 1, SUBMITTED: 2, ENDED: 3, COLLECTED: 4}
        behind = min((order[batch.state] for batch in self.live_batches), default=0)
        return (PLANNED, SENDING, SUBMITTED, ENDED, COLLECTED)[behind]


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A Message Batch as the API describes it."""

    id: str
    processing_status: str
    """`in_progress`, `canceling` or `ended`."""
    request_counts: RequestCounts
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One item of the input, canonical."""

    index: int
    number: int
    """Line in the file, from 1."""
    custom_id: str
    data: bytes
    """The canonical line, without its newline: exactly the bytes that are sent."""
