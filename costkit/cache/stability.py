"""Compares requests with each other: values, keys and tools that ought to stay the same and don't.

One request alone can only look suspicious; a second one proves it or clears it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from costkit.cache.breakpoints import AUTOMATIC, Breakpoint
from costkit.cache.content import content_of, digest_of, to_bytes
from costkit.cache.traffic import LoggedRequest
from costkit.cache.volatile import Volatile, volatile_values, without_values
from costkit.core.request import Block

_LONGEST_SHOWN = 40


class Unstable(NamedTuple):
    """Something that changes, or looks as if it does, with its first place and how many requests show it."""

    code: str
    """`volatile-value`, `unstable-key-order` or `unstable-tool-order`."""
    message: str
    where: str
    requests: int


@dataclass(slots=True)
class _Template:
    """A text that requests share but for the suspicious values in it."""

    values: list[Volatile]
    where: str
    requests: int = 1
    changed: set[int] = field(default_factory=set)
    later: dict[int, str] = field(default_factory=dict)
    """By its number, what a changed value was in the first request that differed."""


@dataclass(slots=True)
class _Order:
    digest: bytes
    where: str
    requests: int = 0
    message: str = ""
    place: str = ""


class Stability:
    """Looks at requests one after the other and says at the end what was not stable; remembers digests only."""

    def __init__(self) -> None:
        self._templates: dict[bytes, _Template] = {}
        self._orders: dict[tuple[str, object], _Order] = {}
        self._texts: dict[bytes, list[tuple[str, list[Volatile], bytes]]] = {}

    def look_at(self, logged: LoggedRequest, marks: tuple[Breakpoint, ...]) -> None:
        """Take one request into account."""
        if marks:
            last = marks[-1].position
            blocks = logged.request.blocks
            own = [m.position for m in marks if m.path != AUTOMATIC and blocks[m.position].message == 0]
            for position, block in enumerate(blocks[: last + 1]):
                self._values(logged, block, in_template=position <= max(own, default=-1))
        self._tools(logged)
        self._keys(logged)

    def findings(self) -> Iterator[Unstable]:
        """What is unstable, values first."""
        for template in self._templates.values():
            numbers = range(len(template.values)) if template.requests == 1 else sorted(template.changed)
            if numbers:
                yield _volatile(template, numbers)
        for (kind, _), order in self._orders.items():
            if order.requests:
                yield Unstable(f"unstable-{kind}-order", order.message, order.place, order.requests)

    def _values(self, logged: LoggedRequest, block: Block, *, in_template: bool) -> None:
        """The history of a conversation stays as it is, whatever times and ids it mentions; a template is filled anew.

        So on the messages level only what is labelled counts, in the first message, under a mark of its own.
        """
        history = block.level == "messages"
        if history and (block.message or not in_template):
            return
        for path, values, shape in self._suspicious(block):
            kept = [value for value in values if value.labelled or not history]
            if not kept:
                continue
            key = hashlib.blake2b(shape + path.encode() + block.level.encode(), digest_size=16).digest()
            where = logged.place(f"{block.path}{path}" if block.path.endswith("]") else block.path)
            known = self._templates.get(key)
            if known is None:
                self._templates[key] = _Template(kept, where)
                continue
            known.requests += 1
            for number, (old, new) in enumerate(zip(known.values, kept, strict=False)):
                if old.value != new.value:
                    known.changed.add(number)
                    known.later.setdefault(number, new.value)

    def _suspicious(self, block: Block) -> list[tuple[str, list[Volatile], bytes]]:
        digest = digest_of(block)
        found = self._texts.get(digest)
        if found is None:
            found = []
            for path, text in _texts(content_of(block), ""):
                values = volatile_values(text)
                if values:
                    found.append((path, values, without_values(text, values).encode("utf-8", "surrogatepass")))
            self._texts[digest] = found
        return found

    def _tools(self, logged: LoggedRequest) -> None:
        tools = logged.request.level("tools")
        if len(tools) < 2:  # noqa: PLR2004  one tool has no order
            return
        names = [str(tool.value.get("name")) for tool in tools]
        digests = [_unordered(tool.value) for tool in tools]
        message = f"the same {len(tools)} tools stand in another order than in {{}}: sort them"
        same, order = frozenset(digests), hashlib.blake2b(repr(names).encode()).digest()
        self._order(("tool", same), order, logged.place("tools"), message)

    def _keys(self, logged: LoggedRequest) -> None:
        for block in logged.request.blocks:
            field_name = {"tool": "input_schema", "tool_use": "input"}.get(block.kind)
            free = block.value.get(field_name) if field_name else None
            if isinstance(free, Mapping) and free:
                identity = (str(block.value.get("id") or block.value.get("name")), _unordered(free))
                message = "the same keys stand in another order than in {}: write JSON with sorted keys"
                order = hashlib.blake2b(to_bytes(free)).digest()
                self._order(("key", identity), order, logged.place(f"{block.path}.{field_name}"), message)

    def _order(self, key: tuple[str, object], digest: bytes, where: str, message: str) -> None:
        known = self._orders.setdefault(key, _Order(digest, where))
        if known.digest != digest:
            known.message = known.message or message.format(known.where)
            known.place = known.place or where
            known.requests += 1


def _volatile(template: _Template, numbers: Sequence[int]) -> Unstable:
    first = numbers[0]
    value = template.values[first]
    shown = _short(value.value)
    others = len({template.values[number].value for number in numbers} - {value.value})
    more = f" and {others} more like it" if others else ""
    if template.changed:
        what = f"a {value.kind} that differs between requests ({shown}, then {_short(template.later[first])}){more}"
    else:
        what = f"{shown}{more} looks like a {value.kind} that is new in every request"
    message = f"{what}: nothing from here on is read from the cache; put it behind the last breakpoint"
    return Unstable("volatile-value", message, template.where, template.requests)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not (key == "data" and "media_type" in value):  # an image is no text
                yield from _texts(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def _unordered(value: Mapping[str, object]) -> bytes:
    bare = {key: item for key, item in value.items() if key != "cache_control"}
    return hashlib.blake2b(json.dumps(bare, sort_keys=True).encode(), digest_size=16).digest()
