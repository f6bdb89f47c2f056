"""Recorded requests with the API's own counts: read, put back into shape and divided into halves."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from costkit.adapters.tokens.images import size_of
from costkit.adapters.tokens.overheads import profile_for
from costkit.adapters.tokens.structure import lay_out
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import Request, parse_request
from costkit.errors import CostkitError, UnknownModel

FORMAT = """Each line of the file is an object with `request` (a Messages body), `model`, `tokenizer_family`,
`total_input_tokens` (what the API counted) and optionally `beta`, `flags`, `endpoint`. Base64 payloads may have been
replaced by `BASE64_REMOVED … chars=N dims=WxH …`. Requests in another shape than the Messages API's, flagged ones and
those of unknown models are left out and counted."""
_BAD_FLAGS = frozenset(("dupes_disagree", "impossible_more_tokens_than_bytes"))
_FAMILIES = frozenset(("v3", "v4.7", "v4.8"))
_OTHER_SHAPES = frozenset(("bedrock_converse",))
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded request with the API's own count."""

    request: Request
    model: ModelPrice
    true: int
    kind: str
    label: str
    """The kind, and for images whether their sizes are unknown because they are elsewhere."""
    body: str
    """What someone would give to a tokenizer as it is."""
    half: int
    """0 or 1: requests that begin with the same words are in the same half."""


def read(path: Path, book: PriceBook, left_out: Counter[str]) -> Iterator[Case]:
    """The usable records; the others are counted by reason in `left_out`."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            reason = _unusable(record)
            if reason:
                left_out[reason] += 1
                continue
            body = restored(record["request"])
            beta = record.get("beta")
            if isinstance(beta, str) and "REDACTED" not in beta:
                body["betas"] = beta.split(",")
            try:
                model = book.resolve(record["model"].rsplit("inference-profile/", 1)[-1])
                request = parse_request(body)
            except UnknownModel:
                left_out["unknown model"] += 1
            except CostkitError:
                left_out["unreadable"] += 1
            else:
                kind = lay_out(request, profile_for(model)).kind
                half = _half(request)
                unseen = kind == "images" and any(size_of(source) is None for source in _image_sources(body))
                label = "images elsewhere" if unseen else kind
                yield Case(request, model, record["total_input_tokens"], kind, label, _prompt_text(body), half)


def _unusable(record: Mapping[str, Any]) -> str | None:
    if record["tokenizer_family"] not in _FAMILIES:
        return "unknown family"
    if record.get("endpoint") in _OTHER_SHAPES:
        return "other shape"
    return "flagged" if _BAD_FLAGS & set(record.get("flags") or ()) else None


def _image_sources(value: Any) -> Iterator[Mapping[str, Any]]:
    """The sources of all images in a body."""
    if isinstance(value, dict):
        if value.get("type") == "image" and isinstance(value.get("source"), dict):
            yield value["source"]
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _image_sources(item)


def _half(request: Request) -> int:
    """The half by a digest of the first letters of the first prompt, so that near-duplicates stay together."""
    texts = [str(block.value.get("text", "")) for block in request.level("messages") if block.kind == "text"]
    letters = re.sub(r"[\W\d_]+", "", texts[0] if texts else "").casefold()[:40]
    return hashlib.sha256(letters.encode()).digest()[0] % 2


def _prompt_text(body: Mapping[str, Any]) -> str:
    """What someone would feed to a tokenizer: the one message's text, else the JSON of the prompt."""
    messages = body["messages"]
    if len(messages) == 1 and isinstance(messages[0]["content"], str) and set(body) <= {"model", "messages"}:
        return str(messages[0]["content"])
    return json.dumps({name: body[name] for name in ("tools", "system", "messages") if body.get(name)})


def restored(value: Any) -> Any:
    """Put a header of the recorded size, or as many bytes, where a base64 payload was removed."""
    if isinstance(value, dict):
        return {name: restored(item) for name, item in value.items()}
    if isinstance(value, list):
        return [restored(item) for item in value]
    if not isinstance(value, str) or not value.startswith("BASE64_REMOVED"):
        return value
    size = re.search(r"dims=(\d+)x(\d+)", value)
    if size:
        header = struct.pack(">I4sIIBBBBB", 13, b"IHDR", int(size[1]), int(size[2]), 8, 2, 0, 0, 0)
        return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + bytes(4)).decode()
    length = re.search(r"chars=(\d+)", value)
    return "A" * int(length[1]) if length else value


def grouped(items: list[_T], key: Callable[[_T], str]) -> dict[str, list[_T]]:
    """Items by key, in the order of the keys."""
    groups: defaultdict[str, list[_T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(sorted(groups.items()))
