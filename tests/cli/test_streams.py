"""Where the answer goes, through real processes: pipes, files, full disks, closed ends and Ctrl-C."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COSTKIT = (sys.executable, "-m", "costkit")
ESTIMATE = ("estimate", "prompt.md", "--offline", "--tokens", "fast")


@pytest.fixture(autouse=True)
def _prompt(write: Callable[[str, object], Path]) -> None:
    write("prompt.md", "Say hello.")


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a pipeline in bash; `costkit` stands for the program, and its own status comes last on stderr."""
    program = " ".join(COSTKIT)
    script = f'costkit() {{ {program} "$@"; }}\n{command}'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        cwd=folder,
        timeout=60,
        text=True,
        check=False,
    )


def test_stdout_holds_the_answer_and_stderr_the_conversation(costkit: Any) -> None:
    done = costkit(*ESTIMATE)
    assert done.returncode == 0
    assert done.stdout.startswith("prompt.md · ")
    assert done.stdout.splitlines()[-1].startswith("prices of ")
    told = done.stderr.splitlines()
    assert "! output is not in this: add --output-tokens N (or --max-tokens for the ceiling)" in told
    assert all(line.startswith("! ") for line in told)  # where tiktoken has no vocabulary that is told as well


def test_quiet_leaves_the_answer_alone(costkit: Any) -> None:
    loud, quiet = costkit(*ESTIMATE), costkit(*ESTIMATE, "--quiet")
    assert (quiet.stdout, quiet.stderr) == (loud.stdout, "")


def test_quiet_still_says_why_it_failed(costkit: Any) -> None:
    done = costkit("estimate", "missing.md", "-q")
    assert (done.returncode, done.stderr) == (2, "costkit: missing.md: no such file\n")


def test_a_module_and_a_script_are_the_same_program(costkit: Any) -> None:
    script = Path(sys.executable).with_name("costkit")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == costkit("--version").stdout


@pytest.mark.parametrize("target", ["answer.json", "-"])
def test_a_document_goes_where_it_was_sent(costkit: Any, tmp_path: Path, target: str) -> None:
    done = costkit(*ESTIMATE, "--json", "-o", target)
    text = {"-": done.stdout}.get(target) or (tmp_path / target).read_text(encoding="utf-8")
    assert json.loads(text)["schema"] == "costkit/estimate@1"
    assert done.stdout == {"-": text}.get(target, "")


def test_an_existing_file_is_replaced_whole_and_keeps_its_permissions(program: Any, tmp_path: Path) -> None:
    target = tmp_path / "answer.json"
    target.write_text("x" * 100_000)
    target.chmod(0o640)
    before = target.stat().st_ino
    assert program(*ESTIMATE, "--json", "-o", target).code == 0
    assert json.loads(target.read_text(encoding="utf-8"))["exit"] == 0
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.stat().st_ino != before, "renamed into place, not written over"


def test_a_new_file_gets_the_permissions_of_any_new_file(program: Any, tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    assert program(*ESTIMATE, "-o", "answer.txt").code == 0
    assert (tmp_path / "answer.txt").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_keeps_pointing_at_the_file_that_is_replaced(program: Any, tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert program(*ESTIMATE, "-o", "link.txt").code == 0
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text(encoding="utf-8").startswith("prompt.md")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no/such/answer.json", "costkit: can't write no/such/answer.json: there is no folder no/such\n"),
        ("prompt.md/answer.json", "costkit: can't write prompt.md/answer.json: there is no folder prompt.md\n"),
        (".", "costkit: can't write .: it is a folder\n"),
    ],
)
def test_a_place_that_cannot_hold_the_answer_is_a_write_error(
    program: Any, tmp_path: Path, target: str, message: str
) -> None:
    before = sorted(tmp_path.iterdir())
    answer = program(*ESTIMATE, "-q", "-o", target)
    assert (answer.code, answer.out, answer.err) == (1, "", message)
    assert sorted(tmp_path.iterdir()) == before


def test_trying_again_does_not_help_where_the_answer_cannot_be_written(program: Any) -> None:
    answer = program(*ESTIMATE, "--json", "-o", "no/such/answer.json")
    error = answer.document["error"]
    assert (error["code"], error["retryable"], answer.document["exit"]) == ("write-failed", False, 1)


def test_a_failure_leaves_the_file_of_the_last_success_alone(program: Any, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text("the last success")
    answer = program("estimate", "prompt.md", "missing.md", "--offline", "--json", "-o", "answer.json")
    assert (answer.code, answer.document["exit"]) == (2, 2)
    assert (tmp_path / "answer.json").read_text() == "the last success"


def test_a_full_device_fails_with_one_line(costkit: Any) -> None:
    done = costkit(*ESTIMATE, "-q", "-o", "/dev/full")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "costkit: can't write /dev/full: No space left on device\n"


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_part_of_the_new(tmp_path: Path) -> None:
    """A file size limit stands for the full disk: the write fails in the middle."""
    (tmp_path / "answer.json").write_text("the last success")
    before = sorted(path.name for path in tmp_path.iterdir())

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [*COSTKIT, *ESTIMATE, "-q", "--json", "-o", "answer.json"],
        capture_output=True,
        cwd=tmp_path,
        preexec_fn=small_files_only,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "write-failed")
    assert done.stderr == "costkit: can't write answer.json: File too large\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "answer.json").read_text() == "the last success"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (" ".join(ESTIMATE), 1),
        ("--version", 1),
        ("--help", 1),
        ("estimate --help", 1),
        ("pricing list", 1),
        ("schema error", 1),
        ("estimate missing.md --json", 2),
    ],
)
def test_a_full_disk_behind_stdout_is_a_write_error(tmp_path: Path, command: str, code: int) -> None:
    """The graver of the two codes holds where the command had failed anyway."""
    done = shell(
        f"costkit {command} -q >/dev/full" if "estimate " in command else f"costkit {command} >/dev/full", tmp_path
    )
    assert done.returncode == code
    assert done.stderr.splitlines()[0] == "costkit: can't write the answer: No space left on device"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (" ".join(ESTIMATE), 0),
        (f"{' '.join(ESTIMATE)} --json", 0),
        (f"{' '.join(ESTIMATE)} --max-cost 0.0000001", 3),
        ("pricing list --json", 0),
        ("estimate --help", 0),
        ("--help", 0),
        ("--version", 0),
        ("estimate missing.md --json", 2),
    ],
)
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_goes_away_changes_nothing(tmp_path: Path, command: str, code: int, reader: str) -> None:
    heard = shell(f"costkit {command}", tmp_path)
    done = shell(f"costkit {command} 2>errors | ({reader}); exit ${{PIPESTATUS[0]}}", tmp_path)
    assert done.returncode == heard.returncode == code
    assert (tmp_path / "errors").read_text() == heard.stderr


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (f"costkit {' '.join(ESTIMATE)} -q >&-", 1, "can't write the answer: standard output is closed"),
        ("costkit --version >&-", 1, "can't write the answer: standard output is closed"),
        ("costkit estimate - --offline <&-", 2, "standard input is closed"),
        ("costkit estimate --offline <&-", 2, "no input: name a file or a folder, or pipe something in (- is stdin)"),
    ],
)
def test_a_closed_stream_is_an_error_and_no_bug(tmp_path: Path, command: str, code: int, message: str) -> None:
    done = shell(command, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"costkit: {message}\n")


def test_nobody_has_to_listen_on_stderr(tmp_path: Path) -> None:
    done = shell("costkit estimate missing.md --json 2>&-", tmp_path)
    assert (done.returncode, json.loads(done.stdout)["exit"]) == (2, 2)


def test_a_folder_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    done = shell("mkdir gone && cd gone && rmdir ../gone && costkit pricing list", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "costkit: the current folder is gone (change to one that exists)\n"


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_control_c_ends_with_130_and_one_line(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """The program waits for a pipe that stays open; it says so by having read what was written first."""
    waits = (
        "import sys, costkit.adapters.prompts as prompts\n"
        "real = sys.stdin.buffer\n"
        "class Announced:\n"
        "    def read(self):\n"
        "        print('reading', file=sys.stderr, flush=True)\n"
        "        return real.read()\n"
        "class Stdin:\n"
        "    buffer = Announced()\n"
        "    isatty = staticmethod(lambda: False)\n"
        "sys.stdin = Stdin()\n"
        "from costkit.__main__ import run\n"
        "run()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", waits, "estimate", "-", "--offline", *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "reading\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "costkit: interrupted\n")
    assert [json.loads(text)["error"]["code"] for text in ([out] if flags else [])] == ["interrupted"] * len(flags)
    assert bool(out) == bool(flags)
