"""Labels for what is sent: a context manager whose tags hold for the calls within it, in this thread or task."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from costkit.errors import InvalidInput

Tags = Mapping[str, str | int | float | bool]
_NOTHING: Tags = {}
_HERE: ContextVar[Tags] = ContextVar("costkit_tags", default=_NOTHING)


@contextmanager
def tags(**labels: str | float | bool) -> Iterator[None]:
    """Label every tracked call within the `with` block (or the decorated function), beside the client's own tags.

        with costkit.tags(team="search", feature="rerank"):
            client.messages.create(...)

    Inner tags win over outer ones, and these over the client's. Tasks begin with the tags of where they are made;
    threads begin without any, unless they are given a context (`contextvars.copy_context().run`). A stream has the tags
    of the moment it was asked for. Values are text, numbers or booleans; anything else raises `InvalidInput`.
    """
    token = _HERE.set({**_HERE.get(), **checked_tags(labels)})
    try:
        yield
    finally:
        _HERE.reset(token)


def current_tags() -> Tags:
    """The tags that hold here."""
    return _HERE.get()


def checked_tags(labels: Mapping[str, object]) -> Tags:
    """Check names and values of tags; raises `InvalidInput`."""
    checked: dict[str, str | int | float | bool] = {}
    for name, value in labels.items():
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"a tag needs a name that is text, not {name!r}")
        if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
            raise InvalidInput(f"tag {name!r} must be text, a number or a boolean, not {type(value).__name__}")
        checked[name] = value
    return checked
