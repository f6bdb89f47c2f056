"""The line that every benchmark prints first: a ratio means little without the machine and the versions."""

from __future__ import annotations

import os
import platform
from importlib import metadata


def describe_machine(*packages: str) -> str:
    """Python, processor, cores and package versions in one line."""
    versions = ", ".join(f"{name} {_version(name)}" for name in packages)
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{where}, {versions}" if versions else where


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed)"
