"""Grades that other programs wrote: exports of promptfoo and logs of inspect."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

HAIKU, OPUS = "claude-haiku-5-5", "claude-opus-5-5"
COSTS = {HAIKU: Decimal("0.00015"), OPUS: Decimal("0.006")}
"""Of 1,000 tokens in and 100 out."""


@pytest.fixture
def evaluate(program: Any, write: Callable[[str, object], Path]) -> Any:
    """`costkit route evaluate NAME --json` on a file of this content."""

    def run(results: str | bytes, *arguments: object, name: str) -> Any:
        write(name, results)
        return program("route", "evaluate", name, "--json", *arguments)

    return run


def candidates(answer: Any) -> dict[str, Any]:
    return {one["name"]: one for one in answer.document["result"]["candidates"]}


def promptfoo_row(test: int, provider: object, score: float, **more: Any) -> dict[str, Any]:
    """As promptfoo 0.121 writes it, without what nobody reads."""
    tokens = {"total": 1100, "prompt": 1000, "completion": 100}
    return {
        "prompt": {"raw": f"Translate: {test}", "label": "Translate: {{n}}"},
        "promptId": "6bc1f4ff38037a2636a4ea40913c405a",
        "promptIdx": 0,
        "provider": provider,
        "response": {"output": "x", "tokenUsage": tokens},
        "score": score,
        "success": score == 1,
        "testIdx": test,
        "vars": {"n": test},
        "failureReason": int(score != 1),
    } | more


def test_an_export_of_promptfoo_is_read(evaluate: Any) -> None:
    found = [
        promptfoo_row(test, provider, 1)
        for test in range(10)
        for provider in ({"id": f"anthropic:messages:{OPUS}", "label": "big"}, {"id": "file://mine.js", "label": HAIKU})
    ]
    failed = promptfoo_row(10, {"id": f"anthropic:messages:{OPUS}"}, 0, error="500", failureReason=2)
    answer = evaluate(
        json.dumps({"evalId": "e", "results": {"version": 3, "results": [*found, failed]}}), name="out.json"
    )
    names = candidates(answer)
    assert {name: (one["items"], one["score"]) for name, one in names.items()} == {HAIKU: (10, 1), OPUS: (10, 1)}
    assert Decimal(names[OPUS]["cost_usd"]) == COSTS[OPUS]
    assert "ungraded" in answer.warnings
    lines = evaluate("".join(json.dumps(one) + "\n" for one in found), name="out.jsonl")
    assert candidates(lines) == names


def test_promptfoos_prompt_tokens_hold_what_came_from_the_cache(evaluate: Any) -> None:
    details = {"cacheReadInputTokens": 600, "cacheCreationInputTokens": 0}
    cached = {"tokenUsage": {"total": 1100, "prompt": 1000, "completion": 100, "completionDetails": details}}
    own_cache = {"tokenUsage": {"total": 1100, "cached": 1100}}
    lines = "".join(
        json.dumps(line) + "\n"
        for line in (
            promptfoo_row(1, f"anthropic:messages:{OPUS}", 1, response=cached),
            promptfoo_row(1, f"anthropic:messages:{HAIKU}", 1, response=own_cache),
        )
    )
    answer = evaluate(lines, name="out.jsonl")
    found = candidates(answer)
    assert Decimal(found[OPUS]["cost_usd"]) == Decimal("0.00372")  # 400 at $4, 600 at $0.20, 100 at $20 per million
    assert found[HAIKU]["cost_usd"] is None
    assert "no-usage" in answer.warnings


def inspect_log(model: str, *values: object, scorers: tuple[str, ...] = ("match",)) -> dict[str, Any]:
    """As inspect 0.3 writes it, without what nobody reads."""
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100, "input_tokens_cache_read": None}
    samples = [
        {
            "id": f"s{number}",
            "epoch": 1,
            "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1+1?"}],
            "scores": {name: {"value": value, "answer": "2"} for name in scorers},
            "model_usage": {model: usage, "anthropic/grader": usage},
            "error": None,
        }
        for number, value in enumerate(values)
    ]
    return {"version": 2, "status": "success", "eval": {"task": "sums", "model": model}, "samples": samples}


def test_logs_of_inspect_are_read(write: Any, program: Any, tmp_path: Path) -> None:
    write("opus.json", inspect_log(f"anthropic/{OPUS}", "C", "C", "P", 1))
    log = inspect_log(f"anthropic/{HAIKU}", "C", "I", "N", "yes")
    with zipfile.ZipFile(tmp_path / "haiku.eval", "w") as archive:
        archive.writestr("header.json", json.dumps({name: log[name] for name in ("version", "status", "eval")}))
        for sample in log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
    answer = program("route", "evaluate", "opus.json", "haiku.eval", "--json")
    found = candidates(answer)
    assert {name: one["score"] for name, one in found.items()} == {OPUS: 0.875, HAIKU: 0.5}
    assert {name: Decimal(one["cost_usd"]) for name, one in found.items()} == {OPUS: COSTS[OPUS], HAIKU: COSTS[HAIKU]}
    assert answer.document["result"]["common_items"] == 4


def test_an_inspect_log_with_several_scores_asks_which(evaluate: Any) -> None:
    log = json.dumps(inspect_log(OPUS, "C", scorers=("match", "model_graded_qa")))
    asked = evaluate(log, name="log.json")
    assert asked.document["error"]["hint"] == "add --scorer match or model_graded_qa"
    wrong = evaluate(log, "--scorer", "includes", name="log.json")
    assert "has no score of 'includes'" in wrong.document["error"]["message"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 torn", "log.eval: is no log of inspect, or a torn one"),
        (b"[]", "log.eval: holds no graded results"),
        (b"", "log.eval: is empty"),
    ],
)
def test_files_that_hold_no_grades(evaluate: Any, data: bytes, message: str) -> None:
    assert evaluate(data, name="log.eval").document["error"]["message"].startswith(message)
