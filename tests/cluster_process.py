"""A Dask cluster in processes of its own: prints its address and is there until its standard input ends."""

from __future__ import annotations

import sys


def main() -> None:
    """Start as many workers as the first argument says, with one thread each."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=int(sys.argv[1]),
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        sys.stdout.write(f"{cluster.scheduler_address}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
