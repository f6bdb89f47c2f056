"""A file on a disk for the time of its reading: what is opened by its path, but lies in an object store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from tempfile import TemporaryDirectory

from costkit.adapters.logs.sources import why
from costkit.adapters.logs.unpack import Unusable
from costkit.errors import OperationFailed

LARGEST = 4 << 30
"""Bytes above which nothing is copied."""
_BLOCK = 1 << 20


@contextmanager
def copied(stream: RawIOBase, name: str, passed: Callable[[int], None]) -> Iterator[str]:
    """The path of a copy of a stream, which is removed at the end of the block, whatever ends it.

    `name` is that of the original, whose ending the copy has too; `passed` is told the bytes of each read. Raises
    `Unusable` for more than `LARGEST` bytes, and `OperationFailed` where reading or writing fails.
    """
    try:
        temporary = TemporaryDirectory(prefix="costkit-", ignore_cleanup_errors=True)
    except OSError as error:
        raise OperationFailed(f"no temporary folder for a copy: {why(error)}", where=name) from error
    with temporary as folder:
        path = Path(folder, "copy").with_suffix(Path(name).suffix)
        try:
            with path.open("xb") as copy:
                while block := _block(stream, name):
                    passed(len(block))
                    if copy.tell() + len(block) > LARGEST:
                        raise Unusable(f"above-{LARGEST >> 30}-GiB: copy it to a disk and report on it there")
                    copy.write(block)
        except OSError as error:
            raise OperationFailed(f"can't be copied to {folder}: {why(error)}", where=name) from error
        yield str(path)


def _block(stream: RawIOBase, name: str) -> bytes:
    try:
        return stream.read(_BLOCK) or b""
    except OSError as error:
        raise OperationFailed(f"reading failed: {why(error)}", where=name) from error
