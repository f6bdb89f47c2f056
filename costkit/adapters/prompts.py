"""Prompts from files: text, Messages bodies, lists of messages, batch lines, images and PDFs.

`.json`, `.jsonl` and `.yaml` must parse; `.md`, `.txt` and source code are always text; other names and stdin are
looked at. An explicit kind overrides all of this.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from costkit.adapters.names import shown
from costkit.core.request import Request, parse_request, text_request
from costkit.errors import InvalidInput, OperationFailed

KINDS = ("text", "request", "messages", "batch")
MOST_BYTES_OF_ONE = 32 * 1024 * 1024
"""The API refuses larger requests (413)."""
_JSON_LINES = frozenset({".jsonl", ".ndjson"})
_YAML = frozenset({".yaml", ".yml"})
_TEXT = frozenset(
    f".{name}"
    for name in (
        *("md", "markdown", "txt", "rst", "adoc", "prompt", "j2", "jinja", "tmpl", "html", "xml", "csv", "tsv", "sql"),
        *("py", "js", "mjs", "ts", "tsx", "jsx", "go", "rs", "java", "kt", "c", "h", "cc", "cpp", "hpp", "cs", "rb"),
        *("php", "swift", "scala", "sh", "bash", "zsh", "ps1", "lua", "pl", "r", "toml", "ini", "cfg", "css"),
    )
)
_IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


def find_files(paths: Sequence[str]) -> list[str]:
    """The files that paths stand for: a folder is all its files, sorted, hidden ones left out; `-` is stdin."""
    found: list[str] = []
    for path in paths:
        if path == "-" or not _is_folder(path):
            found.append(path)
            continue
        inside = [str(file) for file in sorted(Path(path).rglob("*")) if _is_visible_file(file, Path(path))]
        if not inside:
            raise InvalidInput("the folder holds no files", where=shown(path))
        found += inside
    return found


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):  # reading it will say what is wrong
        return False


def _is_visible_file(file: Path, root: Path) -> bool:
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(root).parts)


def read_file(path: str) -> bytes:
    """The bytes of a file, or of stdin for `-`; raises `InvalidInput` where it can't be opened or is empty."""
    try:
        with _opened(path) as file:
            data = file.read()
    except OSError as problem:
        raise OperationFailed(f"can't be read: {problem.strerror}", where=shown(path), code="read-failed") from None
    if not data.strip():
        raise InvalidInput("is empty", where=shown(path))
    return data


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    if path == "-" and sys.stdin is None:
        raise InvalidInput("standard input is closed")
    try:
        return contextlib.nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb")
    except FileNotFoundError:
        raise InvalidInput("no such file", where=shown(path)) from None
    except OSError as problem:
        raise InvalidInput(f"can't be read: {problem.strerror}", where=shown(path)) from None
    except ValueError:
        raise InvalidInput(f"{path!r} can't be the name of a file") from None


def read_requests(path: str, data: bytes, kind: str | None = None) -> list[Request]:
    """The requests that a file holds, in order; raises `InvalidInput` naming line or place."""
    requests = _requests_in(path, data, kind)
    if len(data) > MOST_BYTES_OF_ONE:
        for index, request in enumerate(requests):
            _check_size(request, shown(path) if len(requests) == 1 else f"{shown(path)}[{index}]")
    return requests


def _check_size(request: Request, where: str) -> None:
    if len(json.dumps(request.body, ensure_ascii=False, default=str)) > MOST_BYTES_OF_ONE:
        raise InvalidInput("is larger than 32 MB, the API's limit for one request", where=where)


def _requests_in(path: str, data: bytes, kind: str | None) -> list[Request]:
    suffix, path = Path(path).suffix.lower(), shown(path)
    if kind is None and suffix in _IMAGES:
        return [_attachment("image", _IMAGES[suffix], data, path)]
    if kind is None and (suffix == ".pdf" or data.startswith(b"%PDF-")):
        return [_attachment("document", "application/pdf", data, path)]
    text = _decode(data, path)
    if kind == "text" or (kind is None and suffix in _TEXT):
        return [text_request(text)]
    if suffix in _YAML:
        return _from_value(_parse_yaml(text, path), path, kind)
    if suffix in _JSON_LINES or kind == "batch":
        return [request for where, value in _lines(text, path) for request in _from_value(value, where, kind)]
    if suffix == ".json" or kind is not None:
        return _from_value(_parse_json(text, path), path, kind)
    return _sniffed(text, path)


def _sniffed(text: str, path: str) -> list[Request]:
    """Text, unless it is JSON that looks like requests, whole or torn; then it must be right."""
    if text.lstrip()[:1] not in "{[":
        return [text_request(text)]
    try:
        value = json.loads(text)
    except ValueError:
        return _sniffed_lines(text, path)
    return _from_value(value, path, None) if _looks_like_requests(value) else [text_request(text)]


def _sniffed_lines(text: str, path: str) -> list[Request]:
    try:
        lines = list(_lines(text, path))
    except InvalidInput as problem:
        if not _REQUEST_KEY.search(text):
            return [text_request(text)]
        torn = problem if _begins_with_a_value(text) else _problem_of_the_whole(text, path)
        raise InvalidInput(f"{torn}, but looks like requests", hint="if it is a text, add --input text") from None
    return [request for where, line in lines for request in _from_value(line, where, None)]


def _begins_with_a_value(text: str) -> bool:
    """Whether the first line is JSON by itself, so that a later one is wrong."""
    try:
        json.loads(text.lstrip().split("\n", 1)[0])
    except ValueError:
        return False
    return True


def _problem_of_the_whole(text: str, path: str) -> InvalidInput:
    try:
        _parse_json(text, path)
    except InvalidInput as problem:
        return problem
    raise AssertionError(path)


def _looks_like_requests(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Mapping) for item in value) and _looks_like_requests(value[0])
    return isinstance(value, Mapping) and any(
        key in value for key in ("messages", "params", "request", "requests", "role")
    )


_REQUEST_KEY = re.compile(r'"(?:messages|params|custom_id|role|max_tokens)"\s*:')
"""A text with one of these that begins like JSON was meant to be a request."""


def is_json_lines(path: str) -> bool:
    """Whether a file holds one JSON value a line, by its name."""
    return Path(path).suffix.lower() in _JSON_LINES


def is_yaml(path: str) -> bool:
    """Whether a file holds YAML, by its name."""
    return Path(path).suffix.lower() in _YAML


def value_in_line(data: bytes, where: str, number: int) -> object:
    """The JSON value of one line of a file of lines; raises `InvalidInput` naming the line."""
    return _parse_json(_decode(data, where, number), where, number)


def requests_in_value(value: object, where: str, number: int, kind: str | None) -> list[Request]:
    """The requests that the value of one line holds; raises `InvalidInput` naming the line."""
    return _from_value(value, f"{where}:{number}", kind)


def _decode(data: bytes, path: str, line: int | None = None) -> str:
    """The text of a file, or of one line of it."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    zero = data.find(b"\0")
    if zero >= 0:
        where = path if line is None else f"{path}:{line}"
        raise InvalidInput(f"is binary data (a zero byte at offset {zero})", where=where)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = line or data.count(b"\n", 0, problem.start) + 1
        raise InvalidInput(f"is not UTF-8 text (byte 0x{data[problem.start]:02x})", where=f"{path}:{line}") from None


def _parse_json(text: str, path: str, first_line: int = 1) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        line = first_line + problem.lineno - 1
        raise InvalidInput(
            f"is not valid JSON: {problem.msg} (column {problem.colno})", where=f"{path}:{line}"
        ) from None
    except ValueError as problem:  # a number with too many digits
        raise InvalidInput(f"is not valid JSON: {problem}", where=f"{path}:{first_line}") from None
    except RecursionError:
        raise InvalidInput("is nested too deeply", where=f"{path}:{first_line}") from None


def _lines(text: str, path: str) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}:{number}", _parse_json(line, path, number)


def _parse_yaml(text: str, path: str) -> object:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
            raise InvalidInput("YAML aliases are not read in prompts: write the value out", where=path)
        return yaml.load(text, loader)  # noqa: S506  a safe loader
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise InvalidInput(f"is not valid YAML: {problem.problem}", where=f"{path}:{line}") from None
    except (yaml.YAMLError, ValueError) as problem:
        raise InvalidInput(f"is not valid YAML: {' '.join(str(problem).split())}", where=path) from None
    except RecursionError:
        raise InvalidInput("is nested too deeply", where=path) from None


def _from_value(value: object, where: str, kind: str | None) -> list[Request]:
    if isinstance(value, Mapping) and isinstance(value.get("requests"), list) and "messages" not in value:
        inside = value["requests"]
        if not inside:
            raise InvalidInput("requests is an empty list", where=f"{where}:requests")
        return [r for i, line in enumerate(inside) for r in _from_value(line, f"{where}:requests[{i}]", "batch")]
    if isinstance(value, Mapping):
        return [_from_object(value, where, kind)]
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        if kind == "messages" or (kind is None and "role" in value[0]):
            return [parse_request({"messages": value}, where)]
        return [_from_object(item, f"{where}[{index}]", kind) for index, item in enumerate(value)]
    shape = {"request": "a Messages body", "messages": "a list of messages", "batch": "batch lines"}.get(str(kind))
    raise InvalidInput(f"must hold {shape or 'a Messages body, a list of messages or batch lines'}", where=where)


def _from_object(value: Mapping[str, object], where: str, kind: str | None) -> Request:
    if "params" in value and kind in (None, "batch"):
        return parse_request(value["params"], f"{where}:params")
    if isinstance(value.get("request"), Mapping) and "messages" not in value and kind is None:  # a line of a log
        return parse_request(value["request"], f"{where}:request")
    if "content" in value and "messages" not in value and "role" not in value and kind in (None, "batch"):
        return parse_request({"messages": [{"role": "user", "content": value["content"]}]}, where)
    if "role" in value and kind in (None, "messages"):
        return parse_request({"messages": [value]}, where)
    return parse_request(value, where)


def _attachment(kind: str, media_type: str, data: bytes, path: str) -> Request:
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode("ascii")}
    return parse_request({"messages": [{"role": "user", "content": [{"type": kind, "source": source}]}]}, path)


def with_system_and_tools(request: Request, system: str | None, tools: list[object] | None, where: str) -> Request:
    """Add a system prompt and tools to a request that has none of its own."""
    body = dict(request.body)
    for name, value in (("system", system), ("tools", tools)):
        if value is None:
            continue
        if body.get(name):
            raise InvalidInput(f"already has {name} of its own", where=where, hint=f"drop --{name}")
        body[name] = value
    return parse_request(body, where)


def read_system(path: str) -> str:
    """The text of a system prompt."""
    return _decode(read_file(path), shown(path))


def read_tools(path: str) -> list[object]:
    """A JSON or YAML list of tool definitions, or an object with one under `tools`."""
    text = _decode(read_file(path), shown(path))
    value = _parse_yaml(text, shown(path)) if Path(path).suffix.lower() in _YAML else _parse_json(text, shown(path))
    tools = value.get("tools") if isinstance(value, Mapping) else value
    if not isinstance(tools, list):
        raise InvalidInput("must hold a list of tools", where=shown(path))
    return tools
