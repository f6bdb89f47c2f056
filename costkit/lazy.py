"""Packages whose names are loaded when they are first used, so that a command imports no more than it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def loader(package: dict[str, Any], homes: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package with these globals: finds each public name in the module that is its home."""

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        value = package[name] = getattr(import_module(homes[name]), name)
        return value

    return load
