"""`costkit report` as a program: what it reads, what it skips, what it judges."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]


def response(number: int, model: str = "claude-opus-5-5", day: int = 10, **more: Any) -> dict[str, Any]:
    """One response of 1,000,000 tokens of output: $20 on claude-opus-5-5, $0.50 on claude-haiku-5-5."""
    usage = {"input_tokens": 0, "output_tokens": 1_000_000} | more
    message = {"type": "message", "role": "assistant", "id": f"msg_{number}", "model": model, "usage": usage}
    return {"timestamp": f"2026-11-{day:02}T12:00:00Z", "message": message}


def log(*responses: dict[str, Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in responses)


@pytest.fixture
def report(program: Any) -> Callable[..., Any]:
    """`costkit report --json` with more arguments."""

    def run(*arguments: object, **more: Any) -> Any:
        return program("report", "--json", *arguments, **more)

    return run


def costs(answer: Any, by: str = "model") -> dict[str, str]:
    return {row[by]: row["cost_usd"] for row in answer.document["result"]["rows"]}


def test_rows_add_up_to_the_total(report: Any, write: Write) -> None:
    write("a.jsonl", log(response(1), response(2, "claude-haiku-5-5"), response(3, service_tier="batch")))
    answer = report("a.jsonl")
    total = answer.document["result"]["total"]
    assert costs(answer) == {"claude-opus-5-5": "30", "claude-haiku-5-5": "0.5"}
    assert (total["cost_usd"], total["requests"], total["complete"]) == ("30.5", 3, True)
    assert total["saved_by_batch_usd"] == "10"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", log(response(1), response(2))),
        ("a.json", [response(1), response(2)]),
        ("a.json", json.dumps([response(1)["message"], response(2)["message"]], indent=2)),
        ("a.jsonl.gz", gzip.compress(log(response(1), response(2)).encode())),
        ("a.log", log(response(1), response(2), response(1))),
    ],
)
@pytest.mark.parametrize("how", ["{name}", ".", "a*", "-"])
def test_logs_come_as_files_folders_patterns_and_pipes(
    report: Any, write: Write, name: str, content: object, how: str
) -> None:
    data = write(name, content).read_bytes()
    assert costs(report(how.format(name=name), stdin=data)) == {"claude-opus-5-5": "40"}


def test_a_response_that_was_logged_twice_counts_once(report: Any, write: Write) -> None:
    write("a.jsonl", log(response(1), response(1)))
    write("b.jsonl", log(response(1)))
    result = report("a.jsonl", "b.jsonl").document["result"]
    assert (result["total"]["cost_usd"], result["duplicates"]) == ("20", 2)
    assert report("a.jsonl", "b.jsonl", "--dedupe", "none").document["result"]["total"]["cost_usd"] == "60"


def test_an_unknown_model_is_unpriced_and_never_free(report: Any, write: Write) -> None:
    write("a.jsonl", log(response(1), response(2, "gpt-x")))
    answer = report("a.jsonl")
    result = answer.document["result"]
    assert (answer.code, result["total"]["cost_usd"], result["total"]["complete"]) == (0, "20", False)
    assert [(each["model"], each["cost_usd"]) for each in result["unpriced"]] == [("gpt-x", None)]
    assert "unpriced" in answer.warnings


@pytest.mark.parametrize(
    ("models", "flags", "code"),
    [
        (("claude-opus-5-5",), "--max-cost 20", 0),
        (("claude-opus-5-5",), "--max-cost 19.99", 3),
        (("claude-opus-5-5", "gpt-x"), "--max-cost 1000", 5),
        (("claude-opus-5-5", "gpt-x"), "--max-cost 1", 5),
        (("claude-opus-5-5", "gpt-x"), "--strict", 5),
        (("claude-opus-5-5",), "--strict", 0),
    ],
)
def test_a_limit_is_judged_after_the_answer(
    report: Any, write: Write, models: tuple[str, ...], flags: str, code: int
) -> None:
    write("a.jsonl", log(*(response(number, model) for number, model in enumerate(models))))
    answer = report("a.jsonl", *flags.split())
    assert answer.code == answer.document["exit"] == code


BROKEN: dict[str, bytes] = {
    "a torn line": b'{"message": {"usage": \n',
    "a number": b'{"message": 17, "type": "message", "usage": 17}\n',
    "a negative count": log(response(9, output_tokens=-1)).encode(),
    "a fraction": log(response(9, output_tokens=1.5)).encode(),
    "a word for a count": log(response(9, output_tokens="many")).encode(),
    "an absurd count": log(response(9, output_tokens=10**30)).encode(),
    "deep lists": b"[" * 10_000 + b"]" * 10_000 + b"\n",
    "bytes that are no text": b'["\xff\xfe"]\n',
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_used_is_counted_with_its_place(report: Any, write: Write, line: bytes) -> None:
    write("a.jsonl", log(response(1)).encode() + line + log(response(2)).encode())
    answer, strict = report("a.jsonl"), report("a.jsonl", "--strict")
    (skipped,) = answer.document["result"]["skipped"]
    assert (skipped["count"], skipped["examples"]) == (1, ["a.jsonl:2"])
    assert costs(answer) == {"claude-opus-5-5": "40"}
    assert (answer.code, strict.code) == (0, 4)
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("content", [b"", b"\0\1\2" * 500])
def test_a_file_without_a_log_is_named(report: Any, write: Write, content: bytes) -> None:
    write("a.jsonl", content)
    write("b.jsonl", log(response(1)))
    result = report("a.jsonl", "b.jsonl").document["result"]
    assert [each["examples"] for each in result["skipped"]] == [["a.jsonl"]]
    assert result["total"]["cost_usd"] == "20"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("missing.jsonl", "missing.jsonl: "),
        ("nothing*.jsonl", "nothing*.jsonl: no file matches this pattern"),
        ("empty", "empty: no log in this folder"),
        ("a.jsonl --by colour", "unknown dimension 'colour' in --by"),
        ("a.jsonl --since yesterday", "--since 'yesterday' is not a date"),
        ("a.jsonl --since 2026-11-12 --until 2026-11-10", "--since must come before --until"),
        ("a.jsonl --tz Moon/Base", "unknown time zone 'Moon/Base'"),
        ("a.jsonl --dedupe twice", "unknown way to dedupe 'twice'"),
        ("a.jsonl --top 0", "--top"),
        ("a.jsonl --max-cost lots", "--max-cost 'lots' is not an amount"),
    ],
)
def test_a_question_that_makes_no_sense(report: Any, write: Write, tmp_path: Path, words: str, message: str) -> None:
    write("a.jsonl", log(response(1)))
    (tmp_path / "empty").mkdir()
    answer = report(*words.split())
    assert answer.code == answer.document["exit"] == 2
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_days_are_cut_where_the_zone_cuts_them(report: Any, write: Write) -> None:
    write("a.jsonl", log(response(1, day=10) | {"timestamp": "2026-11-10T23:30:00Z"}))
    assert list(costs(report("a.jsonl", "--by", "day"), "day")) == ["2026-11-10"]
    assert list(costs(report("a.jsonl", "--by", "day", "--tz", "Asia/Seoul"), "day")) == ["2026-11-11"]


def test_the_smaller_rows_become_one(report: Any, write: Write) -> None:
    write("a.jsonl", log(response(1, day=10), response(2, day=11), response(3, day=11), response(4, day=12)))
    answer = report("a.jsonl", "--by", "day", "--top", "1")
    assert costs(answer, "day") == {"2026-11-11": "40", "other": "40"}


NASTY = ("\x1b[31mred\x1b[0m", "\x9b31m", "[red]x[/red]", "=cmd|' /C calc'!A1", "@SUM(1)", "two\nlines", "\u202eexe")


@pytest.mark.parametrize("name", NASTY, ids=ascii)
@pytest.mark.parametrize("each", ["table", "json", "csv", "markdown"])
def test_names_from_a_log_are_harmless(program: Any, write: Write, name: str, each: str) -> None:
    write("a.jsonl", log(response(1, name), response(2) | {"sessionId": name}))
    answer = program("report", "a.jsonl", "--by", "model,session", "-f", each)
    assert answer.code == 0
    assert not {"\x1b", "\x9b", "\u202e"} & set(answer.out + answer.err)
    assert all(line.startswith(("! ", "costkit ")) for line in answer.err.splitlines())


def test_no_cell_of_a_report_starts_a_formula(program: Any, write: Write) -> None:
    write("a.jsonl", log(response(1, "=1+1"), response(2, "@SUM(1)")))
    rows = list(csv.DictReader(io.StringIO(program("report", "a.jsonl", "-f", "csv").out)))
    assert sorted(row["model"] for row in rows) == ["'=1+1", "'@SUM(1)"]
    assert {row["cost_usd"] for row in rows} == {""}
