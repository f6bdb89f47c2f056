"""What `costkit simulate` refuses: one line that names the flag or the place, exit 2, and nothing on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]
OPUS = ("-m", "claude-opus-5-5")
LONG = "The quick brown fox jumps over the lazy dog. " * 200
EPHEMERAL = {"type": "ephemeral"}
BODY: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "system": [{"type": "text", "text": LONG, "cache_control": EPHEMERAL}],
    "messages": [{"role": "user", "content": "What is new?"}],
}


@pytest.fixture
def simulate(program: Any) -> Any:
    """`costkit simulate --offline` with more arguments."""

    def run(*arguments: object, **more: Any) -> Any:
        return program("simulate", "--offline", *arguments, **more)

    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("-n 0", "0 is not between 1 and"),
        ("-n 100001", "between 1 and 100,000"),
        ("--every=-5s", "'-5s' is negative"),
        ("--every -5s", "'-5s' is negative"),
        ("--every soon", "is not a duration"),
        ("--every=", "--every is empty"),
        ("--poisson=", "--poisson is empty"),
        ("--arrivals=", "--arrivals is empty"),
        ("--poisson 0/h", "at a rate of zero nothing ever arrives"),
        ("--poisson 30", "is not a rate"),
        ("--every 60s --poisson 30/h", "contradict each other"),
        ("--arrivals missing.txt", "missing.txt: no such file"),
        ("--arrivals backwards.txt", "backwards.txt:3: this arrival is 4 s before the one above it"),
        ("--arrivals short.txt -n 5", "5 repeats, but only 2 arrivals"),
        ("--ttl 2h", "--ttl '2h' is not one of auto, none, 5m, 1h"),
        ("--ttl mixed", "needs two places for breakpoints"),
        ("--ttl as-written", "no breakpoints of its own"),
        ("--first-byte 6min", "within 5 minutes"),
        ("--concurrency 0", "0 is not between 1 and"),
        ("--growth=-1", "-1"),
        ("--growth 5 -n 10001", "at most 10,000 repeats"),
        ("body.json", "--prefix-tokens stands instead of a file"),
        ("--seed x", "is not a whole number"),
        ("-n 100000 --poisson 1/s", "more than 50,000,000 requests"),
        ("-n 10000 --poisson 1/s --first-byte 1s", "more than 5,000,000 requests"),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(simulate: Any, write: Write, arguments: str, words: str) -> None:
    write("backwards.txt", "0\n9\n5\n")
    write("short.txt", "0\n9\n")
    answer = simulate("--prefix-tokens", 10_000, *OPUS, *arguments.split())
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("system", "place", "words"),
    [
        (
            [{"type": "text", "text": "Be kind.", "cache_control": EPHEMERAL}] * 5,
            "system[4].cache_control",
            "5 breakpoints",
        ),
        (
            [
                {"type": "text", "text": "Be kind.", "cache_control": EPHEMERAL},
                {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            ],
            "system[1].cache_control",
            "1h breakpoint stands after a 5m one",
        ),
        ([{"type": "text", "text": "", "cache_control": EPHEMERAL}], "system[0].cache_control", "empty text block"),
        (
            [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "2h"}}],
            "system[0]",
            "not '2h'",
        ),
    ],
)
def test_breakpoints_that_the_api_refuses_name_their_place(
    simulate: Any, write: Write, system: list[Any], place: str, words: str
) -> None:
    write("body.json", {**BODY, "system": system})
    answer = simulate("body.json", "--json")
    assert answer.code == answer.document["exit"] == 2
    assert f"body.json:{place}" in answer.document["error"]["message"]
    assert words in answer.err


def test_marks_on_thinking_blocks_are_refused(simulate: Any, write: Write) -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "x", "cache_control": EPHEMERAL}
    turns = [BODY["messages"][0], {"role": "assistant", "content": [thinking]}]
    write("body.json", {**BODY, "messages": turns})
    answer = simulate("body.json")
    assert answer.code == 2
    assert "body.json:messages[1].content[0].cache_control" in answer.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "<stdin>: is empty"),
        (("--fresh-tokens", "5"), 2, "needs --prefix-tokens"),
        (("many.jsonl",), 2, "the file holds 2"),
        (("--prefix-tokens", "0"), 2, "no tokens"),
        (("--prefix-tokens", "5", "-m", "claude-opus-5-55"), 5, "unknown model"),
    ],
)
def test_what_to_repeat_must_be_one_request(
    simulate: Any, write: Write, arguments: tuple[str, ...], code: int, words: str
) -> None:
    write("many.jsonl", "\n".join([json.dumps(BODY)] * 2))
    answer = simulate(*arguments)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
