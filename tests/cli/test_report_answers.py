"""What `costkit report` says where a quiet $0.00 would mislead, and what programs read in its rows."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]


def response(number: int, model: str = "claude-opus-5-5", at: str = "2026-11-10T12:00:00Z", **more: Any) -> str:
    """One line of a log: a response of 1,000,000 tokens of output."""
    usage = {"input_tokens": 0, "output_tokens": 1_000_000}
    message = {"type": "message", "id": f"msg_{number}", "model": model, "usage": usage} | more
    return json.dumps({"timestamp": at, "message": message}) + "\n"


STRANGERS: dict[str, object] = {
    "an empty object": {},
    "batch requests": json.dumps({"custom_id": "a", "params": {"model": "claude-opus-5-5"}}) + "\n",
    "another provider": {"id": "x", "object": "chat.completion", "usage": {"prompt_tokens": 5, "total_tokens": 6}},
    "a list under a name": {"responses": [json.loads(response(1))]},
}


@pytest.mark.parametrize("content", STRANGERS.values(), ids=STRANGERS)
def test_a_file_of_something_else_is_not_a_log_that_cost_nothing(program: Any, write: Write, content: object) -> None:
    write("a.json", content)

    table = program("report", "a.json")
    answer = program("report", "a.json", "--json")

    assert "1 document read, none of them a bill" in table.out
    assert (answer.code, answer.warnings) == (0, ["nothing-recognised"])
    assert program("report", "a.json", "--max-cost", "1").code == 5


def test_a_log_beside_something_else_is_judged(program: Any, write: Write) -> None:
    write("a.json", {})
    write("b.jsonl", response(1))

    answer = program("report", ".", "--json", "--max-cost", "20")

    assert (answer.code, answer.warnings) == (0, [])


def test_a_model_is_found_in_another_spelling_and_a_wrong_one_is_answered(program: Any, write: Write) -> None:
    write("a.jsonl", response(1))

    found = program("report", "a.jsonl", "--json", "--model", "claude-opus-5.5")
    missed = program("report", "a.jsonl", "--model", "claude-opus-5-6")

    assert found.document["result"]["total"]["cost_usd"] == "20"
    assert "! no model matches 'claude-opus-5-6': the log has claude-opus-5-5\n" in missed.err


def test_a_refusal_is_mentioned_with_the_page_that_explains_its_bill(program: Any, write: Write) -> None:
    write("a.jsonl", response(1, stop_reason="refusal") + response(2, stop_reason="end_turn"))

    answer = program("report", "a.jsonl")

    assert "1 response with stop_reason refusal" in answer.err
    assert "https://platform.claude.com/docs/" in answer.err


def test_what_has_no_price_is_a_row_with_a_status_in_csv(program: Any, write: Write) -> None:
    write("a.jsonl", response(1) + response(2, "gpt-x") + response(3, at="no time"))

    rows = list(csv.DictReader(io.StringIO(program("report", "a.jsonl", "--by", "day", "-f", "csv").out)))

    assert [(row["day"], row["status"], row["unpriced_model"], row["cost_usd"]) for row in rows] == [
        ("2026-11-10", "priced", "", "20"),
        ("", "priced", "", "20"),
        ("", "unpriced", "gpt-x", ""),
    ]


def test_people_still_read_why_a_name_is_missing(program: Any, write: Write) -> None:
    write("a.jsonl", response(1) + response(2, "gpt-x") + response(3, at="no time"))

    out = program("report", "a.jsonl", "--by", "day").out

    assert "(not in the log)" in out
    assert "(unpriced: gpt-x)" in out
    assert out.startswith("at least $40.00 · 2 requests · 1 unpriced request · ")


def test_the_rest_of_the_rows_says_how_many_they_are(program: Any, write: Write) -> None:
    write("a.jsonl", "".join(response(day, at=f"2026-11-1{day}T00:00:00Z") for day in range(4)))
    ask = ("report", "a.jsonl", "--by", "day", "--top", "1")

    in_csv = list(csv.DictReader(io.StringIO(program(*ask, "-f", "csv").out)))
    in_json = program(*ask, "--json").document["result"]["rows"]

    assert [(row["day"], row["folded"]) for row in in_csv] == [("2026-11-10", "0"), ("other", "3")]
    assert [(row["day"], row["folded"]) for row in in_json] == [("2026-11-10", 0), ("other", 3)]
    assert "(3 others)" in program(*ask).out


def test_two_amounts_that_round_alike_are_shown_apart(program: Any, write: Write) -> None:
    write("a.jsonl", response(1, usage={"input_tokens": 1, "output_tokens": 1_000_000}))

    answer = program("report", "a.jsonl", "--max-cost", "20")

    assert answer.code == 3
    assert answer.err.splitlines()[0] == "costkit: $20.000004 is over --max-cost $20.000000"


@pytest.mark.parametrize(
    ("logs", "named"), [(("a b.jsonl",), "'a b.jsonl'"), (("a b.jsonl", "c.jsonl"), "LOG"), (("-",), "LOG")]
)
def test_the_next_command_is_named_for_people(program: Any, write: Write, logs: tuple[str, ...], named: str) -> None:
    for name in ("a b.jsonl", "c.jsonl"):
        write(name, response(1))

    answer = program("report", *logs, stdin=response(1))

    assert answer.err.splitlines()[-1] == f"costkit advise {named}   shows what would have been cheaper"
    assert "advise" not in program("report", *logs, "--json", stdin=response(1)).err


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty-file"), (b"\0\1\2" * 500, "binary-file")])
def test_a_file_that_is_skipped_is_called_a_file(program: Any, write: Write, content: bytes, reason: str) -> None:
    write("a.jsonl", content)

    assert f"1 file skipped ({reason}: a.jsonl)" in program("report", "a.jsonl").out


def test_the_days_of_the_headline_are_those_of_the_rows(program: Any, write: Write) -> None:
    write("a.jsonl", response(1, at="2026-11-20T23:30:00Z"))

    out = program("report", "a.jsonl", "--by", "day", "--tz", "Asia/Seoul").out

    assert "21 Nov 2026" in out
    assert "2026-11-21" in out


def test_a_last_line_that_is_still_being_written_is_said_and_forgiven(program: Any, write: Write) -> None:
    write("a.jsonl", response(1) + response(2)[:40])

    answer = program("report", "a.jsonl", "--json", "--strict")

    assert answer.code == 0
    assert answer.document["result"]["skipped"] == [
        {"reason": "torn-last-line", "count": 1, "examples": ["a.jsonl:2"]}
    ]  # fmt: skip
    assert "1 line skipped (torn-last-line: a.jsonl:2)" in program("report", "a.jsonl").out


@pytest.mark.parametrize("end", [b"\n", b"plain words", b'{"usage": 017}'])
def test_any_other_defect_at_the_end_fails_a_strict_run(program: Any, write: Write, end: bytes) -> None:
    torn = response(2)[:40].encode() * (end == b"\n")
    write("a.jsonl", response(1).encode() + torn + end)

    assert program("report", "a.jsonl", "--strict").code == 4


@pytest.mark.parametrize(
    ("text", "hint"), [("key:", "key:metadata.user_id"), ("tag:", "tag:team"), ("key:..", "key:m")]
)
def test_a_dimension_without_a_name_is_answered_with_an_example(program: Any, text: str, hint: str) -> None:
    answer = program("report", "-", "--by", text)

    assert answer.code == 2
    assert hint in answer.err


@pytest.mark.parametrize("each", ["table", "json", "csv", "markdown"])
def test_a_dimension_with_control_characters_is_harmless(program: Any, write: Write, each: str) -> None:
    write("a.jsonl", response(1))

    answer = program("report", "a.jsonl", "--by", "key:\x1b[31m", "-f", each)

    assert answer.code == 0
    assert "\x1b" not in answer.out + answer.err


def test_a_second_currency_is_in_markdown_too(program: Any, write: Write) -> None:
    write("a.jsonl", response(1))

    assert "28,600.00" in program("report", "a.jsonl", "--also", "KRW=1430", "-f", "markdown").out


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("command", ["report a.jsonl", "pricing list", "pricing show claude-haiku-5-5"])
def test_no_row_is_wider_than_the_terminal(tmp_path: Path, write: Write, command: str, columns: int) -> None:
    write(
        "a.jsonl", "".join(response(number, f"claude-{name}") for number, name in enumerate(("opus-5-5", "haiku-5-5")))
    )

    shown = _on_a_terminal(tmp_path, command.split(), columns)

    header = next(number for number, line in enumerate(shown) if line.startswith((" model", " price")))
    table = [line for line in shown[header:] if line.startswith(" ")]
    assert len(table) > 2
    assert max(map(len, table)) <= columns
    assert any("columns hidden" in line or "column hidden" in line for line in shown)


def _on_a_terminal(folder: Path, words: list[str], columns: int) -> list[str]:
    main, side = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "costkit", *words]
    with subprocess.Popen(command, stdout=side, stderr=subprocess.PIPE, cwd=folder, env=environ) as process:
        os.close(side)
        seen = b""
        for chunk in iter(lambda: _read(main), b""):
            seen += chunk
    os.close(main)
    assert process.returncode == 0
    return seen.decode().replace("\r", "").splitlines()


def _read(terminal: int) -> bytes:
    """What the terminal shows next; nothing once the program has ended."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
