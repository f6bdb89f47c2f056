"""What a text looks like, as a handful of numbers from which its tokens are estimated.

The weights are in `weights.yaml`: a least-squares fit per tokenizer family that `.ci/fit-token-weights` makes and
`bench/token_accuracy.py` measures.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import cast

from costkit.adapters.compiled import shipped_data

_RUNS = {
    "words": re.compile(r"[A-Za-z]+"),
    "long_words": re.compile(r"[A-Za-z]{8,}"),
    "capitalised": re.compile(r"[A-Z][a-z]+"),
    "capitals": re.compile(r"[A-Z]{2,}"),
    "numbers": re.compile(r"[0-9]+"),
    "marks": re.compile(r"[^\w\s]+"),
    "indents": re.compile(r"\n[ \t]+"),
    "spaces": re.compile(r"(?<!\n)(?<![ \t])[ \t]{2,}"),
    "lines": re.compile(r"\n+"),
    "other_words": re.compile(r"(?:(?![A-Za-z0-9_])\w)+"),
}
_SCRIPTS = {
    "CYRILLIC": "cyrillic",
    "GREEK": "greek",
    "ARABIC": "arabic",
    "HEBREW": "hebrew",
    "HANGUL": "hangul",
    "HIRAGANA": "kana",
    "KATAKANA": "kana",
    "CJK": "han",
    "THAI": "brahmic_south_east",
    "LAO": "brahmic_south_east",
    "KHMER": "brahmic_south_east",
    "MYANMAR": "brahmic_south_east",
    "DEVANAGARI": "devanagari",
    "BENGALI": "brahmic",
    "TAMIL": "brahmic",
    "TELUGU": "brahmic",
    "GUJARATI": "brahmic",
    "GURMUKHI": "brahmic",
    "KANNADA": "brahmic",
    "MALAYALAM": "brahmic",
    "SINHALA": "brahmic",
    "ORIYA": "brahmic",
    "LATIN": "accented",
    "COMBINING": "combining",
}


def features(text: str) -> Mapping[str, int]:
    """Count the runs and characters of a text by class; keys are the names of the weights."""
    found: Counter[str] = Counter()
    for character, times in Counter(text).items():
        found[character_class(character)] += times
    for name, pattern in _RUNS.items():
        found[name] = sum(1 for _ in pattern.finditer(text))
    return found


@lru_cache(maxsize=16_384)
def character_class(character: str) -> str:
    """The class of one character: a name of the weights."""
    if character.isascii():
        return _ascii_class(character)
    name = unicodedata.name(character, "").split(" ", 1)[0]
    known = _SCRIPTS.get(name.split("-", 1)[0])
    if known:
        return known
    return "rare_letters" if character.isalpha() else "symbols"


def _ascii_class(character: str) -> str:
    if character.isalpha():
        return "lower" if character.islower() else "upper"
    if character.isdigit():
        return "digits"
    return "blank" if character.isspace() else "punctuation"


def estimate(engine: str, family: str, measured: Mapping[str, int]) -> int:
    """Tokens from features: the weighted sum, at least 1 for a text that isn't empty."""
    weights = load_weights()[engine][family]
    tokens = sum(weights.get(name, 0.0) * amount for name, amount in measured.items())
    return max(1, round(tokens)) if any(measured.values()) else 0


@cache
def load_weights() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Read `weights.yaml` once."""
    weights = shipped_data(Path(__file__).with_name("weights.yaml"))
    return cast("Mapping[str, Mapping[str, Mapping[str, float]]]", weights)
