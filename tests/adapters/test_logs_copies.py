"""Databases and archives that lie in a store are read by way of a copy, of which nothing is left."""

from __future__ import annotations

import io
import resource
import tempfile
from pathlib import Path
from typing import Any

import pytest
from foreign_logs import eval_archive, llm_database, llm_row, model_event, sample

from costkit.adapters.logs import copies, read_logs
from costkit.adapters.logs.reader import read_source
from costkit.adapters.logs.sources import Source
from costkit.errors import OperationFailed
from costkit.report import Item, Record, Skipped


class _Stored(io.RawIOBase):
    """A file without a path, which may fail on the way."""

    def __init__(self, content: bytes, good: int) -> None:
        super().__init__()
        self._content, self._good = io.BytesIO(content), good

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._content.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        if self._content.tell() >= self._good:
            raise OSError(5, "the store is gone")
        return self._content.readinto(buffer)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(params=["llm.db", "inspect.eval"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A log of more than one block."""
    path: Path = tmp_path / request.param
    rows = tuple(llm_row(f"{number:05}" + "x" * 2_000) for number in range(700))
    makers = {
        ".db": lambda: llm_database(path, rows),
        ".eval": lambda: eval_archive(path, sample(model_event()), sample(model_event(uuid="ev-2"))),
    }
    return makers[path.suffix]()


def _items(log: Path, content: bytes | None = None, good: int = 1 << 40) -> list[Item]:
    stored = log.read_bytes() if content is None else content
    source = Source(str(log), named=False, size=len(stored))
    return list(read_source(source, open_file=lambda _path: _Stored(stored, good)))


def test_what_lies_in_a_store_comes_to_the_same_as_a_file(log: Path, temporary: Path) -> None:
    items = _items(log)

    assert items == list(read_logs([str(log)]))
    assert any(isinstance(item, Record) for item in items)
    assert list(temporary.iterdir()) == []


def test_bytes_are_reported_as_they_come(log: Path, temporary: Path) -> None:
    size, read = log.stat().st_size, list[int]()
    source = Source(str(log), named=False, size=size)
    items = read_source(source, open_file=lambda _path: _Stored(log.read_bytes(), size + 1), passed=read.append)

    assert [item for item in items if isinstance(item, Skipped)] == []
    assert sum(read) == size
    assert list(temporary.iterdir()) == []


def test_a_copy_is_gone_when_its_reader_gives_up(log: Path, temporary: Path) -> None:
    size = log.stat().st_size
    items = read_source(
        Source(str(log), named=False, size=size), open_file=lambda _path: _Stored(log.read_bytes(), size + 1)
    )
    next(iter(items))
    assert len(list(temporary.iterdir())) == 1

    del items

    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("keep", [5_000, 100])
def test_a_damaged_one_is_skipped_as_on_a_disk(log: Path, temporary: Path, keep: int) -> None:
    content = log.read_bytes()[:keep]
    log.write_bytes(content)

    assert _items(log) == list(read_logs([str(log)]))
    assert list(temporary.iterdir()) == []


def test_somebody_elses_archive_is_no_log(log: Path, temporary: Path) -> None:
    assert [item.reason for item in _items(log, b"PK\x03\x04" + b"x" * 99) if isinstance(item, Skipped)] in (
        ["binary-file"],
        ["damaged-archive: File is not a zip file"],
    )
    assert list(temporary.iterdir()) == []


def test_one_that_is_too_large_says_what_to_do(log: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "LARGEST", 1000)

    assert _items(log) == [Skipped("above-0-GiB: copy it to a disk and report on it there", str(log))]
    assert list(temporary.iterdir()) == []


def test_a_store_that_fails_midway_is_an_error(log: Path, temporary: Path) -> None:
    with pytest.raises(OperationFailed, match="reading failed: the store is gone"):
        _items(log, b"SQLite format 3\0" + b"x" * 5_000_000, good=2_000_000)

    assert list(temporary.iterdir()) == []


def test_a_disk_that_takes_no_more_is_an_error(log: Path, temporary: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(OperationFailed, match=r"can't be copied to .*: file too large"):
            _items(log, b"SQLite format 3\0" + b"x" * 5_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert list(temporary.iterdir()) == []


def test_a_machine_without_room_for_copies_is_an_error(log: Path, temporary: Path) -> None:
    temporary.rmdir()
    with pytest.raises(OperationFailed, match="no temporary folder for a copy: no such file or directory"):
        _items(log)
