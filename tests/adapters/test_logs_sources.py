"""Which files are read: arguments, folders, patterns, pipes, compression; and what becomes of the unusable ones."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from costkit.adapters.logs import read_logs
from costkit.adapters.logs.sources import find_sources
from costkit.errors import InvalidInput, OperationFailed
from costkit.report import FileRead, Record, Skipped

LINE = json.dumps({"type": "message", "model": "claude-opus-5-5", "usage": {"input_tokens": 1, "output_tokens": 2}})
DATA = LINE.encode() + b"\n"


def _count(*paths: str | Path) -> int:
    return sum(isinstance(item, Record) for item in read_logs([str(path) for path in paths]))


def _reasons(*paths: str | Path) -> list[tuple[str, str]]:
    items = read_logs([str(path) for path in paths])
    return [(item.reason, Path(item.path).name) for item in items if isinstance(item, Skipped)]


def test_a_folder_is_searched_in_order_for_files_that_look_like_logs(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.jsonl", "a.JSON", "b/x.ndjson", "b/y.log.gz", "b/c.txt", "b/picture.png", "notes.md"):
        (tmp_path / name).write_bytes(DATA)

    sources, skipped = find_sources([str(tmp_path)])

    assert [os.path.relpath(source.path, tmp_path) for source in sources] == [
        "a.JSON",
        "z.jsonl",
        "b/c.txt",
        "b/x.ndjson",
        "b/y.log.gz",
    ]
    assert skipped == []


def test_a_file_that_is_named_may_be_called_anything(tmp_path: Path) -> None:
    (tmp_path / "usage of [today]").write_bytes(DATA)

    assert _count(tmp_path / "usage of [today]") == 1


def test_patterns_find_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.jsonl", "b.jsonl", "deep/er/c.jsonl"):
        (tmp_path / name).write_bytes(DATA)
    monkeypatch.chdir(tmp_path)

    assert _count("?.jsonl") == 2
    assert _count("**/*.jsonl") == 3
    assert _count(tmp_path / "*.jsonl") == 2


def test_the_same_file_by_two_names_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(DATA)
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "a.jsonl")

    assert _count(tmp_path / "a.jsonl", tmp_path, tmp_path / "link.jsonl") == 1


def test_links_that_run_in_circles_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.jsonl").write_bytes(DATA)
    (tmp_path / "logs" / "again").symlink_to(tmp_path / "logs")
    (tmp_path / "logs" / "up").symlink_to(tmp_path)
    (tmp_path / "logs" / "self.jsonl").symlink_to(tmp_path / "logs" / "self.jsonl")

    assert _count(tmp_path) == 1
    assert [name for _, name in _reasons(tmp_path)] == ["self.jsonl"]


@pytest.mark.parametrize(
    ("compress", "name"),
    [(gzip.compress, "a.gz"), (bz2.compress, "a.bz2"), (lzma.compress, "a.xz"), (gzip.compress, "a")],
)
def test_compression_is_known_by_content(tmp_path: Path, compress: Callable[[bytes], bytes], name: str) -> None:
    (tmp_path / name).write_bytes(compress(DATA * 3) + compress(DATA))

    assert _count(tmp_path / name) == 4


@pytest.mark.parametrize(
    ("compress", "kind"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")]
)
def test_damaged_compression_is_named_and_what_came_before_counts(
    tmp_path: Path, compress: Callable[[bytes], bytes], kind: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(compress(DATA) + compress(DATA * 5)[:-9])

    assert _count(path) >= 1
    assert (f"damaged-{kind}", "a.jsonl") in _reasons(path)


def test_garbage_behind_a_magic_number_is_damage(tmp_path: Path) -> None:
    for name, magic in (("a", b"\x1f\x8b"), ("b", b"BZh"), ("c", b"\xfd7zXZ\x00")):
        (tmp_path / name).write_bytes(magic + b"garbage" * 50)

    assert [reason[:7] for name in "abc" for reason, _ in _reasons(tmp_path / name)] == ["damaged"] * 3


def test_zstd_is_read(tmp_path: Path) -> None:
    """A frame with one raw block."""
    body = b"\x28\xb5\x2f\xfd\x20" + bytes([len(DATA)]) + ((len(DATA) << 3) | 1).to_bytes(3, "little") + DATA
    (tmp_path / "a.jsonl.zst").write_bytes(body)

    assert (_count(tmp_path), _reasons(tmp_path)) == (1, [])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty-file"),
        (gzip.compress(b""), "empty-file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "binary-file"),
        (bytes(range(256)) * 20, "binary-file"),
        (gzip.compress(bytes(range(256)) * 20), "binary-file"),
        (b"PK\x03\x04rest", "binary-file"),
        (LINE.encode("utf-16"), "utf-16-text"),
    ],
)
def test_a_file_that_holds_no_log_is_named_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    (tmp_path / "b.jsonl").write_bytes(DATA)

    assert _reasons(path) == [(reason, "a.jsonl")]
    assert (_count(tmp_path), _reasons(tmp_path)) == (1, [(reason, "a.jsonl")])


def test_a_log_that_begins_with_the_zeros_of_a_crash_is_still_a_log(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\0" * 9000 + DATA)

    assert _count(tmp_path) == 1


@pytest.mark.parametrize("name", ["missing.jsonl", "missing/", "*.nothing", "a\0b"])
def test_an_argument_that_does_not_exist_is_invalid(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_logs([f"{tmp_path}/{name}"])

    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_logs_is_invalid(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"x")

    with pytest.raises(InvalidInput, match="no log in this folder"):
        read_logs([str(tmp_path)])


needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


@needs_permissions
def test_a_named_file_without_permission_is_invalid_and_one_in_a_folder_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(DATA)
    (tmp_path / "b.jsonl").write_bytes(DATA)
    (tmp_path / "a.jsonl").chmod(0)

    with pytest.raises(InvalidInput, match="permission denied"):
        read_logs([str(tmp_path / "a.jsonl")])
    assert (_count(tmp_path), _reasons(tmp_path)) == (1, [("unreadable: permission denied", "a.jsonl")])


@needs_permissions
def test_a_folder_without_permission_is_named_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)

    with pytest.raises(InvalidInput, match="permission denied"):
        read_logs([str(tmp_path / "shut")])


def test_what_can_not_be_read_of_a_pattern_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(DATA)
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()

    assert _count(tmp_path / "*") == 1
    assert _reasons(tmp_path / "*") == [("unreadable: no such file or directory", "gone.jsonl")]


def test_a_link_to_nowhere_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(DATA)
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")

    assert _reasons(tmp_path) == [("unreadable: no such file or directory", "gone.jsonl")]


def test_a_file_that_vanishes_while_others_are_read_is_named(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(DATA)
    items = read_logs([str(tmp_path)])
    (tmp_path / "b.jsonl").unlink()

    assert [item.reason for item in items if isinstance(item, Skipped)] == ["unreadable: no such file or directory"]


def test_a_pipe_that_is_named_is_read_and_one_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    (tmp_path / "a.jsonl").write_bytes(DATA)
    writer = threading.Thread(target=pipe.write_bytes, args=(DATA * 2,))

    assert (_count(tmp_path), _reasons(tmp_path)) == (1, [("not-a-file", "pipe.jsonl")])
    items = read_logs([str(pipe)])
    writer.start()
    assert sum(isinstance(item, Record) for item in items) == 2
    writer.join()


def test_standard_input_is_one_of_the_arguments_and_may_be_compressed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(DATA)

    items = list(read_logs([str(tmp_path), "-"], stdin=io.BytesIO(gzip.compress(DATA * 2))))

    assert [item.path for item in items if isinstance(item, FileRead)] == [str(tmp_path / "a.jsonl"), "<stdin>"]
    assert sum(isinstance(item, Record) for item in items) == 3


def test_a_name_that_is_not_utf_8_can_be_read_and_printed(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.jsonl", "wb") as file:  # noqa: PTH123  # a path of bytes
        file.write(DATA)

    (record, _) = read_logs([str(tmp_path)])

    assert isinstance(record, Record)
    assert record.path.encode().endswith(b"/\\xff.jsonl")


class _Failing(io.RawIOBase):
    """Gives one line, then the error of a broken disk."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: Iterator[bytes] = iter([DATA])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = next(self._answers, None)
        if data is None:
            raise OSError(5, "Input/output error")
        buffer[: len(data)] = data
        return len(data)


def test_a_disk_that_fails_midway_stops_the_report() -> None:
    with pytest.raises(OperationFailed, match="<stdin>: reading failed: input/output error"):
        list(read_logs(["-"], stdin=io.BufferedReader(_Failing())))


def test_progress_is_told_in_bytes_up_to_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(DATA * 50_000)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(DATA))
    told: list[tuple[int, int | None]] = []

    list(read_logs([str(tmp_path)], progress=lambda done, whole: told.append((done, whole))))

    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert told[-1] == (size, size)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) > 3
