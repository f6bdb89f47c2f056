"""The costs that other systems record are read to the digit, and taken for dollars only where that is known."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from foreign_logs import (
    INSPECT_USAGE,
    LITELLM_USAGE,
    MODEL,
    console_span,
    eval_archive,
    evaluation,
    gen_ai,
    inspect_log,
    items_of,
    lines,
    model_event,
    observation,
    open_inference,
    otlp,
    otlp_span,
    promptfoo_result,
    records_of,
    sample,
    spend_row,
)

from costkit.adapters.logs import early, pieces, read_logs, summaries
from costkit.adapters.logs.remembered import Memory
from costkit.adapters.logs.summaries import summarize_logs
from costkit.report import Charge, FoldOptions, Record, RecordedCost, Skipped, summarize
from costkit.report.fold import close

ANSWER = {"id": "c-1", "object": "chat.completion", "created": 1_793_520_000, "model": MODEL, "usage": LITELLM_USAGE}


def _charges(*documents: object) -> list[Charge | None]:
    return [record.charge for record in records_of(*documents)]


def _dollars(source: str, usd: str) -> Charge:
    return Charge(source, Decimal(usd))


@pytest.mark.parametrize(
    ("document", "source"),
    [
        (spend_row(spend=0.0031), "litellm"),
        (spend_row(spend=None, response_cost=0.0031), "litellm"),
        (spend_row(spend="0.0031", currency="USD"), "litellm"),
        ({"standard_logging_object": spend_row(spend=0.0031)}, "litellm"),
        ({**ANSWER, "_hidden_params": {"response_cost": 0.0031}}, "litellm"),
        ({"response": ANSWER, "response_cost": 0.0031}, "litellm"),
        (observation(costDetails={"input": 0.001, "total": 0.0031}), "langfuse"),
        (observation(costDetails={}, calculatedTotalCost=0.0031), "langfuse"),
        (observation(costDetails=None, totalCost=0.0031), "langfuse"),
        ({"id": "t", "totalCost": 9, "observations": [observation(costDetails={"total": 0.0031})]}, "langfuse"),
        (
            observation(costDetails=None, usageDetails=None, usage={"input": 4, "output": 2, "totalCost": 0.0031}),
            "langfuse",
        ),
        (promptfoo_result(response={**promptfoo_result()["response"], "cost": 0.0031}), "promptfoo"),  # type: ignore[dict-item]
        (
            evaluation(promptfoo_result(cost=0.0031, response={"tokenUsage": {"prompt": 4, "completion": 2}})),
            "promptfoo",
        ),
        (otlp(otlp_span("a", open_inference(**{"llm.cost.total": 0.0031}))), "openinference"),
        (console_span("a", {"llm": {"token_count": {"prompt": 4}, "cost": {"total": 0.0031}}}), "openinference"),
        (otlp(otlp_span("a", gen_ai(**{"gen_ai.usage.cost": 0.0031})), scope="openlit.otel.tracing"), "otel"),
        (otlp(otlp_span("a", gen_ai(**{"operation.cost": 0.0031})), scope="pydantic-ai"), "otel"),
        (otlp(otlp_span("a", gen_ai(**{"gen_ai.usage.cost_usd": 0.0031}))), "otel"),
        (inspect_log(sample(model_event(output={"usage": {**INSPECT_USAGE, "total_cost": 0.0031}}))), "inspect"),
        (sample(model_usage={MODEL: {**INSPECT_USAGE, "total_cost": 0.0031}}), "inspect"),
    ],
)
def test_dollars_are_read_from_where_each_system_writes_them(document: object, source: str) -> None:
    assert _charges(document) == [_dollars(source, "0.0031")]


@pytest.mark.parametrize(
    ("document", "charge"),
    [
        (spend_row(currency="EUR"), Charge("litellm", None, "EUR")),
        (spend_row(metadata={"usage_object": LITELLM_USAGE, "cost_unit": "cents"}), Charge("litellm", None, "cents")),
        (spend_row(spend=None, spend_cents=12), Charge("litellm", None, "cents")),
        (spend_row(spend=None, totalCostEUR=12), Charge("litellm", None, "EUR")),
        (spend_row(currency=" eur "), Charge("litellm", None, "EUR")),
        (spend_row(currency="Credits"), Charge("litellm", None, "credits")),
        (spend_row(currency=7), Charge("litellm", None, "unit-unknown")),
        (spend_row(currency="unpriced"), Charge("litellm", None, "unit-unknown")),
        (spend_row(currency="\x1b[31m"), Charge("litellm", None, "unit-unknown")),
        (
            {**ANSWER, "usage": {**LITELLM_USAGE, "cost": 0.5}},
            Charge("litellm", None, "unit-unknown"),
        ),
        (observation(currency="JPY"), Charge("langfuse", None, "JPY")),
        (promptfoo_result(provider="openrouter:anthropic/claude"), Charge("promptfoo", None, "unit-unknown")),
        (promptfoo_result(provider="file://mine.py"), Charge("promptfoo", None, "unit-unknown")),
        (otlp(otlp_span("a", gen_ai(**{"gen_ai.usage.cost": 0.5}))), Charge("otel", None, "unit-unknown")),
        (otlp(otlp_span("a", gen_ai(**{"llm.usage.cost_cents": 3}))), Charge("otel", None, "cents")),
    ],
)
def test_what_is_not_known_to_be_dollars_is_not_taken_for_them(document: object, charge: Charge) -> None:
    assert _charges(document) == [charge]


@pytest.mark.parametrize(
    "cost", [-1, True, float("nan"), float("inf"), 1e12, 1e-300, "", "1,5", "$3", [], {}, "\uff11"]
)
def test_a_cost_that_is_no_amount_costs_no_bill(cost: object) -> None:
    """The response counts as ever."""
    assert _charges(spend_row(spend=cost)) == [Charge("litellm", None, "not-an-amount")]


@pytest.mark.parametrize("document", [spend_row(spend=None), promptfoo_result(response={"tokenUsage": {"prompt": 4}})])
def test_a_response_without_a_cost_has_none(document: object) -> None:
    assert _charges(document) == [None]


@pytest.mark.parametrize(
    "text", ["0.1000000000000000055511151231257827", "12345678.123456789012345678", "1e-05", "0.1e1", "7", "0.10"]
)
@pytest.mark.parametrize("template", ["%s", "[%s]", "%s%s", "\n%s"], ids=["line", "array", "glued", "after"])
def test_amounts_have_the_digits_of_the_log(text: str, template: str) -> None:
    """As a number of their own and in metadata that was logged as a text."""
    row = json.dumps(spend_row(spend="here")).replace('"here"', text)
    log = template.replace("%s", row).encode()
    records = [item for item in read_logs(["-"], stdin=io.BytesIO(log)) if isinstance(item, Record)]

    assert [record.charge for record in records] == [_dollars("litellm", text)] * template.count("%s")


def test_amounts_keep_their_digits_inside_of_texts_and_archives(tmp_path: Path) -> None:
    exact = "0.1000000000000000055511151231257827"
    inner = json.dumps(spend_row(spend="here")).replace('"here"', exact)
    used = sample(model_usage={MODEL: {**INSPECT_USAGE, "total_cost": 0.1}})
    archive = eval_archive(tmp_path / "a.eval", used)

    (row,) = records_of({"standard_logging_object": inner}, dialect="litellm")
    assert row.charge == _dollars("litellm", exact)
    (record,) = (item for item in read_logs([str(archive)]) if isinstance(item, Record))
    assert record.charge == _dollars("inspect", "0.1")


def test_a_session_cost_too_small_to_be_believed_is_skipped() -> None:
    items = items_of({"type": "cost-state", "sessionId": "s", "totalCostUSD": 5e-324})

    assert [item.reason for item in items if isinstance(item, Skipped)] == ["bad-usage: totalCostUSD is not an amount"]
    assert not any(isinstance(item, RecordedCost) for item in items)


def test_a_span_that_repeats_those_inside_of_it_takes_its_cost_along() -> None:
    agent = observation(id="agent", type="AGENT", costDetails={"total": 5})
    inner = observation(parentObservationId="agent", costDetails={"total": 0.5})

    assert _charges(agent, inner) == [_dollars("langfuse", "0.5")]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Rows of the spend log with their callbacks, which tell the same once more, in two files."""
    rows = [spend_row(request_id=f"r{n}", spend=n / 7, messages="x" * 300) for n in range(200)]
    calls = [{**row, "id": row["request_id"], "response_cost": row["spend"]} for row in rows]
    (tmp_path / "rows.jsonl").write_bytes(lines(*rows, *[spend_row(request_id="e", currency="EUR")] * 2))
    (tmp_path / "calls.jsonl").write_bytes(lines(*[{**call, "request_id": None} for call in calls]))
    return tmp_path


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("dedupe", ["auto", "file", "none"])
def test_the_quick_way_ranges_and_workers_come_to_the_same(
    log: Path, monkeypatch: pytest.MonkeyPatch, workers: int, dedupe: str
) -> None:
    monkeypatch.setattr(early, "WORTH_A_WORKER", 1)
    monkeypatch.setattr(pieces, "RANGE", 20_000)
    options = FoldOptions(dedupe)
    exact = summarize(read_logs([str(log)]), options)
    close(exact)

    quick = summarize_logs([str(log)], options, workers=workers)

    assert quick == exact
    counted = {key.problem: charged.responses for key, charged in quick.charges.items()}
    assert counted == {"auto": {"": 200, "EUR": 1}, "file": {"": 400, "EUR": 1}, "none": {"": 400, "EUR": 2}}[dedupe]


def test_what_is_remembered_of_a_log_holds_its_costs(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "WORTH_REMEMBERING", 0)
    monkeypatch.setattr("costkit.adapters.logs.remembered.SETTLED_NS", -(10**18))
    first = summarize_logs([str(log)], FoldOptions(), workers=1, remembered=tmp_path / "memory")
    monkeypatch.setattr("costkit.adapters.logs.pieces.PlainReader", None)

    again = summarize_logs([str(log)], FoldOptions(), workers=1, remembered=tmp_path / "memory")

    assert again == first
    assert sum(charged.responses for charged in again.charges.values()) == 201


def test_what_is_remembered_of_a_file_holds_the_costs_of_its_responses(log: Path, tmp_path: Path) -> None:
    summary = summarize(read_logs([str(log)]), FoldOptions())
    with Memory(tmp_path / "memory", FoldOptions()) as memory:
        memory.keep("it", "as signed", summary)

    with Memory(tmp_path / "memory", FoldOptions()) as memory:
        assert memory.recall("it", "as signed") == (summary, None)
    assert len(list(summary.responses.charged())) == 201
