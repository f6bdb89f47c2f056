"""OpenInference's prompt includes the cache; the answer beside it knows more."""

from __future__ import annotations

import json

from foreign_logs import COUNTS, FULL_USAGE, MESSAGE, MODEL, console_span, open_inference, otlp, otlp_span, records_of


def test_the_prompt_includes_what_was_cached() -> None:
    (record,) = records_of(otlp(otlp_span("a", open_inference())))

    assert (record.model, record.usage.counts) == (MODEL, COUNTS)


def test_the_answer_is_read_where_it_agrees_with_the_counts() -> None:
    (record,) = records_of(console_span("a", open_inference(**{"output.value": json.dumps(MESSAGE)})))

    assert record.message_id == "msg_01Ab"
    assert record.usage.counts.ephemeral_1h_input_tokens == 200
    assert record.usage.inference_geo == "us"


def test_an_answer_that_says_something_else_is_not() -> None:
    other = {**MESSAGE, "usage": {**FULL_USAGE, "input_tokens": 41}}
    hidden = "__REDACTED__"

    for value in (json.dumps(other), hidden, "{torn", 7):
        (record,) = records_of(console_span("a", open_inference(**{"output.value": value})))
        assert record.usage.counts == COUNTS


def test_rows_of_phoenix_are_read_flat_and_nested() -> None:
    flat = {f"attributes.{name}": value for name, value in open_inference().items()}
    row = {"name": "x", "span_kind": "LLM", "parent_id": None, "start_time": "2026-11-01T08:00:00Z", **flat}
    details = {"cache_read": 700, "cache_write": 300}
    count = {"prompt": 1040, "completion": 25, "prompt_details": details}
    nested = console_span("b", {"llm": {"model_name": MODEL, "token_count": count}})
    records = records_of({**row, "context.trace_id": "t", "context.span_id": "a"}, nested)

    assert [record.usage.counts for record in records] == [COUNTS, COUNTS]
    assert [record.model for record in records] == [MODEL, MODEL]
    assert all(record.timestamp for record in records)


def test_a_framework_that_tells_the_same_call_as_the_client_below_it_counts_once() -> None:
    spans = [console_span("client", open_inference(), "chain"), console_span("chain", open_inference())]

    assert len(records_of(*spans)) == 1
