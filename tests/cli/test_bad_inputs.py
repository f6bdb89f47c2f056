"""Input that can't be used: one line that names the place, exit 2, and nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]
GOOD = '{"messages": [{"role": "user", "content": "x"}]}'


def asking(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "x"}]} | more


def content(value: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": value}]}


DEEP = 10_000
FILES: dict[str, tuple[str, object, str]] = {
    "an empty file": ("e.md", b"", "e.md: is empty"),
    "nothing but blanks": ("e.json", b" \n\t\n", "e.json: is empty"),
    "binary data": ("b.txt", b"abc\0def", "b.txt: is binary data (a zero byte at offset 3)"),
    "an executable": ("b.json", b"\x7fELF\x02\x01\x01\0\0", "b.json: is binary data"),
    "UTF-16": ("u.txt", "Say hello".encode("utf-16"), "u.txt: is binary data"),
    "Latin-1": ("l.txt", b"one\ntwo\ncaf\xe9\n", "l.txt:3: is not UTF-8 text (byte 0xe9)"),
    "truncated JSON": ("t.json", GOOD[:-3], "t.json:1: is not valid JSON"),
    "truncated JSON over lines": ("t.json", '{\n "messages": [\n', "t.json:3: is not valid JSON"),
    "a truncated last line": ("t.jsonl", f"{GOOD}\n{GOOD}\n{GOOD[:9]}", "t.jsonl:3: is not valid JSON"),
    "a torn line among good ones": ("t.jsonl", f"{GOOD}\n{GOOD[:9]}\n{GOOD}", "t.jsonl:2: is not valid JSON"),
    "two documents": ("t.json", GOOD + GOOD, "t.json:1: is not valid JSON: Extra data"),
    "a number": ("n.json", "17", "n.json: must hold a Messages body, a list of messages or batch lines"),
    "null": ("n.json", "null", "n.json: must hold a Messages body"),
    "a text": ("n.json", '"hello"', "n.json: must hold a Messages body"),
    "an empty list": ("n.json", "[]", "n.json: must hold a Messages body"),
    "a list of numbers": ("n.json", "[1, 2]", "n.json: must hold a Messages body"),
    "an empty object": ("n.json", "{}", "n.json:messages: messages must be a list with at least one message"),
    "a line that is a number": ("n.jsonl", f"{GOOD}\n17\n", "n.jsonl:2: must hold a Messages body"),
    "no messages": ("m.json", {"messages": []}, "m.json:messages: messages must be a list with at least one"),
    "messages as text": ("m.json", {"messages": "x"}, "m.json:messages: messages must be a list"),
    "a message as text": ("m.json", {"messages": ["x"]}, "m.json:messages[0]: a message must be an object"),
    "an unknown role": ("m.json", {"messages": [{"role": "me", "content": "x"}]}, "m.json:messages[0].role: role must"),
    "no content": ("m.json", {"messages": [{"role": "user"}]}, "m.json:messages[0].content: content is missing"),
    "a number for text": ("m.json", content(17), "m.json:messages[0].content: must be text or a list of blocks"),
    "a number for a block": ("m.json", content([17]), "m.json:messages[0].content[0]: a block must be an object"),
    "a block without a type": ("m.json", content([{}]), "m.json:messages[0].content[0].type: type must be text"),
    "a number in a text block": (
        "m.json",
        content([{"type": "text", "text": 17}]),
        "m.json:messages[0].content[0].text: text must be text",
    ),
    "a number for a model": ("m.json", asking(model=17), "m.json:model: model must be text"),
    "a text for a number": (
        "m.json",
        asking(max_tokens="many"),
        "m.json:max_tokens: max_tokens must be a whole number",
    ),
    "true for a number": ("m.json", asking(max_tokens=True), "m.json:max_tokens: max_tokens must be a whole number"),
    "a fraction": ("m.json", asking(max_tokens=1.5), "m.json:max_tokens: max_tokens must be a whole number"),
    "not a number": ("m.json", asking(max_tokens=float("nan")), "m.json:max_tokens: max_tokens must be a whole"),
    "a negative limit": ("m.json", asking(max_tokens=-1), "m.json:max_tokens: max_tokens must not be negative"),
    "an absurd limit": ("m.json", asking(max_tokens=10**100), "m.json:max_tokens: max_tokens is absurdly large"),
    "a number of 5,000 digits": ("m.json", f'{{"max_tokens": {"9" * 5000}}}', "m.json:1: is not valid JSON: Exceeds"),
    "tools as an object": ("m.json", asking(tools={}), "m.json:tools: tools must be a list"),
    "a tool as text": ("m.json", asking(tools=["x"]), "m.json:tools[0]: a tool must be an object"),
    "a system prompt of numbers": ("m.json", asking(system=[1]), "m.json:system[0]: a block must be an object"),
    "an unknown cache mark": (
        "m.json",
        asking(cache_control={"type": "forever"}),
        "m.json:cache_control: cache_control must be",
    ),
    "an unknown time to live": (
        "m.json",
        asking(system=[{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]),
        "m.json:system[0].cache_control.ttl: ttl must be 5m or 1h, not '2h'",
    ),
    "a bad request in a batch": (
        "b.jsonl",
        f'{{"custom_id": "a", "params": {GOOD}}}\n{{"custom_id": "b", "params": {{"messages": 1}}}}\n',
        "b.jsonl:2:params:messages: messages must be a list",
    ),
    "params as a list": ("b.jsonl", '{"custom_id": "a", "params": []}\n', "b.jsonl:1:params: a request must be"),
    "a bad request in a creation": (
        "b.json",
        {"requests": [{"params": asking()}, {"params": {"messages": []}}]},
        "b.json:requests[1]:params:messages: messages must be a list",
    ),
    "a creation without requests": ("b.json", {"requests": []}, "b.json:requests: requests is an empty list"),
    "a line without requests": ("b.jsonl", '{"requests": []}\n', "b.jsonl:1:requests: requests is an empty list"),
    "truncated JSON in a file without suffix": ("prompt", GOOD[:-3], "prompt:1: is not valid JSON"),
    "truncated JSON over lines without suffix": ("p", '{\n "messages": [\n', "p:3: is not valid JSON"),
    "a truncated last line without suffix": ("p", f"{GOOD}\n{GOOD}\n{GOOD[:-9]}", "p:3: is not valid JSON"),
    "a number for the name of a tool": (
        "m.json",
        asking(tools=[{"name": 5}]),
        "m.json:tools[0].name: name must be text",
    ),
    "an empty model": ("m.json", asking(model=""), "m.json:model: model is empty"),
    "deep lists": ("d.json", "[" * DEEP + "]" * DEEP, "d.json:1: is nested too deeply"),
    "deep objects": ("d.json", '{"a":' * DEEP + "1" + "}" * DEEP, "d.json:1: is nested too deeply"),
    "a deep tool schema": (
        "d.jsonl",
        f'{GOOD}\n{{"tools":[{{"input_schema":' + '{"a":' * DEEP + "1" + "}" * DEEP + "}]}\n",
        "d.jsonl:2: is nested too deeply",
    ),
    "broken YAML": ("y.yaml", "messages:\n- role: user\n content: x\n", "y.yaml:3: is not valid YAML"),
    "YAML with a tab": ("y.yaml", "messages:\n\t- x\n", "y.yaml:2: is not valid YAML"),
    "YAML that runs code": ("y.yaml", "!!python/object/apply:os.system ['true']\n", "y.yaml:1: is not valid YAML"),
    "YAML that grows": ("y.yaml", "a: &a [x, x]\nb: [*a, *a]\n", "y.yaml: YAML aliases are not read in prompts"),
    "YAML with a date for text": (
        "y.yaml",
        "messages:\n- {role: user, content: 2026-11-21}\n",
        "y.yaml:messages[0].content: must be text or a list of blocks",
    ),
    "deep YAML": ("y.yaml", "[" * DEEP + "]" * DEEP, "y.yaml"),
}
bad_files = pytest.mark.parametrize(("name", "data", "message"), FILES.values(), ids=FILES)


@bad_files
def test_a_file_is_refused(program: Any, write: Write, tmp_path: Path, name: str, data: object, message: str) -> None:
    write(name, data)
    before = sorted(tmp_path.iterdir())
    answer = program("estimate", name, "--offline", "--json", "-o", "answer.json")
    assert answer.code == answer.document["exit"] == 2
    (line,) = answer.err.splitlines()
    assert line.startswith(f"costkit: {message}")
    assert len(line) < 300
    assert sorted(tmp_path.iterdir()) == before


@bad_files
def test_one_bad_file_among_good_ones_stops_the_whole(
    program: Any, write: Write, name: str, data: object, message: str
) -> None:
    """A total that silently left a file out would be too low."""
    write("good.md", "Say hello.")
    write(name, data)
    answer = program("estimate", "good.md", name, "--offline")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.md", "missing.md: no such file"),
        ("no/such/folder/x.md", "no/such/folder/x.md: no such file"),
        ("good.md/x.md", "good.md/x.md: can't be read: Not a directory"),
        ("empty", "empty: the folder holds no files"),
        ("hidden", "hidden: the folder holds no files"),
        ("dangling.md", "dangling.md: no such file"),
        ("x" * 300, "x" * 300 + ": can't be read: File name too long"),
    ],
)
def test_a_path_that_leads_nowhere(program: Any, write: Write, tmp_path: Path, path: str, message: str) -> None:
    write("good.md", "Say hello.")
    write("hidden/.secret.md", "Say hello.")
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling.md").symlink_to("gone.md")
    answer = program("estimate", path, "--offline", "--json")
    assert answer.code == answer.document["exit"] == 2
    assert answer.err == f"costkit: {message}\n"


@pytest.mark.parametrize("flag", ["--system", "--tools", "--pricing", "--compare-to"])
@pytest.mark.parametrize("path", ["missing", "folder"])
def test_every_file_of_a_flag_must_be_readable(program: Any, tmp_path: Path, flag: str, path: str) -> None:
    (tmp_path / "folder").mkdir()
    answer = program("estimate", "-", "--offline", "--json", flag, path, stdin="x")
    assert answer.code == answer.document["exit"] == 2
    assert answer.err.startswith(f"costkit: {path}: ")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[", "tools.json:1: is not valid JSON"),
        ('{"name": "x"}', "tools.json: must hold a list of tools"),
        ("17", "tools.json: must hold a list of tools"),
        ('["x"]', "<stdin>:tools[0]: a tool must be an object"),
    ],
)
def test_tools_that_are_none(program: Any, write: Write, data: str, message: str) -> None:
    write("tools.json", data)
    answer = program("estimate", "-", "--offline", "--tools", "tools.json", stdin="x")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"costkit: {message}")


@pytest.mark.parametrize("data", [b"", b" \n", b"\0", b"\xff"])
def test_a_pipe_with_nothing_useful_in_it(program: Any, data: bytes) -> None:
    answer = program("estimate", "-", "--offline", stdin=data)
    assert (answer.code, answer.out, answer.err[:17]) == (2, "", "costkit: <stdin>:")


def test_a_file_that_nobody_may_read(program: Any, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser may read everything, so the system's answer is put on."""
    write("secret.md", "x")

    def denied(path: Path, _mode: str) -> None:
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(Path, "open", denied)
    answer = program("estimate", "secret.md", "--offline", "--json")
    assert (answer.code, answer.err) == (2, "costkit: secret.md: can't be read: Permission denied\n")


def test_a_file_that_fails_midway_may_be_tried_again(program: Any) -> None:
    """The memory of a process can be opened, but nothing is at its first address."""
    answer = program("estimate", "/proc/self/mem", "--offline", "--json")
    assert (answer.code, answer.document["error"]["retryable"]) == (1, True)
    assert answer.err == "costkit: /proc/self/mem: can't be read: Input/output error\n"


def test_a_pipe_that_is_closed_at_once_is_empty(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m costkit estimate <(true) --offline'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(": is empty\n")


@pytest.mark.parametrize("name", ["big.txt", "big.json", "big.jsonl"])
def test_a_line_of_a_hundred_megabytes_is_refused_for_its_size(program: Any, tmp_path: Path, name: str) -> None:
    """The API refuses requests above 32 MB, so there is nothing to count."""
    with (tmp_path / name).open("wb") as file:
        file.write(b'{"messages": [{"role": "user", "content": "')
        file.write(b"x" * 100_000_000)
        file.write(b'"}]}')
    answer = program("estimate", name, "--offline", "--json")
    assert (answer.code, answer.document["exit"]) == (2, 2)
    assert "is larger than 32 MB, the API's limit for one request" in answer.err


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--output-tokens", "-1"),
        ("--output-tokens", "1.5"),
        ("--output-tokens", "1_000"),
        ("--output-tokens", "99999999999"),
        ("--output-tokens", "9" * 5000),
        ("--output-tokens", "\N{ARABIC-INDIC DIGIT FIVE}"),
        ("--max-tokens", "-1"),
        ("--max-tokens", "many"),
        ("-n", "0"),
        ("-n", "-3"),
        ("-n", "1e3"),
        ("-n", "99999999999"),
    ],
)
def test_counts_that_are_none(program: Any, flag: str, value: str) -> None:
    answer = program("estimate", "-", "--offline", "--json", flag, value, stdin="x")
    assert (answer.code, answer.document["error"]["code"]) == (2, "usage")
    assert flag in answer.err
    assert len(answer.err) < 300


def test_the_largest_counts_are_priced_to_the_last_digit(estimate: Any) -> None:
    most = str(10**10)
    answer = estimate("-", "-m", "claude-opus-5-5", "--output-tokens", most, "-n", most, stdin="x")
    (item,) = answer.items
    assert item["output_tokens"]["expected"] == 10**20
    assert item["output_usd"] == str(20 * 10**14)


def test_lone_halves_of_characters_are_counted_and_not_fatal(program: Any, write: Write) -> None:
    write("half.json", json.dumps(content("\ud83d alone")))
    answer = program("estimate", "half.json", "--offline", "--json")
    assert answer.code in {0, 2}
    assert "Traceback" not in answer.err


def test_torn_requests_in_a_pipe_are_no_text(program: Any) -> None:
    torn = '{"model": "claude-opus-5-5", "messages": [{"role": "user", "cont'
    answer = program("estimate", "-", "--offline", stdin=torn)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("costkit: <stdin>:1: is not valid JSON: ")
    assert answer.err.endswith(", but looks like requests (if it is a text, add --input text)\n")
    assert program("estimate", "-", "--offline", "--input", "text", stdin=torn).code == 0
