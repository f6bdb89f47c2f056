"""A log that grows is read on, through whatever happens to its file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from costkit.adapters import following
from costkit.adapters.following import FollowedLog
from costkit.adapters.usage_writer import UsageWriter
from costkit.errors import InvalidInput
from costkit.report import Item, Record, Skipped


def line(number: int) -> bytes:
    usage = {"input_tokens": 1, "output_tokens": number}
    return json.dumps({"ts": "2026-11-21T09:00:00Z", "model": "m", "id": f"msg_{number}", "usage": usage}).encode()


def ids(items: list[Item]) -> list[str | None]:
    return [item.message_id for item in items if isinstance(item, Record)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "usage.jsonl"


@pytest.fixture
def log(path: Path) -> Iterator[FollowedLog]:
    with closing(FollowedLog(str(path), ())) as followed:
        yield followed


def test_each_line_is_read_once(path: Path, log: FollowedLog) -> None:
    writer = UsageWriter(path)
    writer.append(line(1))
    assert ids(list(log.read())) == ["msg_1"]
    assert list(log.read()) == []
    writer.append(line(2))
    writer.append(line(3))
    assert ids(list(log.read())) == ["msg_2", "msg_3"]


def test_a_file_that_is_not_there_yet_is_waited_for(path: Path, log: FollowedLog) -> None:
    assert not log.is_there()
    assert list(log.read()) == []
    UsageWriter(path).append(line(1))
    assert ids(list(log.read())) == ["msg_1"]


def test_a_line_is_read_when_it_is_whole(path: Path, log: FollowedLog) -> None:
    whole = line(1) + b"\n"
    with path.open("ab", buffering=0) as file:
        file.write(whole[:20])
        assert list(log.read()) == []
        file.write(whole[20:-1])
        assert list(log.read()) == []
        file.write(whole[-1:])
        assert ids(list(log.read())) == ["msg_1"]


def test_nothing_is_lost_in_a_rotation(path: Path, log: FollowedLog) -> None:
    writer = UsageWriter(path)
    writer.append(line(1))
    assert ids(list(log.read())) == ["msg_1"]
    writer.append(line(2))
    path.rename(path.with_name("rotated.jsonl"))
    writer.append(line(3))
    assert ids(list(log.read())) == ["msg_2", "msg_3"]


def test_the_gap_between_a_rotation_and_the_next_line_is_waited_for(path: Path, log: FollowedLog) -> None:
    writer = UsageWriter(path)
    writer.append(line(1))
    list(log.read())
    path.rename(path.with_name("rotated.jsonl"))
    assert list(log.read()) == []
    writer.append(line(2))
    assert ids(list(log.read())) == ["msg_2"]


def test_a_file_that_became_shorter_is_read_from_its_start(path: Path, log: FollowedLog) -> None:
    path.write_bytes(line(1) + b"\n" + line(2) + b"\n" + line(3)[:9])
    assert ids(list(log.read())) == ["msg_1", "msg_2"]
    path.write_bytes(line(4) + b"\n")
    assert ids(list(log.read())) == ["msg_4"]


def test_what_can_not_be_read_has_its_place_in_the_file(path: Path, log: FollowedLog) -> None:
    path.write_bytes(line(1) + b"\n" + line(2) + b"\n")
    list(log.read())
    with path.open("ab") as file:
        file.write(line(3) + b'\n{"usage": \n')
    _, skipped = list(log.read())
    assert isinstance(skipped, Skipped)
    assert (skipped.line, skipped.offset) == (4, 3 * len(line(3) + b"\n"))


def test_of_a_large_log_the_end_is_read(path: Path, log: FollowedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LARGEST_START", 300)
    path.write_bytes(b"".join(line(number) + b"\n" for number in range(100)) + b'{"usage": \n')
    items = list(log.read())
    assert ids(items) == ["msg_98", "msg_99"]
    (skipped,) = [item for item in items if isinstance(item, Skipped)]
    assert skipped.line == 101


@pytest.mark.parametrize("content", [gzip.compress(b"{}")])
def test_what_can_not_grow_is_refused(path: Path, log: FollowedLog, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="compressed"):
        log.is_there()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is a folder"):
        FollowedLog(str(tmp_path), ()).is_there()


def test_what_is_written_just_before_a_rotation_is_not_passed_over(
    path: Path, log: FollowedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program writes and rotates after the log was read to its end, and before anybody asks whose it is."""
    writer = UsageWriter(path)
    writer.append(line(1))
    is_current = FollowedLog._is_current

    def rotated_meanwhile(self: FollowedLog) -> bool:
        writer.append(line(2))
        path.rename(path.with_suffix(".old"))
        writer.append(line(3))
        return is_current(self)

    monkeypatch.setattr(FollowedLog, "_is_current", rotated_meanwhile)
    assert ids(list(log.read())) == ["msg_1", "msg_2", "msg_3"]
