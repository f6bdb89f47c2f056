"""The pages of report, simulate and advise, as a browser shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from looking import DESK, PHONE, assert_looks_right, assert_readable_by_all, browse, needs_browser, printed

Write = Callable[[str, object], Path]
ODD = "<script>alert(1)</script>"
MODELS = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-gone-9", "claude-opus-4-1"]
COMMANDS = {
    "report": ("report", "log.jsonl"),
    "report by day and session": ("report", "log.jsonl", "--by", "day,session"),
    "report of a minute": ("report", "short.jsonl"),
    "report without times": ("report", "timeless.jsonl"),
    "report of nothing": ("report", "nothing.jsonl"),
    "simulate": ("simulate", "--prefix-tokens", 9_000, "--output-tokens", 500, "--poisson", "30/h", "--reps", 20),
    "simulate many": ("simulate", "--prefix-tokens", 9_000, "-n", 10_000, "--poisson", "30/h", "--reps", 2),
    "simulate request by request": ("simulate", "--prefix-tokens", 9_000, "--output-tokens", 5, "--per-repeat"),
    "advise": ("advise", "log.jsonl", "--offline"),
}


def logged(number: int, **more: Any) -> str:
    usage = {
        "input_tokens": 900 * number,
        "cache_creation_input_tokens": 5_000,
        "cache_read_input_tokens": 700 * number,
        "output_tokens": 300,
        "server_tool_use": {"web_search_requests": number % 2},
    }
    model = MODELS[number % len(MODELS)]
    message = {"type": "message", "id": f"m{number}", "model": model, "usage": usage}
    moment = f"2026-11-{1 + number % 28:02}T12:{number % 60:02}:00Z"
    return json.dumps({"timestamp": moment, "sessionId": ODD, "message": message, **more}) + "\n"


@pytest.fixture(params=COMMANDS)
def page(program: Any, write: Write, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A page of each kind, over a log with many models, odd names, a torn line and a line of something else."""
    write("log.jsonl", "".join(map(logged, range(90))) + '{"a": 1}\n' + '{"torn')
    write("short.jsonl", logged(1))
    write("timeless.jsonl", logged(1, timestamp=None))
    write("nothing.jsonl", "")
    arguments = COMMANDS[request.param]
    assert program(*arguments, "-q", "-o", "page.html").code == 0
    return tmp_path / "page.html"


def test_a_page_needs_nothing_else_and_says_what_its_parts_are(page: Path) -> None:
    assert_readable_by_all(page)


@needs_browser
@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (DESK, False)])
def test_a_browser_shows_a_page_without_a_complaint(page: Path, tmp_path: Path, width: int, dark: Any) -> None:
    assert_looks_right(page, tmp_path, width=width, dark=dark)


@needs_browser
@pytest.mark.parametrize("page", ["report", "simulate", "advise"], indirect=True)
@pytest.mark.parametrize(("width", "dark"), [(PHONE, False), (DESK, True)])
def test_a_page_is_right_in_the_other_light_as_well(page: Path, tmp_path: Path, width: int, dark: Any) -> None:
    assert_looks_right(page, tmp_path, width=width, dark=dark)


@needs_browser
@pytest.mark.parametrize("page", ["report", "simulate", "advise"], indirect=True)
def test_a_page_can_be_printed(page: Path, tmp_path: Path) -> None:
    paper = printed(page, tmp_path)
    assert paper.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) in range(1, 12)


@needs_browser
def test_a_complaint_of_the_browser_would_be_seen(tmp_path: Path) -> None:
    """Without this, the silence of the console would prove nothing."""
    assert "CONSOLE" in browse("<script>nowhere()</script>", tmp_path).stderr


@needs_browser
@pytest.mark.parametrize(
    "flaw",
    [
        '<p style="width:2000px">wide</p>',
        '<p style="color:#999;background:#fff">faint</p>',
        '<h2 style="display:none">hidden</h2>',
        '<svg class="figure" width="10" height="10" viewBox="0 0 100 100"><text y="50">small</text></svg>',
        '<svg class="figure" width="50" height="50" viewBox="0 0 50 50"><text x="30" y="30">a long title</text></svg>',
    ],
)
def test_a_flaw_of_a_page_would_be_seen(tmp_path: Path, flaw: str) -> None:
    bad = tmp_path / "bad.html"
    start = "<!doctype html><body style='background:#fff;color:#000'>"
    bad.write_text(start, encoding="utf-8")
    assert_looks_right(bad, tmp_path, width=PHONE, dark=False)
    bad.write_text(start + flaw, encoding="utf-8")
    with pytest.raises(AssertionError):
        assert_looks_right(bad, tmp_path, width=PHONE, dark=False)
