"""What a token of another vocabulary looks like: tokens of one look become about as many of Claude's."""

from __future__ import annotations

from costkit.adapters.tokens.features import character_class

_SIZES = ((1, "letter"), (3, "short"), (6, "middle"), (10, "long"))
_LONGEST_RUN = 3
"""Digits and marks beyond this many count as this many."""


def token_class(token: bytes) -> str:
    """The class of a token by its leading space, its letters and its length: a name of the weights."""
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return "token_fragment"
    lead = "space_" if text[:1] == " " and len(text) > 1 else ""
    body = text[1:] if lead else text
    if not body.strip():
        return "token_newline" if "\n" in body else "token_blank"
    if not body.isascii():
        return f"token_{lead}{min(character_class(letter) for letter in body if not letter.isascii())}"
    return f"token_{lead}{_ascii_class(body)}"


def _ascii_class(body: str) -> str:
    if body.isalpha():
        size = next((name for most, name in _SIZES if len(body) <= most), "longest")
        return f"{_case(body)}_{size}"
    if body.isdigit():
        return f"digits_{min(_LONGEST_RUN, len(body))}"
    if any(letter.isalnum() for letter in body):
        return "code"
    return "marks_newline" if "\n" in body else f"marks_{min(_LONGEST_RUN, len(body))}"


def _case(body: str) -> str:
    if body.islower():
        return "lower"
    if body.isupper():
        return "upper"
    return "capitalised" if body[0].isupper() and body[1:].islower() else "mixed"
