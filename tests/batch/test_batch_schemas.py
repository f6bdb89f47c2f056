"""What collect and retry print as JSON fits the schemas that are published for it."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from api_server import ApiServer, Outcome
from collecting import Desk, lines_of
from jsonschema import Draft202012Validator

from costkit.batch.classes import CLASSES

OUTCOMES = {
    "item-1": Outcome("expired"),
    "item-2": Outcome("errored", "invalid_request_error", "messages: bad"),
    "item-3": Outcome(copies=2),
    "item-4": Outcome(copies=0),
}


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((resources.files("costkit") / "schemas" / f"{name}.json").read_text("utf-8"))
    return schema


def problems(text: str, name: str) -> list[str]:
    validator = Draft202012Validator(schema_of(name), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(text))]


@pytest.fixture
def job(desk: Desk, server: ApiServer) -> str:
    server.outcomes = dict(OUTCOMES)
    server.unknown_results = ["stranger"]
    job = desk.submit(lines_of(8), 5, 3)
    server.end()
    return job


@pytest.mark.parametrize("flags", [(), ("--text",), ("--split", "a.jsonl,b.jsonl"), ("--order", "any")])
def test_collections_fit_their_schema(desk: Desk, job: str, flags: tuple[str, ...]) -> None:
    assert problems(desk.collect(job, *flags).out, "batch-collect") == []


def test_a_collection_without_a_ledger_fits_too(desk: Desk, server: ApiServer) -> None:
    batch_id = desk.create(lines_of(3))
    server.end()
    assert problems(desk.collect(batch_id).out, "batch-collect") == []


@pytest.mark.parametrize("flags", [("--dry-run",), ("--yes",), ("--yes", "--include", "missing"), ("--max-cost", "0")])
def test_retries_fit_their_schema(desk: Desk, job: str, flags: tuple[str, ...]) -> None:
    assert problems(desk.run("batch", "retry", job, "--json", *flags).out, "batch-retry") == []


def test_a_retry_of_nothing_fits_too(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(lines_of(3))
    server.end()
    reply = desk.run("batch", "retry", job, "--json")
    assert (reply.code, reply.result["job"], reply.result["next"]) == (0, None, None)
    assert problems(reply.out, "batch-retry") == []


def test_the_schema_knows_every_class() -> None:
    assert schema_of("batch-retry")["$defs"]["class"]["properties"]["class"]["enum"] == [row.code for row in CLASSES]


@pytest.mark.parametrize(("key", "value"), [("missing", -1), ("cost_usd", 0.5), ("surprise", 1), ("output", None)])
def test_the_schema_of_a_collection_notices(desk: Desk, job: str, key: str, value: object) -> None:
    document = json.loads(desk.collect(job).out)
    document["result"][key] = value
    assert problems(json.dumps(document), "batch-collect")
