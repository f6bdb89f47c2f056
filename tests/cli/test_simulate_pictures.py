"""Charts of `costkit simulate`: in the terminal, as SVG and as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

SIZES = ("--prefix-tokens", 10_000, "--fresh-tokens", 200, "--output-tokens", 500, "-m", "claude-opus-5-5")
SVG = "{http://www.w3.org/2000/svg}"
CASES = [
    "--every 60s",
    "--poisson 30/h --reps 20 --growth 700",
    "--every 1s --first-byte 3s",
    "-n 1",
    "-n 2000 -m claude-haiku-5-5",
    "--arrivals gaps.txt",
    "--ttl none",
]


@pytest.fixture
def draw(program: Any, tmp_path: Path, write: Callable[[str, object], Path]) -> Callable[..., ET.Element]:
    """The picture of a simulation, parsed."""
    write("gaps.txt", "0\n60\n400\n")

    def run(*arguments: object) -> ET.Element:
        answer = program("simulate", *SIZES, *arguments, "-o", "picture.svg")
        assert answer.code == 0
        return ET.fromstring((tmp_path / "picture.svg").read_text(encoding="utf-8"))  # noqa: S314  we wrote it

    return run


def words(picture: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


def test_a_chart_in_the_terminal_has_axes_and_a_legend(program: Any) -> None:
    lines = program("simulate", *SIZES, "--chart").out.split("spent so far:\n")[1].split("\n")
    assert lines[0].startswith(" $0.6100 ┤")
    assert lines[11].startswith("      $0 ┤")
    assert re.fullmatch(r" +1 +requests +10", lines[13])
    assert lines[14].strip().split("   ") == ["● 5m", "○ 1h", "▲ none", "△ automatic"]


def test_the_cheapest_line_ends_lowest(program: Any) -> None:
    chart = program("simulate", *SIZES, "--chart").out.split("spent so far:\n")[1].split("\n")[:12]
    last = {line[-1]: number for number, line in enumerate(chart)}
    assert last["△"] < last["▲"] < last["○"] < last["●"]


def test_in_markdown_a_chart_is_a_code_block_and_documents_have_none(program: Any) -> None:
    page = program("simulate", *SIZES, "--chart", "-f", "markdown").out
    assert page.count("```text\nspent so far:\n") == page.count("\n```\n") == 1
    assert "┤" not in program("simulate", *SIZES, "--chart", "-f", "csv").out
    assert "┤" not in program("simulate", *SIZES, "--chart", "--json").out


@pytest.mark.parametrize("arguments", CASES)
def test_a_picture_says_in_words_what_it_shows(draw: Any, arguments: str) -> None:
    picture = draw(*arguments.split())
    assert picture.get("role") == "img"
    title, description = (picture.find(f"{SVG}{name}") for name in ("title", "desc"))
    assert title is not None
    assert "request" in str(title.text)
    assert description is not None
    assert "claude-opus-5-5: best is" in str(description.text)
    assert "US dollars spent so far" in words(picture)
    assert "requests" in words(picture)
    assert "prices of 2026-11-21 (built in)" in words(picture)


def placed(node: ET.Element, x: float = 0, y: float = 0) -> Iterator[tuple[ET.Element, float, float]]:
    """Every element with where its own coordinates begin, in those of the whole picture."""
    for child in node:
        shift = re.match(r"translate\((\S+?)[, ]+(\S+?)\)", child.get("transform", "translate(0, 0)"))
        assert shift is not None
        left, top = x + float(shift[1]), y + float(shift[2])
        inner = (float(child.get("x", 0)), float(child.get("y", 0))) if child.tag == f"{SVG}svg" else (0.0, 0.0)
        yield child, left, top
        yield from placed(child, left + inner[0], top + inner[1])


@pytest.mark.parametrize("arguments", CASES)
def test_nothing_of_a_picture_lies_outside_of_it(draw: Any, arguments: str) -> None:
    picture = draw(*arguments.split())
    _, _, width, height = map(float, str(picture.get("viewBox")).split())
    points = []
    for node, left, top in placed(picture):
        if node.tag == f"{SVG}text":
            points.append((left + float(str(node.get("x"))), top + float(str(node.get("y")))))
        elif node.tag == f"{SVG}path" and str(node.get("class")).startswith("line reactive"):
            ends = re.findall(r"(-?[\d.]+)[ ,](-?[\d.]+)", str(node.get("d")))
            points += [(left + float(x), top + float(y)) for x, y in ends]
    assert len(points) > 10
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)


def test_every_strategy_has_a_line_in_both_charts_and_a_place_in_the_legend(draw: Any) -> None:
    picture = draw()
    groups = [group for group in picture.iter(f"{SVG}g") if str(group.get("class")).startswith("series s")]
    names = sorted(str(group.findtext(f"{SVG}title")) for group in groups if group.find(f"{SVG}path") is not None)
    assert names == sorted(["5m", "1h", "none", "automatic"] * 2)
    assert {"5m", "$0.1760", "1h", "$0.2060", "none", "$0.5080"} <= set(words(picture))


def test_a_picture_needs_nothing_from_elsewhere_and_adapts_to_dark_pages(draw: Any, tmp_path: Path) -> None:
    draw()
    text = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert "<script" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme:dark" in text


def test_lines_differ_without_colour(draw: Any) -> None:
    """Each style but the first has dashes of its own."""
    style = str(draw().findtext(f"{SVG}style"))
    dashes = re.findall(r"\.s\d\{--d:([^}]*)\}", style)
    assert len(dashes) == len(set(dashes)) == 5


def test_the_picture_of_the_readme_is_what_the_program_draws(draw: Any, tmp_path: Path, examples: Path) -> None:
    draw("-n", 40, "--poisson", "20/h", "--as-of", "2026-11-21")
    assert (tmp_path / "picture.svg").read_bytes() == (examples / "caching.svg").read_bytes()


def test_the_answer_goes_to_stdout_beside_the_picture(program: Any, tmp_path: Path) -> None:
    answer = program("simulate", *SIZES, "--json", "-o", "picture.SVG")
    assert answer.document["result"]["models"][0]["best"] == "5m"
    assert (tmp_path / "picture.SVG").read_bytes().startswith(b"<svg")


def test_another_ending_is_the_text_answer(program: Any, tmp_path: Path) -> None:
    answer = program("simulate", *SIZES, "-o", "answer.txt")
    assert (answer.code, answer.out) == (0, "")
    assert (tmp_path / "answer.txt").read_text(encoding="utf-8").startswith("claude-opus-5-5 · 10 requests")


def test_a_page_holds_the_charts_and_the_tables(program: Any, tmp_path: Path) -> None:
    program("simulate", *SIZES, "-o", "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count('<svg class="figure"') == 2
    assert "<h1>claude-opus-5-5 · 10 requests" in page
    assert '<th scope="row" class="name">automatic</th>' in page
    assert "<script" not in page


def test_names_from_files_are_shown_and_not_obeyed(program: Any, tmp_path: Path, write: Any) -> None:
    """A price book may name its source as it likes; the picture's footer shows that."""
    write("<script>.yaml", "schema: costkit/pricing@1\nextends: built-in\nmodels: {}\n")
    answer = program("simulate", *SIZES, "--pricing", "<script>.yaml", "-o", "page.html")
    assert answer.code == 0
    assert "<script>" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_picture_that_cannot_be_written_is_an_error(program: Any) -> None:
    answer = program("simulate", *SIZES, "--json", "-o", "missing/folder/picture.svg")
    assert answer.document["schema"] == "costkit/error@1"
    assert answer.code != 0
