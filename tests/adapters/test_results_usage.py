"""What a result was billed, and at which day's price; what can't be believed is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from costkit.adapters.batches.results_usage import result_usage
from costkit.report import Record, Skipped

CREATED = datetime(2026, 11, 20, 8, tzinfo=UTC)


def answered(usage: object) -> dict[str, Any]:
    message = {"id": "msg_1", "model": "claude-haiku-5-5", "usage": usage}
    return {"custom_id": "a", "result": {"type": "succeeded", "message": message}}


def test_a_result_is_billed_at_the_batch_price_of_the_day_of_its_batch() -> None:
    (record,) = result_usage(answered({"input_tokens": 7, "output_tokens": 3}), 1, CREATED)
    assert isinstance(record, Record)
    assert (record.usage.service_tier, record.usage.counts.input_tokens) == ("batch", 7)
    assert record.timestamp == int(CREATED.timestamp()) * 1_000_000


@pytest.mark.parametrize("kind", ["errored", "canceled", "expired"])
def test_results_without_an_answer_bill_nothing(kind: str) -> None:
    assert list(result_usage({"custom_id": "a", "result": {"type": kind}}, 1, CREATED)) == []


@pytest.mark.parametrize(
    ("usage", "reason"), [(None, "no-usage"), ({"input_tokens": -1}, "bad-usage"), ("much", "bad-usage")]
)
def test_an_answer_without_a_usable_usage_is_said(usage: object, reason: str) -> None:
    (skipped,) = result_usage(answered(usage), 5, CREATED)
    assert isinstance(skipped, Skipped)
    assert (skipped.reason.partition(":")[0], skipped.line) == (reason, 5)
