"""Jobs and batches as rows of the ledger, and back: times as RFC 3339, amounts as exact decimal text."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal

from costkit.batch.job import Account, Batch, Job, JobEstimate, RequestCounts
from costkit.core.money import exact_text

Value = str | int | None

JOB_COLUMNS = (
    "id",
    "digest",
    "path",
    "created_at",
    "requests",
    "bytes",
    "name",
    "parent",
    "attempt",
    "base_url",
    "organization_id",
    "workspace_id",
    "expected_usd",
    "ceiling_usd",
    "output",
)
BATCH_COLUMNS = (
    "number",
    "first",
    "requests",
    "bytes",
    "sha256",
    "state",
    "cursor",
    "sent_at",
    "id",
    "adopted",
    "created_at",
    "expires_at",
    "ended_at",
    "processing",
    "succeeded",
    "errored",
    "canceled",
    "expired",
    "problem",
)


def job_row(job: Job) -> tuple[Value, ...]:
    """The values of `JOB_COLUMNS`."""
    account, estimate = job.account, job.estimate
    return (
        job.id,
        job.digest,
        job.path,
        _text_of_time(job.created_at),
        job.requests,
        job.bytes,
        job.name,
        job.parent,
        job.attempt,
        account.base_url if account else None,
        account.organization_id if account else None,
        account.workspace_id if account else None,
        exact_text(estimate.expected) if estimate else None,
        exact_text(estimate.ceiling) if estimate and estimate.ceiling is not None else None,
        job.output,
    )


def job_of(row: sqlite3.Row, batches: tuple[Batch, ...]) -> Job:
    """The job of a row; raises ValueError or ArithmeticError for values that no version of costkit writes."""
    account = None
    if row["base_url"] is not None:
        account = Account(row["base_url"], row["organization_id"], row["workspace_id"])
    estimate = None
    if row["expected_usd"] is not None:
        ceiling = row["ceiling_usd"]
        estimate = JobEstimate(Decimal(row["expected_usd"]), None if ceiling is None else Decimal(ceiling))
    return Job(
        id=row["id"],
        digest=row["digest"],
        path=row["path"],
        created_at=datetime.fromisoformat(row["created_at"]),
        requests=row["requests"],
        bytes=row["bytes"],
        name=row["name"],
        parent=row["parent"],
        attempt=row["attempt"],
        account=account,
        estimate=estimate,
        output=row["output"],
        batches=batches,
    )


def batch_row(batch: Batch) -> tuple[Value, ...]:
    """The values of `BATCH_COLUMNS`."""
    counts = batch.request_counts
    return (
        batch.number,
        batch.first,
        batch.requests,
        batch.bytes,
        batch.sha256,
        batch.state,
        batch.cursor,
        _text_of_time(batch.sent_at),
        batch.id,
        int(batch.adopted),
        _text_of_time(batch.created_at),
        _text_of_time(batch.expires_at),
        _text_of_time(batch.ended_at),
        counts.processing if counts else None,
        counts.succeeded if counts else None,
        counts.errored if counts else None,
        counts.canceled if counts else None,
        counts.expired if counts else None,
        batch.problem,
    )


def batch_of(row: sqlite3.Row) -> Batch:
    """The batch of a row; raises ValueError for values that no version of costkit writes."""
    counts = None
    if row["processing"] is not None:
        counts = RequestCounts(
            row["processing"], row["succeeded"], row["errored"], row["canceled"], row["expired"]
        )  # fmt: skip
    return Batch(
        number=row["number"],
        first=row["first"],
        requests=row["requests"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        state=row["state"],
        cursor=row["cursor"],
        sent_at=_time_of(row["sent_at"]),
        id=row["id"],
        adopted=bool(row["adopted"]),
        created_at=_time_of(row["created_at"]),
        expires_at=_time_of(row["expires_at"]),
        ended_at=_time_of(row["ended_at"]),
        request_counts=counts,
        problem=row["problem"],
    )


def _text_of_time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
