"""The lines of a sample are found again by where they start, in plain files and in packed ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from costkit.adapters.line_file import open_lines
from costkit.adapters.prompt_lines import read_sampled
from costkit.errors import InputChanged
from costkit.estimate import Prompt
from costkit.estimate.sample import draw_sample

LONGEST = 10_000
LINES = ["\ufeff" + '{"a": 1}', "", '  {"b": 2}\r', "ü" * 50, " \t", '{"c": 3}']


@pytest.fixture(params=[bytes, gzip.compress], ids=["plain", "gzip"])
def pack(request: pytest.FixtureRequest) -> Callable[[bytes], bytes]:
    """How the bytes of a file are written."""
    packing: Callable[[bytes], bytes] = request.param
    return packing


def body(number: int) -> dict[str, Any]:
    return {"model": "claude-haiku-5-5", "messages": [{"role": "user", "content": f"{number} " + "word " * number}]}


def numbered(count: int) -> str:
    """Bodies by themselves, two in a line, and blank lines."""
    singles = [json.dumps(body(number)) for number in range(0, count, 2)]
    pairs = [json.dumps([body(number), body(number)]) for number in range(1, count, 2)]
    return "\n\n".join(line for both in zip(singles, pairs, strict=True) for line in both)


def number_of(prompt: Prompt) -> int:
    return int(str(prompt.request.blocks[0].value["text"]).split(" ")[0])


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_is_the_same_wherever_reading_begins(tmp_path: Path, pack: Callable[[bytes], bytes], end: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(pack(("\n".join(LINES) + end).encode()))
    with open_lines(str(path), spool=None, longest=LONGEST) as file:
        read = list(file.lines())
        assert [line.number for line in read] == [1, 3, 4, 6]
        assert list(file.lines_at([(line.number, line.start) for line in read])) == read
        assert list(file.lines_at([(read[2].number, read[2].start)])) == [read[2]]


def test_a_line_behind_one_that_is_far_too_long_is_found(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("x" * 600_000 + "\n" + "y" * 9_000 + "\nlast\n")
    with open_lines(str(path), spool=None, longest=LONGEST) as file:
        _, middle, last = file.lines()
        assert list(file.lines_at([(2, middle.start), (3, last.start)])) == [middle, last]


def test_the_members_of_a_sample_are_the_requests_at_their_positions(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(pack(numbered(400).encode()))
    prompts, sample = read_sampled(str(path), None, 90, None)
    assert sample is not None
    assert isinstance(prompts, list)
    assert [prompt.index for prompt in prompts] == sample.members
    positions = [number for number in range(400) for _ in range(1 + number % 2)]
    assert [number_of(prompt) for prompt in prompts] == [positions[index] for index in sample.members]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 4],
        lambda text: "{}\n" + text,
        lambda text: text.replace("[{", "{").replace("}]", "}"),
    ],
    ids=["cut", "shifted", "other"],
)
def test_a_file_that_changes_between_the_readings_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(numbered(400))

    def changing(*columns: Any) -> Any:
        path.write_text(change(numbered(400)))
        return draw_sample(*columns)

    monkeypatch.setattr("costkit.adapters.prompt_lines.draw_sample", changing)
    with pytest.raises(InputChanged):
        read_sampled(str(path), None, 90, None)
