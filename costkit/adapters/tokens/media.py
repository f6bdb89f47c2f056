"""Images, documents and search results as pieces; what can't be seen or can't be read gets a wide band."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from costkit.adapters.tokens.images import patches, size_of
from costkit.adapters.tokens.overheads import Profile
from costkit.adapters.tokens.piece import Piece, known, known_between, text_piece

if TYPE_CHECKING:
    from costkit.adapters.tokens.pdf import Page


def pieces(path: str, block: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    """The pieces of an `image`, `document` or `search_result` block."""
    source = block.get("source")
    source = source if isinstance(source, Mapping) else {}
    if block.get("type") == "image":
        kinds.append("images")
        yield _image(path, source, profile)
        return
    kinds.append("documents")
    if block.get("type") == "search_result":
        yield known(path, profile.rules["documents"]["search_result"])
        yield from _content(path, block.get("content"), profile, kinds)
    else:
        yield known(path, profile.rules["documents"]["wrapper"])
        yield from _document(path, source, profile, kinds)
    for name in ("title", "context", "source"):
        if isinstance(block.get(name), str):
            yield text_piece(path, str(block[name]))
    citations = block.get("citations")
    if isinstance(citations, Mapping) and citations.get("enabled"):
        yield known_between(path, **profile.rules["extras"]["citations"][profile.family])


def _image(path: str, source: Mapping[str, object], profile: Profile) -> Piece:
    rules = profile.rules["images"]
    tier, constant = rules[profile.image_tier], rules[profile.family]
    size = size_of(source)
    if size is None:
        return known_between(path, rules["unknown_size"] + constant, 1 + constant, tier["patches"] + constant)
    unit = (profile.patch // rules["patch"]) ** 2
    count = patches(*size, patch=profile.patch, long_edge=tier["long_edge"], most=tier["patches"] // unit)
    return known(path, count * unit + constant)


def _document(path: str, source: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    kind = source.get("type")
    if kind == "text":
        yield text_piece(path, str(source.get("data", "")))
    elif kind == "content":
        yield from _content(path, source.get("content"), profile, kinds)
    else:
        yield from _pdf(path, source, profile)


def _content(path: str, content: object, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    if isinstance(content, str):
        yield text_piece(path, content)
    for item in content if isinstance(content, list) else ():
        if isinstance(item, Mapping) and item.get("type") == "image":
            yield from pieces(path, item, profile, kinds)
        elif isinstance(item, Mapping):
            yield text_piece(path, str(item.get("text", "")))
            yield known(path, profile.rules["documents"]["part"])


def _pdf(path: str, source: Mapping[str, object], profile: Profile) -> Iterator[Piece]:
    """Each page as its picture and its text; of a file that can't be read, pages are guessed from its size."""
    data = source.get("data")
    from costkit.adapters.tokens.pdf import pages_of

    pages = pages_of(data) if isinstance(data, str) and data else None
    if pages is None:
        yield _unread_pdf(path, data, profile)
        return
    rules = profile.rules["documents"]
    texts = 0
    for page in pages.read:
        yield known(path, _picture_of(page, profile))
        yield text_piece(path, page.text)
        texts += len(page.text)
    doubt = round(texts * rules["doubt_per_character"]) + rules["doubt_per_page"] * len(pages.read)
    yield known_between(path, 0, -doubt, doubt)
    missing = pages.total - len(pages.read)
    if missing > 0:
        page_rule = rules["page"]
        yield known_between(path, *(missing * page_rule[name] for name in ("tokens", "low", "high")))


def _picture_of(page: Page, profile: Profile) -> int:
    """Pages are drawn as large as the standard limits allow, on every model."""
    rules = profile.rules["images"]
    tier, scale = rules["standard"], rules["standard"]["long_edge"] / max(page.width, page.height)
    size = (max(1, round(page.width * scale)), max(1, round(page.height * scale)))
    count = patches(*size, patch=rules["patch"], long_edge=tier["long_edge"], most=tier["patches"])
    return count + int(rules[profile.family]) + int(profile.rules["documents"]["per_page"])


def _unread_pdf(path: str, data: object, profile: Profile) -> Piece:
    rules = profile.rules["documents"]
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
