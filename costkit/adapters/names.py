"""How the names of inputs appear: in documents as text that is valid everywhere, in messages as people know them."""

from __future__ import annotations

STDIN = "-"
"""The path of standard input, on command lines and in documents."""


def printable(path: str) -> str:
    """A path as text; bytes that are not UTF-8 are written as escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shown(path: str) -> str:
    """A path in a message: printable, and `<stdin>` for standard input."""
    return "<stdin>" if path == STDIN else printable(path)
