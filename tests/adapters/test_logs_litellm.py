"""LiteLLM's rows, callbacks and answers bill what the API billed, with its prompt's cached tokens counted once."""

from __future__ import annotations

import json

import pytest
from foreign_logs import COUNTS, FULL_USAGE, LITELLM_USAGE, MODEL, items_of, records_of, spend_row

from costkit.core.response import Counts
from costkit.report import FileRead, Skipped
from costkit.report.group import moment_of

WITH_TTL = COUNTS._replace(ephemeral_5m_input_tokens=100, ephemeral_1h_input_tokens=200)


def _callback(**changes: object) -> dict[str, object]:
    row = spend_row(**changes)
    name, start = row.pop("request_id"), 1_793_520_000.0
    return {"id": name, "trace_id": "t-1", "response_cost": 0.5, **row, "startTime": start, "cache_hit": None}


def _answer(**changes: object) -> dict[str, object]:
    usual = {"id": "chatcmpl-11", "object": "chat.completion", "created": 1_793_520_000, "model": MODEL}
    return {**usual, "choices": [], "usage": LITELLM_USAGE, **changes}


@pytest.mark.parametrize(
    "document",
    [spend_row(), _callback(), {"model": "x", "standard_logging_object": _callback()}, _answer()],
    ids=["row", "callback", "arguments", "answer"],
)
def test_the_cache_is_taken_out_of_the_prompt_with_its_ttl(document: object) -> None:
    (record,) = records_of(document)

    assert record.usage.counts == WITH_TTL
    assert (record.model, record.message_id, record.usage.inference_geo) == (MODEL, "chatcmpl-11", "us")
    assert moment_of(record.timestamp or 0).isoformat() == "2026-11-01T08:00:00+00:00"


def test_a_row_has_its_session_and_its_team() -> None:
    (record,) = records_of(spend_row())

    assert (record.session, record.project) == ("s-1", "rocks")


def test_metadata_may_be_a_text_or_older_or_missing() -> None:
    cached = {"cache_read_input_tokens": 700, "cache_creation_input_tokens": 300}
    text = spend_row(metadata=json.dumps({"usage_object": LITELLM_USAGE}))
    older = spend_row(metadata={"additional_usage_values": cached})
    without = spend_row(metadata={})
    own = spend_row(metadata={"usage_object": FULL_USAGE})

    assert [record.usage.counts for record in records_of(text, older, without, own)] == [
        WITH_TTL,
        COUNTS,
        Counts(1040, output_tokens=25),
        WITH_TTL,
    ]


def test_a_prompt_that_left_the_cache_out_is_taken_as_it_is() -> None:
    (record,) = records_of(spend_row(metadata={"usage_object": {**LITELLM_USAGE, "prompt_tokens": 40}}))

    assert record.usage.counts.input_tokens == 40


def test_pages_and_lists_of_rows_are_read() -> None:
    rows = [spend_row(request_id="a"), spend_row(request_id="b")]

    assert len(records_of(rows)) == len(records_of({"data": rows, "total": 2})) == 2


@pytest.mark.parametrize(
    "name",
    [
        f"anthropic/{MODEL}",
        f"bedrock/us.anthropic.{MODEL}-v1:0",
        f"bedrock/us-east-1/anthropic.{MODEL}-v1:0",
        f"vertex_ai/{MODEL}@20261001",
        f"openrouter/anthropic/{MODEL}",
    ],
)
def test_routes_before_a_model_are_taken_off(name: str) -> None:
    (record,) = records_of(spend_row(model=name))

    assert record.model == name.rpartition("/")[2]


def test_a_deployment_with_a_name_of_its_own_is_known_by_its_model() -> None:
    metadata = {"usage_object": LITELLM_USAGE, "model_map_information": {"model_map_key": MODEL}}
    (record,) = records_of(spend_row(model="prod-large", metadata=metadata))

    assert record.model == MODEL


def test_what_was_not_billed_is_named() -> None:
    hit = spend_row(cache_hit="True")
    failed = spend_row(status="failure", prompt_tokens=0, completion_tokens=0, total_tokens=0, metadata={})
    last = items_of(hit, failed)[-1]

    assert isinstance(last, FileRead)
    assert last.unbilled == (("failed", 1), ("replayed", 1))


def test_a_batch_has_the_batch_price() -> None:
    (record,) = records_of(spend_row(call_type="aretrieve_batch"))

    assert record.usage.service_tier == "batch"


def test_the_passes_inside_a_response_are_kept() -> None:
    passes = [{"model": "claude-haiku-5-5", "input_tokens": 5, "output_tokens": 6}]
    (record,) = records_of(spend_row(metadata={"usage_object": {**LITELLM_USAGE, "iterations": passes}}))

    assert [item.model for item in record.usage.iterations] == ["claude-haiku-5-5"]


@pytest.mark.parametrize(
    "change", [{"prompt_tokens": -4}, {"completion_tokens": 1.5}, {"cache_read_input_tokens": "x"}]
)
def test_counts_that_cannot_be_believed_are_skipped_with_their_place(change: dict[str, object]) -> None:
    bad = spend_row(metadata={"usage_object": {**LITELLM_USAGE, **change}})
    (skipped,) = [item for item in items_of(spend_row(), bad) if isinstance(item, Skipped)]

    assert (skipped.reason.partition(":")[0], skipped.line) == ("bad-usage", 2)


def test_a_wrapped_answer_of_another_vendor_keeps_its_name() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}
    (record,) = records_of({"ts": "2026-11-01", "response": _answer(model="gpt-5.2", usage=usage)})

    assert (record.model, record.usage.counts) == ("gpt-5.2", Counts(4, 5, output_tokens=4))
