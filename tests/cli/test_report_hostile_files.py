"""Files that would hurt a careless reader: enormous lines, bombs, folders without permission, files that change."""

from __future__ import annotations

import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costkit.adapters.logs import read_logs
from costkit.report import Record, Skipped

MIB = 1 << 20
LESS_THAN_THE_LINE = 400 * MIB
"""Bytes of address space that the program may have."""
NOBODY = 65_534


def response(number: int) -> str:
    """One line of a log."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    return json.dumps({"type": "message", "id": f"m{number}", "model": "claude-opus-5-5", "usage": usage}) + "\n"


def report(*arguments: object) -> tuple[int, Any]:
    """Run the command with little memory; the exit code and the result."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (LESS_THAN_THE_LINE, LESS_THAN_THE_LINE))

    command = [sys.executable, "-m", "costkit", "report", "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)["result"]


def test_a_line_that_is_larger_than_the_memory_costs_only_itself(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(response(1))
    with log.open("ab") as file:
        file.truncate(600 * MIB)  # zeros that take no room on the disk
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + response(2).encode())

    code, result = report(log)

    assert (code, result["total"]["requests"]) == (0, 2)
    assert result["skipped"] == [{"reason": "line-too-long", "count": 1, "examples": [f"{log}:2"]}]


def test_a_compressed_bomb_of_one_line_costs_only_itself(tmp_path: Path) -> None:
    member = gzip.compress(b'{"usage": "' + b"x" * (64 * MIB), 1)
    log = tmp_path / "log.jsonl.gz"
    log.write_bytes(member * 8 + gzip.compress(b"\n" + response(1).encode()))

    code, result = report(log)

    assert (code, result["total"]["requests"]) == (0, 1)
    assert [entry["reason"] for entry in result["skipped"]] == ["line-too-long"]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything; Python's own files must be imported already."""
    me = os.geteuid()
    os.seteuid(NOBODY if me == 0 else me)
    try:
        yield
    finally:
        os.seteuid(me)


def test_what_may_not_be_read_in_a_tree_is_named_and_the_rest_goes_on(program: Any, tmp_path: Path) -> None:
    for name in ("a/1.jsonl", "b/2.jsonl", "c/3.jsonl", "c/4.jsonl"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(response(int(name[2])))
    program("report", "tree", "--json")  # everything that the program needs is imported
    tmp_path.chmod(0o755)
    (tmp_path / "tree/b").chmod(0)
    (tmp_path / "tree/c/3.jsonl").chmod(0)
    with as_nobody():
        quiet = program("report", "tree", "--json")
        strict = program("report", "tree", "--json", "--strict")
        named = program("report", "tree/b/2.jsonl")
    (tmp_path / "tree/b").chmod(0o755)

    result = quiet.document["result"]
    assert (quiet.code, strict.code, result["total"]["requests"]) == (0, 4, 2)
    assert (named.code, named.err) == (2, "costkit: tree/b/2.jsonl: can't be read: permission denied\n")
    assert result["skipped"] == [
        {"reason": "unreadable: permission denied", "count": 2, "examples": ["tree/b", "tree/c/3.jsonl"]}
    ]


MANY = 60_000


def _read_while(log: Path, change: Callable[[], object]) -> tuple[int, set[str]]:
    """Read a log of many lines that changes after the first read; the responses found and the reasons for skipping."""
    log.write_text("".join(map(response, range(MANY))))
    changes = [change]

    def progress(_done: int, _whole: int | None) -> None:
        for then in changes[:1]:
            changes.clear()
            then()

    items = list(read_logs([str(log)], progress=progress))
    assert not changes
    return sum(isinstance(item, Record) for item in items), {item.reason for item in items if isinstance(item, Skipped)}


def test_a_log_that_is_still_written_to_is_read_to_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"

    def grow() -> None:
        with log.open("a") as file:
            file.write(response(MANY) + response(MANY + 1)[:-9])

    assert _read_while(log, grow) == (MANY + 1, {"torn-last-line"})


def test_a_log_that_is_cut_off_while_it_is_read_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"

    found, reasons = _read_while(log, lambda: os.truncate(log, 3 * MIB + 7))

    assert 0 < found < MANY
    assert reasons == {"torn-last-line"}


def test_a_log_that_is_removed_while_it_is_read_is_read_whole(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"

    assert _read_while(log, log.unlink) == (MANY, set())
