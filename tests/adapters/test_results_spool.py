"""The spool and the output of a collection: private, whole or not there, and no more on disk than is needed."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from costkit.adapters.batches import results_spool
from costkit.adapters.batches.results_output import NOTE, FileOutput, StreamOutput, remove_unfinished
from costkit.adapters.batches.results_spool import FolderSpool
from costkit.batch.results import Place
from costkit.errors import OperationFailed


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[FolderSpool]:
    with FolderSpool(tmp_path / "spool") as spool:
        yield spool


def test_lines_have_their_offsets_and_lose_their_line_ends(spool: FolderSpool) -> None:
    spool.receive("b", [b'{"a":', b"1}\n\n", b"two\r\nthr", b"ee"])
    lines = list(spool.lines("b"))
    assert lines == [(0, b'{"a":1}'), (8, b""), (9, b"two"), (14, b"three")]
    spool.keep("b")
    assert [spool.read(Place("b", offset, len(line))) for offset, line in lines] == [line for _, line in lines]


def test_a_download_is_provisional_until_it_is_kept(spool: FolderSpool, tmp_path: Path) -> None:
    spool.receive("b", [b"one\n"])
    assert not spool.has("b")
    spool.keep("b")
    assert spool.has("b")
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["b.jsonl"]
    assert (tmp_path / "spool" / "b.jsonl").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_leaving_the_spool_keeps_what_is_whole_and_nothing_else(tmp_path: Path) -> None:
    with FolderSpool(tmp_path / "spool") as spool:
        spool.receive("whole", [b"one\n"])
        spool.keep("whole")
        spool.receive("part", [b"two\n"])
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["whole.jsonl"]
    with FolderSpool(tmp_path / "spool") as spool:
        assert spool.has("whole")
        spool.clear()
    assert not (tmp_path / "spool").exists()


def test_a_line_without_an_end_is_not_read_into_memory(spool: FolderSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_spool, "LONGEST", 10)
    spool.receive("b", [b"short\n", b"x" * 50])
    with pytest.raises(ValueError, match="longer"):
        list(spool.lines("b"))


def test_a_spool_that_changed_is_noticed(spool: FolderSpool, tmp_path: Path) -> None:
    spool.receive("b", [b"one\ntwo\n"])
    spool.keep("b")
    (tmp_path / "spool" / "b.jsonl").write_bytes(b"one\n")
    with pytest.raises(OperationFailed, match="changed"):
        spool.read(Place("b", 4, 3))


def test_progress_is_told_in_bytes(spool: FolderSpool) -> None:
    told: list[int] = []
    spool.received = told.append
    spool.receive("a", [b"12345", b"678"])
    spool.receive("b", [b"9"])
    assert told == [5, 8, 9]


def output_to(folder: Path, *names: str) -> FileOutput:
    targets = [folder / name for name in names]
    notes = folder / "notes"
    notes.mkdir(exist_ok=True)
    return FileOutput(targets[0], targets[1] if targets[1:] else None, tag="job1", folder=notes)


def test_an_output_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "rows.jsonl"
    target.write_text("old\n")
    with output_to(tmp_path, "rows.jsonl") as output:
        output.write(b"new", failed=False)
        assert target.read_text() == "old\n"
    assert target.read_text() == "old\n"
    with output_to(tmp_path, "rows.jsonl") as output:
        output.write(b"new", failed=False)
        assert output.commit()
    assert target.read_text() == "new\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["notes", "rows.jsonl"]


def test_two_outputs_take_the_failed_rows_apart(tmp_path: Path) -> None:
    with output_to(tmp_path, "ok.jsonl", "failed.jsonl") as output:
        output.write(b"good", failed=False)
        output.write(b"bad", failed=True)
        output.commit()
    assert ((tmp_path / "ok.jsonl").read_text(), (tmp_path / "failed.jsonl").read_text()) == ("good\n", "bad\n")


def test_what_a_killed_run_left_is_removed_by_the_note(tmp_path: Path) -> None:
    """The output object is never closed, as if the process had been killed."""
    killed = output_to(tmp_path, "rows.jsonl")
    killed.__enter__()
    assert [path.name for path in tmp_path.glob(".*")] == [".rows.jsonl.job1.part"]
    remove_unfinished(tmp_path / "notes")
    assert list(tmp_path.glob(".*")) == []
    assert not (tmp_path / "notes" / NOTE).exists()
    killed.__exit__(None, None, None)


def test_a_link_in_the_place_of_an_unfinished_file_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / ".rows.jsonl.job1.part").symlink_to(precious)
    with output_to(tmp_path, "rows.jsonl") as output:
        output.write(b"row", failed=False)
        output.commit()
    assert precious.read_text() == "mine"
    assert (tmp_path / "rows.jsonl").read_text() == "row\n"
    assert not (tmp_path / "rows.jsonl").is_symlink()


class Closed:
    """A stream whose reader went away after some writes."""

    def __init__(self, error: OSError, after: int) -> None:
        self.error = error
        self.left = after

    def write(self, data: bytes) -> int:
        if not self.left:
            raise self.error
        self.left -= 1
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered."""


def test_a_reader_that_goes_away_ends_the_writing_quietly() -> None:
    with StreamOutput(Closed(BrokenPipeError(errno.EPIPE, "Broken pipe"), 1), "pipe") as output:  # type: ignore[arg-type]
        for _ in range(3):
            output.write(b"row", failed=False)
        assert not output.commit()


def test_a_stream_that_fails_is_an_error() -> None:
    stream = StreamOutput(Closed(OSError(errno.ENOSPC, "No space left on device"), 1), "pipe")  # type: ignore[arg-type]
    stream.write(b"row", failed=False)
    with pytest.raises(OperationFailed, match="can't write pipe: No space left on device"):
        stream.write(b"row", failed=False)
