"""Notices: warnings and assumptions that travel with a result into every format."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Notice(NamedTuple):
    """Something the reader of a result should know; shown on stderr for people, as `warnings` in JSON."""

    code: str
    """Stable and kebab-case, for scripts."""
    message: str
    where: str | None = None
    """A place such as `prompt.json:system[1]`."""


class Assumption(NamedTuple):
    """A value that the result rests on, and where it came from (a flag, a file, a default)."""

    name: str
    value: str | int | bool | Decimal | None
    source: str
