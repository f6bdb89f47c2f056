"""A long file counted and priced whole, a portion of its lines at a time, by as many processes as there are cores.

The parent reads bytes and adds up parts; workers parse, count and price. Never more than a few portions are in memory.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from costkit.adapters.prompt_lines import LineReader, LongFile, RawPortion
from costkit.core.pricebook import PriceBook
from costkit.core.tokens import TokenCounter
from costkit.errors import OperationFailed
from costkit.estimate import EstimateOptions
from costkit.estimate.part import Part, add_parts
from costkit.estimate.run import estimate_part

MOST_WORKERS = 32
_WAITING_PER_WORKER = 2
_PARALLEL_FROM = 4_000
"""Fewer requests are counted sooner by one process than others start."""
MakeCounter = Callable[[], TokenCounter]


@dataclass(frozen=True, slots=True)
class _Work:
    """What every portion of a file is counted and priced with."""

    reader: LineReader
    counter: TokenCounter
    book: PriceBook
    options: EstimateOptions

    def part(self, portion: RawPortion) -> Part:
        return estimate_part(self.reader.prompts(portion), self.counter, self.book, self.options)


def estimate_file(
    file: LongFile, make: MakeCounter, book: PriceBook, options: EstimateOptions, *, workers: int | None = None
) -> Part:
    """Count and price every request of a file, in order.

    `make` makes a counter, here or in another process. `workers` is 1 for counters that have a way of their own to do
    several things at once; by default one for each core. Raises what reading, counting and pricing raise, and
    `OperationFailed` where a worker dies.
    """
    workers = min(MOST_WORKERS, _cores()) if workers is None else workers
    if workers == 1 or len(file.lines) < _PARALLEL_FROM:
        work = _Work(file.reader, make(), book, options)
        return add_parts(work.part(portion) for portion in file.portions())
    try:
        with _pool(workers, partial(_prepare, file.reader, make, book, options)) as pool:
            return add_parts(_in_order(pool, file, workers))
    except BrokenProcessPool:
        message = "a process that was counting tokens ended without an answer"
        raise OperationFailed(
            message, hint="is there enough memory? --sample auto needs less", code="counting-failed"
        ) from None


def _in_order(pool: ProcessPoolExecutor, file: LongFile, workers: int) -> Iterator[Part]:
    waiting: deque[Future[Part]] = deque()
    for portion in file.portions():
        with _workers_are_not_interrupted():
            waiting.append(pool.submit(_count, portion))
        if len(waiting) > workers * _WAITING_PER_WORKER:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextmanager
def _pool(workers: int, prepare: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
    """Processes started afresh, which is safe whatever else runs here; an interruption ends them at once."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), prepare)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


@contextmanager
def _workers_are_not_interrupted() -> Iterator[None]:
    """What starts in here never sees Ctrl-C: ending it is up to the parent, which does."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_held: list[_Work] = []
"""In a worker: the one thing that it works with."""


def _prepare(reader: LineReader, make: MakeCounter, book: PriceBook, options: EstimateOptions) -> None:
    _held.append(_Work(reader, make(), book, options))


def _count(portion: RawPortion) -> Part:
    return _held[0].part(portion)


def _cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
