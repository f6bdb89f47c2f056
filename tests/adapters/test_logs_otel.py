"""Spans with GenAI attributes are billed once, whoever wrote them, with the cache counted once."""

from __future__ import annotations

import pytest
from foreign_logs import COUNTS, MESSAGE, MODEL, console_span, gen_ai, items_of, otlp, otlp_span, records_of

from costkit.adapters.logs.dialects.traces import REPEATED
from costkit.core.response import Counts
from costkit.report import FileRead, Skipped
from costkit.report.group import moment_of


def test_an_otlp_document_bills_each_of_its_spans() -> None:
    record, other = records_of(otlp(otlp_span("a", gen_ai()), otlp_span("b", gen_ai())))

    assert record.usage.counts == other.usage.counts == COUNTS
    assert (record.model, record.message_id, record.project) == (MODEL, "5b8e/a", "geology-bot")
    assert moment_of(record.timestamp or 0).isoformat() == "2026-11-01T08:00:00+00:00"


def test_a_line_of_the_console_exporter_bills_the_same() -> None:
    (record,) = records_of(console_span("0xa", gen_ai(**{"gen_ai.response.id": "msg_9", "session.id": "s"})))

    assert record.usage.counts == COUNTS
    assert (record.message_id, record.session, record.project) == ("msg_9", "s", "geology-bot")


@pytest.mark.parametrize(
    ("scope", "attributes"),
    [
        ("opentelemetry.instrumentation.anthropic", {}),
        ("pydantic-ai", {}),
        ("somebody.else", {"gen_ai.usage.total_tokens": 1065}),
        ("somebody.else", {"gen_ai.usage.input_tokens": 40}),
        ("ai", {"gen_ai.usage.input_tokens": 40}),
        ("ai", {"gen_ai.usage.input_tokens": 1040, "ai.usage.inputTokenDetails.noCacheTokens": 40}),
        ("ai", {"ai.usage.inputTokenDetails.cacheReadTokens": 700}),
    ],
    ids=["openllmetry", "pydantic-ai", "unknown", "more-cached-than-input", "ai-5", "ai-6", "ai-6-without-details"],
)
def test_cached_tokens_are_counted_once_whether_the_input_includes_them_or_not(
    scope: str, attributes: dict[str, object]
) -> None:
    (record,) = records_of(otlp(otlp_span("a", gen_ai(**attributes)), scope=scope))

    assert record.usage.counts == COUNTS


@pytest.mark.parametrize("scope", ["ai", "opentelemetry.instrumentation.bedrock"])
def test_an_input_above_the_cached_tokens_is_still_known_to_leave_them_out(scope: str) -> None:
    attributes = gen_ai(**{"gen_ai.usage.input_tokens": 5000, "gen_ai.usage.total_tokens": 5025})
    (record,) = records_of(otlp(otlp_span("a", attributes), scope=scope))

    assert record.usage.counts.input_tokens == 5000


def test_a_total_that_adds_up_everything_shows_that_the_input_leaves_cached_tokens_out() -> None:
    attributes = gen_ai(**{"gen_ai.usage.input_tokens": 2000, "gen_ai.usage.total_tokens": 3025})
    (record,) = records_of(otlp(otlp_span("a", attributes), scope="somebody.else"))

    assert record.usage.counts.input_tokens == 2000


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.system": "anthropic", "gen_ai.request.model": MODEL}
        | {"gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 5},
        {"llm.request.model": MODEL, "llm.usage.prompt_tokens": 7, "llm.usage.completion_tokens": 5},
        {"ai.model.id": MODEL, "ai.usage.inputTokens": 7, "ai.usage.outputTokens": 5},
    ],
)
def test_older_and_other_names_are_read(attributes: dict[str, object]) -> None:
    (record,) = records_of(otlp(otlp_span("a", attributes)))

    assert (record.model, record.usage.counts) == (MODEL, Counts(7, output_tokens=5))


def test_an_agent_that_adds_up_its_steps_is_not_counted_again_wherever_it_stands() -> None:
    agent = console_span("agent", gen_ai(**{"gen_ai.usage.input_tokens": 9999}))
    step = console_span("step", {"gen_ai.operation.name": "execute_tool"}, "agent")
    calls = [console_span(name, gen_ai(), "step") for name in ("one", "two")]

    for order in ([agent, step, *calls], [*calls, step, agent], [calls[0], agent, calls[1], step]):
        *items, last = items_of(*order)

        assert [item.usage.counts for item in records_of(*order)] == [COUNTS, COUNTS]
        assert len(items) == 2
        assert isinstance(last, FileRead)
        assert last.unbilled == ((REPEATED, 1),)


def test_an_agent_without_steps_in_the_file_counts_by_itself() -> None:
    spans = [console_span("agent", gen_ai()), console_span("http", {"http.method": "POST"}, "agent")]

    assert [record.usage.counts for record in records_of(*spans)] == [COUNTS]


def test_spans_of_other_traces_do_not_take_each_other_for_children() -> None:
    spans = [console_span("a", gen_ai(), None, "0x1"), console_span("b", gen_ai(), "a", "0x2")]

    assert len(records_of(*spans)) == 2


@pytest.mark.parametrize("ids", [{"trace_id": "0x1", "span_id": "a"}, {"context": {"trace_id": "0x1", "span_id": "a"}}])
def test_a_message_that_was_logged_during_a_span_is_a_message(ids: dict[str, object]) -> None:
    (record,) = records_of({**ids, "level": "info", "response": MESSAGE})

    assert (record.message_id, record.usage.counts.output_tokens) == ("msg_01Ab", 25)


def test_a_circle_of_parents_counts_once() -> None:
    spans = [console_span("a", gen_ai(), "b"), console_span("b", gen_ai(), "a")]

    assert len(records_of(*spans)) == 1


def test_a_span_file_with_many_vendors_names_them_all() -> None:
    models = (
        "gpt-5.2",
        "gemini-3-pro",
        "mistral-large-3",
        "command-a",
        "llama-4",
        "grok-5",
        "nova-pro",
        "qwen3",
        "sonar",
    )
    spans = [otlp_span(model, gen_ai(**{"gen_ai.request.model": model})) for model in (MODEL, *models)]

    assert [record.model for record in records_of(otlp(*spans))] == [MODEL, *models]


@pytest.mark.parametrize("value", [-1, 2.5, "many", True])
def test_a_count_that_cannot_be_believed_costs_no_other_span(value: object) -> None:
    bad = console_span("bad", gen_ai(**{"gen_ai.usage.cache_read.input_tokens": value}))
    items = items_of(bad, console_span("good", gen_ai()))

    assert [item.line for item in items if isinstance(item, Skipped)] == [1]
    assert len(records_of(bad, console_span("good", gen_ai()))) == 1
