"""Downloaded results on disk: provisional until they are whole and checked, then kept until they were written out.

One folder for each job: `<batch id>.jsonl` is whole; `<batch id>.part` is not, and never survives the next download.
Readable by its owner only, because answers are private.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from costkit.adapters.durable import sync_folder
from costkit.batch.results import Place
from costkit.errors import OperationFailed, Unwritable

_BLOCK = 1 << 20
LONGEST = 64 << 20
"""No line of a results file is longer than this many bytes; one without an end is not read into memory."""


class FolderSpool:
    """Satisfies `ResultsSpool`; a context manager. Raises `OperationFailed` where the disk fails or is full."""

    def __init__(self, folder: Path) -> None:
        self.received: Callable[[int], None] = lambda _bytes: None
        """Is told how many bytes have been downloaded so far."""
        self._bytes = 0
        self._folder = folder
        self._open: dict[str, IO[bytes]] = {}
        with written(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        for part in self._folder.glob("*.part"):
            part.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._folder.rmdir()  # only succeeds where nothing is left to resume with

    def has(self, batch_id: str) -> bool:
        """Whether the results of a batch are there, whole and checked."""
        return self._whole(batch_id).is_file()

    def receive(self, batch_id: str, chunks: Iterable[bytes]) -> None:
        """Write a download to disk, provisionally."""
        self._close()
        part = self._part(batch_id)
        with written(part):
            part.unlink(missing_ok=True)
            handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb", buffering=0) as file:
            for chunk in chunks:
                with written(part):
                    _write_all(file, chunk)
                self._bytes += len(chunk)
                self.received(self._bytes)

    def lines(self, batch_id: str) -> Iterator[tuple[int, bytes]]:
        """The lines of a batch with their offsets, without line feeds; ValueError for one that is far too long."""
        part = self._part(batch_id)
        path = part if part.is_file() else self._whole(batch_id)
        offset = 0
        with _reading(path), path.open("rb", buffering=_BLOCK) as file:
            while line := file.readline(LONGEST):
                if len(line) == LONGEST:
                    raise ValueError("a line is longer than any result")
                yield offset, line.rstrip(b"\r\n")
                offset += len(line)

    def keep(self, batch_id: str) -> None:
        """Make a provisional download a whole one that survives a crash."""
        part, whole = self._part(batch_id), self._whole(batch_id)
        if not part.is_file():
            return
        with written(part):
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(whole)
            sync_folder(self._folder)

    def discard(self, batch_id: str) -> None:
        """Forget what is there of a batch."""
        self._close()
        for path in (self._part(batch_id), self._whole(batch_id)):
            with written(path):
                path.unlink(missing_ok=True)

    def read(self, place: Place) -> bytes:
        """One line, without its line feed."""
        path = self._whole(place.batch_id)
        with _reading(path):
            file = self._open.get(place.batch_id)
            if file is None:
                file = self._open[place.batch_id] = path.open("rb", buffering=0)
            file.seek(place.offset)
            data = file.read(place.length)
        if len(data) != place.length:
            raise OperationFailed("the downloaded results changed while they were read", where=str(path))
        return data

    def clear(self) -> None:
        """Remove everything: the rows are where they belong now."""
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _part(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id}.part"

    def _whole(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id}.jsonl"

    def _close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


@contextlib.contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn a failure to write into one line that says where."""
    try:
        yield
    except OSError as problem:
        message = f"can't write {path}: {problem.strerror or problem}"
        raise Unwritable(message) from None


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OperationFailed(f"can't read {path}: {problem.strerror or problem}", code="read-failed") from None


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
