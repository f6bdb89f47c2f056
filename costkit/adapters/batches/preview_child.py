"""The preview of a job in a process of its own: tokenizers are large, and whoever sends a job should stay small.

The parent streams the sampled lines to the child and gets one answer back. Both ends are this module, started by the
same interpreter, and speak pickle through a pipe that nobody else holds.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from costkit.adapters.batches.input import CheckedInput
from costkit.batch.preview import Preview, PreviewOptions, preview_batch
from costkit.core.pricebook import PriceBook
from costkit.core.request import parse_request
from costkit.core.tokens import TokenCounter
from costkit.errors import CostkitError, ExitCode, InvalidInput, OperationFailed, Undecidable
from costkit.estimate import Prompt
from costkit.estimate.calibration import Correction
from costkit.estimate.sample import Sample, draw_sample, wanted_size

_KINDS: dict[int, type[CostkitError]] = {
    int(ExitCode.INVALID): InvalidInput,
    int(ExitCode.UNDECIDED): Undecidable,
    int(ExitCode.FAILED): OperationFailed,
}


@dataclass(frozen=True, slots=True)
class Counting:
    """How tokens are counted; see `costkit.adapters.tokens.make_counter`."""

    mode: str
    offline: bool
    cache_dir: Path | None
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True)
class _Task:
    path: str
    sample: Sample
    book: PriceBook
    options: PreviewOptions


@dataclass(frozen=True, slots=True)
class _Failure:
    """A `CostkitError` on its way to the other process."""

    exit_code: int
    message: str
    hint: str | None
    code: str


@contextmanager
def start_preview(counting: Counting) -> Iterator[PreviewChild]:
    """Start the process that will count. It loads what it needs while the input is checked; afterwards it is gone."""
    with _start() as process:
        try:
            yield PreviewChild(process, counting)
        finally:
            process.kill()


class PreviewChild:
    """The process that counts, for one job."""

    def __init__(self, process: subprocess.Popen[bytes], counting: Counting) -> None:
        if process.stdin is None or process.stdout is None:
            raise AssertionError
        self._process = process
        self.counting = counting
        self._asks, self._answers = process.stdin, process.stdout
        with contextlib.suppress(BrokenPipeError):  # a child that ended at once is told of when it is asked
            pickle.dump(counting, self._asks)
            self._asks.flush()

    def preview(
        self,
        source: CheckedInput,
        choice: str | int,
        book: PriceBook,
        options: PreviewOptions,
        *,
        meanwhile: Callable[[], None] | None = None,
    ) -> Preview:
        """Say what a checked input will cost, counting as many of its requests as `choice` says (see `sample_choice`).

        `options` need no `has_…`: the manifest knows. `meanwhile` is done while the child counts. Raises `InputChanged`
        where a line is not what it was, and whatever counting raises.
        """
        manifest = source.manifest
        known = PreviewOptions(
            options.as_of, options.output_tokens, bool(manifest.with_breakpoints), bool(manifest.with_server_tools)
        )
        wanted = wanted_size(choice, len(manifest), sum(manifest.text_bytes))
        sample = draw_sample(manifest.text_bytes, manifest.groups, manifest.max_tokens, wanted)
        _send(self._asks, _Task(source.shown, sample, book, known), source)
        if meanwhile is not None:
            meanwhile()
        answer = _receive(self._answers)
        if isinstance(answer, Preview):
            return answer
        if isinstance(answer, _Failure):
            raise _KINDS[answer.exit_code](answer.message, hint=answer.hint, code=answer.code)
        message = f"counting tokens ended without an answer (exit status {self._process.wait()})"
        raise OperationFailed(message, hint="costkit batch lint still works", code="counting-failed")


def _start() -> subprocess.Popen[bytes]:
    """Start the same interpreter on `main`; it finds the same package, and nothing in the current folder.

    In a session of its own: Ctrl-C is for the parent, which ends it.
    """
    home = str(Path(__file__).parents[2])
    found = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-c", f"from {__name__} import main; main()"]
    environ = {**os.environ, "PYTHONPATH": found}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environ, start_new_session=True)  # noqa: S603  ourselves


def _send(pipe: IO[bytes], task: _Task, source: CheckedInput) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:  # a child that ended has said why
        pickle.dump(task, pipe)
        for line in source.pick(task.sample.members):
            pickle.dump((line.index, line.data), pipe)
        pickle.dump(None, pipe)


def _receive(pipe: IO[bytes]) -> object:
    try:
        return pickle.load(pipe)  # noqa: S301  written by our own child
    except (EOFError, pickle.UnpicklingError):
        return None


def _work(pipe: Any) -> Preview | _Failure:
    how: Counting = pickle.load(pipe)  # noqa: S301  written by our own parent
    try:
        counter = _counter(how)
    except CostkitError as error:
        return _failure(error)
    task: _Task = pickle.load(pipe)  # noqa: S301  same
    prompts = []
    while (item := pickle.load(pipe)) is not None:  # noqa: S301  same
        index, line = item
        prompts.append(Prompt(task.path, index, parse_request(json.loads(line)["params"])))
    try:
        return preview_batch(prompts, task.sample, counter, task.book, task.options)
    except CostkitError as error:
        return _failure(error)


def _counter(how: Counting) -> TokenCounter:
    """The counter, with what it takes longest to load."""
    from costkit.adapters.tokens import make_counter
    from costkit.adapters.tokens.exact import ExactCounter

    counter = make_counter(
        how.mode, offline=how.offline, cache_dir=how.cache_dir, environ=os.environ, corrections=how.corrections
    )
    with contextlib.suppress(ImportError):  # whoever needs it says what is missing
        import_module("anthropic" if isinstance(counter, ExactCounter) else "ctok")
    return counter


def _failure(error: CostkitError) -> _Failure:
    return _Failure(int(error.exit_code), str(error), error.hint, error.code)


def main() -> None:
    """Be the child."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not part of the answer
    try:
        with answers:
            pickle.dump(_work(sys.stdin.buffer), answers)
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        sys.exit(int(ExitCode.INTERRUPTED))
