"""Reads the body of a create call without ever holding it: to a file first, then item by item."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

CHUNK = 1 << 20
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SPACE = re.compile(r"[ \t\r\n]*")


class BadBodyError(Exception):
    """The body isn't what the endpoint takes."""


@dataclass(frozen=True, slots=True)
class Intake:
    """A create call's body on disk, and where its items are."""

    path: Path
    bytes: int
    sha256: str
    spans: array[int]
    """Start and end of each item, in bytes."""

    @property
    def requests(self) -> int:
        """How many items it has."""
        return len(self.spans) // 2

    def size(self, index: int) -> int:
        """How many bytes an item has."""
        return self.spans[2 * index + 1] - self.spans[2 * index]

    def items(self, order: list[int] | None = None) -> Iterator[dict[str, Any]]:
        """The items, read from disk one after the other."""
        with self.path.open("rb") as file:
            for index in order if order is not None else range(self.requests):
                start, end = self.spans[2 * index], self.spans[2 * index + 1]
                file.seek(start)
                yield json.loads(file.read(end - start))


def spool(source: BinaryIO, length: int, path: Path) -> str | None:
    """Copy a body to a file and return its SHA-256; `None` if the sender was gone before the end."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    with path.open("wb") as file:
        while length:
            chunk = source.read(min(CHUNK, length))
            if not chunk:
                return None
            length -= len(chunk)
            digest.update(chunk)
            file.write(chunk)
            try:
                decoder.decode(chunk, final=not length)
            except UnicodeDecodeError as problem:
                drain(source, length)
                raise BadBodyError("The request body is not valid UTF-8") from problem
    return digest.hexdigest()


def drain(source: BinaryIO, length: int) -> None:
    """Read and forget the rest of a body, so that the reply reaches its sender."""
    while length > 0:
        chunk = source.read(min(CHUNK, length))
        if not chunk:
            return
        length -= len(chunk)


def read_create(path: Path, sha256: str, most: int) -> Intake:
    """Check a create call's body as the API does at once: everything but the `params` of its items."""
    spans: array[int] = array("Q")
    seen: set[str] = set()
    with path.open("rb") as file:
        scanner = _Scanner(file)
        fields = list(_fields(scanner, spans, seen, most))
        if scanner.peek():
            scanner.fail()
    for name in fields:
        if name != "requests":
            raise BadBodyError(f"{name}: Extra inputs are not permitted")
    if fields.count("requests") != 1:
        raise BadBodyError("requests: Field required")
    if not spans:
        raise BadBodyError("requests: List should have at least 1 item after validation, not 0")
    return Intake(path, path.stat().st_size, sha256, spans)


def _fields(scanner: _Scanner, spans: array[int], seen: set[str], most: int) -> Iterator[str]:
    scanner.take("{")
    while scanner.peek() != "}":
        name = scanner.value()
        if not isinstance(name, str):
            scanner.fail()
        scanner.take(":")
        yield name
        if name == "requests":
            _requests(scanner, spans, seen, most)
        else:
            scanner.value()
        if scanner.peek() != "}":
            scanner.take(",")
            if scanner.peek() == "}":
                scanner.fail()
    scanner.take("}")


def _requests(scanner: _Scanner, spans: array[int], seen: set[str], most: int) -> None:
    if scanner.peek() != "[":
        raise BadBodyError("requests: Input should be a valid array")
    scanner.take("[")
    while scanner.peek() != "]":
        start = scanner.position
        _check_item(scanner.value(), len(spans) // 2, seen)
        spans.extend((start, scanner.position))
        if len(spans) // 2 > most:
            raise BadBodyError(f"requests: List should have at most {most} items after validation")
        if scanner.peek() != "]":
            scanner.take(",")
            if scanner.peek() == "]":
                scanner.fail()
    scanner.take("]")


def _check_item(item: object, index: int, seen: set[str]) -> None:
    where = f"requests.{index}"
    if not isinstance(item, dict):
        raise BadBodyError(f"{where}: Input should be an object")
    for name in ("custom_id", "params"):
        if name not in item:
            raise BadBodyError(f"{where}.{name}: Field required")
    for name in item:
        if name not in ("custom_id", "params"):
            raise BadBodyError(f"{where}.{name}: Extra inputs are not permitted")
    custom_id = item["custom_id"]
    if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
        raise BadBodyError(f"{where}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if not isinstance(item["params"], dict):
        raise BadBodyError(f"{where}.params: Input should be an object")
    if custom_id in seen:
        raise BadBodyError(f"{where}.custom_id: custom_id must be unique within a batch, found duplicate: {custom_id}")
    seen.add(custom_id)


class _Scanner:
    """JSON values of a file one after the other; Latin-1, so that a character is a byte."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._text, self._at, self._base = file, "", 0, 0
        self._decode = json.JSONDecoder(parse_constant=self.fail).raw_decode

    @property
    def position(self) -> int:
        return self._base + self._at

    def peek(self) -> str:
        """The next character that isn't space; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(CHUNK):
                return ""

    def take(self, character: str) -> None:
        if self.peek() != character:
            self.fail()
        self._at += 1

    def value(self) -> Any:
        self.peek()
        size = CHUNK
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except ValueError:
                if not self._more(size):
                    self.fail()
            else:
                if end < len(self._text) or not self._more(size):
                    self._at = end
                    return value
                continue
            size *= 2

    def fail(self, _constant: str = "") -> NoReturn:
        raise BadBodyError(f"The request body is not valid JSON: unexpected data near byte {self.position}")

    def _more(self, size: int) -> bool:
        data = self._file.read(size)
        self._text = self._text[self._at :] + data.decode("latin-1")
        self._base += self._at
        self._at = 0
        return bool(data)
