"""How the tests of the stand-in talk to it: through the real SDK, or with raw bytes."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from anthropic import Anthropic

if TYPE_CHECKING:
    from api_server import ApiServer

MODEL = "claude-haiku-5-5"
RESULTS = "/v1/messages/batches/{}/results"


OPEN: list[Anthropic] = []
"""Clients to be closed when a test is over."""


def client(api: ApiServer, key: str | None = None, retries: int = 0, wait: float = 20) -> Anthropic:
    return client_of(api.url, key or api.key, retries, wait)


def client_of(url: str, key: str, retries: int = 0, wait: float = 20) -> Anthropic:
    made = Anthropic(api_key=key, base_url=url, max_retries=retries, timeout=wait)
    OPEN.append(made)
    return made


def item(custom_id: str, **params: Any) -> Any:
    prompt = [{"role": "user", "content": f"Ask about {custom_id}, æøå"}]
    return {"custom_id": custom_id, "params": {"model": MODEL, "max_tokens": 64, "messages": prompt, **params}}


def items(count: int) -> list[Any]:
    return [item(f"row-{number}") for number in range(count)]


def create(api: ApiServer, *requests: Any) -> str:
    return client(api).messages.batches.create(requests=requests or items(3)).id


def exchange(
    url: str, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Send raw bytes: (status, headers, content)."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
        connection.request(method, path, body, {"anthropic-version": "2023-06-01", **headers})
        with connection.getresponse() as reply:
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()


def post(url: str, path: str, body: bytes, key: str = "") -> tuple[int, Any]:
    """Post raw bytes: (status, document)."""
    status, _, content = exchange(url, "POST", path, {"x-api-key": key}, body)
    return status, json.loads(content)


def lines_of(api: ApiServer, batch_id: str) -> list[Any]:
    return [json.loads(line) for line in api.batch(batch_id).results_file.read_text().splitlines()]


def outcomes_of(api: ApiServer, batch_id: str) -> dict[str, str]:
    return {line["custom_id"]: line["result"]["type"] for line in lines_of(api, batch_id)}
