"""A YAML file as plain nodes that know their line, in a dialect narrow enough to be trusted with prices.

Anchors, aliases, tags, duplicate keys, several documents and deep nesting are refused. The tree is built from the
parser's events: PyYAML's own composer recurses in C, where a file of brackets would end the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from costkit.errors import InvalidPricing

if TYPE_CHECKING:
    import yaml

MOST_BYTES = 4 * 1024 * 1024
"""A larger file is not a price book."""
_DEEPEST = 12
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
"""What YAML forbids in a stream; listed, because the complement takes milliseconds to compile."""


class Scalar(NamedTuple):
    """One value, as it was written: `0.20` stays `0.20`."""

    where: str
    """`file:line`."""
    text: str
    is_null: bool
    """True for `null`, `~` or nothing at all, unless quoted."""


class Sequence(NamedTuple):
    """A list."""

    where: str
    items: tuple[Node, ...]


class Mapping(NamedTuple):
    """Keys, in the order of the file, and their values."""

    where: str
    entries: dict[str, Node]
    places: dict[str, str]
    """`file:line` of each key."""


Node = Scalar | Sequence | Mapping


def parse_tree(data: bytes, file: str) -> Mapping:
    """Read a file whose top level is a mapping; `file` is its name for messages.

    Raises `InvalidPricing` with `file:line` for anything that is not UTF-8, not YAML or outside the dialect.
    """
    import yaml

    text = _text(data, file)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _root(_Builder(yaml.parse(text, Loader=loader), file))
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = file if mark is None else f"{file}:{mark.line + 1}"
        raise InvalidPricing(f"not valid YAML: {problem.problem or problem.context}", where=where) from None
    except yaml.YAMLError:
        raise InvalidPricing("not valid YAML", where=file) from None


def to_plain(node: Node) -> object:
    """The same tree as JSON values, without its places: texts, `None`, lists and objects."""
    if isinstance(node, Scalar):
        return None if node.is_null else node.text
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    return {key: to_plain(value) for key, value in node.entries.items()}


def from_plain(value: object, file: str) -> Node:
    """The tree that `to_plain` came from; every place is the file itself."""
    if isinstance(value, dict):
        return Mapping(file, {key: from_plain(item, file) for key, item in value.items()}, dict.fromkeys(value, file))
    if isinstance(value, list):
        return Sequence(file, tuple([from_plain(item, file) for item in value]))
    return Scalar(file, str(value or ""), value is None)


def _text(data: bytes, file: str) -> str:
    if len(data) > MOST_BYTES:
        raise InvalidPricing(f"larger than {MOST_BYTES // 1024**2} MiB: not a price book", where=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise InvalidPricing("not valid UTF-8", where=f"{file}:{line}") from None
    strange = _NOT_TEXT.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        raise InvalidPricing(f"has a control character {strange.group()!r}", where=f"{file}:{line}")
    return text


def _root(builder: _Builder) -> Mapping:
    first = builder.document()
    if first is None:
        raise InvalidPricing("the file is empty", where=builder.file)
    root = builder.node(first, 0)
    if isinstance(root, Scalar) and root.is_null:
        raise InvalidPricing("the file is empty", where=builder.file)
    if not isinstance(root, Mapping):
        raise InvalidPricing("the top level must be a mapping of keys to values", where=root.where)
    extra = builder.document()
    if extra is not None:
        builder.refuse(extra, "has a second YAML document")
    return root


class _Builder:
    """Turns a stream of parser events into nodes."""

    def __init__(self, events: Iterator[yaml.Event], file: str) -> None:
        self.events = events
        self.file = file

    def document(self) -> yaml.Event | None:
        """The first event of the next document, or None at the end of the file."""
        import yaml

        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                return event
        return None

    def refuse(self, event: yaml.Event, message: str) -> NoReturn:
        raise InvalidPricing(message, where=self.place(event))

    def place(self, event: yaml.Event) -> str:
        mark = event.start_mark
        return self.file if mark is None else f"{self.file}:{mark.line + 1}"

    def node(self, event: yaml.Event, depth: int) -> Node:
        import yaml

        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self.refuse(event, "anchors and aliases (& and *) are not allowed: write the values out")
        if getattr(event, "tag", None) is not None:
            self.refuse(event, "tags (!) are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(self.place(event), event.value, event.implicit[0] and event.value in _NULLS)
        if depth == _DEEPEST:
            self.refuse(event, f"nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(self.place(event), tuple(self.node(item, depth + 1) for item in self.inside()))
        return self.mapping(event, depth)

    def inside(self) -> Iterator[yaml.Event]:
        """The events that begin the children of the collection which was just opened."""
        import yaml

        for event in self.events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            yield event

    def mapping(self, event: yaml.Event, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        places: dict[str, str] = {}
        for key_event in self.inside():
            key = self.node(key_event, depth + 1)
            if not isinstance(key, Scalar) or key.is_null:
                raise InvalidPricing("a key must be text", where=key.where)
            if key.text in entries:
                first = places[key.text].rpartition(":")[2]
                raise InvalidPricing(f"duplicate key {key.text!r}, already on line {first}", where=key.where)
            places[key.text] = key.where
            entries[key.text] = self.node(next(self.events), depth + 1)
        return Mapping(self.place(event), entries, places)
