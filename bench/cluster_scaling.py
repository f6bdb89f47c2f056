"""`costkit report --cluster` with one and with two workers against the same report without a cluster, in one run.

    python bench/cluster_scaling.py [MEGABYTES [TIMES]]

Each log is read by one process without a cluster, by one worker and by two workers of a cluster that is already there,
in turns; there is never more than one cluster. All come to the same document, or the script fails.

The time that passed is not fair on a machine of two cores: beside one worker, scheduler and client have a core of their
own; two workers share both cores with them. So processor time is shown as well: of each worker, and of the process
that has both scheduler and client, with its share of the time that passed. From the processor time of a worker, of a
task that does nothing and of a response that is brought together follows what a hundred workers take for ten
terabytes, step by step; the network and the size of a response are assumed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from log_corpus import dense, transcripts
from machine import describe_machine

from costkit.adapters.cluster import summarize_on_cluster
from costkit.adapters.cluster.summaries import Sizes
from costkit.adapters.logs.summaries import summarize_logs
from costkit.adapters.pricing_yaml import built_in_book
from costkit.report import FoldOptions, ReportOptions, UsageSummary, settle
from costkit.report.attributes import Attributes
from costkit.report.partition import join, settle_part, split
from costkit.report.table import KEY_BYTES, Columns, ResponseTable

_MEGABYTE = 1_000_000
_WORKERS = (0, 1, 2)
_TASKS = 2_000
_RESPONSES = 200_000
_MANY, _TERABYTES, _NETWORK, _RESPONSE = 100, 10, 125_000_000, 3_300
"""Workers, terabytes, bytes a second (1 Gbit), bytes of a response as it is logged."""

Summarize = Callable[[list[str], FoldOptions], UsageSummary]


class Reading(NamedTuple):
    """What it took to read a log once; all in seconds."""

    passed: float
    workers: tuple[float, ...]
    """Processor time of each process that reads."""
    own: float = 0.0
    """Processor time of scheduler and client."""


class Cluster(NamedTuple):
    """Some workers, or this process alone."""

    summarize: Summarize
    busy: Callable[[], list[float]]
    """Processor time of each process that reads, in seconds so far."""
    task_s: float = 0.0
    """Processor time of the scheduler for a task that does nothing, its client included."""


def main() -> None:
    """Measure and print."""
    size = (int(sys.argv[1]) if len(sys.argv) > 1 else 400) * _MEGABYTE
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(describe_machine("dask", "distributed", "fsspec"))
    with tempfile.TemporaryDirectory() as folder:
        rate, task_s = 0.0, 0.0
        for corpus in (transcripts(Path(folder), size), dense(Path(folder), size)):
            best, task_s = _measure(corpus, times)
            _show(corpus, size, best)
            rate = size / sum(best[1].workers)
    _extrapolate(rate, task_s, _merging_s())


@contextmanager
def _cluster(workers: int) -> Iterator[Cluster]:
    if not workers:
        yield Cluster(lambda paths, fold: summarize_logs(paths, fold, workers=1), lambda: [time.process_time()])
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        address = cluster.scheduler_address
        client.run(import_module, "costkit.adapters.cluster.tasks")  # once for each worker, not once for each log
        yield Cluster(
            lambda paths, fold: summarize_on_cluster(paths, fold, address),
            lambda: list(client.run(time.process_time).values()),
            _scheduling_s(client),
        )


def _scheduling_s(client: Any) -> float:
    began = time.process_time()
    client.gather(client.map(abs, range(_TASKS), pure=False))
    return (time.process_time() - began) / _TASKS


def _measure(corpus: Path, times: int) -> tuple[dict[int, Reading], float]:
    """The best of some readings by the number of workers, and the least processor time for a task."""
    options, book = ReportOptions(as_of=date(2026, 11, 21)), built_in_book()
    best: dict[int, Reading] = {}
    tasks, documents = list[float](), set[str]()
    for _ in range(times):
        for workers in _WORKERS:
            with _cluster(workers) as cluster:
                busy, own, began = cluster.busy(), time.process_time(), time.perf_counter()
                summary = cluster.summarize([str(corpus)], options.fold(book))
                passed, own = time.perf_counter() - began, time.process_time() - own
                each = tuple(after - before for before, after in zip(busy, cluster.busy(), strict=True))
            found = Reading(passed, each, own if workers else 0.0)
            best[workers] = min(best.get(workers, found), found)
            tasks.extend([cluster.task_s] if workers else [])
            documents.add(json.dumps(settle(summary, book, options).as_json()))
    if len(documents) != 1:
        raise SystemExit("the documents differ")
    return best, min(tasks)


def _show(corpus: Path, size: int, best: dict[int, Reading]) -> None:
    print(f"\n{corpus.name}: {size // _MEGABYTE} MB, best of each")
    plain = best[0]
    for workers, found in best.items():
        name = f"cluster, {workers} worker{'s' * (workers > 1)}" if workers else "no cluster"
        rate = size / _MEGABYTE / found.passed
        each = " + ".join(f"{seconds:.2f}" for seconds in found.workers)
        print(
            f"  {name:<20}{rate:5.0f} MB/s  x {plain.passed / found.passed:.2f}"
            f"   processor: reading {each} s, x {sum(found.workers) / sum(plain.workers):.2f}"
            + (f"; scheduler and client {found.own:.2f} s, {found.own / found.passed:.0%} of the time" * bool(workers))
        )


def _merging_s() -> float:
    """Processor time for a response from being parted by its worker to being a tally."""
    options = ReportOptions(as_of=date(2026, 11, 21)).fold(built_in_book())
    table = ResponseTable()
    number = table.number(Attributes("claude-opus-5-5", "standard", None, None, None, None, "a.jsonl", ()))
    table.extend(
        [(_digest(key), (key, 1, 2, 3, 4, 5, 0), (10**15 + key, key, key), number, 4) for key in range(_RESPONSES)]
    )
    columns = table.columns()
    began = time.process_time()
    for bucket in split(columns, Sizes().most_buckets):
        finer: list[Columns] = split(join([bucket]), 2, digit=1)
        for part in finer:
            settle_part([part], options, frozenset())
    return (time.process_time() - began) / _RESPONSES


def _digest(number: int) -> bytes:
    from hashlib import blake2b

    return blake2b(number.to_bytes(8, "little"), digest_size=KEY_BYTES).digest()


def _extrapolate(rate: float, task_s: float, merging_s: float) -> None:
    sizes, size = Sizes(), _TERABYTES * 10**12
    responses = size // _RESPONSE
    loads = -(-size // sizes.largest_load)
    parts = -(-responses // (sizes.most_buckets * sizes.responses))
    groups = -(-loads // sizes.loads)
    tasks = loads * (2 + sizes.most_buckets) + sizes.most_buckets * (groups * (1 + parts) + parts)
    row = size_of_row()
    each, gigabytes = responses / _MANY, 10**9
    split_up = f"{loads:,} loads of {sizes.largest_load >> 30} GiB, {sizes.most_buckets} buckets, {parts} parts of each"
    steps = {
        f"reading {size / _MANY / gigabytes:,.0f} GB each, {rate / _MEGABYTE:.0f} MB a processor second": size
        / _MANY
        / rate,
        f"passing on {each * row / gigabytes:.1f} GB each twice: {each:,.0f} responses of {row} bytes,"
        f" {_NETWORK // _MEGABYTE} MB a second": 2 * each * row / _NETWORK,
        f"bringing them together, {merging_s * 10**6:.1f} µs each": each * merging_s,
        f"scheduling {tasks:,} tasks ({split_up}), {task_s * 1000:.2f} ms each": tasks * task_s,
    }
    print(f"\n{_TERABYTES} TB on {_MANY} workers, one step after the other, by the processor times above:")
    for step, seconds in steps.items():
        print(f"  {seconds:6,.0f} s  {step}")
    summaries = loads + sizes.most_buckets * parts
    print(f"  {sum(steps.values()):6,.0f} s  in total; {summaries:,} summaries of kilobytes come back")


def size_of_row() -> int:
    """Bytes of a response while it waits and travels."""
    table = ResponseTable()
    table.extend([(bytes(KEY_BYTES), (0,) * 7, (0, 0, 0), 0, 0)])
    columns = table.columns()
    return sum(len(column) for column in columns if isinstance(column, bytes))


if __name__ == "__main__":
    main()
