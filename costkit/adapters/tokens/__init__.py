"""Token counters: the API's own count, or a local one that says how far it may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from costkit.adapters.tokens.character_engine import CharacterEngine
from costkit.adapters.tokens.ctok_engine import CtokEngine
from costkit.adapters.tokens.local import Engine, LocalCounter
from costkit.adapters.tokens.tiktoken_engine import TiktokenEngine
from costkit.core.tokens import TokenCounter
from costkit.errors import InvalidInput
from costkit.estimate.calibration import Correction

MODES = ("auto", "exact", "offline", "fast")
_CREDENTIALS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE")


def make_counter(
    mode: str,
    *,
    offline: bool,
    cache_dir: Path | None,
    environ: Mapping[str, str],
    concurrency: int = 8,
    corrections: Sequence[Correction] = (),
) -> TokenCounter:
    """Choose how tokens are counted.

    `exact` asks the API (free of charge, remembered in `cache_dir` if given), `offline` counts locally, `fast` counts
    locally without the near-exact tokenizer, `auto` is exact when a credential is in `environ` and the network is
    allowed, else offline. `corrections` make local counts fit the user's own requests. `offline=True` promises that no
    socket is opened. Raises `InvalidInput` for an unknown mode and for exact counts while offline.
    """
    if mode not in MODES:
        raise InvalidInput(f"tokens can't be counted as {mode!r}", hint=f"use one of {', '.join(MODES)}")
    if mode == "exact" and offline:
        raise InvalidInput("exact counts need the API, and offline forbids it", hint="leave out one of the two")
    strict = mode == "exact"
    if mode == "auto":
        mode = "exact" if not offline and any(environ.get(name) for name in _CREDENTIALS) else "offline"
    local = local_counter(fast=mode == "fast", offline=offline, environ=environ, corrections=corrections)
    if mode != "exact":
        return local
    from costkit.adapters.tokens.exact import ExactCounter

    return ExactCounter(environ=environ, local=local, cache_dir=cache_dir, concurrency=concurrency, strict=strict)


def local_counter(
    *, fast: bool, offline: bool, environ: Mapping[str, str], corrections: Sequence[Correction] = ()
) -> LocalCounter:
    """The counter that needs no network."""
    estimates: list[Engine] = [TiktokenEngine(offline=offline, environ=environ), CharacterEngine()]
    return LocalCounter(estimates if fast else [CtokEngine(), *estimates], corrections)
