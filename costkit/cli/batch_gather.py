"""What collect and retry share: the lock, the wait for the end, and the results joined to the input."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from costkit.cli.output import say
from costkit.errors import StillRunning

if TYPE_CHECKING:
    from costkit.adapters.batches.results_index import SqliteResultsIndex
    from costkit.adapters.batches.results_spool import FolderSpool
    from costkit.batch.family import Family
    from costkit.batch.job import RemoteBatch
    from costkit.batch.reconcile import Outside
    from costkit.batch.waiting import Patience
    from costkit.cli.run import Run
    from costkit.errors import OperationFailed


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that is known about the rows of a family."""

    family: Family
    remotes: Mapping[str, RemoteBatch]
    index: SqliteResultsIndex
    spool: FolderSpool
    deleted: tuple[str, ...]
    """Batches that the API should have and doesn't."""


def folder_of(name: str) -> Path:
    """The folder of a job, or of a batch without one, for what is not finished yet."""
    from costkit.adapters.state_folder import state_folder

    return state_folder() / "collect" / name


def retry_folder() -> Path:
    """The folder for the inputs of retries, until they are sent."""
    from costkit.adapters.state_folder import state_folder

    return state_folder() / "retries"


def remove_sent_inputs(family: Family) -> None:
    """Remove the inputs of retries of which nothing is left to send: they hold prompts."""
    from costkit.cli.batch_sending import is_sent

    for job in family.jobs[1:]:
        path = Path(job.path)
        if path.parent == retry_folder() and is_sent(job):
            path.unlink(missing_ok=True)


@contextmanager
def collecting(name: str) -> Iterator[None]:
    """Hold the lock of a job's results; `StillRunning` where another process has it."""
    with _locked("collect", name, "collected"):
        yield


@contextmanager
def retrying(name: str) -> Iterator[None]:
    """Hold the lock of a job's retries: no row may be in two of them; `StillRunning` where another process has it."""
    with _locked("retry", name, "retried"):
        yield


@contextmanager
def _locked(verb: str, name: str, done: str) -> Iterator[None]:
    from costkit.adapters.batches.job_lock import LockHeld
    from costkit.cli.batch_wiring import lock_of

    lock = lock_of(hashlib.sha256(f"{verb} {name}".encode()).hexdigest())
    try:
        lock.__enter__()
    except LockHeld as held:
        who = f"pid {held.pid}" if held.pid else "another process"
        raise StillRunning(f"{name} is being {done} by {who}", code=f"being-{done}") from None
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def await_end(
    run: Run, family: Family, outside: Outside, *, wait: bool, patience: Patience
) -> Mapping[str, RemoteBatch]:
    """The ended batches of a family; `StillRunning` where some have not ended, or not in time."""
    from costkit.batch.look import Sight, look
    from costkit.batch.waiting import wait_until

    sight = Sight({}, ())

    def ended() -> bool:
        nonlocal sight
        sight = look(family, outside)
        return not sight.running

    def failed(error: OperationFailed) -> None:
        if not run.quiet:
            say(f"! {error}; still waiting")

    if wait:
        wait_until(ended, outside.clock, patience, chance=random.random, failed=failed)
    else:
        ended()
    if sight.running:
        batches = "1 batch has" if len(sight.running) == 1 else f"{len(sight.running)} batches have"
        raise StillRunning(f"{batches} not ended yet", hint=resume_line(family.name))
    return sight.ended


def resume_line(name: str) -> str:
    """The command that goes on waiting."""
    return f"costkit batch collect {name} --wait"


@contextmanager
def gathered(run: Run, family: Family, remotes: Mapping[str, RemoteBatch], outside: Outside) -> Iterator[Gathered]:
    """Download, check and join all results; whole downloads stay on disk for the next run until `spool.clear()`."""
    from costkit.adapters.batches.results_index import SqliteResultsIndex
    from costkit.adapters.batches.results_spool import FolderSpool
    from costkit.batch.family import find_family
    from costkit.batch.gather import Means, gather
    from costkit.cli.progress import byte_progress

    def again(why: str) -> None:
        if not run.quiet:
            say(f"! {why}")

    with FolderSpool(folder_of(family.name)) as spool, SqliteResultsIndex() as index:
        with byte_progress(run, "downloading") as progress:
            spool.received = lambda size: progress(size, None)
            means = Means(outside.api, outside.ledger, spool, index, outside.clock, again)
            deleted = gather(family, remotes, means)
        fresh = family if family.job is None else find_family(family.name, outside.ledger)
        yield Gathered(fresh, remotes, index, spool, deleted)


def settled(family: Family, outside: Outside) -> Family:
    """The family after one look for batches whose create call had no outcome.

    Raises `LockHeld` while another process submits one of its jobs, `OtherAccount` where the credential can't see its
    batches: they would look as if they had been deleted.
    """
    from costkit.batch.family import find_family
    from costkit.batch.job import PLANNED, REJECTED, SENDING
    from costkit.batch.reconcile import identify
    from costkit.batch.status import look_once
    from costkit.cli.batch_wiring import lock_of

    if family.job is not None:
        identify(family.job, outside)
    unsent = [
        job for job in family.jobs if any(b.state in (PLANNED, SENDING, REJECTED) for b in job.live_batches)
    ]  # fmt: skip
    for job in unsent:
        with lock_of(job.digest):
            look_once(job, outside)
    return find_family(family.name, outside.ledger) if unsent else family
