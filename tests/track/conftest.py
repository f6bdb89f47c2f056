"""A real client of the SDK, a stand-in for the API on loopback, and a log in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from api_server import ApiServer

BODY: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 60,
    "messages": [{"role": "user", "content": "What is the tide at noon?"}],
}


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def client(api: ApiServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key=api.key, base_url=api.url, max_retries=0) as made:
        yield made


@pytest.fixture
def body() -> dict[str, Any]:
    return dict(BODY)


class Log:
    """A usage log, and what it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its lines; one that is not whole is an error."""
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        """The only one."""
        (line,) = self.lines
        return line


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "usage.jsonl")
