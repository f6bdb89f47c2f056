"""Pages of the organization's reports that were saved as files: one document, several in a row, or a list of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from costkit.adapters.atomic import write_atomically
from costkit.adapters.names import shown
from costkit.errors import InvalidInput
from costkit.reconcile.pages import next_page


def read_pages(paths: Sequence[str]) -> Iterator[tuple[object, str]]:
    """The pages in these files with where they stand, in order.

    Raises `InvalidInput` with file and line for what is no JSON, and where the last page says that there is more.
    """
    last: tuple[object, str] | None = None
    for path in paths:
        for page, where in _pages_of(path):
            yield page, where
            last = page, where
    if last is not None and next_page(*last) is not None:
        hint = "save the pages that follow too"
        raise InvalidInput("is not the last page: has_more is true", where=last[1], hint=hint)


def save_pages(pages: Sequence[object], folder: Path, name: str) -> None:
    """Write pages, one per line, for `read_pages`; raises `Unwritable` where that fails."""
    text = "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages)
    write_atomically(folder / f"{name}.jsonl", text.encode("utf-8"))


def _pages_of(path: str) -> Iterator[tuple[object, str]]:
    text = _text(path)
    decoder, at, number = json.JSONDecoder(), 0, 0
    while (at := _after_space(text, at)) < len(text):
        where = f"{shown(path)}:{text.count(chr(10), 0, at) + 1}"
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as problem:
            what = problem.msg if isinstance(problem, json.JSONDecodeError) else "too deep or too long"
            raise InvalidInput(f"is not valid JSON: {what}", where=where, hint="is the page whole?") from None
        pages = value if isinstance(value, list) else [value]
        for page in pages:
            number += 1
            yield page, where
    if not number:
        raise InvalidInput("holds no page", where=shown(path))


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("is not UTF-8 text", where=shown(path)) from None
    except OSError as problem:
        raise InvalidInput(f"can't be read: {problem.strerror}", where=shown(path)) from None
    except ValueError:
        raise InvalidInput(f"{path!r} can't be the name of a file") from None
