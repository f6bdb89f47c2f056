"""Graded results out of files: lines of one's own, exports of promptfoo, logs of inspect; found by content.

A line of one's own: {"item": "q1", "model": "claude-haiku-5-5", "score": 1, "usage": {…the API's…}}, and as you like
"effort", "batch": true, and "request" (a Messages body) or "prompt" (a text) for routes that look at what was asked.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from costkit.adapters.names import shown
from costkit.adapters.prompts import find_files, read_file
from costkit.adapters.routing.graded_dialects import (
    Passed,
    inspect_sample,
    inspect_samples,
    is_inspect,
    is_promptfoo,
    is_promptfoo_row,
    promptfoo_result,
    promptfoo_results,
)
from costkit.adapters.routing.graded_values import Json, name_of, parse, request_of, score_of, usage_of
from costkit.core.notice import Notice
from costkit.errors import InvalidInput
from costkit.route.grades import Graded

_ZIP = b"PK\x03\x04"
_FORM = '{"item": …, "model": …, "score": …, "usage": {…}}'


def read_results(paths: Sequence[str], scorer: str | None = None) -> tuple[list[Graded], list[Notice]]:
    """The graded results of all files, in order, and what was left out.

    Raises `InvalidInput` with file and line (or place) for a result without an item, a model or a usable score, and for
    files that hold none.
    """
    passed = Passed()
    found: list[Graded] = []
    for path in find_files(paths):
        before = len(found)
        found += _of_file(read_file(path), shown(path), scorer, passed)
        if len(found) == before and shown(path) not in passed.ungraded:
            raise InvalidInput("holds no graded results", where=shown(path), hint=f"a line of JSONL is {_FORM}")
    return found, list(passed.notices())


def read_choices(path: str) -> dict[str, str]:
    """Which model a rule of one's own chooses for each item: lines {"item": …, "model": …}."""
    choices: dict[str, str] = {}
    for where, row in _rows(read_file(path), shown(path)):
        item = name_of(row.get("item"), "item", where)
        if item in choices:
            raise InvalidInput(f"the item {item!r} is chosen for twice", where=where)
        choices[item] = name_of(row.get("model"), "model", where)
    return choices


def _of_file(data: bytes, name: str, scorer: str | None, passed: Passed) -> Iterator[Graded]:
    if data.startswith(_ZIP):
        yield from _inspect_archive(data, name, scorer, passed)
        return
    whole = _whole(data, name)
    if whole is not None and is_promptfoo(whole):
        yield from promptfoo_results(whole, name, passed)
    elif whole is not None and is_inspect(whole):
        yield from inspect_samples(whole, name, scorer, passed)
    else:
        for where, row in _rows(data, name):
            if is_promptfoo_row(row):
                yield from promptfoo_result(row, where, name, passed)
            else:
                yield _own(row, where)


def _whole(data: bytes, name: str) -> Json | None:
    """The file as one document; `None` where it is lines."""
    first, _, rest = data.lstrip().partition(b"\n")
    if rest.strip() and first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{"):
        return None
    try:
        value = parse(data, name)
    except InvalidInput:
        return None
    return value if isinstance(value, Mapping) else None


def _rows(data: bytes, name: str) -> Iterator[tuple[str, Json]]:
    """The objects of a file of lines, or of one list."""
    if data.lstrip().startswith(b"["):
        rows = parse(data, name)
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            yield f"{name}[{index}]", _object(row, f"{name}[{index}]")
        return
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            yield f"{name}:{number}", _object(parse(line, f"{name}:{number}", is_line=True), f"{name}:{number}")


def _object(row: object, where: str) -> Json:
    if not isinstance(row, Mapping):
        raise InvalidInput("a result must be a JSON object", where=where, hint=_FORM)
    return row


def _own(row: Json, where: str) -> Graded:
    effort, batch = row.get("effort"), row.get("batch", False)
    if not isinstance(batch, bool):
        raise InvalidInput("batch must be true or false", where=where)
    return Graded(
        where,
        name_of(row.get("item"), "item", where),
        name_of(row.get("model"), "model", where),
        score_of(row.get("score"), where),
        None if effort is None else name_of(effort, "effort", where),
        usage_of(row.get("usage"), where),
        batch,
        request_of(row.get("request", row.get("prompt")), where),
    )


def _inspect_archive(data: bytes, name: str, scorer: str | None, passed: Passed) -> Iterator[Graded]:
    """A log in inspect's own format: an archive with a file for each sample, of late compressed with zstd."""
    archives = _archives()
    try:
        with archives.ZipFile(BytesIO(data)) as archive:
            header = parse(archive.read("header.json"), f"{name}:header.json")
            evaluation = header.get("eval") if isinstance(header, Mapping) else None
            if not isinstance(evaluation, Mapping):
                raise InvalidInput("is no log of inspect", where=name)
            for inside in sorted(entry for entry in archive.namelist() if entry.startswith("samples/")):
                place = f"{name}:{inside}"
                sample = _object(parse(archive.read(inside), place), place)
                yield from inspect_sample(sample, evaluation, place, name, scorer, passed)
    except NotImplementedError:
        hint = "or write another with inspect log convert LOG --to json --output-dir DIR"
        message = "is compressed with zstd, which needs Python 3.14 or the package backports.zstd"
        raise InvalidInput(message, where=name, hint=hint) from None
    except (archives.BadZipFile, KeyError, EOFError):
        raise InvalidInput("is no log of inspect, or a torn one", where=name) from None


def _archives() -> Any:
    """The module that reads archives, with zstd where this Python or the package can."""
    try:
        return importlib.import_module("backports.zstd.zipfile")
    except ImportError:
        return importlib.import_module("zipfile")
