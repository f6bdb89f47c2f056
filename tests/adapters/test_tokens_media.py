"""Pictures and documents: patches by size, and honest bands where a size can't be seen."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_requests import OPUS_47, OPUS_48, count, needs_ctok, picture, png, said

from costkit.adapters.tokens.images import patches
from costkit.core.tokens import TokenCount


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


def test_a_pdf_has_a_wide_band_that_grows_with_its_size() -> None:
    def pdf(size: int) -> TokenCount:
        data = base64.b64encode(b"%PDF-1.7" + bytes(size)).decode()
        block = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}
        return count(said([block]))

    small, large = pdf(10_000), pdf(1_000_000)
    assert small.high > 2 * small.low
    assert large.high > 10 * small.high


@needs_ctok
def test_a_text_document_is_counted_as_its_text() -> None:
    text = "The return window is thirty days. " * 20
    block = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}}
    assert abs(count(said([block])).tokens - count(text).tokens) <= 2
