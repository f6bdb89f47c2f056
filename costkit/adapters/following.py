"""A log that is being written, read as it grows: through rotation and truncation, whole lines only."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from costkit.adapters.logs.detect import Detector
from costkit.adapters.logs.documents import Document, Documents
from costkit.adapters.logs.labels import pickers
from costkit.adapters.names import STDIN
from costkit.errors import InvalidInput, OperationFailed
from costkit.report.records import Item, Remark, Skipped

LARGEST_START = 16 * 1024 * 1024
"""Of a log that is there already, this many bytes at its end are read."""
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


class FollowedLog:
    """One log file; `read` yields what has come since the last time.

    A file that isn't there yet is waited for. After a rotation the rest of the old file is read before the new one
    from its start; a file that became shorter is read from its start. Places are those in the file of the moment.
    """

    def __init__(self, path: str, labels: Sequence[str]) -> None:
        self._path = Path(path)
        self._name = path
        self._pickers = pickers(labels)
        self._detector = Detector()
        self._file: io.FileIO | None = None
        self._torn = b""
        """The beginning of a line whose end is not written yet."""
        self._line = 1
        self._offset = 0
        """Where the torn line begins."""
        self._fresh = True

    def read(self) -> Iterator[Item]:
        """What was written since the last call. Raises `OperationFailed` where the system fails."""
        try:
            if self._file is None and not self._open():
                return
            yield from self._rest()
            if not self._is_current():
                yield from self._rest()  # what was written between the first look and the rotation
                if self._open():
                    yield from self._rest()
        except OSError as error:
            raise OperationFailed(f"reading failed: {error.strerror or error}", where=self._name) from error

    def is_there(self) -> bool:
        """Whether there is a file now; raises `InvalidInput` for what can't be followed."""
        if self._name == STDIN:
            raise InvalidInput("only files are followed", hint="name one; costkit report - reads standard input")
        if self._path.is_dir():
            raise InvalidInput("is a folder: name the log in it", where=self._name)
        try:
            with self._path.open("rb") as file:
                if file.read(len(_GZIP)) == _GZIP:
                    raise InvalidInput("is compressed, so it won't grow", where=self._name, hint="costkit report it")
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InvalidInput(f"can't be read: {error.strerror}", where=self._name) from None
        return True

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> bool:
        """Open what the path leads to now; the very first time only its end is read."""
        try:
            file = io.FileIO(self._path, "rb")
        except FileNotFoundError:
            return False
        self.close()
        self._file, self._torn, self._line, self._offset = file, b"", 1, 0
        size = os.fstat(file.fileno()).st_size
        if self._fresh and size > LARGEST_START:
            self._skip(file, size - LARGEST_START)
        self._fresh = False
        return True

    def _skip(self, file: io.FileIO, upto: int) -> None:
        """Pass over the first lines, counting them."""
        while self._offset < upto:
            data = file.read(min(_CHUNK, upto - self._offset))
            if not data:
                break
            self._offset += len(data)
            self._line += data.count(b"\n")
        while data := file.read(_CHUNK):
            end = data.find(b"\n") + 1
            self._offset += end or len(data)
            if end:
                self._line += 1
                break
        file.seek(self._offset)

    def _rest(self) -> Iterator[Item]:
        file = self._file
        if file is None:
            return
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
            self._torn, self._line, self._offset = b"", 1, 0
        while data := file.read(_CHUNK):
            whole, newline, rest = (self._torn + data).rpartition(b"\n")
            self._torn = rest
            if newline:
                yield from self._items(whole + newline)

    def _items(self, lines: bytes) -> Iterator[Item]:
        line, offset = self._line - 1, self._offset
        self._line += lines.count(b"\n")
        self._offset += len(lines)
        for document in Documents(io.BytesIO(lines).read, self._name, self._pickers):
            document = _moved(document, line, offset)  # noqa: PLW2901  the same one, at its place in the file
            if isinstance(document, Document):
                yield from self._detector.read(document)
            else:
                yield document

    def _is_current(self) -> bool:
        assert self._file is not None  # noqa: S101  it was just read
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except FileNotFoundError:  # between a rotation and the next line
            return True


def _moved(found: Document | Skipped | Remark, line: int, offset: int) -> Document | Skipped | Remark:
    if isinstance(found, Skipped | Remark):
        return found._replace(line=found.line + line, offset=found.offset + offset)
    found.line += line
    found.offset += offset
    return found
