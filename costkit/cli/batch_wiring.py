"""What the batch commands work with: the state folder, the ledger, the API, the lock, the clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from costkit.adapters.state_folder import state_folder
from costkit.errors import InvalidInput

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from costkit.adapters.batches.ledger import SqliteLedger
    from costkit.batch.job import Job
    from costkit.batch.ports import Ledger
    from costkit.batch.reconcile import Outside
    from costkit.batch.waiting import Patience
    from costkit.cli.run import Run


@contextmanager
def open_ledger() -> Iterator[SqliteLedger]:
    """The ledger of this user."""
    from costkit.adapters.batches.ledger import FILE_NAME, SqliteLedger

    with SqliteLedger(state_folder() / FILE_NAME) as ledger:
        yield ledger


@contextmanager
def open_outside(run: Run, *, may_be_offline: bool = False) -> Iterator[Outside]:
    """Ledger, API and clock together; nothing is connected before it is used. Refused with `--offline`, as a rule."""
    from costkit.adapters.batches.api import SdkBatchApi
    from costkit.adapters.clock import SystemClock
    from costkit.batch.reconcile import Outside

    if run.offline and not may_be_offline:
        raise InvalidInput("this command asks the API, which --offline forbids", code="usage")
    with open_ledger() as ledger, SdkBatchApi(os.environ) as api:
        yield Outside(api, ledger, SystemClock())


def lock_of(digest: str) -> AbstractContextManager[None]:
    """The lock of a job's content; entering raises `LockHeld` where another process has it."""
    from costkit.adapters.batches.job_lock import job_lock

    return job_lock(state_folder() / "locks", digest)


def chosen_job(ledger: Ledger, text: str | None) -> Job:
    """The job that an argument means, the newest one without; raises `InvalidInput` if there is none."""
    from costkit.batch.family import find_family

    if text is None:
        jobs = ledger.jobs()
        if not jobs:
            raise InvalidInput(
                "the ledger has no job yet", hint="costkit batch submit FILE makes one", code="unknown-job"
            )
        return jobs[0]
    job = find_family(text, ledger).job
    if job is None:
        hint = f"costkit batch adopt {text} brings it in"
        raise InvalidInput(f"the ledger doesn't know batch {text}", hint=hint, code="unknown-job")
    return job


def reconcile_wait() -> float:
    """Over how many seconds the looks for a lost batch are spread: `COSTKIT_RECONCILE_WAIT_S`, else 90."""
    from costkit.batch.reconcile import WAIT_S

    chosen = _seconds("COSTKIT_RECONCILE_WAIT_S")
    return WAIT_S if chosen is None else chosen


def patience(poll: str | None = None, timeout_s: float | None = None) -> Patience:
    """How to wait for a batch: `--poll` or `COSTKIT_POLL_S` make the interval constant."""
    from costkit.batch.waiting import Patience
    from costkit.cli.values import seconds_from

    return Patience(seconds_from("--poll", poll) if poll else _seconds("COSTKIT_POLL_S"), timeout_s)


def _seconds(variable: str) -> float | None:
    from costkit.cli.values import seconds_from

    return seconds_from(variable, os.environ.get(variable) or None)
