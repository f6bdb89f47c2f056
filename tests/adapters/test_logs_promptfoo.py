"""promptfoo's results bill each answer once, its graders without a model, and its cache not at all."""

from __future__ import annotations

import pytest
from foreign_logs import COUNTS, MODEL, evaluation, items_of, promptfoo_result, records_of

from costkit.core.response import Counts
from costkit.report import FileRead


def test_results_count_and_their_sums_do_not() -> None:
    records = records_of(evaluation(promptfoo_result(0), promptfoo_result(1)))

    assert [record.usage.counts for record in records] == [COUNTS, COUNTS]
    assert [record.message_id for record in records] == ["r-0", "r-1"]
    assert {record.model for record in records} == {MODEL}
    assert all(record.timestamp for record in records)


def test_a_result_on_a_line_bills_the_same() -> None:
    (record,) = records_of(promptfoo_result())

    assert (record.model, record.usage.counts, record.timestamp) == (MODEL, COUNTS, None)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        (f"anthropic:{MODEL}", MODEL),
        (f"bedrock:us.anthropic.{MODEL}-v1:0", f"us.anthropic.{MODEL}-v1:0"),
        (f"bedrock:converse:anthropic.{MODEL}-v1:0", f"anthropic.{MODEL}-v1:0"),
        (f"vertex:{MODEL}@20261001", f"{MODEL}@20261001"),
        (f"openrouter:anthropic/{MODEL}", MODEL),
        ("openai:chat:gpt-5.2", "openai:chat:gpt-5.2"),
    ],
)
def test_models_are_known_by_their_provider(provider: str, model: str) -> None:
    (record,) = records_of(promptfoo_result(provider=provider))

    assert record.model == model


def test_answers_out_of_the_cache_were_not_billed() -> None:
    cached = {"output": "x", "cached": True, "tokenUsage": {"cached": 1065, "total": 1065}}
    (file,) = items_of(evaluation(promptfoo_result(response=cached)))

    assert isinstance(file, FileRead)
    assert file.unbilled == (("replayed", 1),)


def test_what_graders_used_has_no_model() -> None:
    graded = {"pass": True, "tokensUsed": {"total": 12, "prompt": 9, "completion": 3, "cached": 0}}
    answer, grader = records_of(evaluation(promptfoo_result(gradingResult=graded)))

    assert answer.model == MODEL
    assert (grader.model, grader.usage.counts) == (None, Counts(9, output_tokens=3))


def test_an_evaluation_of_errors_bills_nothing() -> None:
    (file,) = items_of(evaluation(promptfoo_result(response={"error": "500"})))

    assert isinstance(file, FileRead)
    assert (file.documents, file.other) == (1, 1)
