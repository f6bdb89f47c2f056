"""The input of a batch job: read once to check and digest it, a second time to send the bytes that were digested."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import starmap
from pathlib import Path

from costkit.adapters.line_file import LineFile, Progress, open_lines
from costkit.batch.canonical import MOST_BYTES_OF_ITEM, LineProblem, RawLine, Shape, read_item, same_item
from costkit.batch.digest import Digest
from costkit.batch.job import Batch, Line
from costkit.batch.lint import CLOSING, COMMA, OPENING, Linted, Manifest, line_mark, lint_lines
from costkit.batch.plan import MOST_BYTES, MOST_REQUESTS, body_size, plan_cuts
from costkit.batch.ports import Body
from costkit.batch.rules import Rules
from costkit.errors import InputChanged

_CHUNK = 1 << 17
_ID_DIGITS = 8


@contextmanager
def open_batch_input(
    path: str, *, spool: Path, model: str | None = None, max_tokens: int | None = None
) -> Iterator[BatchInput]:
    """Open an input; `-` is standard input, gzip is unpacked.

    `spool` is the folder for the private copy of what can't be read twice; it is made if need be, and the copy is gone
    when the block ends, however it ends. `model` and `max_tokens` complete lines that hold `content` only. Raises
    `InvalidInput` where the input can't be opened, `OperationFailed` where copying it fails.
    """
    with open_lines(path, spool=spool, longest=MOST_BYTES_OF_ITEM) as file:
        yield BatchInput(file, model, max_tokens)


class BatchInput:
    """An open input, to be checked."""

    def __init__(self, file: LineFile, model: str | None, max_tokens: int | None) -> None:
        self.path = file.path
        """Absolute, or `-`."""
        self.shown = file.shown
        """As it was named."""
        self._file = file
        self._shape = Shape(lambda: file.digest()[:_ID_DIGITS], model, max_tokens)

    def lint(self, rules: Rules, progress: Progress | None = None) -> Linted:
        """Check every line; `progress` is told how far it is, in bytes of the file."""
        return lint_lines(self.shown, self._file.lines(progress), self._shape, rules)

    def checked(self, manifest: Manifest) -> CheckedInput:
        """The input as the lint saw it, for sending."""
        return CheckedInput(self._file, self._shape, manifest)


class CheckedInput:
    """An input that passed the lint: hands out the plan and the exact bytes, and notices when they change."""

    def __init__(self, file: LineFile, shape: Shape, manifest: Manifest) -> None:
        self._file = file
        self._shape = shape
        self.shown = file.shown
        """As it was named."""
        self.manifest = manifest

    def plan(self, *, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> tuple[Batch, ...]:
        """The batches that the input is cut into, numbered from 1; reads it again if there are several.

        Raises `InputChanged` if the lines are no longer those that were checked.
        """
        manifest = self.manifest
        cuts = plan_cuts(manifest.lengths, most_requests=most_requests, most_bytes=most_bytes)
        if len(cuts) == 1:
            return (Batch(1, 0, cuts[0].requests, cuts[0].bytes, manifest.body_sha256),)
        digests = self._digests([cut.requests for cut in cuts])
        return tuple(
            Batch(number, cut.first, cut.requests, cut.bytes, digest)
            for number, (cut, digest) in enumerate(zip(cuts, digests, strict=True), 1)
        )

    def cut(self, number: int, first: int, requests: int) -> Batch:
        """Any run of items as a planned batch, such as a half of one that was too large; reads the input again."""
        digest = hashlib.sha256(OPENING)
        for line in self.lines(first, requests):
            digest.update(line.data if line.index == first else COMMA + line.data)
        digest.update(CLOSING)
        size = body_size(self.manifest.lengths[first : first + requests])
        return Batch(number, first, requests, size, digest.hexdigest())

    def body(self, batch: Batch) -> Body:
        """The exact bytes of a batch, read while they are sent.

        Its chunks raise `InputChanged` at the first line that is no longer what it was, before any of it is handed out;
        the last bytes of a body come only once its whole digest is the batch's.
        """
        return Body(batch.bytes, lambda: self._chunks(batch))

    def lines(self, first: int = 0, requests: int | None = None) -> Iterator[Line]:
        """The canonical lines of a run of items, or of all.

        Raises `InputChanged` where they are not those that were checked.
        """
        return self.pick(range(first, len(self.manifest) if requests is None else first + requests))

    def pick(self, indices: Sequence[int]) -> Iterator[Line]:
        """The canonical lines of some items, given in input order; raises as `lines` does."""
        return starmap(Line, self._picked(indices))

    def _picked(self, indices: Sequence[int]) -> Iterator[tuple[int, int, str, bytes]]:
        """The fields of the lines of some items: each one is recognized by its mark, and only bytes are read."""
        manifest, wanted = self.manifest, iter(indices)
        index = next(wanted, None)
        for raw, (position, _, custom_id) in zip(
            self._file.lines() if index is not None else (), manifest.custom_ids(), strict=False
        ):
            if position != index:
                continue
            data = same_item(raw, custom_id, manifest.starts[index], manifest.lengths[index])
            if data is None or manifest.marks[index] != line_mark(data):
                data = self._read_again(raw, index)
            yield index, raw.number, custom_id, data
            index = next(wanted, None)
            if index is None:
                return
        if index is not None:
            raise self._changed("it has fewer lines than when it was checked")

    def _read_again(self, raw: RawLine, index: int) -> bytes:
        """The canonical line of an item whose params don't stand in the file, or no longer where they did."""
        try:
            item = read_item(raw, self._shape)
        except LineProblem as problem:
            raise self._changed(f"line {raw.number:,} {problem.message}") from None
        if self.manifest.marks[index] != line_mark(item.data):
            raise self._changed(f"line {raw.number:,} is not what it was when it was checked")
        return item.data

    def _changed(self, what: str) -> InputChanged:
        hint = "what was already submitted stays; restore the file and submit it again"
        return InputChanged(f"the input has changed: {what}", where=self._file.shown, hint=hint)

    def _digests(self, counts: Sequence[int]) -> list[str]:
        """The digests of consecutive bodies, in one reading."""
        found, lines = [], self.lines()
        for count in counts:
            digest = hashlib.sha256(OPENING)
            for position in range(count):
                data = next(lines).data
                digest.update(COMMA + data if position else data)
            digest.update(CLOSING)
            found.append(digest.hexdigest())
        return found

    def _chunks(self, batch: Batch) -> Iterator[bytes]:
        digest, size, pending = Digest(), 0, bytearray(OPENING)
        for index, _, _, data in self._picked(range(batch.first, batch.first + batch.requests)):
            if index != batch.first:
                pending += COMMA
            pending += data
            if len(pending) >= _CHUNK:
                chunk = bytes(pending)
                pending.clear()
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        pending += CLOSING
        digest.update(bytes(pending))
        if digest.hexdigest() != batch.sha256 or size + len(pending) != batch.bytes:
            raise self._changed(f"the bytes of batch {batch.number} are not those that were planned")
        yield bytes(pending)
