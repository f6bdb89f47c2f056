"""Every document that the program prints fits the schema that it publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = resources.files("costkit") / "schemas"
NAMES = (
    "advise",
    "batch-adopt",
    "batch-cancel",
    "batch-collect",
    "batch-lint",
    "batch-list",
    "batch-retry",
    "batch-status",
    "batch-submit",
    "budget-commit",
    "budget-delete",
    "budget-history",
    "budget-list",
    "budget-release",
    "budget-reserve",
    "budget-reset",
    "budget-set",
    "budget-status",
    "cache-lint",
    "cache-plan",
    "cache-why",
    "calibrate",
    "error",
    "estimate",
    "pricing-check",
    "pricing-diff",
    "pricing-list",
    "pricing-show",
    "reconcile",
    "report",
    "route-evaluate",
    "route",
    "simulate",
    "tail",
)
MODEL = "claude-opus-5-5"
BODY = {
    "model": MODEL,
    "max_tokens": 100,
    "system": [{"type": "text", "text": "Be brief. " * 400, "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "look", "description": "Look it up.", "input_schema": {"type": "object"}}],
    "messages": [{"role": "user", "content": "What is new?"}],
}
LINES = "\n".join(json.dumps({"custom_id": f"n-{number}", "params": BODY}) for number in range(3)) + "\n"
BOOK = """\
schema: costkit/pricing@1
extends: built-in
models:
  claude-opus-5-5:
    prices:
      - effective_from: 2026-10-01
        rates: {input: 3.00, output: 15.00, cache_write_5m: 3.75, cache_write_1h: 6.00, cache_read: 0.30}
"""
ROUTES = """\
schema: costkit/routes@1
safe: claude-opus-5-5
routes:
  - {name: quick, when: {complexity: simple}, model: claude-haiku-5-5}
  - {name: rest, model: claude-sonnet-5-5}
"""


def logged(number: int, model: str = MODEL, **more: Any) -> str:
    """A line of a log: one response."""
    usage = {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 900} | more
    message = {"type": "message", "role": "assistant", "id": f"msg_{number}", "model": model, "usage": usage}
    return json.dumps({"timestamp": f"2026-11-{number + 10}T12:00:00Z", "message": message}) + "\n"


LOG = "".join(
    (logged(1), logged(1), logged(2, "claude-haiku-5-5", service_tier="batch"), logged(3, "gpt-x"), '{"torn": \n')
)


ODD = "".join(
    (
        logged(1).strip() + logged(2),
        logged(3, input_tokens=-1),
        logged(4, cache_creation_input_tokens=7),
        json.dumps({"type": "assistant", "sessionId": "s", "message": {"model": "<synthetic>", "usage": {}}}) + "\n",
        json.dumps({"type": "cost-state", "sessionId": "s", "totalCostUSD": 0.0001}) + "\n",
        json.dumps({"type": "cost-state", "sessionId": "t", "totalCostUSD": -1}) + "\n",
        "\0\n",
    )
)
"""A log with everything that the data quality speaks of."""


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return schema


def problems(document: Any) -> list[str]:
    """What a document gets wrong about the schema that it names."""
    name = document["schema"].removeprefix("costkit/").removesuffix("@1")
    validator = Draft202012Validator(schema_of(name), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def objects_of(node: Any) -> list[dict[str, Any]]:
    """Every sub-schema that describes an object."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    here = [node] if isinstance(node, dict) and "properties" in node and "type" in node else []
    return here + [found for child in below for found in objects_of(child)]


@pytest.fixture
def files(write: Callable[[str, object], Path]) -> None:
    write("prompt.md", "Say hello.")
    write("body.json", BODY)
    write("batch.jsonl", LINES)
    write("book.yaml", BOOK)
    write("usage.jsonl", LOG)
    write("clean.jsonl", logged(1))
    write("odd.jsonl", ODD)
    write("older.json", {**BODY, "messages": [{"role": "user", "content": "What is new, and what is old?"}]})


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema_of(name))


def test_the_package_holds_one_schema_for_each_document() -> None:
    assert sorted(entry.name for entry in SCHEMAS.iterdir()) == sorted(f"{name}.json" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_schemas_leave_no_object_open_by_accident(name: str) -> None:
    """Only the rows of a report may hold keys of their own: one for each dimension, text or null."""
    openings = [node["additionalProperties"] for node in objects_of(schema_of(name))]
    assert openings
    assert [opening for opening in openings if opening is not False] == [{"type": ["string", "null"]}] * (
        name == "report"
    )


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", NAMES)
def test_the_schema_command_prints_the_schema_as_it_is_packaged(program: Any, name: str) -> None:
    answer = program("schema", name)
    assert (answer.code, answer.err) == (0, "")
    assert answer.document == schema_of(name)


def graded(item: int, model: str, score: int) -> str:
    """A line of graded results."""
    usage = {"input_tokens": 100, "output_tokens": 10}
    return json.dumps({"item": item, "model": model, "score": score, "usage": usage, "prompt": "Translate this"}) + "\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("", 5),
        ("--margin 40%", 0),
        ("--margin 40% --routes routes.yaml", 5),
        ("--reference claude-haiku-5-5", 0),
        ("--as-of 2026-11-01", 5),
    ],
)
def test_evaluations_fit_their_schema(
    program: Any, write: Callable[[str, object], Path], arguments: str, code: int
) -> None:
    models = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
    write("routes.yaml", ROUTES)
    write("results.jsonl", "".join(graded(item, model, int(item != 3)) for item in range(20) for model in models))
    answer = program("route", "evaluate", "results.jsonl", "--json", *arguments.split())
    assert answer.code == answer.document["exit"] == code
    assert problems(answer.document) == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("batch.jsonl prompt.md", 0),
        ("batch.jsonl --output-tokens 50", 0),
        ("older.json --top 0", 0),
        ("batch.jsonl --classifier api --questions questions.jsonl", 5),
    ],
)
def test_routes_fit_their_schema(program: Any, write: Callable[[str, object], Path], arguments: str, code: int) -> None:
    write("routes.yaml", ROUTES)
    answer = program("route", "--routes", "routes.yaml", "--json", *arguments.split())
    assert answer.code == answer.document["exit"] == code
    assert problems(answer.document) == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("prompt.md", 0),
        ("prompt.md body.json batch.jsonl", 0),
        ("prompt.md -m all", 0),
        ("batch.jsonl --per-request --batch", 0),
        ("batch.jsonl body.json --tree", 0),
        ("body.json --tree --output-tokens 50 -n 20", 0),
        ("body.json --cache 5m -n 20", 0),
        ("body.json --cache 1h -n 20 --hit-rate 80%", 0),
        ("body.json --cache as-written -n 20", 0),
        ("body.json --geo us", 0),
        ("body.json --speed fast", 0),
        ("body.json --compare-to older.json", 0),
        ("body.json --compare-to older.json -m claude-haiku-5-5", 0),
        ("prompt.md body.json --compare-to older.json", 0),
        ("prompt.md -m claude-opus-5-5 -m claude-gone-9", 5),
        ("body.json --max-cost 0.000001", 3),
        ("prompt.md -m claude-opus-4-1 --as-of 2026-01-01", 0),
        ("prompt.md --tokens fast", 0),
        ("prompt.md --pricing book.yaml", 0),
        ("body.json --tier start -n 20 --output-tokens 9", 0),
        ("body.json --tier scale --batch", 0),
        ("prompt.md --tier build -m claude-haiku-5-5", 5),
    ],
)
def test_estimates_fit_their_schema(program: Any, arguments: str, code: int) -> None:
    answer = program("estimate", "--offline", "--json", *arguments.split())
    assert answer.code == answer.document["exit"] == code
    assert problems(answer.document) == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "arguments",
    [
        "body.json",
        "body.json --output-tokens 50 -n 40 --growth 300",
        "prompt.md -m claude-opus-5-5 -m claude-haiku-5-5 --poisson 30/h --reps 20",
        "--prefix-tokens 10000 --fresh-tokens 200 --per-repeat --explain -n 7 --every 400s",
        "--prefix-tokens 10000 --fresh-tokens 200 --per-repeat --explain -n 7 --poisson 9/h --reps 7 --ttl none",
        "--prefix-tokens 100 -m claude-haiku-4-5 --arrivals gaps.txt",
        "--prefix-tokens 5000 -n 1 --batch",
        "--prefix-tokens 5000 --concurrency 3 --every 1s --first-byte 2.5s",
    ],
)
def test_simulations_fit_their_schema(program: Any, write: Callable[[str, object], Path], arguments: str) -> None:
    write("gaps.txt", "0\n100\n700\n")
    answer = program("simulate", "--offline", "--json", *arguments.split())
    assert answer.code == answer.document["exit"] == 0
    assert problems(answer.document) == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("usage.jsonl", 0),
        ("clean.jsonl", 0),
        ("usage.jsonl clean.jsonl --dedupe none", 0),
        ("odd.jsonl", 0),
        ("odd.jsonl --strict", 4),
        ("usage.jsonl --by model,day,week,month,hour", 0),
        ("usage.jsonl --by project,session,tier,speed,file,key:a.b,tag:team", 0),
        ("usage.jsonl --by day --top 1", 0),
        ("usage.jsonl --since 2026-11-12 --until 2026-11-12 --tz Asia/Seoul", 0),
        ("usage.jsonl --model *opus*", 0),
        ("usage.jsonl --since 2030-01-01", 0),
        ("clean.jsonl --max-cost 0.000001", 3),
        ("usage.jsonl --max-cost 1", 5),
        ("usage.jsonl --strict", 5),
    ],
)
def test_reports_fit_their_schema(program: Any, arguments: str, code: int) -> None:
    answer = program("report", "--json", *arguments.split())
    assert answer.code == answer.document["exit"] == code
    assert problems(answer.document) == []


@pytest.mark.usefixtures("files")
def test_answers_about_budgets_fit_their_schemas(program: Any) -> None:
    steps: list[tuple[str, int]] = [
        ("set team-a --limit 1 --window day --tz Asia/Seoul --soft 50% --scope model=*opus*,tag=team:a", 0),
        ("set team-b --limit 5k --window rolling:5h", 0),
        ("set team-c --limit 0", 0),
        ("reserve team-a --usd 0.75 -m claude-opus-5-5 --tag team=a --batch --note nightly", 0),
        ("reserve team-a --usd 0.75 -m claude-opus-5-5 --tag team=a", 3),
        ("reserve team-b --tokens 70", 0),
        ("reserve team-b --tokens 80 --lease 0.001s", 0),
        ("status", 0),
        ("status team-c --check", 3),
        ("list", 0),
        ("reset team-a", 0),
    ]
    documents = [(program("budget", *step.split(), "--json"), code) for step, code in steps]
    held = [answer.document["result"]["reservation"]["id"] for answer, _ in (documents[3], documents[5], documents[6])]
    for step, code in ((f"commit {held[0]} --usd 1.25", 3), (f"commit {held[1]}", 0), (f"release {held[2]}", 0)):
        documents.append((program("budget", *step.split(), "--json"), code))
    documents += [(program("budget", *step.split(), "--json"), 0) for step in ("history", "delete team-c")]
    documents.append((program("report", "clean.jsonl", "--budgets", "--json"), 0))
    assert [answer.code for answer, _ in documents] == [code for _, code in documents]
    assert [problems(answer.document) for answer, _ in documents] == [[]] * len(documents)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("pricing list", 0),
        ("pricing list --as-of 2024-06-30", 0),
        ("pricing list --pricing book.yaml", 0),
        ("pricing show claude-haiku-5-5", 0),
        ("pricing show claude-opus-4-6 --as-of 2026-03-01", 0),
        ("pricing show claude-fable-5-2", 0),
        ("pricing show claude-opus-5-5 --pricing book.yaml", 0),
        ("pricing check", 0),
        ("pricing check book.yaml --as-of 2027-06-01", 4),
        ("pricing diff built-in book.yaml", 0),
        ("pricing diff built-in built-in", 0),
    ],
)
def test_answers_about_prices_fit_their_schemas(program: Any, arguments: str, code: int) -> None:
    answer = program(*arguments.split(), "--json")
    assert answer.code == answer.document["exit"] == code
    assert problems(answer.document) == []


@pytest.mark.parametrize("model", range(29))
def test_every_model_of_the_book_fits_the_schema_of_its_card(program: Any, model: int) -> None:
    names = list(dict.fromkeys(row["model"] for row in program("pricing", "list", "--json").document["result"]["rows"]))
    assert problems(program("pricing", "show", names[model], "--json").document) == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("arguments", ["usage.jsonl --once", "usage.jsonl clean.jsonl --for 0s --minutes 1"])
def test_what_is_being_spent_fits_its_schema(program: Any, arguments: str) -> None:
    answer = program("tail", "--json", *arguments.split())
    assert answer.code == answer.document["exit"] == 0
    assert problems(answer.document) == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("estimate missing.md --json", 2),
        ("estimate prompt.md --no-such-flag --json", 2),
        ("estimate prompt.md --offline -m claude-gone-9 -f json", 5),
        ("pricing show claude-gone-9 -fjson", 5),
        ("pricing check missing.yaml --format=json", 2),
        ("report missing.jsonl --json", 2),
        ("report usage.jsonl --json --by nothing", 2),
        ("nonsense --json", 2),
        ("estimate prompt.md --offline --json -o /dev/full", 1),
    ],
)
def test_failures_fit_the_schema_of_errors(program: Any, arguments: str, code: int) -> None:
    answer = program(*arguments.split())
    assert answer.code == answer.document["exit"] == code
    assert answer.document["schema"] == "costkit/error@1"
    assert problems(answer.document) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("result", "items", 0, "cost_usd", "expected"), 0.5),
        (("result", "items", 0, "cost_usd", "expected"), "0.50"),
        (("result", "items", 0, "cost_usd", "expected"), "-1"),
        (("result", "items", 0, "input_tokens", "low"), "12"),
        (("result", "items", 0, "input_tokens", "low"), -1),
        (("result", "items", 0, "surprise"), 1),
        (("result", "surprise"), 1),
        (("surprise",), 1),
        (("as_of",), "21 November"),
        (("schema",), "costkit/estimate@2"),
        (("exit",), 7),
    ],
)
def test_the_schema_of_an_estimate_notices(estimate: Any, path: tuple[Any, ...], value: object) -> None:
    """A schema that accepted anything would make the tests above worthless."""
    document = estimate("-", stdin="Hello").document
    assert problems(document) == []
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    validator = Draft202012Validator(schema_of("estimate"))
    assert list(validator.iter_errors(document))
