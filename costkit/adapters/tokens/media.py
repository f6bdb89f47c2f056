"""Images and documents as pieces; what can't be seen without a network or a PDF reader gets a wide band."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from costkit.adapters.tokens.images import patches, size_of
from costkit.adapters.tokens.overheads import Profile
from costkit.adapters.tokens.piece import Piece, known, known_between, text_piece


def pieces(path: str, block: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    """The pieces of an `image` or `document` block."""
    source = block.get("source")
    source = source if isinstance(source, Mapping) else {}
    if block.get("type") == "image":
        kinds.append("images")
        yield _image(path, source, profile)
        return
    kinds.append("documents")
    yield from _document(path, source, profile, kinds)
    for name in ("title", "context"):
        if isinstance(block.get(name), str):
            yield text_piece(path, str(block[name]))
    citations = block.get("citations")
    if isinstance(citations, Mapping) and citations.get("enabled"):
        yield known_between(path, **profile.rules["extras"]["citations"])


def _image(path: str, source: Mapping[str, object], profile: Profile) -> Piece:
    rules = profile.rules["images"]
    tier, constant = rules[profile.image_tier], rules[profile.family]
    size = size_of(source)
    if size is None:
        most = tier["patches"] + constant
        return known_between(path, round(most * rules["unknown_size"]), 1 + constant, most)
    count = patches(*size, patch=rules["patch"], long_edge=tier["long_edge"], most=tier["patches"])
    return known(path, count + constant)


def _document(path: str, source: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    kind = source.get("type")
    if kind == "text":
        yield text_piece(path, str(source.get("data", "")))
    elif kind == "content":
        yield from _content(path, source.get("content"), profile, kinds)
    else:
        yield _pdf(path, source, profile)


def _content(path: str, content: object, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    if isinstance(content, str):
        yield text_piece(path, content)
    for item in content if isinstance(content, list) else ():
        if isinstance(item, Mapping) and item.get("type") == "image":
            yield from pieces(path, item, profile, kinds)
        elif isinstance(item, Mapping):
            yield text_piece(path, str(item.get("text", "")))


def _pdf(path: str, source: Mapping[str, object], profile: Profile) -> Piece:
    """Pages are guessed from the file's size, or not at all for a file elsewhere."""
    rules = profile.rules["documents"]
    data = source.get("data")
    pages = dict(rules["unknown_pages"])
    if isinstance(data, str):
        size = len(data) * 3 // 4
        per_page = rules["bytes_per_page"]
        pages = {
            "expected": max(1, round(size / per_page["expected"])),
            "low": max(1, size // per_page["high"]),
            "high": max(1, -(-size // per_page["low"])),
        }
    page = rules["page"]
    return known_between(
        path, pages["expected"] * page["tokens"], pages["low"] * page["low"], pages["high"] * page["high"]
    )
