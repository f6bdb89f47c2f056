"""`costkit report --cluster` with one and with two workers against the same report without a cluster, in one run.

    python bench/cluster_scaling.py [MEGABYTES [TIMES]]

Each log is read by one process without a cluster, by two, by one worker and by two workers of a cluster that is already
there, in turns; the best of each counts. The start of a cluster on this machine is measured on its own. All come to
the same document, or the script fails.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from log_corpus import dense, transcripts
from machine import describe_machine

from costkit.adapters.cluster import summarize_on_cluster
from costkit.adapters.logs.summaries import summarize_logs
from costkit.adapters.pricing_yaml import built_in_book
from costkit.report import ReportOptions, UsageSummary, settle

_MEGABYTE = 1_000_000


def main() -> None:
    """Measure and print."""
    from distributed import LocalCluster

    size = (int(sys.argv[1]) if len(sys.argv) > 1 else 400) * _MEGABYTE
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(describe_machine("dask", "distributed", "fsspec"))
    options, book = ReportOptions(as_of=date(2026, 11, 21)), built_in_book()
    fold = options.fold(book)

    def on(workers: int) -> Any:
        return LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        )

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with on(1) as one:
            start = time.perf_counter() - began
            with on(2) as two:
                for corpus in (dense(Path(folder), size), transcripts(Path(folder), size)):
                    paths = [str(corpus)]
                    ways: dict[str, Callable[[], UsageSummary]] = {
                        "one process": lambda paths=paths: summarize_logs(paths, fold, workers=1),
                        "two processes": lambda paths=paths: summarize_logs(paths, fold, workers=2),
                        "cluster, one worker": lambda paths=paths: summarize_on_cluster(
                            paths, fold, one.scheduler_address
                        ),
                        "cluster, two workers": lambda paths=paths: summarize_on_cluster(
                            paths, fold, two.scheduler_address
                        ),
                    }
                    best, summaries = _best(ways, times)
                    documents = {json.dumps(settle(summary, book, options).as_json()) for summary in summaries}
                    if len(documents) != 1:
                        raise SystemExit("the documents differ")
                    _print(corpus.name, size, best, summaries[0])
        print(f"start of a cluster with one worker: {start:.1f} s")


def _best(ways: dict[str, Callable[[], UsageSummary]], times: int) -> tuple[dict[str, float], list[UsageSummary]]:
    best = dict.fromkeys(ways, float("inf"))
    summaries = []
    for _ in range(times):
        for name, way in ways.items():
            began = time.perf_counter()
            summaries.append(way())
            best[name] = min(best[name], time.perf_counter() - began)
    return best, summaries


def _print(corpus: str, size: int, best: dict[str, float], summary: UsageSummary) -> None:
    responses = sum(tally.requests for tally in summary.tallies.values())
    print(f"\n{corpus}: {size / _MEGABYTE:.0f} MB, {responses:,} responses, {summary.duplicates:,} copies")
    base = best["one process"]
    for name, seconds in best.items():
        print(f"  {name:<22}{size / _MEGABYTE / seconds:8.0f} MB/s   x {base / seconds:.2f}")


if __name__ == "__main__":
    main()
