"""The pages of a PDF: their sizes and their texts, read within a time limit.

The API gives the model each page as a picture and as its text:
https://platform.claude.com/docs/en/build-with-claude/pdf-support
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache

TIME_SECONDS = 20.0
"""How long one file may take; pages that weren't reached by then are taken for usual ones, within a wide band."""
MOST_PAGES = 1_000
"""Pages whose text is read; the API takes at most 600."""
MOST_CHARACTERS = 400_000
"""Text kept from one page: more than any model takes in at once is a broken or hostile file."""
_LETTER = (612.0, 792.0)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its size in points as it is shown, and the text that could be read from it."""

    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Pages:
    """What could be read of a PDF: `total` pages, of which the first `read` are known."""

    total: int
    read: tuple[Page, ...]


@dataclass(slots=True)
class _Progress:
    total: int = 0
    read: list[Page] = field(default_factory=list)


@lru_cache(maxsize=2)
def pages_of(data: str) -> Pages | None:
    """The pages of base64 data; `None` where it is no PDF, or a broken, locked or extremely slow one.

    Reading goes on in a thread of its own, which is left behind when the time is up: a page can't be interrupted.
    """
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    if b"%PDF-" not in content[:1024]:
        return None
    progress = _Progress()
    reader = threading.Thread(target=_read, args=(content, progress), daemon=True)
    reader.start()
    reader.join(TIME_SECONDS)
    read = tuple(progress.read)
    return Pages(max(progress.total, len(read)), read) if read else None


def _read(content: bytes, progress: _Progress) -> None:
    """Fill in what can be read before the time is up; whatever a hostile file raises ends it quietly."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    until = time.monotonic() + TIME_SECONDS
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return
        progress.total = len(reader.pages)
        for page in reader.pages:
            progress.read.append(_page(page))
            if time.monotonic() > until or len(progress.read) >= MOST_PAGES:
                return
    except Exception:  # noqa: BLE001 - a parser's errors on broken files are of every kind; the count is a guess then
        return


def _page(page: object) -> Page:
    """One page; a text that can't be read counts as none."""
    width, height = _size(page)
    try:
        text = str(page.extract_text())[:MOST_CHARACTERS]  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - see above: one page that can't be read doesn't spoil the others
        text = ""
    return Page(width, height, text)


def _size(page: object) -> tuple[float, float]:
    try:
        box = page.cropbox  # type: ignore[attr-defined]
        width, height = float(box.width), float(box.height)
        turned = int(page.rotation) % 180 != 0  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - a page without a usable size is taken for the usual one
        return _LETTER
    if not (0 < width < float("inf") and 0 < height < float("inf")):
        return _LETTER
    return (height, width) if turned else (width, height)
