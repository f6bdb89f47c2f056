"""What the cache compares: the content of a block, byte by byte, without the marks on it.

Marks don't belong to the content: moving one never changes what an entry is made of. Typed objects (a text block, an
image) are read by field name, so the order of their keys is no content; inside of free JSON (a tool's schema, the
input of a tool call) it is. https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from costkit.core.request import Block, Request

_FREE_JSON = frozenset({"input", "input_schema", "schema"})
"""Fields that hold JSON of the caller's own, handed to the model as it is written."""
_PLAIN_TEXT = frozenset({"type", "text", "cache_control"})
_DIGEST_BYTES = 16
DIGEST = "digest"
"""The field of a block that was read from an outline: it holds the digest of the content, which is not there."""


def content_of(block: Block) -> dict[str, object]:
    """The content of a block: its fields in a fixed order, without marks; free JSON keeps the order of its keys."""
    content: dict[str, object] = {"role": block.role} if block.role else {}
    content.update(_typed(block.value))
    return content


def content_bytes(block: Block) -> bytes:
    """The content of a block as compact JSON in UTF-8: the bytes that offsets are counted in."""
    return to_bytes(content_of(block))


def to_bytes(value: object) -> bytes:
    """A JSON value, compact, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def digest_of(block: Block) -> bytes:
    """A digest that two blocks share exactly when the cache takes them for the same.

    Texts, by far the most common blocks, are not written out as JSON for it.
    """
    if block.kind == "text" and block.value.keys() <= _PLAIN_TEXT:
        data = str(block.value["text"]).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=_DIGEST_BYTES, person=_person(block)).digest()
    return hashlib.blake2b(content_bytes(block), digest_size=_DIGEST_BYTES, person=_person(block, b"#")).digest()


def is_outlined(block: Block) -> bool:
    """Whether only the digest of a block's content is known."""
    return DIGEST in block.value


def _person(block: Block, form: bytes = b"") -> bytes:
    return form + block.level[:1].encode() + (block.role or "").encode()


def _typed(value: Mapping[str, object]) -> dict[str, object]:
    return {
        key: value[key] if key in _FREE_JSON else _nested(value[key]) for key in sorted(value) if key != "cache_control"
    }


def _nested(value: object) -> object:
    if isinstance(value, Mapping):
        return _typed(value)
    return [_nested(item) for item in value] if isinstance(value, list) else value


def prompt_settings(request: Request) -> dict[str, tuple[str, object]]:
    """The parameters outside of the blocks that entries depend on: name → (level from which they count, value).

    The levels are those of the table of what invalidates the cache:
    https://platform.claude.com/docs/en/build-with-claude/prompt-caching
    """
    body = request.body
    config = body.get("output_config")
    config = config if isinstance(config, Mapping) else {}
    return {
        "citations": ("system", _has_citations(request)),
        "tool_choice": ("messages", body.get("tool_choice") or {"type": "auto"}),
        "thinking": ("messages", body.get("thinking")),
        "output_config.effort": ("messages", config.get("effort")),
        "output_config.format": ("messages", config.get("format") or body.get("output_format")),
        "images": ("messages", any(block.kind == "image" for block in request.blocks)),
    }


def _has_citations(request: Request) -> bool:
    for block in request.blocks:
        citations = block.value.get("citations") if block.kind in ("document", "search_result") else None
        if isinstance(citations, Mapping) and citations.get("enabled"):
            return True
    return False


def is_web_search(block: Block) -> bool:
    """Whether a tool is the web search of the API: switching it changes the system prompt, not the other tools."""
    return str(block.value.get("type", "")).startswith("web_search_")
