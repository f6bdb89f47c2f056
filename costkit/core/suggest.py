"""The names that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def close_names(name: str, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """The most similar of the known names, best first; none if nothing is similar enough."""
    import difflib  # only errors need it, and start-up is a promise

    return difflib.get_close_matches(name, list(known), n=most, cutoff=cutoff)
