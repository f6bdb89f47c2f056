"""Lines of a shared log: whole, all of them, whoever else writes and whoever dies."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from costkit.adapters.usage_writer import UsageWriter

PROGRAM = """
import sys
from costkit.adapters.usage_writer import UsageWriter
name, path, count, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
writer = UsageWriter(path, max_bytes=int(sys.argv[5]) if len(sys.argv) > 5 else None, keep=10_000)
for number in range(count):
    writer.append(f'{{"who": "{name}", "n": {number}, "x": "{"x" * size}"}}'.encode())
"""
FORKS = """
import os, sys, threading
from costkit.adapters.usage_writer import UsageWriter
writer = UsageWriter(sys.argv[1])
stop = threading.Event()
def busy():
    number = 0
    while not stop.is_set():
        writer.append(b'{"who": "thread", "n": %d}' % number)
        number += 1
threads = [threading.Thread(target=busy) for _ in range(3)]
[thread.start() for thread in threads]
children = []
for child in range(8):
    pid = os.fork()
    if pid == 0:
        for number in range(20):
            writer.append(b'{"who": "child %d", "n": %d}' % (child, number))
        os._exit(0)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
stop.set()
[thread.join() for thread in threads]
assert codes == [0] * 8, codes
"""


def lines_of(*paths: Path) -> list[dict[str, object]]:
    """Every line of every file; one that is not whole is an error."""
    return [json.loads(line) for path in paths for line in _text(path).splitlines()]


def _text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def start(*arguments: object, program: str = PROGRAM) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)])


def test_a_line_is_there_as_soon_as_it_is_written(tmp_path: Path) -> None:
    writer = UsageWriter(tmp_path / "log.jsonl")
    writer.append(b'{"n": 1}')
    writer.append(b'{"n": 2}')
    assert (tmp_path / "log.jsonl").read_bytes() == b'{"n": 1}\n{"n": 2}\n'


def test_threads_never_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    writer = UsageWriter(path)

    def write(who: int) -> None:
        for number in range(200):
            writer.append(b'{"who": %d, "n": %d}' % (who, number))

    threads = [threading.Thread(target=write, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(line["who"], line["n"]) for line in lines_of(path)}) == 8 * 200


def test_processes_never_mix_their_lines_however_long(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    programs = [start(who, path, 40, size) for who, size in enumerate((10, 5_000, 70_000, 300_000))]
    assert [program.wait(60) for program in programs] == [0] * 4
    assert len({(line["who"], line["n"]) for line in lines_of(path)}) == 4 * 40


def test_children_of_a_busy_program_write_after_a_fork(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert start(path, program=FORKS).wait(60) == 0
    children = [line for line in lines_of(path) if line["who"] != "thread"]
    assert len({(line["who"], line["n"]) for line in children}) == len(children) == 8 * 20


def test_a_killed_writer_leaves_whole_lines_to_the_next_one(tmp_path: Path) -> None:
    """At most its last line is torn, and that line stands alone."""
    path = tmp_path / "log.jsonl"
    for _ in range(6):
        program = start("killed", path, 10**9, 3_000)
        while not path.exists() or path.stat().st_size < 100_000:
            time.sleep(0.01)
        os.kill(program.pid, signal.SIGKILL)
        program.wait(60)
        UsageWriter(path).append(b'{"who": "next"}')
        *_, last = path.read_bytes().splitlines()
        assert last == b'{"who": "next"}'
        whole = [line for line in path.read_bytes().splitlines() if line.endswith(b"}")]
        assert all(json.loads(line) for line in whole)
        assert len(path.read_bytes().splitlines()) - len(whole) <= 1
        path.unlink()


def test_nothing_is_glued_to_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": ')
    writer = UsageWriter(path)
    writer.append(b'{"n": 3}')
    writer.append(b'{"n": 4}')
    assert path.read_bytes() == b'{"n": 1}\n{"n": \n{"n": 3}\n{"n": 4}\n'


def test_a_line_torn_by_another_writer_later_is_noticed_too(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    writer = UsageWriter(path)
    writer.append(b"{}")
    with path.open("ab") as other:
        other.write(b'{"torn')
    writer.append(b'{"n": 2}')
    assert path.read_bytes() == b'{}\n{"torn\n{"n": 2}\n'


def test_a_log_that_was_moved_or_deleted_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    writer = UsageWriter(path)
    writer.append(b"{}")
    path.rename(tmp_path / "moved.jsonl")
    writer.append(b'{"n": 2}')
    path.unlink()
    writer.append(b'{"n": 3}')
    assert path.read_bytes() == b'{"n": 3}\n'
    assert (tmp_path / "moved.jsonl").read_bytes() == b"{}\n"


def test_a_line_is_not_given_up_because_others_keep_rotating_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty times in a row the file that was opened is no longer the log when its lock is had."""
    answers = iter([False] * 20 + [True])
    monkeypatch.setattr(UsageWriter, "_is_current", lambda _self, _file: next(answers))
    writer = UsageWriter(tmp_path / "usage.jsonl")
    writer.append(b'{"n":1}')
    assert (writer.lost, writer.path.read_bytes()) == (0, b'{"n":1}\n')


def test_the_log_stays_where_it_was_when_the_folder_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    writer = UsageWriter("log.jsonl")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    writer.append(b"{}")
    assert (tmp_path / "log.jsonl").read_bytes() == b"{}\n"


@pytest.mark.parametrize("path", ["/dev/full", "/proc/nowhere/log.jsonl", "/"])
def test_what_can_not_be_written_is_told_once_and_counted(path: str, caplog: pytest.LogCaptureFixture) -> None:
    writer = UsageWriter(path)
    writer.check()
    for _ in range(3):
        writer.append(b"{}")
    assert writer.lost == 3
    assert [record.name for record in caplog.records] == ["costkit"]
    assert f"{path} can't be written" in caplog.text


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """The size that a file may have is the nearest thing to a full disk that a test can have to itself."""
    program = """
import resource, signal, sys
from costkit.adapters.usage_writer import UsageWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1050, 1050))
writer = UsageWriter(sys.argv[1])
for _ in range(30):
    writer.append(b'{"x": "' + b"x" * 90 + b'"}')
print(writer.lost)
"""
    path = tmp_path / "log.jsonl"
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, check=True, timeout=60)
    lines = lines_of(path)
    assert len(lines) == 10
    assert int(done.stdout) == 30 - len(lines)
    assert done.stderr.count(b"can't be written") == 1


def _settled(folder: Path, rotated: int | None = None) -> list[Path]:
    """The rotated files once all (so many of them) are compressed, oldest first; what a dead writer left is passed."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = sorted(path for path in folder.iterdir() if path.name != "log.jsonl" and path.suffix != ".part")
        if rotated in (None, len(found)) and all(path.suffix == ".gz" for path in found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{sorted(path.name for path in folder.iterdir())}")


def test_a_full_log_is_rotated_and_compressed_and_nothing_is_lost(tmp_path: Path) -> None:
    writer = UsageWriter(tmp_path / "log.jsonl", max_bytes=100)
    for number in range(25):
        writer.append(b'{"number": %4d}' % number)  # 16 bytes and a newline: 5 to a file
    rotated = _settled(tmp_path, 4)
    assert [line["number"] for line in lines_of(*rotated, tmp_path / "log.jsonl")] == list(range(25))
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in rotated)


def test_only_so_many_rotated_files_are_kept(tmp_path: Path) -> None:
    writer = UsageWriter(tmp_path / "log.jsonl", max_bytes=20, keep=2)
    (tmp_path / "log.notes.jsonl").write_text("not ours")
    for number in range(9):
        writer.append(b'{"number": %4d}' % number)
    kept = [path for path in _settled_but(tmp_path, "log.notes.jsonl", 2) if path.suffix == ".gz"]
    assert [line["number"] for line in lines_of(*kept)] == [6, 7]
    assert (tmp_path / "log.notes.jsonl").read_text() == "not ours"


def _settled_but(folder: Path, other: str, rotated: int) -> list[Path]:
    (folder / other).rename(folder.parent / other)
    try:
        return _settled(folder, rotated)
    finally:
        (folder.parent / other).rename(folder / other)


def test_a_line_longer_than_a_file_may_be_has_a_file_of_its_own(tmp_path: Path) -> None:
    writer = UsageWriter(tmp_path / "log.jsonl", max_bytes=10)
    writer.append(b'{"number": 1}')
    writer.append(b'{"number": 2}')
    assert lines_of(*_settled(tmp_path, 1), tmp_path / "log.jsonl") == [{"number": 1}, {"number": 2}]


def test_processes_that_rotate_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    programs = [start(who, path, 300, 50, 4_000) for who in range(4)]
    assert [program.wait(120) for program in programs] == [0] * 4
    UsageWriter(path, max_bytes=1, keep=10_000).append(b'{"who": "last", "n": 0}')  # tidies up what they left
    found = {(line["who"], line["n"]) for line in lines_of(*_settled(tmp_path), path)}
    assert len(found) == 4 * 300 + 1
