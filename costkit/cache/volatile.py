"""Values that change from one request to the next, found in a text: whatever stands after one is never read again.

A pattern can only suspect. Unlabelled dates and numbers are left alone, because manuals and schemas are full of them;
`lint` compares requests where it has several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = rf"(?:\d{{4}}-\d\d-\d\d|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}|{_NTH} {_MONTH} \d{{4}}|{_MONTH} {_NTH},? \d{{4}})"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]m\b)?"
_NOW = r"\b(?:today|now|current(?:ly)?|as of|generated|(?:date|time) is|time ?stamp)\b[^\n]{0,24}?\b"
_ONE_OF_MANY = (
    r"\b(?:request|message|turn|attempt|call|session|run|build|job|trace|correlation|invocation|conversation)[ _-]?"
)
_IS = r"[\"']?\s*(?:is|[:=#])\s*[\"']?"


class _Pattern(NamedTuple):
    kind: str
    regex: re.Pattern[str]
    labelled: bool
    """Whether the text itself says that the value belongs to this moment or this request."""


def _pattern(kind: str, regex: str, *, labelled: bool = True) -> _Pattern:
    return _Pattern(kind, re.compile(regex, re.IGNORECASE), labelled)


_PATTERNS = (
    _pattern("timestamp", rf"{_NOW}(?P<value>(?:{_DATE}[T ,at]*)?{_CLOCK})"),
    _pattern("timestamp", r"\b(?:epoch|unix(?: time)?|time ?stamp|ts)\b\W{1,4}(?P<value>1\d{9}(?:\d{3}|\d{6})?)\b"),
    _pattern(
        "timestamp",
        r"\b(?P<value>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|\s?[+-]\d\d:?\d\d)?)",
        labelled=False,
    ),
    _pattern("uuid", r"\b(?P<value>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b", labelled=False),
    _pattern("request id", rf"{_ONE_OF_MANY}id{_IS}(?P<value>(?=[\w-]*\d)[\w-]{{4,}})"),
    _pattern("request id", r"\b(?P<value>(?:req|msg|sess|session|trace|run|conv)_(?=\w*\d)\w{12,})\b", labelled=False),
    _pattern("counter", rf"{_ONE_OF_MANY}(?:#|(?:no\.?|number|count|counter)(?:{_IS}|\s+))\s*(?P<value>\d+)\b"),
    _pattern("counter", rf"\b(?:counter|nonce|random seed){_IS}(?P<value>\d+)\b"),
    _pattern("date", rf"{_NOW}(?P<value>{_DATE})\b"),
    _pattern("date", rf"(?:^|\n)\W{{0,4}}date\W{{1,4}}(?P<value>{_DATE})\b"),
)


class Volatile(NamedTuple):
    """A suspicious value in a text."""

    kind: str
    """`timestamp`, `uuid`, `request id`, `counter` or `date`."""
    value: str
    start: int
    end: int
    labelled: bool


def volatile_values(text: str) -> list[Volatile]:
    """The values in a text that look as if they change with every request, in order, none inside of another."""
    found = sorted(_matches(text), key=lambda value: (value.start, -value.end))
    kept: list[Volatile] = []
    for value in found:
        if not kept or value.start >= kept[-1].end:
            kept.append(value)
        elif value.labelled:
            kept[-1] = kept[-1]._replace(labelled=True)
    return kept


def _matches(text: str) -> Iterator[Volatile]:
    for kind, regex, labelled in _PATTERNS:
        for match in regex.finditer(text):
            yield Volatile(kind, match["value"], *match.span("value"), labelled)


def without_values(text: str, values: list[Volatile]) -> str:
    """The text with each value replaced by its kind: what two requests share that differ in nothing else."""
    pieces, at = [], 0
    for value in values:
        pieces += [text[at : value.start], f"<{value.kind}>"]
        at = value.end
    return "".join([*pieces, text[at:]])
