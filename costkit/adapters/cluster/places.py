"""Which files and objects the arguments of a report mean, where workers read them: URLs through fsspec, and paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from costkit.adapters.cluster.objects import (
    Mark,
    explain,
    file_system,
    is_url,
    mark_now,
    mark_of,
    opener,
    why_unreadable,
)
from costkit.adapters.logs.sources import SUFFIXES, Source, find_sources
from costkit.adapters.logs.unpack import SAMPLE, is_packed
from costkit.adapters.names import STDIN, printable
from costkit.errors import CostkitError, InvalidInput, OperationFailed
from costkit.report.records import Skipped

_MAGIC = set("*?[")
_NOT_SHARED = ("memory", "clipboard")
_PEEKS = 16
CREDENTIALS = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_PACKAGES = {
    "s3": "pip install 'costkit[cluster]'",
    "gs": "pip install gcsfs",
    "gcs": "pip install gcsfs",
    "az": "pip install adlfs",
    "abfs": "pip install adlfs",
}


@dataclass(frozen=True, slots=True)
class Places:
    """Everything to read."""

    sources: list[Source] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    """What each file is now, by its path."""


def find_places(arguments: Sequence[str], folder: str) -> Places:
    """All files and objects that the arguments mean, each once. Paths are relative to `folder`.

    Raises `InvalidInput` for an argument that means nothing or can't be read by a cluster, and `OperationFailed`
    where the store does not answer.
    """
    paths = [argument for argument in arguments if not is_url(argument)]
    if STDIN in paths:
        raise InvalidInput("standard input can't be read by a cluster", hint="leave out --cluster, or name files")
    sources, skipped = find_sources(paths) if paths else ([], [])
    for source in sources:
        if source.size is None:
            raise InvalidInput("not a file that a cluster can read", where=source.name)
    places = Places([], skipped)
    for source in sources:
        try:
            mark = mark_now(source.path, folder)
        except OSError as error:
            skipped.append(Skipped(f"unreadable: {explain(error)}", source.name))
            continue
        places.sources.append(source._replace(size=mark.size))
        places.marks[source.path] = mark
    for url in arguments:
        if is_url(url):
            for source, mark in _objects(url):
                if source.path not in places.marks:
                    places.sources.append(source)
                    places.marks[source.path] = mark
    return places


def are_made_of_lines(places: Places, folder: str, above: int) -> set[str]:
    """The paths of those above a size that look as if they can be read in ranges."""
    candidates = [source for source in places.sources if (source.size or 0) > above]
    open_file = opener(folder, places.marks, stop=0)

    def peek(source: Source) -> bool:
        try:
            with open_file(source.path) as file:
                head = file.read(SAMPLE) or b""
        except OSError:
            return False  # whoever reads it says why
        return not is_packed(head) and head.startswith((b'{"', b'{ "'))

    with ThreadPoolExecutor(_PEEKS) as threads:
        return {source.path for source, has in zip(candidates, threads.map(peek, candidates), strict=True) if has}


def samples_of(places: Places) -> list[str]:
    """One object of each bucket, of those that this process can read: whoever is to read the others can read it too."""
    first: dict[str, str] = {}
    for source in places.sources:
        if is_url(source.path) and source.size:
            first.setdefault("/".join(source.path.split("/", 3)[:3]), source.path)
    with ThreadPoolExecutor(_PEEKS) as threads:
        return [
            url for url, why in zip(first.values(), threads.map(why_unreadable, first.values()), strict=True) if not why
        ]


def _objects(url: str) -> Iterator[tuple[Source, Mark]]:
    protocol = url.split("://", 1)[0]
    if "::" in url or protocol in _NOT_SHARED:
        raise InvalidInput(f"{protocol}:// can't be read by a cluster", where=printable(url))
    try:
        system, path = file_system(url)
        found = dict(_look(system, path, url))
    except CostkitError:
        raise
    except (ImportError, ValueError) as error:
        raise InvalidInput(explain(error), where=printable(url), hint=_PACKAGES.get(protocol)) from None
    except (FileNotFoundError, PermissionError) as error:
        raise InvalidInput(f"can't be read: {explain(error)}", where=printable(url), hint=_hint(error)) from None
    except Exception as error:  # noqa: BLE001  # each store has errors of its own
        if explain(error) == "no credentials":
            raise InvalidInput("no credentials for this bucket", where=printable(url), hint=CREDENTIALS) from None
        raise OperationFailed(f"can't be listed: {explain(error)}", where=printable(url)) from None
    for name in sorted(found):
        mark = mark_of(found[name])
        yield Source(system.unstrip_protocol(name), named=False, size=mark.size), mark


def _look(system: Any, path: str, url: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        info = system.info(path)
    except FileNotFoundError:
        if not set(path) & _MAGIC:
            raise
        found = {name: info for name, info in system.glob(path, detail=True).items() if info.get("type") == "file"}
        if not found:
            raise InvalidInput("no object matches this pattern", where=printable(url)) from None
        yield from found.items()
        return
    if info.get("type") != "directory":
        yield path, info
        return
    found = system.find(path, detail=True)
    logs = {name: info for name, info in found.items() if name.lower().endswith(SUFFIXES)}
    if not logs:
        raise InvalidInput("no log in this folder", where=printable(url))
    yield from logs.items()


def _hint(error: Exception) -> str | None:
    return CREDENTIALS if isinstance(error, PermissionError) else None
