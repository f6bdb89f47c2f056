"""Where collected rows go: a file that is whole or not there, two of them, or a stream.

The unfinished file lies beside its target under a name that follows from the job, and a note in the job's folder says
where, so that the next run removes what a killed one left.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from costkit.adapters.atomic import permissions_of
from costkit.adapters.batches.results_spool import written
from costkit.adapters.durable import sync_folder
from costkit.errors import Unwritable

_BUFFER = 1 << 20
NOTE = "unfinished.json"
"""In the job's folder: the unfinished files of the last run."""


class FileOutput:
    """Satisfies `Output`; a context manager. With `failed_target`, failed rows go there instead.

    Raises `Unwritable` where a target can't be a file or writing fails.
    """

    def __init__(self, target: Path, failed_target: Path | None, *, tag: str, folder: Path) -> None:
        self._targets = [check_target(path) for path in (target, failed_target) if path is not None]
        self._parts = [path.parent / f".{path.name[:150]}.{tag}.part" for path in self._targets]
        self._note = folder / NOTE
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        remove_unfinished(self._note.parent)
        with written(self._note):
            _note_down(self._note, self._parts)
        try:
            for path in self._parts:
                with written(path):
                    path.unlink(missing_ok=True)
                    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                self._files.append(os.fdopen(handle, "wb", buffering=_BUFFER))
        except BaseException:
            self._abandon()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandon()

    def write(self, row: bytes, *, failed: bool) -> None:
        """Add a row."""
        which = -1 if failed else 0
        with written(self._parts[which]):
            self._files[which].write(row + b"\n")

    def commit(self) -> bool:
        """Make the rows visible."""
        for file, part, target in zip(self._files, self._parts, self._targets, strict=True):
            with written(target):
                file.flush()
                os.fsync(file.fileno())
                file.close()
                part.chmod(permissions_of(target))
        for part, target in zip(self._parts, self._targets, strict=True):
            with written(target):
                part.replace(target)
            sync_folder(target.parent)
        return True

    def _abandon(self) -> None:
        while self._files:
            with contextlib.suppress(OSError):
                self._files.pop().close()
        remove_unfinished(self._note.parent)


class StreamOutput:
    """Satisfies `Output` with a stream; a reader that goes away ends the writing quietly."""

    def __init__(self, stream: IO[bytes], what: str) -> None:
        self._stream = stream
        self._what = Path(what)
        self._gone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The stream belongs to somebody else."""

    def write(self, row: bytes, *, failed: bool) -> None:  # noqa: ARG002 - a stream takes them all
        """Add a row."""
        self._try(lambda: self._stream.write(row + b"\n"))

    def commit(self) -> bool:
        """Write out what is buffered; no if the reader went away."""
        self._try(self._stream.flush)
        return not self._gone

    def _try(self, action: Callable[[], object]) -> None:
        if self._gone:
            return
        with written(self._what):
            try:
                action()
            except BrokenPipeError:
                self._gone = True


def is_stream(path: Path) -> bool:
    """Whether a path is a device or a pipe: it is written to as it is."""
    return path.exists() and not path.is_file() and not path.is_dir()


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files that the note of a job's folder names, and the note."""
    note = folder / NOTE
    try:
        parts = json.loads(note.read_bytes())
    except (OSError, ValueError):
        parts = []
    for part in parts:
        with contextlib.suppress(OSError):
            Path(part).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        note.unlink(missing_ok=True)


def _note_down(note: Path, parts: list[Path]) -> None:
    """Write the note at once: a note that is cut off would name no file."""
    fresh = note.with_suffix(".part")
    fresh.write_text(json.dumps([str(path) for path in parts]), encoding="utf-8")
    fresh.replace(note)


def check_target(path: Path) -> Path:
    """The file that a path means, behind links; raises `Unwritable` where there can't be one."""
    target = path.resolve()
    if target.is_dir():
        raise Unwritable(f"can't write {path}: it is a folder")
    if not target.parent.is_dir():
        raise Unwritable(f"can't write {path}: there is no folder {target.parent}")
    return target
