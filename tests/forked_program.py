"""The real program in a process that can be killed: forked from one that has imported everything, so a run is quick.

    with Forker() as forker:
        run = forker.start(["batch", "submit", "in.jsonl", "--yes"], folder, environ, die_at_commit=3)
        assert run.wait() == -signal.SIGKILL

Run as a script it is the process that forks: one order a line in, one answer a line out, in JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BEFORE, AFTER = "before", "after"


class Forker:
    """Starts runs of the program, several at once if need be; a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._answer() == "ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def start(
        self,
        argv: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        *,
        die_at_commit: int | None = None,
        die_at_step: int | None = None,
        die: str = AFTER,
    ) -> Run:
        """Begin a run; with `die_at_commit`, it kills itself before or after the n-th commit of its state.

        With `die_at_step` it does so at the n-th commit, sync, renaming or removal of files, whichever that is.
        """
        order = {
            "argv": list(argv),
            "folder": str(folder),
            "environ": dict(environ),
            "die_at_commit": die_at_commit,
            "die_at_step": die_at_step,
            "die": die,
        }
        return Run(self, int(self.ask(order)), folder)

    def ask(self, order: Mapping[str, Any]) -> Any:
        """Send an order and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


class Run:
    """A run that was started."""

    def __init__(self, forker: Forker, pid: int, folder: Path) -> None:
        self._forker = forker
        self._folder = folder
        self.pid = pid

    def kill(self) -> None:
        """Send SIGKILL; a run that is over already is left in peace: it is not waited for before `wait`."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """The exit status, negative for a signal."""
        return int(self._forker.ask({"wait": self.pid}))

    @property
    def stdout(self) -> str:
        """What it wrote."""
        return (self._folder / "stdout").read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        """What it said."""
        return (self._folder / "stderr").read_text(encoding="utf-8")


def _serve() -> None:
    import anthropic.resources.messages.batches  # noqa: F401 - imported once for all children
    import filelock  # noqa: F401 - same
    import httpx2  # noqa: F401 - same
    import typer  # noqa: F401 - same

    import costkit.adapters.batches.api
    import costkit.adapters.batches.input
    import costkit.adapters.batches.ledger
    import costkit.adapters.batches.preview_child
    import costkit.batch.submit
    import costkit.cli.batch
    import costkit.cli.main
    import costkit.cli.output  # noqa: F401 - same

    _tell("ready")
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            _tell(os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if pid == 0:
            _be_the_program(order)
        _tell(pid)


def _tell(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _be_the_program(order: Mapping[str, Any]) -> None:
    from costkit.cli.main import main

    os.environ.clear()
    os.environ.update(order["environ"])
    os.chdir(order["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), number)
    _preview_at_once()
    _download_again_at_once()
    if order["die_at_commit"] is not None:
        _die_at(order["die_at_commit"], order["die"], _COMMITS)
    if order["die_at_step"] is not None:
        _die_at(order["die_at_step"], order["die"], _STEPS)
    code = 1
    try:
        code = main(order["argv"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _preview_at_once() -> None:
    """Leave out the counting process: it only reads, and most random instants would fall into it."""
    from costkit.adapters.batches import preview_child
    from costkit.batch.job import JobEstimate
    from costkit.batch.preview import Preview
    from costkit.core.money import ZERO
    from costkit.core.tokens import NO_TOKENS

    class Child(preview_child.PreviewChild):
        def __init__(self, counting: preview_child.Counting) -> None:
            self.counting = counting

        def preview(self, source: Any, *_others: object, **_named: object) -> Preview:
            size = len(source.manifest)
            return Preview(size, size, NO_TOKENS, JobEstimate(ZERO, ZERO), ZERO, (), (), ())

    @contextlib.contextmanager
    def start_preview(counting: preview_child.Counting) -> Iterator[preview_child.PreviewChild]:
        yield Child(counting)

    preview_child.start_preview = start_preview


def _download_again_at_once() -> None:
    """Don't wait before a download is made again."""
    from costkit.batch import gather

    gather.FIRST_PAUSE_S = 0.001


_COMMITS = (
    ("costkit.adapters.batches.ledger", "SqliteLedger", "_commit"),
    ("costkit.adapters.budgets.store", "BudgetStore", "_commit"),
)
_STEPS = (
    *_COMMITS,
    ("os", "", "fsync"),
    ("pathlib", "Path", "replace"),
    ("pathlib", "Path", "unlink"),
    ("shutil", "", "rmtree"),
)


def _die_at(number: int, when: str, functions: Sequence[tuple[str, str, str]]) -> None:
    """Kill this process before or after the n-th call of any of these functions (module, class, name)."""
    left = [None] * number
    for module, holder, name in functions:
        home = importlib.import_module(module)
        place = getattr(home, holder) if holder else home
        setattr(place, name, _deadly(getattr(place, name), left, when))


def _deadly(real: Callable[..., object], left: list[None], when: str) -> Callable[..., object]:
    def call(*arguments: object, **named: object) -> object:
        if left:
            left.pop()
            if not left and when == BEFORE:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **named)
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return real(*arguments, **named)

    return call


if __name__ == "__main__":
    _serve()
