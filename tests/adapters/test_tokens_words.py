"""Counting word by word gives ctok's own count, whatever the text; and why that must be so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.tokens import ctok_words
from costkit.adapters.tokens.ctok_words import WordCounter

ctok = pytest.importorskip("ctok", reason="ctok needs Python 3.12")

VERSIONS = ("3.0", "4.7", "4.8")
CASE_MARKS, BEGINNING, END = ("⟨shift⟩", "⟨caps⟩"), "⟨bow⟩", "⟨eow⟩"
PARTS = st.sampled_from(
    (
        *("the", "Cost", "USD", "camelCase", "x", "don't", "it's", "'quoted'", "O'Neill", "naïve", "e\u0301te\u0301"),
        *(" ", "  ", "\n", "\n\n    ", "\t", "\r\n", ", ", ". ", "(", ")", "'", '"', "``", "5", "2026-11-21", "3rd"),
        *("東京", "ドル", "한국어", "цена", "ΣΊΣΥΦΟΣ", "السعر", "कीमत", "ราคา", "שלום", "İẞ", "\u0301", "\u0730", "ܐ"),
        *(
            "\u00a0",
            "\u200b",
            "\x00",
            "\x01",
            "\u2019s",
            "—",
            "½",
            "٣",
            "\u0922\u093c",
            "\u095d",
            "😀",
            "\ufe0f",
            "\ue000",
            "⟨bow⟩",
            "\ufdd0",
        ),
    )
)
TEXTS = st.one_of(st.lists(PARTS, max_size=40).map("".join), st.text(max_size=80))


@given(TEXTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_sum_over_words_is_the_count_of_the_whole(version: str, text: str) -> None:
    frame = ctok.token_count("a", version) - 1
    counter = WordCounter(lambda part: int(ctok.token_count(part, version)) - frame)
    assert counter.count(text) == ctok.token_count(text, version) - frame


@pytest.mark.parametrize("version", VERSIONS)
def test_every_letter_can_stand_at_the_edge_of_a_word(version: str) -> None:
    """Some become a letter and a mark when the text is normalized, and a mark may stand outside of the word."""
    frame = ctok.token_count("a", version) - 1
    counter = WordCounter(lambda part: int(ctok.token_count(part, version)) - frame)
    for code in range(0x80, 0x1200):
        text = f"x{chr(code)} {chr(code)}x ({chr(code)}) {chr(code)}"
        assert counter.count(text) == ctok.token_count(text, version) - frame, hex(code)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_piece_reaches_over_the_edge_of_a_word(version: str) -> None:
    """The premise: a word's beginning is marked at the start of a piece or nowhere, its end at the end of one."""
    for piece in ctok.pieces(version):
        inside = piece
        while inside.startswith(CASE_MARKS):
            inside = inside.removeprefix(CASE_MARKS[0]).removeprefix(CASE_MARKS[1])
        inside = inside.removeprefix(BEGINNING).removesuffix(END)
        assert not any(mark in inside for mark in (*CASE_MARKS, BEGINNING, END)), piece


def test_a_word_that_comes_again_is_not_counted_again() -> None:
    asked: list[str] = []

    def whole(text: str) -> int:
        asked.append(text)
        return len(text)

    counter = WordCounter(whole)
    counter.count("one two one two one two one")
    before = len(asked)
    counter.count("two one two one two one two")
    assert asked[before:] == ["two", "two"]


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctok_words, "MOST_REMEMBERED", 10)
    counter = WordCounter(len)
    assert counter.count(" ".join(f"word{chr(97 + number)}" for number in range(26))) == 26 * 5 + 25
    assert len(counter._known) <= 10
