"""The estimate of last resort: tokens from the characters of a text, needing no vocabulary at all."""

from __future__ import annotations

from costkit.adapters.tokens.features import estimate, features, load_weights


class CharacterEngine:
    """Counts a text by its words, digits, marks and scripts."""

    method = "characters"

    def supports(self, family: str) -> bool:
        """Whether weights for the family are known."""
        return family in load_weights()[self.method]

    def count(self, text: str, family: str) -> int:
        """Tokens of a text inside a message, estimated."""
        return estimate(self.method, family, features(text))
