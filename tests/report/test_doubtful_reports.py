"""What a report says about itself: nothing recognised, no model that matches, refusals, values without a price."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from costkit.core.response import Counts, Iteration
from costkit.errors import InvalidInput
from costkit.report import FileRead, FoldOptions, Record, Report, Skipped, merge, summarize

Make = Callable[..., Record]
Ask = Callable[..., Report]


def _said(report: Report, code: str) -> list[str]:
    return [notice.message for notice in report.notices if notice.code == code]


def test_documents_of_which_none_is_a_bill_are_no_empty_log(ask: Ask) -> None:
    report = ask([FileRead("requests.jsonl", documents=3, other=3)])

    (message,) = _said(report, "nothing-recognised")
    assert report.is_unrecognised
    assert message.startswith("3 documents, none of them a bill")
    assert "costkit estimate" in message


@pytest.mark.parametrize("unbilled", [(), (("batch-errored", 2),)])
def test_a_log_with_anything_that_is_known_is_recognised(
    record: Make, ask: Ask, unbilled: tuple[tuple[str, int], ...]
) -> None:
    """A response outside the date range was read, and a failed batch result is known to cost nothing."""
    records = [record(at="2026-03-01T10:00")] * (not unbilled)

    report = ask([*records, FileRead("a.jsonl", 4, 3, unbilled)], since=2**60)

    assert report.total.requests == 0
    assert not report.is_unrecognised
    assert _said(report, "nothing-recognised") == []


def test_an_empty_log_is_not_unrecognised(ask: Ask) -> None:
    assert not ask([FileRead("a.jsonl", 0, 0)]).is_unrecognised
    assert not ask([Skipped("empty-file", "a.jsonl")]).is_unrecognised


@pytest.mark.parametrize("name", ["claude-wren-2", "Claude-Wren-2", "anthropic/claude-wren-2", "claude-wren-2[1m]"])
def test_a_model_is_found_by_its_name_in_any_spelling(record: Make, ask: Ask, name: str) -> None:
    records = [record("claude-lark-1"), record("us.anthropic.claude-wren-2-v1:0"), record("claude-wren-20")]

    report = ask(records, model_glob=name)

    assert [row.group for row in report.rows] == [(("model", "claude-wren-2"),)]
    assert report.complete


def test_a_pattern_that_fits_nothing_names_the_models_there_are(record: Make, ask: Ask) -> None:
    records = [record("claude-lark-1"), record("gpt-x"), record(None)]

    report = ask(records, model_glob="claude-lrak*")

    assert report.total.requests == 0
    assert _said(report, "no-match") == [
        "no model matches 'claude-lrak*': the log has (no model), claude-lark-1, gpt-x"
    ]  # fmt: skip


def test_of_many_models_the_first_few_are_named(record: Make, ask: Ask) -> None:
    (message,) = _said(ask([record(f"m-{number}") for number in range(11)], model_glob="x"), "no-match")

    assert message.endswith("m-4, m-5, m-6 and 3 others")


def test_nothing_is_said_where_the_log_is_empty_or_the_pattern_fits(record: Make, ask: Ask) -> None:
    assert _said(ask([], model_glob="x"), "no-match") == []
    assert _said(ask([record("claude-lark-1"), record("claude-wren-2")], model_glob="*lark*"), "no-match") == []


@pytest.mark.parametrize("pattern", ["", "  "])
def test_an_empty_pattern_is_refused(ask: Ask, pattern: str) -> None:
    with pytest.raises(InvalidInput, match="--model is empty"):
        ask([], model_glob=pattern)


def test_models_that_are_filtered_out_are_not_talked_about(record: Make, ask: Ask) -> None:
    records = [record("claude-lark-1"), record("claude-rook-0")]

    assert len(_said(ask(records), "model-retired")) == 1
    assert _said(ask(records, model_glob="*lark*"), "model-retired") == []


@pytest.mark.parametrize("later", [True, False])
def test_a_refusal_is_counted_and_mentioned_whichever_copy_tells_of_it(
    record: Make, ask: Ask, later: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """A transcript has many lines of one response, and only the last one knows how it ended."""
    copies = [record(message_id="m", line=line, refused=(line == 2) == later, input_tokens=5) for line in (1, 2)]

    report = ask([*copies, record(message_id="n", input_tokens=5)])

    (message,) = _said(report, "refusals")
    assert message.startswith("1 response with stop_reason refusal")
    assert "not always billed" in message
    assert report.total.usage.input_tokens == 10


def test_refusals_survive_a_merge_and_count_without_an_id(record: Make) -> None:
    options = FoldOptions()
    parts = [summarize([record(refused=True)], options) for _ in range(3)]

    assert sum(tally.refusals for tally in merge(parts, options).tallies.values()) == 3


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("tier", "flex", "unknown-service-tier"),
        ("tier", "Batch", "unknown-service-tier"),
        ("speed", "turbo", "unknown-speed"),
    ],
)
def test_a_value_that_should_select_a_price_and_is_unknown_is_said(
    record: Make, ask: Ask, field: str, value: str, code: str
) -> None:
    report = ask([record(**{field: value}, input_tokens=1_000_000)] * 2)

    (message,) = _said(report, code)
    assert message.startswith("2 requests with ")
    assert repr(value) in message
    assert report.total.cost_usd == 2


@pytest.mark.parametrize("tier", [None, "standard", "batch", "priority"])
@pytest.mark.parametrize("speed", [None, "standard"])
def test_values_that_are_known_are_no_surprise(record: Make, ask: Ask, tier: str | None, speed: str | None) -> None:
    codes = {notice.code for notice in ask([record(tier=tier, speed=speed)]).notices}

    assert not codes & {"unknown-service-tier", "unknown-speed"}


def test_requests_add_up_where_only_a_part_of_a_response_has_no_price(record: Make, ask: Ask) -> None:
    """The request counts where its message is; the part without a price says so, with its tokens."""
    passes = (Iteration(None, Counts(input_tokens=10)), Iteration("claude-owl", Counts(input_tokens=7)))

    report = ask([record(iterations=passes)])

    (row,), (entry,) = report.rows, report.unpriced
    assert (row.figures.requests, entry.requests, entry.usage.input_tokens) == (1, 0, 7)
    assert _said(report, "unpriced")[0].startswith("'claude-owl': parts of requests, 7 tokens are not in the total")


def test_the_rest_is_told_from_a_group_that_is_called_other(record: Make, ask: Ask) -> None:
    records = [record(session=name, input_tokens=size) for name, size in (("other", 9), ("b", 2), ("c", 1))]

    rows = [row.as_json() for row in ask(records, by=("session",), top=1).rows]

    assert [(row["session"], row["folded"]) for row in rows] == [("other", 0), ("other", 2)]


def test_the_period_remembers_the_zone_that_cuts_its_days(record: Make, ask: Ask) -> None:
    seoul = ZoneInfo("Asia/Seoul")

    period = ask([record(at="2026-11-20T23:30")], zone=seoul).period

    assert period.zone is seoul
    assert period.as_json()["from"] == "2026-11-20T23:30:00Z"


def test_every_reason_for_a_missing_price_is_said_whatever_the_model_was_called(record: Make, ask: Ask) -> None:
    records = [
        record("anthropic/claude-wren-2", speed="fast", at="2026-03-01T10:00"),
        record("claude-wren-2", speed="fast", tier="batch"),
        record("claude-wern-2"),
    ]

    messages = " ".join(_said(ask(records), "unpriced"))

    assert "no fast-mode price of claude-wren-2 is known for 2026-03-01" in messages
    assert "fast mode can't be combined with a batch" in messages
    assert "did you mean claude-wren-2" in messages


def test_what_is_said_about_missing_prices_does_not_depend_on_the_order(record: Make, ask: Ask) -> None:
    records = [record("claude-wren-2", speed="fast", at=f"2026-0{month}-01T10:00") for month in (5, 3, 4)]

    assert ask(records).notices == ask(records[::-1]).notices
    assert "is known for 2026-03-01" in _said(ask(records), "unpriced")[0]
