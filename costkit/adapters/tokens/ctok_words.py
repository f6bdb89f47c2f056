"""Counting word by word, so that a word which comes again is looked up instead of being tiled again.

ctok writes a text as a stream of characters and marks, and its count is the cheapest tiling of that stream with the
pieces of its vocabulary. The mark for a word's beginning, which every word has, stands first in every piece that holds
it (behind none but marks for capitals), and the mark for a word's end stands last. So no piece reaches over the edge of
a word, and the count of a text is the sum of the counts of the stretches between edges. Where another alphabet, an
accent or an apostrophe might join what looks like two words, nothing is cut. The tests prove the premise on the
vocabularies that are installed, and the sum against whole counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

MOST_REMEMBERED = 120_000
"""Stretches per tokenizer; about 20 MB."""
LONGEST_REMEMBERED = 64
_WORD: Final = "a"
_BESIDE: Final = r"\t\n !-&(-@\[-`{-~"
"""ASCII that can stand beside a word without being part of it: an apostrophe may be."""
_LAST_LETTER: Final = 0x10FF
"""Further on are scripts without words (Han, Hangul) or without spaces."""


class WordCounter:
    """Counts content tokens of texts by adding up those of their words and of what is between; remembers both."""

    def __init__(self, whole: Callable[[str], int]) -> None:
        """`whole` counts the content tokens of a text that is a message by itself."""
        self._whole = whole
        self._word = whole(_WORD)
        self._known: dict[str, int] = {}

    def count(self, text: str) -> int:
        """Content tokens of a text: exactly what `whole` says of it."""
        stretches = _edges_of_words().split(text)
        if len(stretches) == 1:
            return self._whole(text)
        last = stretches.pop()
        tokens = self._alone(stretches[0], left=False) + self._alone(last, right=False)
        known = self._known
        for stretch in stretches[1:]:
            found = known.get(stretch)
            tokens += self._learn(stretch) if found is None else found
        return tokens

    def _learn(self, stretch: str) -> int:
        tokens = self._alone(stretch)
        if len(stretch) <= LONGEST_REMEMBERED:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[stretch] = tokens
        return tokens

    def _alone(self, stretch: str, *, left: bool = True, right: bool = True) -> int:
        """Count a stretch between words as in the text, because what is between words depends on there being some."""
        before = _WORD if left and not stretch[0].isalpha() else ""
        behind = _WORD if right and not stretch[-1].isalpha() else ""
        return self._whole(before + stretch + behind) - self._word * (len(before) + len(behind))


@cache
def _edges_of_words() -> re.Pattern[str]:
    """Where a word begins behind ASCII that isn't part of it, or ends before such."""
    letters = [code for code in range(0x80, _LAST_LETTER + 1) if _is_whole_letter(chr(code))]
    letter, other = f"[A-Za-z{_ranges(letters)}]", f"[{_BESIDE}]"
    return re.compile(f"(?<={other})(?={letter})|(?<={letter})(?={other})")


def _is_whole_letter(character: str) -> bool:
    """Whether a character is a letter that normalization leaves alone: some become a letter and a mark behind it."""
    return unicodedata.category(character)[0] == "L" and unicodedata.normalize("NFC", character) == character


def _ranges(codes: list[int]) -> str:
    """Character codes in order as ranges of a character class."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in runs)
