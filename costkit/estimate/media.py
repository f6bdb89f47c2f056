"""Pictures and PDFs that can't be seen: broken ones, which the API refuses, and those that are elsewhere.

Only the beginning and the end of the data are looked at. Formats:
https://platform.claude.com/docs/en/build-with-claude/vision
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from costkit.core.notice import Notice
from costkit.estimate.result import Prompt

_LOOKED_AT = 1_024
"""Bytes at either end. PDF readers look that far for its two marks."""
_SHORTEST = {"image/png": 33, "image/jpeg": 20, "image/gif": 14, "image/webp": 26}
"""Bytes that the header alone takes."""
_ELSEWHERE = ("url", "file")
_STARTS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}


def media_notices(prompt: Prompt) -> Iterator[Notice]:
    """Name each picture or PDF inside a request, tool results included, that can't be read or is elsewhere."""
    for block in prompt.request.blocks:
        for path, value in _within(block.path, block.value):
            source = value.get("source")
            if isinstance(source, Mapping) and source.get("type") in _ELSEWHERE:
                message = "what is behind a URL or a file id isn't looked at: its tokens are a guess within a wide band"
                yield Notice("media-elsewhere", message, f"{prompt.where}:{path}")
            reason = _broken(value)
            if reason:
                message = f"{reason}: the API will refuse it, and its tokens are a guess"
                yield Notice("unreadable-media", message, f"{prompt.where}:{path}")


def _within(path: str, block: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    if block.get("type") in ("image", "document"):
        yield path, block
    content = block.get("content")
    for index, inner in enumerate(content if isinstance(content, list) else ()):
        if isinstance(inner, Mapping):
            yield from _within(f"{path}.content[{index}]", inner)


def _broken(block: Mapping[str, object]) -> str | None:
    """Why the data can't be read; `None` where they may be, or are elsewhere."""
    source = block.get("source")
    if not isinstance(source, Mapping) or source.get("type") != "base64":
        return None
    data, kind = source.get("data"), str(source.get("media_type"))
    ends = _ends(data) if isinstance(data, str) else None
    if ends is None:
        return "the data are not base64"
    start, end = ends
    if kind == "application/pdf":
        if b"%PDF-" not in start or b"%%EOF" not in end:
            return "this is not a whole PDF"
        return "this PDF is encrypted" if b"/Encrypt" in end else None
    if kind in _STARTS and not (start.startswith(_STARTS[kind]) and len(start) >= _SHORTEST[kind]):
        return f"this is not a picture of the type {kind}"
    return None


def _ends(data: str) -> tuple[bytes, bytes] | None:
    """The first and the last bytes; `None` for what isn't base64."""
    characters = _LOOKED_AT // 3 * 4
    if not data:
        return None
    try:
        return base64.b64decode(data[:characters], validate=True), base64.b64decode(
            _tail(data, characters), validate=True
        )
    except (binascii.Error, ValueError):
        return None


def _tail(data: str, characters: int) -> str:
    """The end of base64 text, cut where a group of four begins."""
    return data[max(0, (len(data) - characters) // 4 * 4) :]
