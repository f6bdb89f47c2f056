"""Processes that read logs for this one, started before it knows how to: both then import what they need side by side.

They are fresh interpreters that import no more than reading needs, on every platform alike: no state is inherited, and
they end when their input does, so none outlives this process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen

    from costkit.adapters.logs.sources import Source

WORTH_A_WORKER = 64 << 20
"""Bytes that this process reads in about the time in which another one starts."""
_HOME = str(Path(__file__).parents[3])
_PROGRAM = "import sys; sys.path[:] = {path!r}; from costkit.adapters.logs.worker import main; main()"


def cores() -> int:
    """How many processors this process may use; one where Python can't be started again."""
    if not _can_start():
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def worthwhile(sources: Sequence[Source], workers: int | None) -> int:
    """How many processes beside this one are worth it for these files, or at most `workers` with it."""
    size = sum(source.size or 0 for source in sources)
    most = (workers or cores()) if _can_start() else 1
    return max(0, min(size // WORTH_A_WORKER, most - 1))


@contextmanager
def processes(count: int) -> Iterator[list[Popen[bytes]]]:
    """Start processes, fewer where the system gives no more; none is left running after the `with` block."""
    started: list[Popen[bytes]] = []
    try:
        with suppress(OSError):
            started.extend(_start() for _ in range(count))
        yield started
    finally:
        for process in started:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            process.wait()


def _can_start() -> bool:
    """Whether Python can be started again: a frozen program would start itself."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def _start() -> Popen[bytes]:
    from subprocess import DEVNULL, PIPE, Popen

    program = _PROGRAM.format(path=[_HOME, *sys.path])
    return Popen(  # noqa: S603  # this interpreter and our own module
        [sys.executable, "-S", "-X", f"utf8={sys.flags.utf8_mode}", "-c", program],
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
    )
