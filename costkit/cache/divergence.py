"""Where two requests stop being the same for the cache: the place in the JSON, the byte, and what that invalidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from costkit.cache.content import (
    content_bytes,
    content_of,
    digest_of,
    is_outlined,
    is_web_search,
    prompt_settings,
    to_bytes,
)
from costkit.core.request import LEVELS, Block, Request

_AROUND = 40
"""Characters of an excerpt on each side."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first difference between a request and an earlier one, in cache order."""

    path: str
    """In the later request, such as `tools[3].input_schema.required`, or a parameter such as `thinking`."""
    what: str
    """`changed`, `added`, `removed`, or `reordered` for the same keys or tools in another order."""
    level: str
    """The level from which on entries can't be read: `tools`, `system` or `messages`."""
    position: int
    """How many blocks, from the first on, are still the same."""
    byte_offset: int | None
    """Bytes that are the same: of the blocks as compact JSON in cache order. `None` for a parameter."""
    before: str | None = None
    """What the earlier request has there, an excerpt."""
    after: str | None = None

    @property
    def invalidates(self) -> tuple[str, ...]:
        """The levels that are written anew."""
        return LEVELS[LEVELS.index(self.level) :]

    def as_json(self) -> dict[str, object]:
        """What documents hold."""
        return {
            "path": self.path,
            "what": self.what,
            "level": self.level,
            "invalidates": self.invalidates,
            "same_blocks": self.position,
            "byte_offset": self.byte_offset,
            "before": self.before,
            "after": self.after,
        }

    def without_text(self) -> Divergence:
        """The same without a word of the requests."""
        return replace(self, before=None, after=None)


def divergence_of(earlier: Request, later: Request) -> Divergence | None:
    """Where a request diverges from an earlier one; `None` where one only goes on where the other ends.

    Breakpoints are no difference. Models and speeds are not compared: they never share entries at all.
    """
    content = _content(earlier.blocks, later.blocks)
    setting = _setting(earlier, later)
    if content is None or setting is None:
        return content or setting
    return setting if setting.position <= content.position else content


def _setting(earlier: Request, later: Request) -> Divergence | None:
    """The first parameter outside of the blocks that differs where both have blocks of its level."""
    before, after = prompt_settings(earlier), prompt_settings(later)
    found = []
    for name, (level, value) in after.items():
        if before[name][1] != value:
            position = start_of_level(later.blocks, level)
            if position < min(len(earlier.blocks), len(later.blocks)):
                texts = (_excerpt(before[name][1], 0), _excerpt(value, 0))
                found.append(Divergence(name, "changed", level, position, None, *texts))
    return min(found, key=lambda divergence: divergence.position, default=None)


def start_of_level(blocks: Sequence[Block], level: str) -> int:
    """The position of the first block on a level or behind it."""
    depth = LEVELS.index(level)
    return next((at for at, block in enumerate(blocks) if LEVELS.index(block.level) >= depth), len(blocks))


def _content(earlier: Sequence[Block], later: Sequence[Block]) -> Divergence | None:
    shared = 0
    for old, new in zip(earlier, later, strict=False):
        if old is not new and digest_of(old) != digest_of(new):
            break
        shared += 1
    if shared == min(len(earlier), len(later)):
        return None
    old, new = earlier[shared], later[shared]
    if is_outlined(old) or is_outlined(new):
        return _without_content(earlier, later, shared)
    offset = sum(len(content_bytes(block)) for block in later[:shared])
    if old.level != new.level:
        return _one_level_ended(earlier, later, shared, offset)
    place = _place(content_of(old), content_of(new), "")
    offset += _common(content_bytes(old), content_bytes(new))
    level = _level(earlier, later, old)
    path = f"{new.path}{place.path}" if new.path.endswith("]") or place.path != ".text" else new.path
    what = "reordered" if place.reordered or _reordered(earlier, later, shared) else place.what
    if what == "reordered" and not place.reordered:
        path = new.path
    return Divergence(path, what, level, shared, offset, place.before, place.after)


def _without_content(earlier: Sequence[Block], later: Sequence[Block], shared: int) -> Divergence:
    """The first block that differs, where only digests are known."""
    old, new = earlier[shared], later[shared]
    if old.level != new.level:
        ended = _one_level_ended(earlier, later, shared, 0)
        return replace(ended, byte_offset=None, before=None, after=None)
    what = "reordered" if _reordered(earlier, later, shared) else "changed"
    return Divergence(new.path, what, _level(earlier, later, old), shared, None)


def _one_level_ended(earlier: Sequence[Block], later: Sequence[Block], shared: int, offset: int) -> Divergence:
    """One of the two has another tool or system block where the other goes on with the next level."""
    old, new = earlier[shared], later[shared]
    removed = LEVELS.index(old.level) < LEVELS.index(new.level)
    extra = old if removed else new
    texts = (_excerpt(content_of(extra), 0), None) if removed else (None, _excerpt(content_of(extra), 0))
    level = "system" if extra.level == "tools" and is_web_search(extra) else extra.level
    return Divergence(extra.path, "removed" if removed else "added", level, shared, offset, *texts)


def _level(earlier: Sequence[Block], later: Sequence[Block], block: Block) -> str:
    if block.level != "tools":
        return block.level
    sides = [{digest_of(b): b for b in side if b.level == "tools"} for side in (earlier, later)]
    changed = [b for one, other in (sides, sides[::-1]) for digest, b in one.items() if digest not in other]
    return "system" if changed and all(is_web_search(b) for b in changed) else "tools"


def _reordered(earlier: Sequence[Block], later: Sequence[Block], shared: int) -> bool:
    """Whether the same tools stand in another order."""
    level = later[shared].level
    sides = [sorted(digest_of(b) for b in side if b.level == level) for side in (earlier, later)]
    return level == "tools" and sides[0] == sides[1]


class _Place(NamedTuple):
    path: str
    what: str
    before: str | None
    after: str | None
    reordered: bool = False


def _place(old: object, new: object, path: str) -> _Place:
    """Walk down to the first difference of two JSON values that are not the same."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _place_in_objects(old, new, path)
    if isinstance(old, list) and isinstance(new, list):
        for index, (left, right) in enumerate(zip(old, new, strict=False)):
            if not _same(left, right):
                return _place(left, right, f"{path}[{index}]")
        return _Place(path, "changed", _excerpt(old, 0), _excerpt(new, 0))
    at = _common(old, new) if isinstance(old, str) and isinstance(new, str) else 0
    return _Place(path, "changed", _excerpt(old, at), _excerpt(new, at))


def _place_in_objects(old: Mapping[str, object], new: Mapping[str, object], path: str) -> _Place:
    for left, right in zip(old, new, strict=False):
        if left != right:
            if old.keys() == new.keys():
                return _Place(path, "reordered", ", ".join(old), ", ".join(new), reordered=True)
            if left not in new:
                return _Place(f"{path}.{left}", "removed", _excerpt(old[left], 0), None)
            return _Place(f"{path}.{right}", "added", None, _excerpt(new[right], 0))
        if not _same(old[left], new[right]):
            return _place(old[left], new[right], f"{path}.{left}")
    longer, what = (new, "added") if len(new) > len(old) else (old, "removed")
    key = list(longer)[min(len(old), len(new))]
    texts = (None, _excerpt(new[key], 0)) if what == "added" else (_excerpt(old[key], 0), None)
    return _Place(f"{path}.{key}", what, *texts)


def _same(left: object, right: object) -> bool:
    """Equal, with the keys of objects in the same order; true is not 1, and 1 is not 1.0."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return type(left) is type(right) and left == right


def _common(left: Sequence[object], right: Sequence[object]) -> int:
    """How long two texts are the same: by halves, so that long ones are compared at the speed of memory."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _excerpt(value: object, at: int) -> str:
    text = value if isinstance(value, str) else to_bytes(value).decode("utf-8", "replace")
    start, end = max(0, at - _AROUND), at + _AROUND
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
