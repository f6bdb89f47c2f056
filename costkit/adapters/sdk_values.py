"""Requests as programs write them for the SDK, as the plain JSON values that are sent.

The SDK takes more than JSON: blocks of an earlier response as they came, tuples and iterators for lists, and marks for
what is not given. https://github.com/anthropics/anthropic-sdk-python
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_NOT_GIVEN = frozenset({"NotGiven", "Omit"})


def plain_request(params: Mapping[str, object]) -> dict[str, object]:
    """The parameters of `messages.create` as a Messages body; what is not given is left out."""
    return {name: _plain(value) for name, value in params.items() if type(value).__name__ not in _NOT_GIVEN}


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", exclude_unset=True, by_alias=True)
    if isinstance(value, Mapping):
        return plain_request(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value
