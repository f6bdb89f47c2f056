"""Typed fields of a price book: each function reads one kind of value from a node, or says what is wrong and where.

All raise `InvalidPricing`; `what` is how a message names the field, such as `claude-opus-5: context_window`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from costkit.adapters.yaml_tree import Mapping as MappingNode
from costkit.adapters.yaml_tree import Node, Scalar, Sequence
from costkit.core.money import decimal_from
from costkit.core.suggest import close_names
from costkit.errors import InvalidPricing

_RATE = re.compile(r"(0|[1-9]\d{0,8})(\.\d{1,12})?", re.ASCII)
_WHOLE = re.compile(r"[1-9]\d{0,11}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH_OR_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-\d{2})?", re.ASCII)
_LONGEST_SHOWN = 60


def shown(text: str) -> str:
    """A value from the file inside a one-line message: quoted, escaped, not too long."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def did_you_mean(word: str, known: Collection[str]) -> str | None:
    """A hint with the closest known word, or all of them when they are few."""
    close = close_names(word, known)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(known)}" if known else None


def fields(node: Node, what: str, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
    """The values of a mapping after its keys were checked."""
    mapping = _mapping(node, what)
    known = (*required, *optional)
    for key in mapping.entries:
        if key not in known:
            hint = did_you_mean(key, known)
            raise InvalidPricing(f"{what} has an unknown key {shown(key)}", hint=hint, where=mapping.places[key])
    for key in required:
        if key not in mapping.entries:
            raise InvalidPricing(f"{what} has no {key}", where=mapping.where)
    return mapping.entries


def named(node: Node, what: str) -> Mapping[str, tuple[str, Node]]:
    """The entries of a mapping whose keys are free names: name → (place, value)."""
    mapping = _mapping(node, what)
    return {as_name(Scalar(mapping.places[k], k, is_null=False), what): (mapping.places[k], v)
            for k, v in mapping.entries.items()}  # fmt: skip


def _mapping(node: Node, what: str) -> MappingNode:
    if not isinstance(node, MappingNode):
        raise InvalidPricing(f"{what} must be a mapping of keys to values", where=node.where)
    return node


def is_null(node: Node) -> bool:
    """Whether a value was left out on purpose."""
    return isinstance(node, Scalar) and node.is_null


def as_items(node: Node, what: str) -> tuple[Node, ...]:
    """The items of a list."""
    if not isinstance(node, Sequence):
        raise InvalidPricing(f"{what} must be a list", where=node.where)
    return node.items


def as_text(node: Node, what: str) -> str:
    """A line of text that is not empty."""
    if not isinstance(node, Scalar) or node.is_null or not node.text.strip():
        raise InvalidPricing(f"{what} must be text", where=node.where)
    if not node.text.isprintable():
        raise InvalidPricing(f"{what} must be one line without control characters", where=node.where)
    return node.text


def as_name(node: Node, what: str) -> str:
    """A name: text without spaces."""
    name = as_text(node, what)
    if any(character.isspace() for character in name):
        raise InvalidPricing(f"{what}: a name must not contain spaces, as {shown(name)} does", where=node.where)
    return name


def as_choice(node: Node, what: str, choices: Collection[str]) -> str:
    """One word out of several."""
    word = as_text(node, what)
    if word not in choices:
        raise InvalidPricing(f"{what} is unknown: {shown(word)}", hint=did_you_mean(word, choices), where=node.where)
    return word


def as_day(node: Node, what: str) -> date:
    """A calendar day, `2026-11-21`."""
    text = node.text if isinstance(node, Scalar) else ""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidPricing(f"{what} must be a day such as 2026-11-21{_not(node)}", where=node.where)


def as_day_or_none(node: Node, what: str) -> date | None:
    """A calendar day, or `null`."""
    return None if is_null(node) else as_day(node, what)


def as_month_or_day(node: Node, what: str) -> str:
    """When something was seen: a day, or a month where the day is not known."""
    text = node.text if isinstance(node, Scalar) else ""
    if not _MONTH_OR_DAY.fullmatch(text):
        raise InvalidPricing(f"{what} must be a month or a day such as 2026-11{_not(node)}", where=node.where)
    return text if text.count("-") == 1 else as_day(node, what).isoformat()


def as_whole_number(node: Node, what: str) -> int:
    """A whole number above 0, in plain digits."""
    if not isinstance(node, Scalar) or not _WHOLE.fullmatch(node.text):
        raise InvalidPricing(f"{what} must be a whole number in plain digits{_not(node)}", where=node.where)
    return int(node.text)


def as_rate(node: Node, what: str) -> Decimal:
    """An amount in plain decimal digits, such as `0.20`, read from its text so that no digit is lost."""
    if not isinstance(node, Scalar) or not _RATE.fullmatch(node.text):
        hint = "write digits with at most one point, such as 0.20"
        raise InvalidPricing(f"{what} must be plain decimal digits{_not(node)}", hint=hint, where=node.where)
    return decimal_from(node.text)


def as_multiplier(node: Node, what: str) -> Decimal:
    """A factor above 0."""
    factor = as_rate(node, what)
    if factor == 0:
        raise InvalidPricing(f"{what} must be more than 0", where=node.where)
    return factor


def _not(node: Node) -> str:
    return f", not {shown(node.text)}" if isinstance(node, Scalar) else ""
