"""Progress on stderr: only for a person who is watching, and never on stdout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from costkit.cli.run import Run, shows_progress

Progress = Callable[[int, int | None], None]
"""(bytes done, bytes in all or `None` where that isn't known)"""
_A_MOMENT_S = 1.0


def _ignore(done: int, whole: int | None) -> None:
    """Show nothing."""


@contextmanager
def byte_progress(run: Run, what: str) -> Iterator[Progress]:
    """A bar by bytes that vanishes when the work is done; nothing where nobody watches."""
    if not shows_progress(run):
        yield _ignore
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, whole: int | None) -> None:
            bar.update(task, completed=done, total=whole)

        yield show


@contextmanager
def patience(run: Run, what: str) -> Iterator[None]:
    """Something that moves with the time that has passed, for work that takes longer than a moment."""
    if not shows_progress(run):
        yield
        return
    from threading import Timer

    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task(what, total=None)
    timer = Timer(_A_MOMENT_S, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
