"""Charts of `costkit report`: in the terminal, as SVG and as HTML."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

Write = Callable[[str, object], Path]
SVG = "{http://www.w3.org/2000/svg}"


def logged(number: int, output: int, session: str) -> str:
    usage = {"input_tokens": 0, "output_tokens": output}
    message = {"type": "message", "id": f"m{number}", "model": "claude-opus-5-5", "usage": usage}
    return json.dumps({"timestamp": "2026-11-10T12:00:00Z", "sessionId": session, "message": message}) + "\n"


@pytest.fixture
def log(write: Write) -> str:
    write("a.jsonl", logged(1, 1_000_000, "s1") + logged(2, 250_000, "<b>&amp") + logged(3, 1, "s3"))
    return "a.jsonl"


def test_a_bar_is_as_long_as_its_cost_and_never_nothing(program: Any, log: str) -> None:
    out = program("report", log, "--by", "session", "--chart", "-q").out

    bars = {line.split()[0]: line.count("█") for line in out.splitlines() if "█" in line}
    assert bars == {"s1": 48, "<b>&amp": 12}
    assert " s3      ▏ $0.00002\n" in out


def test_rows_that_were_folded_are_one_bar(program: Any, log: str) -> None:
    out = program("report", log, "--by", "session,model", "--top", "1", "--chart", "-q").out

    assert " s1 · claude-opus-5-5 ████" in out
    assert " (2 others)           ████" in out


def test_no_chart_without_rows_and_none_in_documents(program: Any, write: Write, log: str) -> None:
    write("empty.jsonl", "{}\n")

    assert "█" not in program("report", "empty.jsonl", "--chart").out
    assert "█" not in program("report", log, "--chart", "-f", "csv").out
    assert "█" not in program("report", log, "--chart", "--json").out


def test_a_picture_has_a_bar_for_each_row_and_says_in_words_what_it_shows(
    program: Any, tmp_path: Path, log: str
) -> None:
    answer = program("report", log, "--by", "session", "-o", "spent.svg")

    picture = ET.fromstring((tmp_path / "spent.svg").read_text(encoding="utf-8"))  # noqa: S314  we wrote it
    words = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    widths = [float(line.get("x2", 0)) - float(line.get("x1", 0)) for line in picture.iter(f"{SVG}line")]
    title, description = (picture.findtext(f"{SVG}{name}") for name in ("title", "desc"))
    assert answer.out.startswith("$25.00 · 3 requests")
    assert title == answer.out.split("\n")[0]
    assert description == "s1 $20.00; <b>&amp $5.00; s3 $0.00002"
    assert {"s1", "<b>&amp", "$5.00", "US dollars by session"} <= set(words)
    assert widths == [530, 132.5, 0]


def test_a_page_holds_picture_and_table_and_runs_nothing(program: Any, tmp_path: Path, log: str) -> None:
    answer = program("report", log, "--by", "session", "--json", "-o", "spent.HTML")

    page = (tmp_path / "spent.HTML").read_text(encoding="utf-8")
    assert answer.document["result"]["total"]["cost_usd"] == "25.00002"
    assert page.count("<svg ") == page.count("<pre>$25.00 · 3 requests") == 1
    assert "&lt;b&gt;&amp;amp" in page
    assert "<script" not in page
    assert "<b>" not in page


def test_of_many_rows_the_dearest_are_drawn(program: Any, tmp_path: Path, write: Write) -> None:
    write("a.jsonl", "".join(logged(number, number, f"s{number}") for number in range(1, 81)))

    program("report", "a.jsonl", "--by", "session", "-o", "many.svg")

    picture = ET.fromstring((tmp_path / "many.svg").read_text(encoding="utf-8"))  # noqa: S314  we wrote it
    words = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    assert "US dollars by session, the dearest 60 of 80" in words
    assert {"s80", "s21"} <= set(words)
    assert "s20" not in words
