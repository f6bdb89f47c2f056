"""Finding a few bytes among many: by vector instructions where stringzilla can be installed, else as Python does."""

from __future__ import annotations

from collections.abc import Callable

Find = Callable[[bytearray, bytes, int, int], int]
"""Where some bytes begin within a part of a buffer, or -1."""

try:
    from stringzilla import find as _find

    find: Find = _find
    is_fast = True
    """Whether looking for a mark in all bytes costs less than looking at each line."""
except ImportError:
    find = bytearray.find
    is_fast = False
