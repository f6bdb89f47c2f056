"""The input of a retry: the chosen lines of a job's input, byte for byte what was sent the first time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from costkit.adapters.batches.results_spool import written
from costkit.adapters.durable import sync_folder
from costkit.adapters.line_file import LineFile, open_lines
from costkit.batch.canonical import MOST_BYTES_OF_ITEM, LineProblem, Shape, read_item
from costkit.batch.job import Job
from costkit.errors import InputChanged, InvalidInput

_ID_DIGITS = 8


def write_retry_input(
    job: Job, chosen: Sequence[int], target: Path, *, model: str | None = None, max_tokens: int | None = None
) -> None:
    """Write the chosen items of a job (positions, ascending) to a private file, whole or not at all.

    `model` and `max_tokens` complete lines that hold content only, as they did when the job was submitted. Raises
    `InvalidInput` where the input can't be read any more, `InputChanged` where its lines are not those that were sent.
    """
    if job.path == "-":
        raise InvalidInput(
            "the input came from a pipe, so it can't be read again",
            code="input-gone",
            hint="pipe the failed requests into costkit batch submit -",
        )
    part = target.with_suffix(".part")
    with written(target):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file, open_lines(job.path, spool=None, longest=MOST_BYTES_OF_ITEM) as lines:
            for data in _chosen(job, lines, chosen, Shape(lambda: lines.digest()[:_ID_DIGITS], model, max_tokens)):
                with written(target):
                    file.write(data + b"\n")
            with written(target):
                file.flush()
                os.fsync(file.fileno())
        with written(target):
            part.replace(target)
            sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _chosen(job: Job, lines: LineFile, chosen: Sequence[int], shape: Shape) -> Iterator[bytes]:
    """The canonical lines at some positions; ends with an error unless all lines together are those of the job."""
    digest, wanted = hashlib.sha256(), iter(chosen)
    following = next(wanted, None)
    for position, raw in enumerate(lines.lines()):
        try:
            data = read_item(raw, shape).data
        except LineProblem as problem:
            raise _changed(job, f"line {raw.number:,} {problem.message}") from None
        digest.update(data + b"\n")
        if position == following:
            yield data
            following = next(wanted, None)
    if digest.hexdigest() != job.digest:
        raise _changed(job, "its lines are not those that were sent")


def _changed(job: Job, what: str) -> InputChanged:
    hint = "restore the file, or give the same --model and --max-tokens as to submit"
    return InputChanged(f"the input has changed since it was submitted: {what}", where=job.path, hint=hint)
