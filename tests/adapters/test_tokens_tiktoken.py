"""The second engine: its vocabulary comes from tiktoken's cache, or once from where tiktoken keeps it.

A small vocabulary on a loopback server stands for the real one; everything else is tiktoken's own code.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import tiktoken.load
from tiktoken_ext import openai_public  # type: ignore[import-untyped]

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens import make_counter, tiktoken_engine
from costkit.adapters.tokens.features import load_weights
from costkit.adapters.tokens.token_classes import token_class
from costkit.core.request import text_request
from costkit.core.tokens import TokenCount

MODEL = built_in_book().resolve("claude-sonnet-4-5")
BYTES = b"".join(base64.b64encode(bytes([rank])) + b" %d\n" % rank for rank in range(256))
SHA256 = hashlib.sha256(BYTES).hexdigest()


class Shelf:
    """Serves one file and remembers how often it was asked for."""

    def __init__(self) -> None:
        self.content = BYTES
        self.asked = 0
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shelf.asked += 1
                self.send_response(200 if shelf.content else 500)
                self.end_headers()
                self.wfile.write(shelf.content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/tiny.tiktoken"
        self.file_name = hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    shelf = Shelf()
    url = shelf.url

    def tiny() -> dict[str, Any]:
        ranks = load_tiktoken_bpe(PLACE, expected_hash=DIGEST)  # type: ignore[name-defined]  # noqa: F821
        return {"name": "tiny", "pat_str": r"\S+|\s+", "mergeable_ranks": ranks, "special_tokens": {}}

    monkeypatch.setattr(openai_public, "PLACE", url, raising=False)
    monkeypatch.setattr(openai_public, "DIGEST", SHA256, raising=False)
    monkeypatch.setattr(openai_public, "tiny", tiny, raising=False)
    monkeypatch.setattr(tiktoken_engine, "VOCABULARY", "tiny")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    thread = threading.Thread(target=shelf.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield shelf
    shelf.server.shutdown()
    shelf.server.server_close()
    thread.join()


def count(cache: Path | str, *, offline: bool, text: str = "Hello, how are you?") -> TokenCount:
    counter = make_counter("fast", offline=offline, cache_dir=None, environ={"TIKTOKEN_CACHE_DIR": str(cache)})
    return counter.count_many([(text_request(text), MODEL)])[0]


def test_a_cached_vocabulary_is_used_offline(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / shelf.file_name).write_bytes(BYTES)
    counted = count(tmp_path, offline=True)
    assert counted.method == "tiktoken"
    assert counted.low < counted.tokens < counted.high
    assert shelf.asked == 0


def test_without_a_cached_vocabulary_offline_falls_to_characters_and_asks_nobody(shelf: Shelf, tmp_path: Path) -> None:
    assert count(tmp_path, offline=True).method == "characters"
    assert shelf.asked == 0


def test_a_missing_vocabulary_is_fetched_once_and_kept_where_tiktoken_finds_it(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "new" / "folder"
    assert count(cache, offline=False).method == "tiktoken"
    assert count(cache, offline=False).method == "tiktoken"
    assert shelf.asked == 1
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(cache))
    assert tiktoken.load.read_file_cached(shelf.url, SHA256) == BYTES
    assert shelf.asked == 1
    assert [path.name for path in cache.iterdir()] == [shelf.file_name]


def test_a_damaged_cache_file_is_fetched_again_but_never_used(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / shelf.file_name).write_bytes(BYTES[:100])
    assert count(tmp_path, offline=True).method == "characters"
    assert count(tmp_path, offline=False).method == "tiktoken"
    assert (tmp_path / shelf.file_name).read_bytes() == BYTES


@pytest.mark.parametrize("content", [b"", BYTES + b"AAAA 256\n"], ids=["server error", "changed on its way"])
def test_a_vocabulary_that_cannot_be_had_leaves_characters(shelf: Shelf, tmp_path: Path, content: bytes) -> None:
    shelf.content = content
    assert count(tmp_path, offline=False).method == "characters"
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_is_switched_off_stays_off(shelf: Shelf) -> None:
    """An empty variable is tiktoken's own way to say so."""
    assert count("", offline=False).method == "tiktoken"
    assert count("", offline=True).method == "characters"
    assert shelf.asked == 1


def test_a_cache_that_cannot_be_written_is_no_error(shelf: Shelf, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    assert count(blocked, offline=False).method == "tiktoken"
    assert shelf.asked == 1


def test_text_that_looks_like_a_special_token_is_text(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / shelf.file_name).write_bytes(BYTES)
    assert count(tmp_path, offline=True, text="<|endoftext|>").tokens > 8


def test_a_run_without_a_space_is_encoded_in_pieces(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / shelf.file_name).write_bytes(BYTES)
    short, long = (count(tmp_path, offline=True, text="x" * size).tokens for size in (100_000, 250_000))
    assert 2.4 < long / short < 2.6


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TIKTOKEN_CACHE_DIR": "/a", "DATA_GYM_CACHE_DIR": "/b"}, Path("/a")),
        ({"DATA_GYM_CACHE_DIR": "/b"}, Path("/b")),
        ({"TIKTOKEN_CACHE_DIR": ""}, None),
    ],
)
def test_the_cache_is_where_tiktoken_looks(environ: dict[str, str], expected: Path | None) -> None:
    assert tiktoken_engine.cache_directory(environ) == expected


def test_the_default_cache_is_in_the_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert tiktoken_engine.cache_directory({}) == tmp_path / "data-gym-cache"


def test_the_installed_tiktoken_defines_the_real_vocabulary(tmp_path: Path) -> None:
    """Its definition runs up to the reading of the file, which offline may not be fetched."""
    assert callable(getattr(openai_public, tiktoken_engine.VOCABULARY))
    with pytest.raises(tiktoken_engine.VocabularyMissing, match="not in tiktoken's cache"):
        tiktoken_engine._load(tmp_path, offline=True)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (b"a", "token_lower_letter"),
        (b" the", "token_space_lower_short"),
        (b"Hello", "token_capitalised_middle"),
        (b" INTERNATIONAL", "token_space_upper_longest"),
        (b"camelCase", "token_mixed_long"),
        (b"2026", "token_digits_3"),
        (b"x1", "token_code"),
        (b" ==", "token_space_marks_2"),
        (b");\n", "token_marks_newline"),
        (b"\n\n", "token_newline"),
        (b"    ", "token_blank"),
        (b" ", "token_blank"),
        ("한국".encode(), "token_hangul"),
        (" été".encode(), "token_space_accented"),
        (b"\xed\x95", "token_fragment"),
    ],
)
def test_tokens_have_a_class_by_their_looks(token: bytes, expected: str) -> None:
    assert token_class(token) == expected


def test_tokens_without_letters_of_a_known_script_are_classed_all_the_same() -> None:
    assert token_class("→".encode()) == "token_symbols"


def test_weights_exist_for_the_classes_of_common_tokens() -> None:
    classes = {token_class(token) for token in (b" the", b"the", b"\n", b" (", b"ing", b"123")}
    for family in ("v3", "v4.7", "v4.8"):
        assert len(classes & set(load_weights()["tiktoken"][family])) >= 3
