"""Reads damaged lines between whole ones and checks that nothing is lost without a word."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import random_logs

from costkit.adapters.logs import read_logs
from costkit.report import FileRead, Item, Record, Skipped

_BEFORE = b'{"type":"message","id":"before","model":"claude-opus-5-5","usage":{"input_tokens":1,"output_tokens":2}}'
_AFTER = _BEFORE.replace(b"before", b"after")
_NOTHING = re.compile(r"[\s\0\ufeff,]*|[\s\0\ufeff]*(?:(?:event|id|retry)?:.*|data:\s*(?:\[DONE\])?)[\s\0]*", re.DOTALL)
"""Blank lines, and the lines of an event stream that hold no data."""


def lines_of(folder: Path) -> Iterator[bytes]:
    """Every line of every file in a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield from path.read_bytes().splitlines()


def damaged_lines(seed: int, count: int, real: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Damaged lines: half of them real ones where there are any, the others made up."""
    chance = random.Random(seed)  # noqa: S311  # the same lines for the same seed
    other = random_logs.line(chance)
    for number in range(count):
        text = chance.choice(real) if real and number % 2 else random_logs.line(chance)
        yield random_logs.damaged(chance, text, other)
        other = text


def problem_with(text: bytes) -> str | None:
    """What goes wrong when a line is read between two whole ones; `None` if nothing does."""
    items = list(read_logs(["-"], stdin=io.BytesIO(_BEFORE + b"\n" + text + b"\n" + _AFTER + b"\n")))
    found = [item.message_id for item in items if isinstance(item, Record)]
    if "before" not in found or "after" not in found:
        return "a whole line beside it was lost"
    outcomes = outcomes_of(items) - 2
    if outcomes < 1 and not _NOTHING.fullmatch(text.decode("utf-8", "replace")):
        return "it is neither read nor skipped"
    return None


def outcomes_of(items: Sequence[Item]) -> int:
    """How many documents and lines are accounted for."""
    files = [item for item in items if isinstance(item, FileRead)]
    skipped = [item for item in items if isinstance(item, Skipped) and not item.reason.startswith("bad-usage")]
    assert len(files) == 1
    assert all(item.line for item in skipped)
    return files[0].documents + len(skipped)
