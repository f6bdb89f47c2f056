"""The lock of a job: one process at a time, and free again however its holder ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from costkit.adapters.batches.job_lock import LockHeld, job_lock
from costkit.errors import ExitCode, InvalidInput

DIGEST = "a" * 64
HOLDER = """
import sys
from pathlib import Path
from costkit.adapters.batches.job_lock import job_lock
with job_lock(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock."""
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "locks"), DIGEST]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_lock_that_another_process_has_names_it(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockHeld, match=f"being submitted by pid {holder.pid}$") as held:
        job_lock(tmp_path / "locks", DIGEST).__enter__()
    assert held.value.exit_code is ExitCode.RUNNING


def test_another_job_has_another_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with job_lock(tmp_path / "locks", "b" * 64):
        assert holder.poll() is None


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_lock_is_free_when_its_holder_is_killed(
    tmp_path: Path, holder: subprocess.Popen[str], end: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    holder.send_signal(end)
    holder.wait()
    with job_lock(tmp_path / "locks", DIGEST):
        assert (tmp_path / "locks" / f"{DIGEST[:16]}.pid").read_text() == str(os.getpid())
    capfd.readouterr()


def test_the_lock_is_free_when_its_block_ends(tmp_path: Path) -> None:
    for _ in range(2):
        with job_lock(tmp_path / "locks", DIGEST):
            pass
    assert [path.suffix for path in (tmp_path / "locks").iterdir()] == [".lock"]


def test_the_lock_is_free_when_its_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), job_lock(tmp_path / "locks", DIGEST):
        raise KeyError
    with job_lock(tmp_path / "locks", DIGEST):
        pass


def test_lock_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with job_lock(tmp_path / "locks", DIGEST):
            modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "locks").iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o600}


def test_a_folder_that_can_not_be_made_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="can't lock"):
        job_lock(tmp_path / "file" / "locks", DIGEST).__enter__()
