"""`costkit report --cluster` with one and with two workers against the same report without a cluster, in one run.

    python bench/cluster_scaling.py [MEGABYTES [TIMES]]

Each log is read by one process without a cluster, by one worker and by two workers of a cluster that is already there,
in turns. Two ratios: of the time that passed, the best of each, which other work on the machine falsifies; and of the
processor time of the busiest process that reads, which says how well work is shared out. All come to the same document,
or the script fails.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from log_corpus import dense, transcripts
from machine import describe_machine

from costkit.adapters.cluster import summarize_on_cluster
from costkit.adapters.logs.summaries import summarize_logs
from costkit.adapters.pricing_yaml import built_in_book
from costkit.report import FoldOptions, ReportOptions, UsageSummary, settle

_MEGABYTE = 1_000_000
_WORKERS = (1, 2)


class Way(NamedTuple):
    """One way to a summary."""

    name: str
    summarize: Callable[[list[str], FoldOptions], UsageSummary]
    busy: Callable[[], list[float]]
    """Processor time of each process that reads, in seconds so far."""


def main() -> None:
    """Measure and print."""
    size = (int(sys.argv[1]) if len(sys.argv) > 1 else 400) * _MEGABYTE
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(describe_machine("dask", "distributed", "fsspec"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways = [Way("one process", lambda paths, fold: summarize_logs(paths, fold, workers=1), _own)]
        ways.extend(_on_cluster(stack, workers) for workers in _WORKERS)
        for corpus in (dense(folder, size), transcripts(folder, size)):
            _compare(corpus, size, ways, times)


def _own() -> list[float]:
    return [time.process_time()]


def _on_cluster(stack: ExitStack, workers: int) -> Way:
    from distributed import Client, LocalCluster

    cluster = stack.enter_context(
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        )
    )
    client: Any = stack.enter_context(Client(cluster, set_as_default=False))
    return Way(
        f"cluster, {workers} worker{'s' * (workers > 1)}",
        lambda paths, fold: summarize_on_cluster(paths, fold, cluster.scheduler_address),
        lambda: list(client.run(time.process_time).values()),
    )


def _compare(corpus: Path, size: int, ways: list[Way], times: int) -> None:
    options, book = ReportOptions(as_of=date(2026, 11, 21)), built_in_book()
    best: dict[str, tuple[float, float]] = {}
    documents = {}
    for _ in range(times):
        for way in ways:
            busy, began = way.busy(), time.perf_counter()
            summary = way.summarize([str(corpus)], options.fold(book))
            passed = time.perf_counter() - began
            busiest = max(after - before for before, after in zip(busy, way.busy(), strict=True))
            known = best.get(way.name, (passed, busiest))
            best[way.name] = (min(passed, known[0]), min(busiest, known[1]))
            documents[json.dumps(settle(summary, book, options).as_json())] = summary
    if len(documents) != 1:
        raise SystemExit("the documents differ")
    (summary,) = documents.values()
    responses = sum(tally.requests for tally in summary.tallies.values())
    print(f"\n{corpus.name}: {size // _MEGABYTE} MB, {responses:,} responses, {summary.duplicates:,} copies")
    base = best[ways[0].name]
    for name, (passed, busiest) in best.items():
        rate = size / _MEGABYTE / passed
        print(f"  {name:<20}{rate:6.0f} MB/s  x {base[0] / passed:.2f}    busiest process  x {base[1] / busiest:.2f}")


if __name__ == "__main__":
    main()
