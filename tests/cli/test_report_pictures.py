"""Charts of `costkit report`: in the terminal, as SVG and as HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from costkit.render.bars import Layer, bar_chart

Write = Callable[[str, object], Path]
SVG = "{http://www.w3.org/2000/svg}"


def logged(number: int, output: int, session: str = "s", *, model: str = "claude-opus-5-5", day: int = 10) -> str:
    usage = {"input_tokens": 0, "output_tokens": output}
    message = {"type": "message", "id": f"m{number}", "model": model, "usage": usage}
    return json.dumps({"timestamp": f"2026-11-{day}T12:00:00Z", "sessionId": session, "message": message}) + "\n"


def chart_of(out: str) -> list[str]:
    """The lines of the chart below its title."""
    lines = out.split(" and model:\n")[1].split("\n")
    last = max(number for number, line in enumerate(lines) if line.startswith(" "))
    return lines[: last + 1]


@pytest.fixture
def log(write: Write) -> str:
    write("a.jsonl", logged(1, 1_000_000, "s1") + logged(2, 250_000, "<b>&amp") + logged(3, 1, "s3"))
    return "a.jsonl"


def test_a_bar_is_as_long_as_its_cost_and_never_nothing(program: Any, write: Write) -> None:
    write("a.jsonl", logged(1, 1_000_000, day=10) + logged(2, 250_000, day=11) + logged(3, 1, day=13))
    lines = chart_of(program("report", "a.jsonl", "--chart", "-q").out)

    assert [(line.split()[0], line.count("█"), line.split()[-1]) for line in lines[:-1]] == [
        ("2026-11-10", 99, "$20.00"),
        ("2026-11-11", 25, "$5.00"),
        ("2026-11-12", 0, "2026-11-12"),
        ("2026-11-13", 1, "$0.00002"),
    ]
    assert lines[-1] == " █ claude-opus-5-5"


def test_models_are_told_apart_without_colour_and_the_last_stands_for_the_rest(program: Any, write: Write) -> None:
    names = ["fable-5-1", "opus-5-5", "opus-4-1", "sonnet-5-5", "haiku-5-5", "haiku-4-5", "sonnet-4-5"]
    write("a.jsonl", "".join(logged(number, 9, model=f"claude-{name}") for number, name in enumerate(names)))
    lines = chart_of(program("report", "a.jsonl", "--chart", "-q").out)

    assert {mark for line in lines for mark in line} >= set("█▒▓░▚▞")
    assert lines[-1].count("claude-") == 5
    assert lines[-1].endswith("▞ 2 other models")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("plain", [True, False])
def test_a_chart_fits_the_width_that_there_is(width: int, *, plain: bool) -> None:
    amounts = [Decimal(number) ** 5 / 7 for number in range(40)]
    layers = [Layer(f"claude-model-{name}", amounts) for name in "abcdef"]
    labels = [f"2026-11-{number:02}" for number in range(40)]
    lines = bar_chart("US dollars by day and model:", labels, layers, width=width, plain=plain)

    assert max(map(len, lines)) <= width
    assert max(map(len, lines)) > min(width, 100) - 12
    assert not plain or "".join(lines).isascii()


def test_no_chart_without_times_and_none_in_documents(program: Any, write: Write, log: str) -> None:
    write("empty.jsonl", "{}\n")
    write("timeless.jsonl", logged(1, 5).replace("timestamp", "no-time"))

    assert "█" not in program("report", "empty.jsonl", "--chart").out
    assert "█" not in program("report", "timeless.jsonl", "--chart").out
    assert "█" not in program("report", log, "--chart", "-f", "csv").out
    assert "█" not in program("report", log, "--chart", "--json").out


def test_a_picture_says_in_words_what_it_shows(program: Any, tmp_path: Path, write: Write) -> None:
    write("a.jsonl", logged(1, 1_000_000, day=10) + logged(2, 250_000, day=12))
    answer = program("report", "a.jsonl", "-o", "spent.svg")

    picture = ET.fromstring((tmp_path / "spent.svg").read_text(encoding="utf-8"))  # noqa: S314  we wrote it
    words = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    title, description = (picture.findtext(f"{SVG}{name}") for name in ("title", "desc"))
    assert answer.out.startswith("$25.00 · 2 requests")
    assert title == answer.out.split("\n")[0]
    days = "2026-11-10 $20.00; 2026-11-11 $0.00; 2026-11-12 $5.00"
    assert str(description).startswith(f"claude-opus-5-5 $25.00. {days}. output: 100")
    assert {"US dollars by day and model", "cache hit rate by day", "share by kind of token"} <= set(words)
    assert {"claude-opus-5-5", "$25.00", "10 Nov", "12 Nov"} <= set(words)


def test_one_window_alone_is_no_course_of_time(program: Any, tmp_path: Path, log: str) -> None:
    program("report", log, "-o", "spent.svg")

    picture = (tmp_path / "spent.svg").read_text(encoding="utf-8")
    assert "US dollars by hour" not in picture
    assert "share by kind of token" in picture


def test_a_page_holds_charts_and_tables_and_runs_nothing(program: Any, tmp_path: Path, log: str) -> None:
    answer = program("report", log, "--by", "session", "--json", "-o", "spent.HTML")

    page = (tmp_path / "spent.HTML").read_text(encoding="utf-8")
    assert answer.document["result"]["total"]["cost_usd"] == "25.00002"
    assert page.count('class="figure"') == 1
    assert page.count("<table") == 4
    assert "&lt;b&gt;&amp;amp" in page
    assert "<script" not in page
    assert "<b>&" not in page


def test_a_page_names_the_dearest_responses_and_where_they_are(program: Any, tmp_path: Path, write: Write) -> None:
    write("a.jsonl", "".join(logged(number, number) for number in range(1, 81)))

    program("report", "a.jsonl", "-o", "many.html")

    page = (tmp_path / "many.html").read_text(encoding="utf-8")
    section = page.split("The 20 dearest responses")[1].split("</table>")[0]
    assert re.findall(r"a\.jsonl:\d+", section) == [f"a.jsonl:{line}" for line in range(80, 60, -1)]
    assert section.count("2026-11-10 12:00:00") == 20
    assert '<th scope="row">$0.0016</th>' in section


def test_of_very_many_rows_a_page_has_the_dearest(program: Any, tmp_path: Path, write: Write) -> None:
    sessions = [logged(number, number, f"s{number:03}") for number in range(1, 301)]
    write("a.jsonl", "".join(sessions) + logged(301, 1, "gone", model="claude-gone-9"))

    program("report", "a.jsonl", "--by", "session", "-o", "many.html")

    page = (tmp_path / "many.html").read_text(encoding="utf-8").split("By session</h2>")[1].split("<h2>")[0]
    assert re.findall(r">(s\d+)</th>", page) == [f"s{number:03}" for number in range(300, 102, -1)]
    assert "(unpriced: claude-gone-9)" in page
    assert "total of the priced" in page
    assert "the dearest 200 of 300 rows" in page


def test_a_page_shows_how_good_the_data_are(program: Any, tmp_path: Path, write: Write) -> None:
    write("a.jsonl", logged(1, 5) * 3 + "{}\n" + "nonsense\n" + logged(2, 5, model="claude-gone-9") + '{"torn')

    program("report", "a.jsonl", "-o", "page.html")

    page = (tmp_path / "page.html").read_text(encoding="utf-8").split("Data quality</h2>")[1]
    for what, count in {
        "documents without a bill": 1,
        "duplicate lines, counted once": 2,
        "requests without a price": 1,
        "tokens without a price": 5,
    }.items():
        assert re.search(rf">{what}</th><td>{count}</td>", page)
    assert "a.jsonl:5" in page


def test_a_page_shows_the_budgets_as_well(program: Any, tmp_path: Path, log: str) -> None:
    program("budget", "set", "team", "--limit", "50")
    program("report", log, "--budgets", "-o", "page.html")

    assert ">team</th>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_picture_of_the_readme_is_what_the_program_draws(program: Any, tmp_path: Path, examples: Path) -> None:
    program("report", examples / "usage.jsonl", "--as-of", "2026-11-21", "-o", "spent.svg")
    assert (tmp_path / "spent.svg").read_bytes() == (examples / "spent.svg").read_bytes()
