"""Requests, models and counters that the tests of token counting share."""

from __future__ import annotations

import base64
import importlib.util
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens import make_counter
from costkit.core.request import parse_request, text_request
from costkit.core.tokens import TokenCount, TokenCounter

BOOK = built_in_book()
SONNET_45 = BOOK.resolve("claude-sonnet-4-5")
OPUS_47 = BOOK.resolve("claude-opus-4-7")
OPUS_48 = BOOK.resolve("claude-opus-4-8")
OPUS_55 = BOOK.resolve("claude-opus-5-5")
EVERY_FAMILY = pytest.mark.parametrize("model", [SONNET_45, OPUS_47, OPUS_48, OPUS_55], ids=lambda model: model.id)
needs_ctok = pytest.mark.skipif(importlib.util.find_spec("ctok") is None, reason="ctok needs Python 3.12")

TOOL = {
    "name": "find_order",
    "description": "Finds an order by its number.",
    "input_schema": {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
}
CALL = {"type": "tool_use", "id": "t1", "name": "find_order", "input": {"number": "A-17"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "shipped on Monday"}
CONVERSATION: dict[str, Any] = {
    "system": [{"type": "text", "text": "You help customers."}, {"type": "text", "text": "Be brief."}],
    "tools": [TOOL],
    "messages": [
        {"role": "user", "content": "Where is order A-17?"},
        {"role": "assistant", "content": [{"type": "text", "text": "One moment."}, CALL]},
        {"role": "user", "content": [RESULT, {"type": "text", "text": "Well?"}]},
    ],
}


def local(mode: str = "offline") -> TokenCounter:
    return make_counter(mode, offline=True, cache_dir=None, environ={"TIKTOKEN_CACHE_DIR": "/nonexistent"})


COUNTERS = {"offline": local(), "characters": local("fast")}
EVERY_ENGINE = pytest.mark.parametrize("engine", sorted(COUNTERS))


def count(body: Mapping[str, Any] | str, model: Any = SONNET_45, engine: str = "offline") -> TokenCount:
    request = text_request(body) if isinstance(body, str) else parse_request(body)
    return COUNTERS[engine].count_many([(request, model)])[0]


def said(*contents: Any, **fields: Any) -> dict[str, Any]:
    """Messages of alternating roles, beginning with the user."""
    roles = ("user", "assistant")
    messages = [{"role": roles[index % 2], "content": content} for index, content in enumerate(contents)]
    return {"messages": messages, **fields}


def png(width: int, height: int) -> str:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    ).decode()


def picture(data: str, media_type: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def pdf(*texts: str) -> bytes:
    """A PDF of one page for each text."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(texts)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, text in enumerate(texts):
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {fonts} /Contents {5 + 2 * index} 0 R >>"
        objects += [page, f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"]
    content, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(content))
        content += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>"
    )
    return content + f"{head}\nstartxref\n{len(content)}\n%%EOF\n".encode()
