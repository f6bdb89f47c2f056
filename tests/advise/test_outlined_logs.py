"""A log that has the outlines of requests is as good as one with their text, but for what only the text shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advise_logs import advice_of, answered, codes, finding
from cache_requests import MARK, body, text

from costkit.cache.outline import outline_of
from costkit.core.request import parse_request
from costkit.core.response import read_usage


def outlined(line: dict[str, Any]) -> dict[str, Any]:
    """The line that costkit's own log would have for a request and its response."""
    request = parse_request(line["request"])
    message = line["response"]
    outline = outline_of(request).as_json(read_usage(message["usage"]))
    return {"ts": line["ts"], **{name: message[name] for name in ("id", "model", "usage", "stop_reason")}, **outline}


def lines_with(mark: object) -> list[dict[str, Any]]:
    """Ten requests with the same 10,000 tokens of rules, billed as plain input."""
    rules = "10000 tokens of rules " * 1_000
    bodies = [body(f"200 tokens of question {n:04} " * 20, system=[text(rules, mark)]) for n in range(10)]
    return [answered(60 * n, n, asked, input=10_200, output=10) for n, asked in enumerate(bodies)]


def test_outlines_show_the_same_prefixes_as_the_requests(tmp_path: Path) -> None:
    whole = advice_of(tmp_path, lines_with(None))
    short = advice_of(tmp_path, [outlined(line) for line in lines_with(None)])
    assert codes(short) == codes(whole)
    assert short.spent_usd == whole.spent_usd
    saved = [finding(advice, "uncached-prefixes").saving_usd for advice in (short, whole)]
    assert abs(saved[0] - saved[1]) < saved[1] / 20, "the tokens of an outline are shares of the bill"


def test_what_only_the_text_shows_is_not_judged(tmp_path: Path) -> None:
    advice = advice_of(tmp_path, [outlined(line) for line in lines_with(MARK)])
    assert {entry.code for entry in advice.not_judged} == {"indented-json", "repeated-tool-calls", "volatile-prefixes"}
