"""`costkit report --cluster`: what the flag allows, and the way to the cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from costkit.cli.run import Run
from costkit.errors import InvalidInput

if TYPE_CHECKING:
    from costkit.adapters.logs.reader import Progress
    from costkit.report import FoldOptions, UsageSummary


def summarize(
    run: Run, paths: Sequence[str], options: FoldOptions, address: str, *, workers: int | None, progress: Progress
) -> UsageSummary:
    """Read logs with a cluster. Raises `InvalidInput` for flags that contradict it, or for a missing package."""
    if workers is not None:
        raise InvalidInput("--workers and --cluster contradict each other", hint="write --cluster local:N")
    if run.offline:
        raise InvalidInput("--offline opens no socket, and a cluster needs some", hint="leave one of them out")
    from costkit.adapters.cluster import summarize_on_cluster

    def tell(line: str) -> None:
        if not run.quiet:
            sys.stderr.write(f"costkit: {line}\n")

    return summarize_on_cluster(paths, options, address, progress=progress, tell=tell)
