"""Small YAML files that people write for costkit, read as strictly as the price book, with errors of their own kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from costkit.adapters.names import shown
from costkit.adapters.yaml_tree import Mapping, parse_tree
from costkit.errors import InvalidInput, InvalidPricing

MOST_BYTES = 1024 * 1024


def read_tree(path: str, what: str) -> Mapping:
    """Read a file; `what` names its kind in messages, such as `a routes file`.

    Raises `InvalidInput` where it can't be read, is too large or is no YAML of the dialect.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InvalidInput("no such file", where=shown(path)) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "not a usable path"
        raise InvalidInput(f"can't be read: {reason}", where=shown(path)) from None
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"is larger than {MOST_BYTES // 1024**2} MiB: not {what}", where=shown(path))
    return parse_tree(data, shown(path))


@contextmanager
def refusals_as(code: str) -> Iterator[None]:
    """Turn refusals of the readers of the price book, which other files share, into `InvalidInput` of another code."""
    try:
        yield
    except InvalidPricing as problem:
        found = InvalidInput(str(problem), hint=problem.hint, code=code)
        found.where = problem.where
        raise found from None
