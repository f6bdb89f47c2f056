"""What a picture costs: patches of 28 pixels after scaling into the model's limits.

Rule: https://platform.claude.com/docs/en/build-with-claude/vision
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

MOST_HEADER_CHARACTERS = 400_000
"""Base64 characters that are decoded to find a size; only a JPEG with more metadata than that is decoded whole."""


def patches(width: int, height: int, *, patch: int, long_edge: int, most: int) -> int:
    """The patches of a picture in pixels, scaled down (never up) until its long edge and its patches fit.

    The scaled copy has a whole number of pixels on the long edge, and the short edge follows by rounding.
    """
    longer, shorter = max(width, height), min(width, height)
    low, high = 1, min(longer, long_edge)
    while low < high:
        middle = (low + high + 1) // 2
        if _grid(middle, longer, shorter, patch) <= most:
            low = middle
        else:
            high = middle - 1
    return _grid(low, longer, shorter, patch)


def _grid(edge: int, longer: int, shorter: int, patch: int) -> int:
    other = max(1, (2 * edge * shorter + longer) // (2 * longer))
    return -(-edge // patch) * -(-other // patch)


def size_of(source: Mapping[str, object]) -> tuple[int, int] | None:
    """Width and height in pixels of a base64 image source, or `None` where they can't be known."""
    data = source.get("data")
    if source.get("type") != "base64" or not isinstance(data, str):
        return None
    found = _size_in(data[:MOST_HEADER_CHARACTERS])
    return _size_in(data) if found is None and len(data) > MOST_HEADER_CHARACTERS else found


def _size_in(data: str) -> tuple[int, int] | None:
    """The size that the header of an image says, of which there may be only the beginning."""
    import imagesize  # type: ignore[import-untyped]

    letters = "".join(data.split())
    try:
        content = base64.b64decode(letters[: len(letters) - len(letters) % 4])
        width, height = imagesize.get(io.BytesIO(content))
    except Exception:  # noqa: BLE001 - whatever a broken header makes the reader raise, the size is unknown
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None
