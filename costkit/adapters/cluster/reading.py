"""The first step: every load is read by some worker. A file that can't be read is named, and the rest goes on.

A load counts only as a whole. Where pieces of it fail, the others are ordered again without them, and each of those is
tried once more by itself; where the worker dies, the pieces are tried one after the other, so that the one that kills
is known. A file that has changed is marked anew and read as a whole.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from costkit.adapters.cluster.objects import Mark, mark_now
from costkit.adapters.cluster.tasks import Head, Order, OtherVersion, PiecesFailed, Setup, head_of, read_load
from costkit.adapters.cluster.waiting import KILLED, ended, failure
from costkit.adapters.logs.pieces import Load, Piece, fit_together
from costkit.adapters.logs.plain import Range
from costkit.errors import InvalidInput, OperationFailed

FAILED = "read-failed: "
"""What the reason of a file begins with that was given up."""
TRIES = 2
"""How often a piece may fail before its file is given up."""
CHANGES = 3
"""How often a file may change while it is read."""


@dataclass(frozen=True, slots=True)
class Done:
    """A load that was read: what is known about it here, and the future that holds the rest on its worker."""

    order: Order
    head: Head
    future: Any


@dataclass(slots=True)
class Reader:
    """Orders loads and keeps account of them."""

    client: Any
    setup: Setup
    passed: Callable[[int], None]
    done: list[Done] = field(default_factory=list)
    given_up: dict[str, str] = field(default_factory=dict)
    """The files that could not be read, by path, and why."""
    changes: Counter[str] = field(default_factory=Counter)
    """How often files have changed while they were read, by path."""
    _failures: Counter[Piece] = field(default_factory=Counter)
    _deadly: deque[Order] = field(default_factory=deque)

    def read(self, orders: Sequence[Order]) -> None:
        """Read all that can be read. Raises `OperationFailed` where nothing can, or the cluster is lost."""
        while orders:
            again = self._round(orders)
            while not again and self._deadly:
                again = self._round([self._deadly.popleft()], alone=True)
            orders = again or self._whole_files()
        self.done = [done for done in self.done if not self._is_given_up(done)]
        if self.given_up and not self.done:
            path, reason = next(iter(self.given_up.items()))
            raise OperationFailed(f"nothing could be read: {reason.removeprefix(FAILED)}", where=path)

    def _round(self, orders: Sequence[Order], *, alone: bool = False) -> list[Order]:
        """Have these read; returns what has to be ordered in place of those that failed."""
        readings = self.client.map(read_load, orders, setup=self.setup, pure=False)
        heads = self.client.map(head_of, readings, pure=False)
        by_key = {head.key: number for number, head in enumerate(heads)}
        again: list[Order] = []
        for future, head, error in ended(self.client, heads):
            number = by_key[future.key]
            order = orders[number]
            if error is None:
                self.done.append(Done(order, head, readings[number]))
                self.passed(order.size)
            else:
                again.extend(self._instead(order, error, alone=alone))
        return again

    def _instead(self, order: Order, error: BaseException, *, alone: bool) -> list[Order]:
        if isinstance(error, PiecesFailed):
            others, again = list(order.load), list[Order]()
            for position, reason, changed in reversed(error.failures):
                piece = others.pop(position)
                again += self._changed(piece) if changed else self._failed(order, piece, reason)
            return [*again, replace(order, load=others)] if others else again
        if isinstance(error, OtherVersion | ModuleNotFoundError):
            raise InvalidInput(f"a worker is refused: {error}", code="worker-refused")
        if type(error).__name__ != KILLED:
            raise failure(error)
        if alone:
            self.given_up[order.load[0].source.path] = f"{FAILED}every worker that read it died"
        else:  # it may have been the fault of another load on the same worker
            self._deadly.extend(replace(order, load=[piece]) for piece in order.load)
        return []

    def _failed(self, order: Order, piece: Piece, reason: str) -> list[Order]:
        self._failures[piece] += 1
        if self._failures[piece] < TRIES and piece.source.path not in self.given_up:
            return [replace(order, load=[piece])]
        self.given_up[piece.source.path] = f"{FAILED}{reason}"
        return []

    def _changed(self, piece: Piece) -> list[Order]:
        path = piece.source.path
        if piece.ranged and path in self.changes:
            return []  # another range of it has noticed
        self.changes[path] += 1
        if self.changes[path] >= CHANGES:
            self.given_up[path] = "changed-while-read"
            return []
        try:
            return [_whole(path, piece, mark_now(path, self.setup.folder))]
        except OSError:
            self.given_up[path] = "gone-while-read"
            return []

    def _whole_files(self) -> list[Order]:
        """Orders for the files whose ranges don't fit together, in place of those ranges."""
        ranges: dict[str, dict[int, tuple[Done, Range | None]]] = {}
        for done in self.done:
            for piece, found in zip(done.order.load, done.head.ranges, strict=True):
                if piece.ranged:
                    ranges.setdefault(piece.source.path, {})[piece.start] = (done, found)
        orders = []
        for path, by_start in ranges.items():
            if path in self.changes or path in self.given_up:
                self._forget(path)
            elif not fit_together([by_start[start][1] for start in sorted(by_start)]):
                first = by_start[0][0]
                orders.append(_whole(path, first.order.load[0], first.order.marks[path]))
                self._forget(path)
        return orders

    def _forget(self, path: str) -> None:
        self.done = [done for done in self.done if not (_has_range(done.order, path))]

    def _is_given_up(self, done: Done) -> bool:
        return any(piece.source.path in self.given_up for piece in done.order.load)


def _has_range(order: Order, path: str) -> bool:
    return any(piece.ranged and piece.source.path == path for piece in order.load)


def _whole(path: str, piece: Piece, mark: Mark) -> Order:
    load: Load = [Piece(piece.source._replace(size=mark.size))]
    return Order(load, {path: mark})
