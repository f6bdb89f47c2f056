"""Results as JSON documents: one envelope for every command, shapes straight from the result."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from costkit import __version__
from costkit.core.money import exact_text
from costkit.core.notice import Assumption, Notice
from costkit.core.pricebook import PriceBook
from costkit.errors import CostkitError, ExitCode
from costkit.render.harmless import harmless, harmless_json

Json = Mapping[str, object]


def plain(value: object) -> object:
    """Turn a result into JSON values.

    A dataclass or a named tuple becomes an object of its fields, unless it has `as_json()`; money becomes a string with
    every digit; times become RFC 3339 in UTC.
    """
    if hasattr(value, "as_json"):
        return plain(value.as_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, Decimal):
        return exact_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value


def envelope(
    command: str,
    result: object,
    *,
    book: PriceBook | None,
    as_of: date,
    assumptions: Iterable[Assumption] = (),
    notices: Iterable[Notice] = (),
    exit_code: ExitCode = ExitCode.OK,
) -> Json:
    """The document of a command that gave a result."""
    pricing = None
    if book is not None:
        pricing = {"source": book.source, "checked": book.checked.isoformat(), "sha256": book.sha256}
    return {
        "schema": f"costkit/{command}@1",
        "costkit": __version__,
        "as_of": as_of.isoformat(),
        "currency": "USD",
        "pricing": pricing,
        "assumptions": [plain(assumption) for assumption in assumptions],
        "warnings": [_warning(notice) for notice in notices],
        "result": plain(result),
        "exit": int(exit_code),
    }


def _warning(notice: Notice) -> Json:
    """A notice as harmless lines, whatever they quote."""
    where = None if notice.where is None else harmless(notice.where)
    return {"code": notice.code, "message": harmless(notice.message), "where": where}


def error_document(error: CostkitError) -> Json:
    """The document of a command that failed; its texts are one harmless line each, whatever they quote."""
    hint = None if error.hint is None else harmless(error.hint)
    detail = {"code": error.code, "message": harmless(str(error)), "hint": hint, "retryable": error.retryable}
    return {"schema": "costkit/error@1", "error": detail, "exit": int(error.exit_code)}


def to_json(document: Json) -> str:
    """Write a document as indented UTF-8 JSON that a terminal can show; what it could obey stays escaped."""
    return harmless_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"
