"""Brings the results of a job's batches here: downloaded whole, checked line by line, joined to the input by custom_id.

Nothing is believed that the API doesn't repeat: a download that breaks off, can't be read or is shorter than the API's
own counts is made again. A batch that was adopted has to prove by its custom_ids that it is ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from costkit.batch import classes
from costkit.batch.family import Family
from costkit.batch.job import REJECTED, RELEASED, RESULTS_KEPT, SENDING, SPLIT, Batch, Job, RemoteBatch
from costkit.batch.ports import BatchApi, Clock, Ledger
from costkit.batch.results import Asked, Found, ResultsIndex, ResultsSpool
from costkit.errors import Gone, InvalidInput, OperationFailed

TRIES = 5
"""So often a download is begun before it is given up."""
FIRST_PAUSE_S = 0.5
_STATES = {RELEASED: classes.RELEASED, SENDING: classes.SENDING, REJECTED: classes.REJECTED}


@dataclass(frozen=True, slots=True)
class Means:
    """What gathering works with."""

    api: BatchApi
    ledger: Ledger
    spool: ResultsSpool
    index: ResultsIndex
    clock: Clock
    again: Callable[[str], None] = lambda _why: None
    """Is told why a download is made again."""


class _Unreadable(Exception):
    """Raised for a download that is not what the API wanted to send."""


def gather(family: Family, remotes: Mapping[str, RemoteBatch], means: Means) -> tuple[str, ...]:
    """Fill the index with the items of a family and the results of its batches.

    `remotes` holds the ended batches by id. Raises `Gone` where results are no longer kept, `OperationFailed` where
    they can't be downloaded or the disk is full. What was downloaded whole stays in the spool for the next run.
    Returns the ids of the batches that the API no longer has: somebody deleted them, so their rows are missing.
    """
    deleted: list[str] = []
    for generation, job in enumerate(family.jobs):
        means.index.ask(generation, _items(job, means.ledger))
    for generation, job, batch in family.sent():
        remote = remotes.get(batch.id or "")
        if remote is None or not _fetch(generation, remote, means):
            deleted.append(batch.id or "")
            continue
        unknown, absent = means.index.strangers(generation, remote.id, batch.first, batch.requests)
        if batch.adopted and unknown and absent:
            _release(generation, job, batch, means)
    if family.stranger is not None:
        if not _fetch(0, remotes[family.stranger], means):
            raise InvalidInput(f"the API has no results of {family.stranger}", code="not-found")
        means.index.ask_for_what_is_there()
    return tuple(deleted)


def read_result(line: bytes, offset: int) -> Found:
    """Check one line of a results file; raises ValueError, in a few words, if it isn't one."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("not an object")
    custom_id = document.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        raise ValueError("no custom_id")
    custom_id.encode()  # half a surrogate pair is no text; its error is a ValueError
    return Found(custom_id, classes.classify(document), offset, len(line))


def _items(job: Job, ledger: Ledger) -> Iterator[Asked]:
    """The items of a job, each with what it means if no result has it."""
    runs = sorted((batch for batch in job.batches if batch.state != SPLIT), key=lambda batch: batch.first)
    at = 0
    for index, line, custom_id in ledger.custom_ids(job.id):
        while at < len(runs) and index >= runs[at].first + runs[at].requests:
            at += 1
        inside = at < len(runs) and index >= runs[at].first
        yield Asked(index, line, custom_id, _absence(runs[at]) if inside else classes.UNSENT)


def _absence(batch: Batch) -> str:
    if batch.state in _STATES:
        return _STATES[batch.state]
    return classes.MISSING if batch.id is not None else classes.UNSENT


def _fetch(generation: int, remote: RemoteBatch, means: Means) -> bool:
    """Download, check and index the results of a batch; no if the API has none although it should."""
    pause = FIRST_PAUSE_S
    for attempt in range(1, TRIES + 1):
        try:
            if not means.spool.has(remote.id):
                with means.api.results(remote.id) as chunks:
                    means.spool.receive(remote.id, chunks)
            _index(generation, remote, means, last=attempt == TRIES)
            means.spool.keep(remote.id)
        except (_Unreadable, OperationFailed) as problem:
            if not _may_pass(problem):
                raise
            means.spool.discard(remote.id)
            if attempt == TRIES:
                raise OperationFailed(
                    f"the results of {remote.id} can't be downloaded: {problem}",
                    code="download-failed",
                    hint="try again; what is complete is kept",
                ) from None
            means.again(f"{remote.id}: {problem}; downloading again")
            means.clock.sleep(pause)
            pause *= 2
        except InvalidInput as problem:
            if problem.code != "not-found":
                raise
            if means.clock.now() >= remote.created_at + RESULTS_KEPT:
                raise _results_gone(remote) from None
            return False
        else:
            break
    return True


def _may_pass(problem: Exception) -> bool:
    """Whether a download may work the next time: not if the disk is the trouble."""
    if isinstance(problem, OperationFailed):
        return problem.retryable and problem.code not in ("write-failed", "read-failed")
    return True


def _index(generation: int, remote: RemoteBatch, means: Means, *, last: bool) -> None:
    """Check and index a download. One that stays too short is accepted in the end: rows are missing, not made up."""
    count = means.index.add(generation, remote.id, _results(means.spool.lines(remote.id)))
    expected = remote.request_counts.total
    if count < expected and not last:
        means.index.drop(remote.id)
        raise _Unreadable(f"{count:,} results where the API counts {expected:,}")


def _results(lines: Iterator[tuple[int, bytes]]) -> Iterator[Found]:
    number = 0
    try:
        for offset, line in lines:
            number += 1
            if line.strip():
                yield read_result(line, offset)
    except ValueError as problem:
        raise _Unreadable(f"line {number}: {problem}") from None


def _results_gone(remote: RemoteBatch) -> Gone:
    until = remote.created_at + RESULTS_KEPT
    return Gone(
        f"the results of {remote.id} are gone: the API kept them until {until:%Y-%m-%d %H:%M} UTC",
        code="results-gone",
    )


def _release(generation: int, job: Job, batch: Batch, means: Means) -> None:
    """Give back a batch that was taken for ours: its rows have no result, and never had one."""
    problem = "adopted, but its custom_ids are not those of this job"
    means.ledger.put_batch(job.id, replace(batch, state=RELEASED, problem=problem))
    means.index.drop(batch.id or "")
    means.index.mark(generation, batch.first, batch.requests, classes.RELEASED)
    means.spool.discard(batch.id or "")
