"""Pictures and documents: patches by size, and honest bands where a size can't be seen."""

from __future__ import annotations

import base64
import io
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_requests import OPUS_47, OPUS_48, SONNET_45, count, needs_ctok, pdf, picture, png, said

from costkit.adapters.tokens import pdf as pdf_reader
from costkit.adapters.tokens.images import patches


@pytest.mark.parametrize(
    ("width", "height", "standard", "high_resolution"),
    [
        (1000, 1000, 1296, 1296),
        (1092, 1092, 1521, 1521),
        (1920, 1080, 1560, 2691),
        (2000, 1500, 1564, 3888),
        (3840, 2160, 1560, 4784),
        (405, 405, 225, 225),
        (1800, 1200, 1536, 2795),
        (28, 28, 1, 1),
        (1, 1, 1, 1),
    ],
)
def test_pictures_cost_their_patches(width: int, height: int, standard: int, high_resolution: int) -> None:
    """https://platform.claude.com/docs/en/build-with-claude/vision"""
    block = [{"type": "text", "text": "What is this?"}, picture(png(width, height))]
    text = [{"type": "text", "text": "What is this?"}]
    assert count(said(block)).tokens - count(said(text)).tokens == standard + 3
    assert count(said(block), OPUS_47).tokens - count(said(text), OPUS_47).tokens == high_resolution + 4
    assert count(said(block), OPUS_48).tokens - count(said(text), OPUS_48).tokens == high_resolution + 3


@given(st.integers(1, 8000), st.integers(1, 8000))
@settings(max_examples=100)
def test_patches_never_exceed_the_limit_and_turning_a_picture_changes_nothing(width: int, height: int) -> None:
    limits = {"patch": 28, "long_edge": 1568, "most": 1568}
    assert 1 <= patches(width, height, **limits) <= 1568
    assert patches(width, height, **limits) == patches(height, width, **limits)


@pytest.mark.parametrize(
    "source",
    [
        {"type": "url", "url": "https://example.com/a.png"},
        {"type": "file", "file_id": "file_1"},
        {"type": "base64", "media_type": "image/png", "data": "bm90IGEgcGljdHVyZQ=="},
        {"type": "base64", "media_type": "image/png", "data": "%%% not base64 %%%"},
        {"type": "base64", "media_type": "image/png", "data": ""},
        {},
    ],
)
def test_a_picture_of_unknown_size_has_a_band_up_to_the_limit(source: dict[str, Any]) -> None:
    counted = count(said([{"type": "image", "source": source}]))
    assert counted.low < 50
    assert counted.high >= 1568
    assert counted.low < counted.tokens < counted.high


def test_an_unreadable_pdf_has_a_wide_band_that_grows_with_its_size() -> None:
    small, large = (count(said([document(b"%PDF-1.7" + bytes(size))])) for size in (10_000, 1_000_000))
    assert small.high > 2 * small.low
    assert large.high > 10 * small.high


@needs_ctok
def test_a_text_document_is_counted_as_its_text_in_a_wrapper_that_never_changes() -> None:
    def wrapper(text: str) -> int:
        block = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}}
        return count(said([block])).tokens - count(text).tokens

    assert wrapper("The return window is thirty days. " * 20) == wrapper("Short.") > 30


def test_each_page_of_a_pdf_costs_its_picture_and_its_text() -> None:
    one, two = count(said([document(pdf("Hello"))])), count(said([document(pdf("Hello", "word " * 300))]))
    assert 1_500 < one.tokens < 1_700
    assert 1_750 < two.tokens - one.tokens < 2_000
    assert one.high - one.low < 300


def test_a_page_is_no_dearer_on_models_that_see_pictures_larger() -> None:
    """Measured on recorded counts of PDFs; pictures that are sent as such do cost more there."""
    older, newer = (count(said([document(pdf("Hello"))]), model).tokens for model in (SONNET_45, OPUS_48))
    assert abs(newer - older) < 20


@needs_ctok
def test_a_search_result_is_counted_as_its_title_source_and_text() -> None:
    def result(**fields: Any) -> int:
        parts = [{"type": "text", "text": "Leave is asked for in the portal."}]
        return count(
            said([{"type": "search_result", "title": "Leave", "source": "HR", "content": parts, **fields}])
        ).tokens

    longer = result(title="Leave and how to ask for it, for all of us")
    assert longer - result() == count("Leave and how to ask for it, for all of us").tokens - count("Leave").tokens
    assert result(citations={"enabled": True}) - result() > 400


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7",
        b"%PDF-1.7" + bytes(range(256)) * 40,
        pdf("Hello")[:300],
        b"not a pdf at all",
        pdf("Hello").replace(b"/Pages", b"/Sages"),
    ],
    ids=["empty", "header only", "binary", "cut", "text", "no pages"],
)
def test_a_pdf_that_cannot_be_read_has_a_wide_band(content: bytes) -> None:
    counted = count(said([document(content)]))
    assert counted.high > 2 * counted.low


def test_a_locked_pdf_is_a_guess() -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf("Secret")))
    writer.encrypt("password", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    counted = count(said([document(locked.getvalue())]))
    assert counted.high > 2 * counted.low


def test_pages_that_are_not_reached_in_time_are_taken_for_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_reader, "TIME_SECONDS", 0.2)
    monkeypatch.setattr(pdf_reader, "_page", slow(pdf_reader._page, after=1, seconds=1.0))
    partly = count(said([document(pdf("Hello", "there", "you"))]))
    assert partly.tokens > 4_500
    assert partly.high - partly.low > 2_000


def slow(function: Any, *, after: int, seconds: float) -> Any:
    calls: list[object] = []

    def wrapped(page: object) -> Any:
        calls.append(page)
        time.sleep(seconds * (len(calls) > after))
        return function(page)

    return wrapped


def document(content: bytes) -> dict[str, Any]:
    data = base64.b64encode(content).decode()
    return {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}
