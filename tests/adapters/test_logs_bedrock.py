"""Bedrock's invocation logs bill what their bodies say, or their counts where bodies are left out."""

from __future__ import annotations

import json

import pytest
from foreign_logs import COUNTS, FULL_USAGE, MESSAGE, MODEL, USAGE, invocation, items_of, records_of

from costkit.report import FileRead

METRICS = {"inputTokenCount": 40, "outputTokenCount": 25, "cacheReadInputTokenCount": 700}
START = {"type": "message_start", "message": {**MESSAGE, "usage": {**FULL_USAGE, "output_tokens": 1}}}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE}
STREAM = [START, DELTA, {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS}]
CONVERSED = {
    "output": {"message": {"role": "assistant"}},
    "usage": {
        "inputTokens": 40,
        "outputTokens": 25,
        "totalTokens": 1065,
        "cacheReadInputTokens": 700,
        "cacheWriteInputTokens": 300,
    },
}


@pytest.mark.parametrize("body", [MESSAGE, STREAM], ids=["message", "stream"])
def test_a_body_with_the_answer_is_the_bill(body: object) -> None:
    (record,) = records_of(invocation(body))

    assert record.usage.counts == COUNTS._replace(ephemeral_5m_input_tokens=100, ephemeral_1h_input_tokens=200)
    assert (record.message_id, record.request_id, record.project) == ("msg_01Ab", "4cbf", "111122223333")
    assert record.model == f"us.anthropic.{MODEL}-v1:0"
    assert record.timestamp


@pytest.mark.parametrize(
    "body",
    [None, CONVERSED, [{"messageStart": {}}, {"metadata": {"usage": CONVERSED["usage"]}}], {"output": "elsewhere"}],
    ids=["no-body", "converse", "converse-stream", "body-without-usage"],
)
def test_counts_beside_or_inside_other_bodies_bill_the_same(body: object) -> None:
    (record,) = records_of(invocation(body))

    assert record.usage.counts == COUNTS
    assert (record.message_id, record.request_id) == ("4cbf", None)


def test_an_event_of_cloudwatch_holds_the_log_as_a_text() -> None:
    (record,) = records_of({"timestamp": 1_793_520_000_000, "message": json.dumps(invocation())})

    assert record.usage.counts.output_tokens == 25


def test_an_application_profile_is_known_by_its_answer() -> None:
    name = "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/a1b2"
    known, unknown = records_of(invocation(modelId=name), invocation(None, modelId=name))

    assert (known.model, unknown.model) == (MODEL, "a1b2")


def test_another_vendors_model_keeps_its_name() -> None:
    (record,) = records_of(invocation({"outputText": "x"}, modelId="amazon.nova-pro-v1:0"))

    assert record.model == "amazon.nova-pro-v1:0"


def test_an_invocation_without_any_count_bills_nothing() -> None:
    (file,) = items_of(invocation({}, input={}, output={"outputBodyJson": {}}))

    assert isinstance(file, FileRead)
    assert file.other == 1
