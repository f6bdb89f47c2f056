"""Reading with several processes: this one reads as well, and whatever a lost one had done is done again here."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator, KeysView, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from struct import iter_unpack
from subprocess import Popen
from threading import Thread
from typing import Any

from costkit.adapters.logs.pieces import Folder, Found, Load, Piece, fit_together, fold_load
from costkit.adapters.logs.plain import Range
from costkit.adapters.logs.worker import CLOSE, FOLD, JOIN
from costkit.report.fold import close
from costkit.report.options import FoldOptions
from costkit.report.recorded import sessions_in
from costkit.report.summary import UsageSummary
from costkit.report.table import KEY_BYTES

_AHEAD = 2
"""Loads that a worker has in hand, so that it need not wait for this process to find time."""


class Worker:
    """A process and a thread that deals with it."""

    def __init__(
        self, process: Popen[bytes], options: FoldOptions, remembered: Path | None, loads: deque[Load]
    ) -> None:
        self.is_lost = False
        self.taken: list[Load] = []
        self.found: list[Found] = []
        self.read = 0
        """Bytes so far."""
        self._process = process
        self._loads = loads
        self._thread = Thread(target=self._deal, args=((options, remembered),), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until there are no more loads and those in hand are done, or the worker is lost, for whatever reason."""
        self._thread.join()
        self.is_lost |= len(self.found) < len(self.taken)

    def tell(self, order: str, argument: object) -> None:
        """Give an order."""
        self._send((order, argument))

    def answer(self) -> Any:
        """Wait for the answer to an order; `None` from one that is lost."""
        return self._receive()

    def _deal(self, setup: tuple[FoldOptions, Path | None]) -> None:
        self._send(setup)
        given = 0
        while not self.is_lost:
            while given - len(self.found) < _AHEAD:
                try:
                    load = self._loads.popleft()
                except IndexError:
                    break
                self.taken.append(load)
                self._send((FOLD, load))
                given += 1
            if given == len(self.found):
                return
            answer = self._receive()
            if answer is not None:
                ranges, self.read = answer
                self.found.append((self.taken[len(self.found)], ranges))

    def _send(self, order: object) -> None:
        try:
            if not self.is_lost and self._process.stdin is not None:
                pickle.dump(order, self._process.stdin, pickle.HIGHEST_PROTOCOL)
                self._process.stdin.flush()
        except (OSError, ValueError):
            self.is_lost = True

    def _receive(self) -> Any:
        try:
            if not self.is_lost and self._process.stdout is not None:
                return pickle.load(self._process.stdout)  # noqa: S301  # from a process of our own
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):
            self.is_lost = True
        return None


class Crew:
    """The workers that deal with some processes."""

    def __init__(
        self, processes: Sequence[Popen[bytes]], options: FoldOptions, remembered: Path | None, loads: deque[Load]
    ) -> None:
        self.workers: list[Worker] = []
        with suppress(RuntimeError):  # where the system gives no more threads, fewer read
            self.workers.extend(Worker(process, options, remembered, loads) for process in processes)

    @property
    def read(self) -> int:
        """Bytes that the workers have read so far."""
        return sum(worker.read for worker in self.workers)


def finish(crew: Crew, folder: Folder, found: list[Found]) -> UsageSummary:
    """Bring together what this process (`folder`, `found`) and the workers have read."""
    for worker in crew.workers:
        worker.wait()
        found.extend(worker.found)
    workers = _ready(crew.workers, folder, found)
    whole_files = _join(workers, folder, found)
    folder.join(whole_files)
    answers = [answer for answer in (worker.answer() for worker in workers) if answer is not None]
    workers = _ready(workers, folder, found)
    folder.join(whole_files)
    shared = _shared(folder.summary.responses.keys(), [keys for keys, _ in answers])
    sessions = sessions_in(folder.summary.recorded).union(*(some for _, some in answers))
    for worker in workers:
        worker.tell(CLOSE, (shared, sessions))
    close(folder.summary, shared, sessions)
    parts = [worker.answer() for worker in workers]
    _ready(workers, folder, found)
    folder.join(whole_files)
    for part in filter(None, parts):
        folder.summary.absorb(part)
    close(folder.summary, (), sessions)
    return folder.summary


def _ready(workers: Sequence[Worker], folder: Folder, found: list[Found]) -> list[Worker]:
    """Those that are still there; what the others had taken is done here, as if they had never been."""
    for worker in workers:
        if worker.is_lost:
            found.extend(fold_load(folder, load) for load in worker.taken)
    return [worker for worker in workers if not worker.is_lost]


def _join(workers: Sequence[Worker], folder: Folder, found: list[Found]) -> list[str]:
    """Look at how the ranges of split files fit together; a file whose ranges don't is read here as a whole."""
    ranges: dict[str, dict[int, tuple[Piece, Range | None]]] = {}
    for load, places in found:
        for piece, place in zip(load, places, strict=True):
            if piece.ranged:
                ranges.setdefault(piece.source.path, {})[piece.start] = (piece, place)
    whole_files = []
    for path, by_start in ranges.items():
        if fit_together([by_start[start][1] for start in sorted(by_start)]):
            whole_files.append(path)
        else:
            folder.fold(Piece(by_start[0][0].source))
    for worker in workers:
        worker.tell(JOIN, whole_files)
    return whole_files


def _shared(here: KeysView[bytes], others: Sequence[bytes]) -> set[bytes]:
    """The identities that more than one has; those of the others stand one after the other, to take little memory."""
    shared: set[bytes] = set()
    seen: set[bytes] = set()
    for index, keys in enumerate(others):
        for known in (here, seen):
            if not known.isdisjoint(_each(keys)):
                shared.update(key for key in _each(keys) if key in known)
        if index + 1 < len(others):  # nobody asks what the last one has
            seen.update(_each(keys))
    return shared


def _each(keys: bytes) -> Iterator[bytes]:
    return chain.from_iterable(iter_unpack(f"{KEY_BYTES}s", keys))
