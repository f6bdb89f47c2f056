"""Text of others, made fit to be written out."""

from __future__ import annotations


def clean(text: str) -> str:
    """The text without lone surrogates, which can't be written out."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
