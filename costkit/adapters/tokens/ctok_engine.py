"""Near-exact counts of a text through `ctok`, a reconstruction of Claude's tokenizers.

Source: https://github.com/sanderland/ctok (unofficial; its measured error is part of the band)
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator

from costkit.adapters.tokens.ctok_words import WordCounter
from costkit.adapters.tokens.overheads import load_rules

LONGEST_PART = 65_536
"""Characters that ctok gets in one go: it takes about 250 bytes of memory for each."""
_TAIL = 8_192
_SEAM = re.compile(r"(?<=\S)\n(?=[^\n])|(?<=[A-Za-z]) (?=[a-z])")


class CtokEngine:
    """Counts the content tokens of a text; the frame of a message is left to the layout."""

    method = "offline"

    def __init__(self) -> None:
        self._words: dict[str, WordCounter] = {}

    def supports(self, family: str) -> bool:
        """Whether ctok is installed (it needs Python 3.12) and knows the family."""
        return "engine" in load_rules()["families"].get(family, ()) and importlib.util.find_spec("ctok") is not None

    def count(self, text: str, family: str) -> int:
        """Tokens of a text inside a message: ctok's count less the frame that it includes.

        A long text is counted in parts. What a seam costs depends only on the family and on whether it is a line's end
        or a space between words, so the sum is that of the whole.
        """
        if not text:
            return 0
        rules = load_rules()["families"][family]
        words = self._words.get(family)
        if words is None:
            words = self._words[family] = _counter(rules["engine"], rules["frame"])
        tokens = 0
        for number, part in enumerate(parts(text)):
            tokens += words.count(part)
            if number:
                tokens -= rules["line_seam" if part[0] == "\n" else "word_seam"]
        return max(0, tokens)


def _counter(engine: str, frame: int) -> WordCounter:
    """Counts for one of ctok's tokenizers, without the frame of a message."""
    import ctok  # type: ignore[import-untyped]

    return WordCounter(lambda text: int(ctok.token_count(text, engine)) - frame)


def parts(text: str, longest: int = LONGEST_PART) -> Iterator[str]:
    """Cut a text before line ends or spaces; a stretch without either stays whole."""
    start = 0
    while len(text) - start > longest:
        seam = _last_seam(text, start + longest)
        if seam is None or seam <= start:
            seam = _next_seam(text, start + longest)
        if seam is None:
            break
        yield text[start:seam]
        start = seam
    yield text[start:]


def _last_seam(text: str, end: int) -> int | None:
    seam = None
    for match in _SEAM.finditer(text, max(0, end - _TAIL), end):
        seam = match.start()
    return seam


def _next_seam(text: str, start: int) -> int | None:
    match = _SEAM.search(text, start)
    return match.start() if match else None
