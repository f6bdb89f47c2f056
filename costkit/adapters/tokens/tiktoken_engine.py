"""Estimates from OpenAI's cl100k vocabulary, brought to Claude's tokenizers by the classes of its tokens.

The vocabulary is read from tiktoken's own cache. Only when it isn't there, and a network is allowed, is it fetched,
once and with a time-out (tiktoken alone waits forever), and left in that cache.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
import types
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from costkit.adapters.tokens.features import estimate, features, load_weights
from costkit.adapters.tokens.token_classes import token_class

VOCABULARY = "cl100k_base"
"""The one whose tokens say most: half the error of o200k_base on languages other than English."""
TIMEOUT_SECONDS = 15
LONGEST_TEXT = 100_000
"""Characters that are encoded in one go: the encoder takes quadratic time on a long run without a space."""


class VocabularyMissing(Exception):
    """Raised when the vocabulary is neither cached nor to be had."""


class TiktokenEngine:
    """Counts a text by the classes of its cl100k tokens and of its characters."""

    method = "tiktoken"

    def __init__(self, *, offline: bool, environ: Mapping[str, str]) -> None:
        self._offline = offline
        self._directory = cache_directory(environ)
        self._encoding: Any = None
        self._missing = False
        self._classes: dict[int, str] = {}

    def supports(self, family: str) -> bool:
        """Whether weights for the family and the vocabulary are there; may fetch the vocabulary, once."""
        if family not in load_weights()[self.method] or self._missing:
            return False
        if self._encoding is None:
            try:
                self._encoding = _load(self._directory, offline=self._offline)
            except VocabularyMissing:
                self._missing = True
        return not self._missing

    def count(self, text: str, family: str) -> int:
        """Tokens of a text inside a message, estimated."""
        return estimate(self.method, family, self.measure(text))

    def measure(self, text: str) -> Mapping[str, int]:
        """Runs, characters and tokens of a text by class; keys are names of the weights."""
        measured = Counter(features(text))
        ranks: Counter[int] = Counter()
        for start in range(0, len(text), LONGEST_TEXT):
            ranks.update(self._encoding.encode_ordinary(text[start : start + LONGEST_TEXT]))
        for rank, times in ranks.items():
            measured[self._class(rank)] += times
        measured["tokens"] = ranks.total()
        return measured

    def _class(self, rank: int) -> str:
        known = self._classes.get(rank)
        if known is None:
            known = self._classes[rank] = token_class(self._encoding.decode_single_token_bytes(rank))
        return known


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """Where tiktoken keeps vocabularies: its variables, then the temporary directory; `None` if switched off."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if name in environ:
            return Path(environ[name]) if environ[name] else None
    return Path(tempfile.gettempdir(), "data-gym-cache")


def _load(directory: Path | None, *, offline: bool) -> Any:
    """Build the encoding from tiktoken's own definition, with the reading of the vocabulary replaced.

    The definition runs with our reader in place of tiktoken's, in a copy, so that nothing is patched.
    """
    try:
        import tiktoken
        from tiktoken_ext import openai_public  # type: ignore[import-untyped]
    except ImportError as problem:
        raise VocabularyMissing(str(problem)) from problem

    def read_ranks(url: str, expected_hash: str | None = None) -> dict[bytes, int]:
        return _parse(_vocabulary(directory, url, expected_hash, offline=offline))

    definition = getattr(openai_public, VOCABULARY)
    scope = {**vars(openai_public), "load_tiktoken_bpe": read_ranks}
    return tiktoken.Encoding(**types.FunctionType(definition.__code__, scope)())


def _parse(content: bytes) -> dict[bytes, int]:
    pairs = (line.split() for line in content.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _vocabulary(directory: Path | None, url: str, expected_hash: str | None, *, offline: bool) -> bytes:
    """The vocabulary file: cached under the SHA-1 of its address, as tiktoken does, or fetched."""
    name = hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
    cached = directory / name if directory else None
    try:
        content = cached.read_bytes() if cached else b""
    except OSError:
        content = b""
    if _intact(content, expected_hash):
        return content
    if offline:
        raise VocabularyMissing("the vocabulary is not in tiktoken's cache")
    content = _fetch(url)
    if not _intact(content, expected_hash):
        raise VocabularyMissing("the vocabulary was changed on its way")
    if cached:
        _keep(cached, content)
    return content


def _intact(content: bytes, expected_hash: str | None) -> bool:
    return bool(content) and expected_hash in (None, hashlib.sha256(content).hexdigest())


def _fetch(url: str) -> bytes:
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310 - tiktoken's own https address
            content: bytes = reply.read()
    except (OSError, ValueError) as problem:
        raise VocabularyMissing("the vocabulary could not be fetched") from problem
    return content


def _keep(path: Path, content: bytes) -> None:
    """Put the file into the cache as a whole or not at all; a cache that can't be written is no error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
            partial.write(content)
        os.replace(partial.name, path)  # noqa: PTH105 - the name is a string
    except OSError:
        return
