"""`costkit route evaluate`: recommendations with evidence, other programs' grades, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
USAGE = {"input_tokens": 1000, "output_tokens": 100}
COSTS = {HAIKU: Decimal("0.00015"), SONNET: Decimal("0.003"), OPUS: Decimal("0.006")}


def row(item: object, model: str, score: object, **more: Any) -> str:
    return json.dumps({"item": item, "model": model, "score": score, "usage": USAGE} | more) + "\n"


def rows(count: int, **passed: Callable[[int], object]) -> str:
    """`rows(10, haiku=lambda n: n % 2)`: each model's score on each item."""
    names = {"haiku": HAIKU, "sonnet": SONNET, "opus": OPUS}
    return "".join(row(n, names[name], score(n)) for n in range(count) for name, score in passed.items())


@pytest.fixture
def evaluate(program: Any, write: Callable[[str, object], Path]) -> Any:
    """`costkit route evaluate results.jsonl --json` on these results."""

    def run(results: str | bytes, *arguments: object, name: str = "results.jsonl") -> Any:
        write(name, results)
        return program("route", "evaluate", name, "--json", *arguments)

    return run


def candidates(answer: Any) -> dict[str, Any]:
    return {one["name"]: one for one in answer.document["result"]["candidates"]}


def test_the_cheapest_candidate_that_is_shown_not_to_be_worse_is_recommended(evaluate: Any) -> None:
    answer = evaluate(rows(200, haiku=lambda n: n % 3 > 0, sonnet=lambda _: 1, opus=lambda _: 1))
    result = answer.document["result"]
    assert (answer.code, result["recommended"], result["reference"]) == (0, SONNET, OPUS)
    assert {name: one["verdict"] for name, one in candidates(answer).items()} == {
        HAIKU: "inferior",
        SONNET: "non-inferior",
        OPUS: "reference",
    }


def test_cost_per_completed_task_is_cost_divided_by_pass_rate(evaluate: Any) -> None:
    found = candidates(evaluate(rows(40, haiku=lambda n: n % 4 > 0, opus=lambda _: 1)))
    assert Decimal(found[HAIKU]["cost_usd"]) == COSTS[HAIKU]
    assert Decimal(found[HAIKU]["cost_per_completed_usd"]) == Decimal("0.0002")
    assert Decimal(found[OPUS]["cost_per_completed_usd"]) == COSTS[OPUS]


def test_a_model_that_completes_nothing_has_no_cost_per_completed_task(evaluate: Any) -> None:
    found = candidates(evaluate(rows(30, haiku=lambda _: 0, opus=lambda _: 1)))
    assert found[HAIKU]["cost_per_completed_usd"] is None
    assert found[HAIKU]["verdict"] == "inferior"


def test_too_few_items_are_insufficient_evidence_and_it_says_how_many_are_missing(evaluate: Any) -> None:
    answer = evaluate(rows(50, haiku=lambda _: 1, opus=lambda _: 1))
    assert (answer.code, answer.document["result"]["recommended"]) == (5, None)
    assert candidates(answer)[HAIKU]["items_needed"] == 298
    assert f"insufficient evidence: {HAIKU} needs about 298 items, 248 more than there are" in answer.err
    assert evaluate(rows(133, haiku=lambda _: 1, opus=lambda _: 1)).code == 0


def test_if_every_cheaper_model_is_worse_the_reference_stays(evaluate: Any) -> None:
    answer = evaluate(rows(100, haiku=lambda n: n % 2, opus=lambda _: 1))
    assert (answer.code, answer.document["result"]["recommended"]) == (0, OPUS)


def test_a_dearer_model_than_the_reference_is_not_in_question(evaluate: Any) -> None:
    answer = evaluate(rows(30, sonnet=lambda _: 1, opus=lambda _: 1), "--reference", "claude-sonnet-5.5")
    assert candidates(answer)[OPUS]["verdict"] == "dearer"
    assert answer.document["result"]["recommended"] == SONNET


def test_many_candidates_need_stronger_evidence_than_one(evaluate: Any) -> None:
    """Holm: the first of several must pass at a share of alpha."""
    alone = "".join(row(n, HAIKU, 1) + row(n, OPUS, 1) for n in range(140))
    crowd = "".join(row(n, HAIKU, n % 5 > 0, effort=effort) for n in range(140) for effort in ("low", "medium", "high"))
    assert candidates(evaluate(alone))[HAIKU]["verdict"] == "non-inferior"
    assert candidates(evaluate(alone + crowd))[HAIKU]["verdict"] == "insufficient"


def test_the_frontier_leaves_out_what_is_dearer_and_no_better(evaluate: Any) -> None:
    found = candidates(evaluate(rows(30, haiku=lambda n: n % 2, sonnet=lambda n: n % 2, opus=lambda _: 1)))
    assert {name: one["is_on_frontier"] for name, one in found.items()} == {HAIKU: True, SONNET: False, OPUS: True}


def test_graded_scores_between_0_and_1_are_compared_by_their_mean(evaluate: Any) -> None:
    answer = evaluate(rows(400, haiku=lambda n: 0.7 + n % 3 / 100, opus=lambda n: 0.7 + n % 2 / 100), "--margin", "5%")
    found = candidates(answer)[HAIKU]
    assert found["verdict"] == "non-inferior"
    assert found["difference"]["low"] < found["difference"]["difference"] < found["difference"]["high"]


def test_several_answers_to_an_item_count_with_their_mean(evaluate: Any) -> None:
    twice = rows(20, haiku=lambda _: 1, opus=lambda _: 1) + rows(20, haiku=lambda _: 0, opus=lambda _: 1)
    found = candidates(evaluate(twice))[HAIKU]
    assert (found["items"], found["answers"], found["score"]) == (20, 40, 0.5)
    assert Decimal(found["cost_usd"]) == COSTS[HAIKU]


def test_efforts_of_a_model_are_candidates_of_their_own(evaluate: Any) -> None:
    lines = "".join(row(n, OPUS, 1, effort=effort) for n in range(10) for effort in ("low", "high"))
    assert set(candidates(evaluate(lines))) == {f"{OPUS} (low)", f"{OPUS} (high)"}


def test_batches_and_cache_reads_are_priced_as_they_are_billed(evaluate: Any) -> None:
    cached = {"input_tokens": 0, "cache_read_input_tokens": 1000, "output_tokens": 100}
    lines = (
        row(1, HAIKU, 1, batch=True)
        + row(1, OPUS, 1, usage=cached)
        + row(1, SONNET, 1, usage=USAGE | {"service_tier": "batch"})
    )
    found = {name: Decimal(one["cost_usd"]) for name, one in candidates(evaluate(lines)).items()}
    assert found[HAIKU] == COSTS[HAIKU] / 2
    assert found[SONNET] == COSTS[SONNET] / 2
    assert found[OPUS] < COSTS[OPUS]


def test_a_usage_above_the_cliff_of_a_tier_is_said_because_it_may_be_a_sum(evaluate: Any) -> None:
    lines = row(1, HAIKU, 1, usage={"input_tokens": 100_001, "output_tokens": 1}) + row(1, OPUS, 1)
    answer = evaluate(lines, "--reference", OPUS)
    assert "above-tier" in answer.warnings


def test_missing_items_are_named_and_only_common_ones_are_paired(evaluate: Any) -> None:
    lines = rows(20, opus=lambda _: 1) + rows(18, haiku=lambda _: 1) + row("extra", HAIKU, 0)
    answer = evaluate(lines)
    (notice,) = [warning for warning in answer.document["warnings"] if warning["code"] == "missing-items"]
    assert notice["message"].startswith(f"{HAIKU} lacks 2 of the reference's items ('18', '19') and has 1 that")
    assert candidates(answer)[HAIKU]["paired_items"] == 18
    assert answer.document["result"]["common_items"] == 18


def test_models_without_an_item_in_common_leave_it_open(evaluate: Any) -> None:
    answer = evaluate(row("a", HAIKU, 1) + row("b", OPUS, 1))
    assert answer.code == 5
    assert f"{HAIKU} answered none of the reference's items" in answer.err


def test_a_model_without_a_price_or_a_usage_is_never_free(evaluate: Any) -> None:
    lines = rows(200, opus=lambda _: 1) + "".join(
        row(n, "llama-9", 1) + row(n, HAIKU, 1, usage=None) for n in range(200)
    )
    answer = evaluate(lines)
    found = candidates(answer)
    assert (found["llama-9"]["cost_usd"], found[HAIKU]["cost_usd"]) == (None, None)
    assert {found["llama-9"]["verdict"], found[HAIKU]["verdict"]} == {"insufficient"}
    assert {"unknown-model", "no-usage"} <= set(answer.warnings)
    assert answer.code == 5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"model": "m", "score": 1}', "results.jsonl:2: the item is missing"),
        ('{"item": "", "model": "m", "score": 1}', "results.jsonl:2: the item is missing"),
        ('{"item": 1.5, "model": "m", "score": 1}', "results.jsonl:2: the item must be text or a whole number"),
        ('{"item": 1, "score": 1}', "results.jsonl:2: the model is missing"),
        ('{"item": 1, "model": "m"}', "results.jsonl:2: the score is missing"),
        ('{"item": 1, "model": "m", "score": NaN}', "results.jsonl:2: holds NaN, which is no number"),
        ('{"item": 1, "model": "m", "score": "nan"}', "results.jsonl:2: the score is nan, which is no number"),
        ('{"item": 1, "model": "m", "score": -Infinity}', "results.jsonl:2: holds -Infinity"),
        ('{"item": 1, "model": "m", "score": 85}', "results.jsonl:2: the score 85 is not between 0 and 1"),
        ('{"item": 1, "model": "m", "score": "good"}', "results.jsonl:2: the score 'good' is no number"),
        ('{"item": 1, "model": "m", "score": [1]}', "results.jsonl:2: the score must be a number"),
        ('{"item": 1, "model": "m", "score": 1, "usage": {"input_tokens": -1}}', "results.jsonl:2: usage.input"),
        ('{"item": 1, "model": "m", "score": 1, "usage": 5}', "results.jsonl:2: usage must be an object"),
        ('{"item": 1, "model": "m", "score": 1, "batch": "no"}', "results.jsonl:2: batch must be true or false"),
        ('{"item": 1, "model": "m", "score": 1, "request": {}}', "results.jsonl:2:messages: messages must be"),
        ("{torn", "results.jsonl:2: is not valid JSON"),
        ("[1]", "results.jsonl:2: a result must be a JSON object"),
    ],
)  # fmt: skip
def test_a_wrong_result_is_refused_with_its_line(evaluate: Any, line: str, message: str) -> None:
    answer = evaluate(row(0, HAIKU, 1) + line + "\n")
    assert answer.code == 2
    assert answer.document["error"]["message"].startswith(message)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--margin", "0"), 2, "--margin '0' must lie between 0 and 1"),
        (("--margin", "x"), 2, "--margin 'x' is not a share"),
        (("--alpha", "60%"), 2, "--alpha '60%' must lie between 0 and 0.5"),
        (("--reference", "claude-fable-5"), 2, "--reference 'claude-fable-5' has no results"),
        (("--routes", "routes.yaml", "--choices", "c.jsonl"), 2, "--routes and --choices are two rules"),
        (("--choices", "gone.jsonl"), 2, "gone.jsonl: no such file"),
    ],
)
def test_what_is_refused(evaluate: Any, arguments: tuple[str, ...], code: int, message: str) -> None:
    answer = evaluate(rows(3, haiku=lambda _: 1, opus=lambda _: 1), *arguments)
    assert answer.code == code
    assert answer.document["error"]["message"].startswith(message)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ("{torn\n" + row(0, HAIKU, 1), "results.jsonl:1: is not valid JSON"),
        (b"\xff\xfe\n", "results.jsonl:1: is not UTF-8 text"),
        ("[" + row(0, HAIKU, 1) + ", 5]", "results.jsonl[1]: a result must be a JSON object"),
        ("[" + row(0, HAIKU, 1) + ",\n {torn]", "results.jsonl:3: is not valid JSON"),
        ("[" * 200_000, "results.jsonl: is nested too deeply"),
        ('{"results": {"results": [5]}}', "results.jsonl:results.results[0]: a result must be an object"),
    ],
)
def test_files_that_are_wrong_from_the_beginning(evaluate: Any, results: str | bytes, message: str) -> None:
    answer = evaluate(results)
    assert answer.code == 2
    assert answer.document["error"]["message"].startswith(message)


def test_one_model_alone_can_not_be_compared(evaluate: Any) -> None:
    answer = evaluate(rows(3, opus=lambda _: 1))
    assert (answer.code, answer.document["error"]["code"]) == (5, "undecidable")


def hard(number: int) -> bool:
    return number % 2 == 0


CHOICES = "".join(json.dumps({"item": n, "model": OPUS if hard(n) else "claude-haiku-5.5"}) + "\n" for n in range(200))


def test_a_rule_that_knows_the_hard_items_beats_its_controls(evaluate: Any, write: Any) -> None:
    write("choices.jsonl", CHOICES)
    results = rows(200, haiku=lambda n: not hard(n), opus=lambda _: 1)
    answer = evaluate(results, "--choices", "choices.jsonl")
    rule = answer.document["result"]["rule"]
    assert (answer.code, rule["verdict"], rule["score"]) == (0, "advantage", 1)
    assert rule["models"] == [{"name": OPUS, "items": 100}, {"name": HAIKU, "items": 100}]
    assert Decimal(rule["cost_usd"]) == (COSTS[OPUS] + COSTS[HAIKU]) / 2 == Decimal(rule["best_split"]["cost_usd"])
    assert rule["best_split"]["score"] == pytest.approx(0.75)
    assert rule["shuffle"]["p_value"] < 0.01


def test_a_rule_that_is_no_better_than_a_coin_is_told_so(evaluate: Any, write: Any) -> None:
    write("choices.jsonl", CHOICES)
    answer = evaluate(rows(200, haiku=lambda n: n % 4 > 1, opus=lambda _: 1), "--choices", "choices.jsonl")
    assert answer.document["result"]["rule"]["verdict"] == "none-resolved"
    assert answer.code == 5
    assert "choices.jsonl shows no resolved advantage over its controls" in answer.err


def test_a_rule_that_chooses_the_wrong_way_round_is_a_finding(evaluate: Any, write: Any) -> None:
    write("choices.jsonl", CHOICES)
    answer = evaluate(rows(200, haiku=hard, opus=lambda _: 1), "--choices", "choices.jsonl")
    assert (answer.document["result"]["rule"]["verdict"], answer.code) == ("disadvantage", 4)


def test_routes_are_judged_by_what_they_would_have_chosen(evaluate: Any, write: Any) -> None:
    write(
        "routes.yaml",
        "schema: costkit/routes@1\nsafe: claude-opus-5-5\nroutes:\n"
        "  - {name: quick, when: {complexity: simple}, model: claude-haiku-5-5}\n"
        "  - {name: rest, model: claude-opus-5-5}\n",
    )
    task = {True: "Debug this step by step", False: "Translate: hello"}
    lines = "".join(
        row(n, HAIKU, int(not hard(n)), prompt=task[hard(n)])
        + row(n, OPUS, 1, request={"messages": [{"role": "user", "content": task[hard(n)]}]})
        for n in range(200)
    )
    answer = evaluate(lines, "--routes", "routes.yaml")
    assert answer.document["result"]["rule"]["verdict"] == "advantage"
    silent = evaluate(rows(3, haiku=lambda _: 1, opus=lambda _: 1), "--routes", "routes.yaml")
    assert silent.document["error"]["message"] == "the results don't say what was asked in '0'"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (CHOICES.replace('{"item": 7,', '{"item": "seven",'), "choices.jsonl: says nothing about the item '7'"),
        (CHOICES.replace(OPUS, "claude-fable-5"), "choices.jsonl: sends the item '0' to claude-fable-5"),
        (CHOICES + CHOICES, "choices.jsonl:201: the item '0' is chosen for twice"),
        ('{"item": 0}\n', "choices.jsonl:1: the model is missing"),
    ],
)
def test_choices_that_do_not_fit_the_results(evaluate: Any, write: Any, choices: str, message: str) -> None:
    write("choices.jsonl", choices)
    answer = evaluate(rows(200, haiku=lambda _: 1, opus=lambda _: 1), "--choices", "choices.jsonl")
    assert answer.code == 2
    assert answer.document["error"]["message"].startswith(message)


def test_the_page_begins_with_the_recommendation(program: Any, write: Any) -> None:
    write("results.jsonl", rows(200, haiku=lambda _: 1, opus=lambda _: 1))
    answer = program("route", "evaluate", "results.jsonl")
    assert answer.out.startswith(f"{HAIKU} · $0.00015 per completed task · 97.5\u00a0% less than {OPUS}")
    assert "prices of" in answer.out.splitlines()[-1]


def test_csv_holds_the_candidates(program: Any, write: Any) -> None:
    write("results.jsonl", rows(200, haiku=lambda _: 1, opus=lambda _: 1))
    header, first, *_ = program("route", "evaluate", "results.jsonl", "-f", "csv").out.splitlines()
    assert header.startswith("name,items,score,cost_usd,cost_per_completed_usd,is_on_frontier,difference")
    assert first.startswith(f"{HAIKU},200,1,0.00015,0.00015,true,0.0,")


def test_the_page_says_first_that_nothing_is_recommended(program: Any, write: Any) -> None:
    write("results.jsonl", rows(50, haiku=lambda _: 1, opus=lambda _: 1))
    answer = program("route", "evaluate", "results.jsonl")
    assert answer.out.startswith("insufficient evidence, nothing recommended · 50 common items · reference claude-opus")
    assert f"{HAIKU} needs about 298 items" in answer.out
