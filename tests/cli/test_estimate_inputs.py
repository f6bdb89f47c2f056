"""Every kind of input that `costkit estimate` takes, told apart by name and content."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]
OPUS = ("-m", "claude-opus-5-5")
QUESTION = [{"role": "user", "content": "Where is the red door?"}]
BODY = {"model": "claude-sonnet-5-5", "max_tokens": 10, "messages": QUESTION}
LINE = {"custom_id": "a-1", "params": BODY}


def png(width: int, height: int) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes(width)) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def tokens(answer: Any) -> int:
    """The input tokens of the only item."""
    (item,) = answer.items
    count: int = item["input_tokens"]["expected"]
    return count


@pytest.mark.parametrize("name", ["x.md", "x.txt", "x.py", "x.html", "x.csv", "prompt", "x.unknown"])
def test_text_is_one_user_message(estimate: Any, write: Write, name: str) -> None:
    write("as_body.json", {"messages": QUESTION})
    write(name, QUESTION[0]["content"])
    assert tokens(estimate(name, *OPUS)) == tokens(estimate("as_body.json", *OPUS))


@pytest.mark.parametrize("name", ["code.md", "code.txt", "code.py", "code.toml"])
def test_code_and_prose_are_text_even_where_they_look_like_json(estimate: Any, write: Write, name: str) -> None:
    write(name, json.dumps(BODY))
    answer = estimate(name, *OPUS)
    assert tokens(answer) > 30
    assert answer.items[0]["output_tokens"]["max"] is None


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_body_brings_its_model_and_its_limit(estimate: Any, write: Write, start: str, end: str) -> None:
    write("body.json", start + json.dumps(BODY, indent=1) + end)
    (item,) = estimate("body.json").items
    assert (item["model"], item["output_tokens"]["max"], item["requests"]) == ("claude-sonnet-5-5", 10, 1)


FORMS: dict[str, tuple[str, object, int]] = {
    "a body": ("x.json", BODY, 1),
    "a list of messages": ("x.json", QUESTION, 1),
    "a list of bodies": ("x.json", [BODY, BODY], 2),
    "a message": ("x.json", QUESTION[0], 1),
    "a batch line": ("x.json", LINE, 1),
    "lines of bodies": ("x.jsonl", f"{json.dumps(BODY)}\n\n{json.dumps(BODY)}\n", 2),
    "lines of a batch": ("x.jsonl", f"{json.dumps(LINE)}\n{json.dumps(LINE)}", 2),
    "lines of lists": ("x.ndjson", f"{json.dumps(QUESTION)}\n{json.dumps(QUESTION)}\n", 2),
    "lines of id and content": ("x.jsonl", '{"id": "1", "content": "Where is the red door?"}\n', 1),
    "the body of a batch creation": ("x.json", {"requests": [LINE, LINE, LINE]}, 3),
    "yaml": ("x.yaml", "model: claude-sonnet-5-5\nmax_tokens: 10\nmessages:\n- {role: user, content: Hi}\n", 1),
    "a list in yaml": ("x.yml", "- role: user\n  content: Hi\n- role: assistant\n  content: Hello\n", 1),
}


@pytest.mark.parametrize(("name", "content", "requests"), FORMS.values(), ids=FORMS)
def test_requests_come_as(estimate: Any, write: Write, name: str, content: object, requests: int) -> None:
    write(name, content)
    (item,) = estimate(name, "-m", "claude-sonnet-5-5").items
    assert item["requests"] == requests
    assert item["input_tokens"]["expected"] >= 5 * requests


SNIFFED = {form: given for form, given in FORMS.items() if "yaml" not in form and form != "lines of id and content"}


@pytest.mark.parametrize(("name", "content", "requests"), SNIFFED.values(), ids=SNIFFED)
@pytest.mark.parametrize("target", ["-", "no-suffix"])
def test_requests_are_recognised_without_a_name(
    estimate: Any, write: Write, name: str, content: object, requests: int, target: str
) -> None:
    data = write(name, content).read_bytes()
    write("no-suffix", data)
    (item,) = estimate(target, "-m", "claude-sonnet-5-5", stdin=data).items
    assert (item["path"], item["requests"]) == (target, requests)


def test_lines_of_id_and_content_in_a_pipe_need_a_word(estimate: Any) -> None:
    lines = '{"id": "1", "content": "Where?"}\n{"id": "2", "content": "When?"}\n'
    assert estimate("-", *OPUS, "--input", "batch", stdin=lines).items[0]["requests"] == 2


def test_no_path_at_all_is_stdin(estimate: Any) -> None:
    assert estimate(*OPUS, stdin="Where is the red door?").items[0]["path"] == "-"


@pytest.mark.parametrize(
    "text", ["{not json", "[1, 2]", '{"a": 1}', "[]", "{}", '"quoted"', "12", "- a list\n- of text"]
)
def test_what_only_looks_like_json_on_stdin_is_text(estimate: Any, text: str) -> None:
    assert estimate("-", *OPUS, stdin=text).items[0]["requests"] == 1


def test_the_kind_can_be_said(estimate: Any, write: Write) -> None:
    write("body.json", BODY)
    assert tokens(estimate("body.json", *OPUS, "--input", "text")) > tokens(estimate("body.json", *OPUS))
    assert estimate("-", *OPUS, "--input", "request", stdin="not json").code == 2
    assert estimate("-", *OPUS, "--input", "messages", stdin=json.dumps(QUESTION)).code == 0


def test_a_picture_is_counted_by_its_size(estimate: Any, write: Write) -> None:
    write("small.png", png(56, 56))
    write("large.png", png(560, 560))
    small, large = (tokens(estimate(name, *OPUS)) for name in ("small.png", "large.png"))
    assert 4 <= small < large
    assert large >= 400, "20 x 20 patches of 28 pixels"


def test_a_pdf_is_counted_with_a_wide_band(estimate: Any, write: Write) -> None:
    write("paper.pdf", PDF)
    write("paper", PDF)
    band = estimate("paper.pdf", *OPUS).items[0]["input_tokens"]
    assert band["low"] < band["expected"] < band["high"]
    assert estimate("paper", *OPUS).items[0]["input_tokens"] == band, "known by its first bytes too"


def test_a_folder_is_all_its_visible_files_in_order(estimate: Any, write: Write) -> None:
    for name in ("b.md", "a.md", "deep/c.md", ".hidden.md", ".git/config", "deep/.cache/d.md"):
        write(f"prompts/{name}", "Say hello.")
    answer = estimate("prompts", *OPUS)
    assert [item["path"] for item in answer.items] == ["prompts/a.md", "prompts/b.md", "prompts/deep/c.md"]
    assert [total["requests"] for total in answer.document["result"]["totals"]] == [3]


def test_a_hidden_file_is_read_when_it_is_named(estimate: Any, write: Write) -> None:
    write(".prompt.md", "Say hello.")
    assert len(estimate(".prompt.md", *OPUS).items) == 1


def test_several_paths_keep_their_order(estimate: Any, write: Write) -> None:
    write("b.md", "Say hello.")
    write("a.md", "Say hello again.")
    models = ("-m", "claude-opus-5-5", "-m", "claude-haiku-5-5")
    found = [(item["path"], item["model"]) for item in estimate("b.md", "-", "a.md", *models, stdin="x").items]
    assert found == [(path, model) for path in ("b.md", "-", "a.md") for model in models[1::2]]


def test_a_file_that_is_named_twice_is_sent_twice(estimate: Any, write: Write) -> None:
    write("a.md", "Say hello.")
    assert [item["requests"] for item in estimate("a.md", "a.md", *OPUS).items] == [2]


def test_a_table_says_how_many_files_and_what_they_cost_together(program: Any, write: Write) -> None:
    write("a.md", "Say hello.")
    write("b.md", "Say hello.")
    out = program("estimate", "a.md", "b.md", "--offline", *OPUS).out.splitlines()
    assert out[0].startswith("2 files · ")
    assert out[0].endswith(" · 2 requests")
    assert out[-2].split()[:2] == ["all", "claude-opus-5-5"]


def test_yaml_may_hold_dates_and_numbers_where_a_tool_does(estimate: Any, write: Write) -> None:
    text = "messages:\n- {role: user, content: Hi}\ntools:\n- name: t\n  description: d\n  input_schema:\n    "
    write("tool.yaml", text + "{type: object, properties: {day: {default: 2026-11-21}, 1: {enum: [1.5, null]}}}\n")
    assert estimate("tool.yaml", *OPUS).code == 0


@pytest.mark.parametrize(
    ("models", "flags", "said"),
    [
        (["claude-opus-5", "claude-opus-5", "claude-haiku-4-5"], [], "3 requests"),
        (["claude-opus-5", "claude-haiku-4-5"], ["-n", "5"], "10 requests"),
        (["claude-opus-5", "claude-haiku-4-5"], ["-m", "claude-opus-5", "-m", "claude-opus-5-5"], "2 requests"),
        ([None, None], [], "2 requests"),
        (["claude-opus-5", None], [], "tokens differ by model"),
    ],
)
def test_the_headline_counts_the_requests_of_all_models(
    program: Any, write: Any, models: list[str | None], flags: list[str], said: str
) -> None:
    bodies = [{"model": model, "messages": [{"role": "user", "content": "Hello " * 40}]} for model in models]
    write("in.jsonl", "".join(json.dumps(body) + "\n" for body in bodies))
    first = program("estimate", "in.jsonl", "--offline", *flags).out.splitlines()[0]
    assert first.split(" · ")[-1] == said
