"""Which files a list of arguments means, and their decompressed bytes.

An argument is a file, a folder (searched through, symbolic links included, each file once), a pattern, or `-` for
standard input. Compression is recognised by content, whatever the name.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from costkit.adapters.names import STDIN, printable, shown
from costkit.errors import InvalidInput

if TYPE_CHECKING:
    from costkit.report.records import Skipped

_MAGIC = set("*?[")
_KINDS = (".jsonl", ".json", ".ndjson", ".log", ".txt")
_COMPRESSED = ("", ".gz", ".bz2", ".xz", ".zst")
SUFFIXES = (*(kind + packed for kind in _KINDS for packed in _COMPRESSED), ".eval")  # the last are archives of Inspect
"""Files with these endings are read inside a folder; a file that is named by itself may be called anything."""


class Source(NamedTuple):
    """One file to read."""

    path: str
    """As the system knows it; `-` for standard input."""
    named: bool
    """Given as an argument, not found inside a folder: then it is an error if it can't be read."""
    size: int | None = None
    """Bytes on disk; `None` for a pipe."""
    identity: tuple[int, int] | None = None
    """Device and number of a file that was found in a folder: the same under all its names."""

    @property
    def name(self) -> str:
        """The path as text that can be printed."""
        return shown(self.path)


Found = tuple[list[Source], "list[Skipped]"]
"""The files to read, and what was passed over."""


def find_sources(arguments: Sequence[str]) -> Found:
    """All files that the arguments mean, each once, and what had to be passed over inside of folders.

    Raises `InvalidInput` for an argument that does not exist, that can't be opened, or that holds no log.
    """
    sources: list[Source] = []
    skipped: list[Skipped] = []
    seen: set[tuple[int, int]] = set()
    if list(arguments).count(STDIN) > 1:
        raise InvalidInput("standard input can be read only once, but - is named twice")
    for argument in arguments:
        if not argument:
            raise InvalidInput("a path is empty")
        for path in _expand(argument):
            if path == STDIN:
                sources.append(Source(STDIN, named=True))
            elif _is_folder(path):
                found = list(_walk(path, skipped))
                if not found and path == argument:
                    _check_folder(path)
                    hint = f"read are {', '.join(f'*{kind}' for kind in _KINDS)}, also compressed"
                    raise InvalidInput("no log in this folder", where=printable(path), hint=hint)
                sources.extend(source for source in found if _is_new(source.path, seen, source.identity))
            else:
                source = _named_file(path) if path == argument else _matched_file(path)
                if not isinstance(source, Source):
                    skipped.append(source)
                elif _is_new(path, seen):
                    sources.append(source)
    return sources, skipped


def why(error: OSError) -> str:
    """What the system says about a file, in a few words."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:
        return False  # opening it says why


def _check_folder(path: str) -> None:
    try:
        with os.scandir(path):
            pass
    except OSError as error:
        raise InvalidInput(f"can't be opened: {why(error)}", where=printable(path)) from None


def _expand(argument: str) -> list[str]:
    if argument == STDIN or os.path.lexists(argument) or not set(argument) & _MAGIC:
        return [argument]
    pattern = Path(argument)
    try:
        paths = sorted(str(path) for path in Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    except (ValueError, OSError) as error:
        raise InvalidInput(f"not a pattern: {error}", where=printable(argument)) from None
    if not paths:
        raise InvalidInput("no file matches this pattern", where=printable(argument), hint=_hint(argument))
    return paths


def _named_file(path: str) -> Source:
    try:
        return _opened(path)
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise InvalidInput(f"can't be read: {reason}", where=printable(path), hint=_hint(path)) from None


def _matched_file(path: str) -> Source | Skipped:
    """One of many that a pattern matches: if it can't be read, the others still can."""
    try:
        return _opened(path)
    except OSError as error:
        return _skipped(f"unreadable: {why(error)}", path)


def _opened(path: str) -> Source:
    status = Path(path).stat()
    if stat.S_ISREG(status.st_mode):
        with Path(path).open("rb"):
            return Source(path, named=True, size=status.st_size)
    return Source(path, named=True)


def _hint(argument: str) -> str | None:
    return "URLs are read with --cluster, for example --cluster local" if "://" in argument else None


def _walk(top: str, skipped: list[Skipped]) -> Iterator[Source]:
    def note(error: OSError) -> None:
        skipped.append(_skipped(f"unreadable: {why(error)}", error.filename or top))

    visited: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(top, onerror=note, followlinks=True):
        if not _is_new(folder, visited):
            folders.clear()
            continue
        folders.sort()
        here = str(Path(folder))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES):
                found = _found_file(name if here == "." else os.path.join(here, name))  # noqa: PTH118  # one of many
                if isinstance(found, Source):
                    yield found
                else:
                    skipped.append(found)


def _found_file(path: str) -> Source | Skipped:
    try:
        status = os.stat(path)  # noqa: PTH116  # one of many
    except OSError as error:
        return _skipped(f"unreadable: {why(error)}", path)
    if stat.S_ISREG(status.st_mode):
        return Source(path, named=False, size=status.st_size, identity=(status.st_dev, status.st_ino))
    return _skipped("not-a-file", path)


def _skipped(reason: str, path: str) -> Skipped:
    from costkit.report.records import Skipped  # most often there is nothing to skip, and sometimes nothing to read

    return Skipped(reason, printable(path))


def _is_new(path: str, seen: set[tuple[int, int]], identity: tuple[int, int] | None = None) -> bool:
    """Whether this file or folder was not met before under any name; `identity` is that of the file, if known."""
    try:
        status = None if identity else Path(path).stat()
    except OSError as error:
        return error.errno != errno.ELOOP
    if status is not None:
        identity = (status.st_dev, status.st_ino)
    if identity is None or identity in seen:
        return False
    seen.add(identity)
    return True
