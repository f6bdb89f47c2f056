"""What the batch commands need from the outside: the API, the ledger, the clock. Adapters and tests satisfy these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from costkit.batch.job import Account, Batch, Job, RemoteBatch

_TOO_LARGE, _TOO_MANY = 413, 429
_SPENT = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})
"""Codes of a 429 that waiting doesn't cure."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of one create call: exact bytes, read from disk while they are sent."""

    length: int
    chunks: Callable[[], Iterator[bytes]]
    """Starts from the beginning each time; raises `InputChanged` if the bytes are no longer those that were hashed."""


class Source(Protocol):
    """The input of a job, read again while it is sent. Both methods raise `InputChanged` where it is another by now."""

    def body(self, batch: Batch) -> Body:
        """What is posted for a batch."""

    def cut(self, number: int, first: int, requests: int) -> Batch:
        """Any run of items as a planned batch, such as a half of one that was too large."""


@dataclass(frozen=True, slots=True)
class Created:
    """The API made the batch."""

    batch: RemoteBatch


@dataclass(frozen=True, slots=True)
class Refused:
    """The API definitely did not make the batch."""

    status: int
    error_type: str
    """Such as `invalid_request_error`."""
    message: str
    error_code: str | None = None
    """Such as `enforced_spend_limit_reached`."""
    retry_after_s: float | None = None

    @property
    def too_large(self) -> bool:
        """Whether a smaller batch may be accepted."""
        return self.status == _TOO_LARGE

    @property
    def busy(self) -> bool:
        """Whether the same call may be accepted later."""
        return self.status == _TOO_MANY and self.error_code not in _SPENT


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """No telling whether the API made the batch: time-out, reset, 408, 409, 5xx, 529, an unreadable reply."""

    reason: str


Outcome = Created | Refused | OutcomeUnknown


class BatchApi(Protocol):
    """Message Batches of one account. Every method raises `CostkitError`s only, and never shows the key."""

    def newest(self) -> tuple[RemoteBatch | None, Account, datetime]:
        """The newest batch, whose account this is, and the API's clock (the `Date` of the reply)."""

    def newest_first(self) -> Iterator[RemoteBatch]:
        """All batches, newest first, page by page as they are asked for."""

    def create(self, body: Body) -> Outcome:
        """Post once, without any retry; raises only where there can be no batch: not all of the body was sent."""

    def retrieve(self, batch_id: str) -> RemoteBatch:
        """One batch; `InvalidInput` if there is none of this id."""

    def cancel(self, batch_id: str) -> RemoteBatch:
        """Ask for the end of a batch; requests that are done stay done, and billed."""

    def results(self, batch_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """The chunks of the results file, from the API's own host, redirects not followed."""


class Ledger(Protocol):
    """What was bought: each method is one transaction that is on disk when it returns."""

    def job(self, job_id: str) -> Job | None:
        """A job by id or unique beginning of it, or by the name that it was given; `InvalidInput` if ambiguous."""

    def jobs(self) -> Sequence[Job]:
        """All jobs, newest first."""

    def jobs_of(self, digest: str) -> Sequence[Job]:
        """The jobs with this content, oldest first."""

    def add_job(self, job: Job, custom_ids: Iterable[tuple[int, int, str]]) -> None:
        """Record a job with its planned batches and its items: (index, line in the file, custom_id)."""

    def bind(self, job_id: str, account: Account) -> None:
        """Record whose job it is, once."""

    def put_batch(self, job_id: str, batch: Batch) -> None:
        """Record the state of one batch, new or known by its number."""

    def put_batches(self, job_id: str, batches: Sequence[Batch]) -> None:
        """Record several batches at once, such as the halves of one that was split together with its own state."""

    def set_output(self, job_id: str, output: str) -> None:
        """Record where the results were collected to."""

    def known_batch_ids(self) -> frozenset[str]:
        """Every batch id of every job."""

    def custom_ids(self, job_id: str) -> Iterator[tuple[int, int, str]]:
        """The items of a job in input order: (index, line in the file, custom_id)."""

    def children(self, job_id: str) -> Sequence[Job]:
        """The jobs that retry items of this one, oldest first."""


class Clock(Protocol):
    """Time that tests can run."""

    def now(self) -> datetime:
        """The current moment, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
