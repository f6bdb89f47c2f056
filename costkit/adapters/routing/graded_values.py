"""Values of graded results, checked: scores, names and usages that somebody else's program wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NoReturn

from costkit.core.request import Request, parse_request, text_request
from costkit.core.response import BilledUsage, Counts, read_usage
from costkit.errors import InvalidInput

Json = Mapping[str, object]
_WORDS = {"c": 1.0, "p": 0.5, "i": 0.0, "n": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
"""The words of inspect: correct, partial, incorrect, no answer; and yes and no."""


def parse(text: str | bytes, where: str, *, is_line: bool = False) -> object:
    """Read JSON; NaN and Infinity are numbers to some writers, and no score to anybody.

    `where` is a file or, with `is_line`, a file and the line that the text is.
    """

    def refuse(constant: str) -> NoReturn:
        raise InvalidInput(f"holds {constant}, which is no number", where=where)

    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        return json.loads(decoded, parse_constant=refuse)
    except json.JSONDecodeError as problem:
        place = where if is_line else f"{where}:{problem.lineno}"
        raise InvalidInput(f"is not valid JSON: {problem.msg} (column {problem.colno})", where=place) from None
    except UnicodeDecodeError:
        raise InvalidInput("is not UTF-8 text", where=where) from None
    except ValueError as problem:
        raise InvalidInput(f"is not valid JSON: {problem}", where=where) from None
    except RecursionError:
        raise InvalidInput("is nested too deeply", where=where) from None


def score_of(value: object, where: str) -> float:
    """A score from 0 to 1: a number, true or false, or a word such as inspect's C and I."""
    if isinstance(value, str):
        value = _number(value, where)
    if not isinstance(value, (int, float)):
        what = "is missing" if value is None else "must be a number from 0 to 1"
        raise InvalidInput(f"the score {what}", where=where)
    if not math.isfinite(value):
        raise InvalidInput(f"the score is {value}, which is no number", where=where)
    if not 0 <= value <= 1:
        raise InvalidInput(f"the score {value} is not between 0 and 1", where=where, hint="divide by the highest score")
    return float(value)


def _number(text: str, where: str) -> float:
    word = text.lower()
    try:
        return _WORDS[word] if word in _WORDS else float(word)
    except ValueError:
        raise InvalidInput(f"the score {text[:40]!r} is no number", where=where) from None


def name_of(value: object, what: str, where: str) -> str:
    """An item or a model: text that is not empty, or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        problem = "is missing" if value is None or value == "" else "must be text or a whole number"
        raise InvalidInput(f"the {what} {problem}", where=where)
    return value.strip()


def usage_of(value: object, where: str) -> BilledUsage | None:
    """The API's usage object."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidInput("usage must be an object", where=where)
    try:
        return read_usage(value)
    except ValueError as problem:
        raise InvalidInput(str(problem), where=where) from None


def usage_from(counts: Mapping[str, object], where: str) -> BilledUsage:
    """A usage from counts under the API's names, which some other program kept under its own."""
    found = usage_of({name: count for name, count in counts.items() if count is not None}, where)
    return found or BilledUsage(Counts())


def request_of(value: object, where: str) -> Request | None:
    """What was asked: a Messages body, a list of messages, or a text."""
    if isinstance(value, str):
        return text_request(value) if value.strip() else None
    if isinstance(value, Mapping):
        return parse_request(value, where)
    return parse_request({"messages": value}, where) if isinstance(value, list) and value else None
