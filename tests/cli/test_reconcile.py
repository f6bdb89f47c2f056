"""`costkit reconcile`: logs beside the organization's reports, asked on loopback or read from saved pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, Fault
from jsonschema import Draft202012Validator

OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"
KEY = "sk-ant-admin01-secret-0123456789"
Write = Callable[[str, object], Path]


def logged(number: int, day: int, model: str = OPUS, **usage: Any) -> str:
    message = {"type": "message", "role": "assistant", "id": f"msg_{number}", "model": model, "usage": usage}
    return json.dumps({"timestamp": f"2026-11-{day:02}T12:00:00Z", "message": message}) + "\n"


def bucket(day: int, *results: dict[str, Any]) -> dict[str, Any]:
    return {
        "starting_at": f"2026-11-{day:02}T00:00:00Z",
        "ending_at": f"2026-11-{day + 1:02}T00:00:00Z",
        "results": list(results),
    }


def used(tokens: int, output: int, model: str = OPUS, **more: Any) -> dict[str, Any]:
    return {
        "uncached_input_tokens": tokens,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0},
        "model": model,
        "service_tier": "standard",
        "workspace_id": None,
        "inference_geo": "global",
        **more,
    }


def charged(cents: str, model: str | None = OPUS, kind: str = "tokens", **more: Any) -> dict[str, Any]:
    base = {"amount": cents, "currency": "USD", "cost_type": kind, "model": model, "workspace_id": None}
    return {**base, "service_tier": "standard" if kind == "tokens" else None, **more}


def page(*buckets: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"data": list(buckets), "has_more": following is not None, "next_page": following}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.add_admin_key(KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
        yield running


@pytest.fixture
def log(write: Write) -> Path:
    """Opus at 4 and 20 dollars a million: 0.006 on the 1st, 0.004 on the 2nd."""
    lines = logged(1, 1, input_tokens=1_000, output_tokens=100) + logged(2, 2, input_tokens=1_000, output_tokens=0)
    return write("log.jsonl", lines)


def problems(document: Any) -> list[str]:
    schema = json.loads((resources.files("costkit") / "schemas" / "reconcile.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def reconcile(program: Any, log: Path, *more: object) -> Any:
    return program("reconcile", log, "--from", "2026-11-01", "--to", "2026-11-02", "--json", *more)


def test_both_sides_agree_when_cents_are_read_as_cents(program: Any, server: ApiServer, log: Path) -> None:
    server.usage_buckets = [bucket(1, used(1_000, 100)), bucket(2, used(1_000, 0))]
    server.cost_buckets = [bucket(1, charged("0.4"), charged("0.2")), bucket(2, charged("0.40"))]
    answer = reconcile(program, log, "--tolerance", "0%")
    result = answer.document["result"]
    assert (answer.code, problems(answer.document)) == (0, [])
    assert result["total"]["api"]["cost_usd"] == result["total"]["logs"]["cost_usd"] == "0.01"
    assert (result["total"]["difference_usd"], result["causes"], result["within_tolerance"]) == ("0", [], True)


def test_traffic_that_the_logs_lack_is_told_from_tokens_that_were_not_charged(
    program: Any, server: ApiServer, log: Path
) -> None:
    server.usage_buckets = [bucket(1, used(6_001_000, 100)), bucket(2, used(1_001_000, 0))]
    server.cost_buckets = [bucket(1, charged("2400.6")), bucket(2, charged("0.4"))]
    answer = reconcile(program, log, "--tolerance", "0.5%")
    result = answer.document["result"]
    causes = {cause["code"]: cause["cost_usd"] for cause in result["causes"]}
    assert answer.code == 4
    assert causes == {"not-in-logs": "-28", "not-charged": "4"}
    for row in result["rows"]:
        parts = sum(Decimal(cause["cost_usd"]) for cause in row["causes"])
        assert parts == Decimal(row["difference_usd"])


def test_the_same_tokens_at_a_regional_price_are_a_matter_of_prices(program: Any, server: ApiServer, log: Path) -> None:
    server.usage_buckets = [bucket(1, used(1_000, 100, inference_geo="us")), bucket(2, used(1_000, 0))]
    server.cost_buckets = [bucket(1, charged("0.66")), bucket(2, charged("0.4"))]
    causes = reconcile(program, log).document["result"]["causes"]
    assert [(cause["code"], cause["cost_usd"]) for cause in causes] == [("modifiers", "-0.0006")]


def test_cache_writes_nested_in_the_report_and_dated_model_ids_are_understood(
    program: Any, server: ApiServer, write: Write
) -> None:
    split: Any = {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200}
    log = write(
        "log.jsonl",
        logged(1, 1, "claude-haiku-4-5", input_tokens=5, output_tokens=1, cache_creation=split)
        + logged(2, 1, "claude-haiku-4-5-20251001", input_tokens=5, output_tokens=1, cache_read_input_tokens=7),
    )
    mine = used(10, 2, "claude-haiku-4-5-20251001", cache_creation=split, cache_read_input_tokens=7)
    server.usage_buckets = [bucket(1, mine)]
    result = reconcile(program, log).document["result"]
    assert result["total"]["api"]["usage"] == result["total"]["logs"]["usage"]
    assert result["total"]["api"]["usage"]["cache_creation_input_tokens"] == 500
    assert len(result["rows"]) == 1


def test_searches_and_sessions_are_rows_of_their_own(program: Any, server: ApiServer, write: Write) -> None:
    searching: dict[str, Any] = {"server_tool_use": {"web_search_requests": 3}}
    log = write("log.jsonl", logged(1, 1, input_tokens=1_000, output_tokens=0, **searching))
    server.usage_buckets = [bucket(1, used(1_000, 0, **searching))]
    extra = charged("5", None, "session_usage")
    server.cost_buckets = [bucket(1, charged("0.4"), charged("3", None, "web_search"), extra)]
    result = reconcile(program, log).document["result"]
    kinds = {row["kind"]: row["difference_usd"] for row in result["rows"]}
    assert kinds == {"tokens": "0", "web_search": "0", "session_usage": "-0.05"}
    assert [cause["code"] for cause in result["causes"]] == ["other-kind"]


def test_the_priority_tier_is_not_held_against_the_cost_report(program: Any, server: ApiServer, write: Write) -> None:
    log = write("log.jsonl", logged(1, 1, input_tokens=1_000, output_tokens=0, service_tier="priority"))
    server.usage_buckets = [bucket(1, used(1_000, 0, service_tier="priority"))]
    answer = reconcile(program, log, "--tolerance", "0%")
    result = answer.document["result"]
    assert (answer.code, result["total"]["logs"]["cost_usd"]) == (0, "0")
    assert [(cause["code"], cause["cost_usd"]) for cause in result["causes"]] == [("priority-tier", "0.004")]


def test_whole_request_tiers_are_not_guessed_from_sums(program: Any, server: ApiServer, write: Write) -> None:
    log = write("log.jsonl", logged(1, 1, HAIKU, input_tokens=100_001, output_tokens=0))
    server.usage_buckets = [bucket(1, used(100_001, 0, HAIKU))]
    server.cost_buckets = [bucket(1, charged("1", HAIKU))]
    causes = reconcile(program, log).document["result"]["causes"]
    assert [cause["code"] for cause in causes] == ["price-unknown"]


def test_every_page_is_fetched_and_can_be_kept_for_working_offline(
    program: Any, server: ApiServer, write: Write, tmp_path: Path
) -> None:
    log = write("log.jsonl", logged(1, 1, input_tokens=1_000, output_tokens=0))
    days = [(month, day) for month in (9, 10) for day in range(1, 31)]
    for month, day in days:
        start = f"2026-{month:02}-{day:02}T00:00:00Z"
        server.usage_buckets.append({"starting_at": start, "results": [used(10, 1)]})
        server.cost_buckets.append({"starting_at": start, "results": [charged("1")]})
    span = ("--from", "2026-09-01", "--to", "2026-10-31", "--json")
    asked = program("reconcile", log, *span, "--save", tmp_path).document["result"]
    assert asked["total"]["api"]["usage"]["input_tokens"] == 10 * len(days)
    saved = ("--usage", tmp_path / "usage.jsonl", "--cost", tmp_path / "cost.jsonl", "--offline")
    assert program("reconcile", log, *span, *saved).document["result"] == asked


def test_a_workspace_can_be_looked_at_alone(program: Any, server: ApiServer, log: Path) -> None:
    mine = {"workspace_id": "wrkspc_1"}
    server.usage_buckets = [bucket(1, used(1_000, 100, **mine), used(5, 5)), bucket(2, used(1_000, 0, **mine))]
    server.cost_buckets = [bucket(1, charged("0.6", **mine), charged("9")), bucket(2, charged("0.4", **mine))]
    every = reconcile(program, log).document["result"]
    only = reconcile(program, log, "--workspace", "wrkspc_1").document["result"]
    assert [share["workspace"] for share in every["workspaces"]] == [None, "wrkspc_1"]
    assert (only["total"]["difference_usd"], only["causes"]) == ("0", [])


def test_people_see_the_difference_first_and_what_it_is_due_to(program: Any, server: ApiServer, log: Path) -> None:
    server.usage_buckets = [bucket(1, used(1_001_000, 100)), bucket(2, used(1_000, 0))]
    server.cost_buckets = [bucket(1, charged("400.6")), bucket(2, charged("0.4"))]
    lines = program("reconcile", log, "--from", "2026-11-01", "--to", "2026-11-02").out.splitlines()
    assert "$4.00 less in the logs" in lines[0]
    assert any("traffic that isn't in these logs" in line for line in lines)


def test_equal_dollars_of_different_tokens_are_no_agreement(program: Any, server: ApiServer, log: Path) -> None:
    server.usage_buckets = [
        bucket(1, used(1_000, 100), used(500_000, 10, service_tier="priority")),
        bucket(2, used(1_000, 0)),
    ]
    server.cost_buckets = [bucket(1, charged("0.6")), bucket(2, charged("0.4"))]
    first = program("reconcile", log, "--from", "2026-11-01", "--to", "2026-11-02").out.splitlines()[0]
    assert first == "$0.0100 in the logs and charged, but 1 row differs · 2026-11-01 to 2026-11-02"


def test_what_of_the_logs_is_left_out_is_named(program: Any, server: ApiServer, write: Write) -> None:
    lines = (
        logged(1, 1, input_tokens=1_000)
        + "{broken}\n"
        + json.dumps(json.loads(logged(2, 1, input_tokens=1))["message"])
        + "\n"
    )
    log = write("log.jsonl", lines + logged(3, 1, "gpt-x", input_tokens=1))
    server.usage_buckets = [bucket(1, used(1_000, 0))]
    warnings = {entry["message"]: entry["where"] for entry in reconcile(program, log).document["warnings"]}
    assert warnings.items() >= {
        ("1 line of the logs left out: invalid-json; what is in there counts as not in the logs", f"{log}:2"),
        ("1 line of the logs left out: no-timestamp; what is in there counts as not in the logs", f"{log}:3"),
        ("1 logged request without a price, left out here: gpt-x", None),
    }


def test_a_key_without_rights_is_told_and_never_shown(program: Any, server: ApiServer, log: Path) -> None:
    answer = program("reconcile", log, "--from", "2026-11-01", "--json", ANTHROPIC_ADMIN_KEY=server.key)
    assert (answer.code, answer.document["error"]["code"]) == (1, "authentication")
    assert "admin" in answer.err
    assert server.key not in answer.out + answer.err


def test_a_page_that_is_cut_is_an_error_and_no_result(program: Any, server: ApiServer, log: Path) -> None:
    server.usage_buckets = [bucket(1, used(1_000, 100))]
    server.fail(Fault(on="usage_report", cut="short", times=9))
    answer = reconcile(program, log)
    assert (answer.code, answer.document["error"]["code"]) == (1, "bad-answer")


@pytest.mark.parametrize(
    ("usage", "cost", "told"),
    [
        ('{"data": [', None, "usage.json:1: is not valid JSON"),
        ("", None, "usage.json: holds no page"),
        (page(following="page_2"), None, "has_more is true"),
        ({"error": {}}, None, "data is missing"),
        (page(bucket(1, charged("1"))), None, "is it a page of the cost report?"),
        (page(bucket(1, used(-1, 0))), None, "uncached_input_tokens must be a whole number from 0"),
        (page(), page(bucket(1, used(1, 0))), "is it a page of the usage report?"),
        (page(), page(bucket(1, charged("1.5e"))), "is no amount"),
        (page(), page(bucket(1, {**charged("1"), "amount": 12.5})), "as text"),
        (page(), page(bucket(1, {**charged("1"), "currency": "EUR"})), "is in EUR"),
    ],
)
def test_saved_pages_that_cannot_be_used_are_refused_with_their_place(
    program: Any, write: Write, log: Path, usage: object, cost: object, told: str
) -> None:
    files = ["--usage", write("usage.json", usage)]
    files += ["--cost", write("cost.json", cost)] if cost is not None else []
    answer = reconcile(program, log, *files)
    assert answer.code == 2
    assert told in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ((), "--from is missing"),
        (("--from", "2026-11-02", "--to", "2026-11-01"), "--from must not come after --to"),
        (("--from", "2026-11-01", "--tolerance", "0.5"), "is no percentage"),
        (("--from", "2026-11-01", "--offline"), "which --offline forbids"),
        (("--from", "2026-11-01", "--cost", "x.json"), "--cost needs the usage report too"),
        (("--from", "2026-11-01"), "need an admin key"),
    ],
)
def test_questions_that_make_no_sense_are_refused(program: Any, log: Path, flags: tuple[str, ...], told: str) -> None:
    answer = program("reconcile", log, *flags)
    assert answer.code == 2
    assert told in answer.err
