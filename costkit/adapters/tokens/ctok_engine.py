"""Near-exact counts of a text through `ctok`, a reconstruction of Claude's tokenizers.

Source: https://github.com/sanderland/ctok (unofficial; its measured error is part of the band)
"""

from __future__ import annotations

import importlib.util

from costkit.adapters.tokens.overheads import load_rules


class CtokEngine:
    """Counts the content tokens of a text; the frame of a message is left to the layout."""

    method = "offline"

    def supports(self, family: str) -> bool:
        """Whether ctok is installed (it needs Python 3.12) and knows the family."""
        return "engine" in load_rules()["families"].get(family, ()) and importlib.util.find_spec("ctok") is not None

    def count(self, text: str, family: str) -> int:
        """Tokens of a text inside a message: ctok's count less the frame that it includes."""
        import ctok  # type: ignore[import-untyped]

        rules = load_rules()["families"][family]
        return max(0, ctok.token_count(text, rules["engine"]) - int(rules["frame"])) if text else 0
