"""Text from files, the API and people, made harmless: shown, never obeyed."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def harmless(text: str) -> str:
    """Show control characters, line breaks and text-direction tricks as escapes instead of obeying them."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def harmless_json(text: str) -> str:
    """The same for a JSON text: escapes that mean the characters that they replace, and lone surrogates too."""
    return _CONTROL.sub(lambda match: match.group() if match.group() == "\n" else f"\\u{ord(match.group()):04x}", text)
