"""`costkit.simulate_caching`: the same answers as the command, from Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import costkit

OPUS = ["claude-opus-5-5"]
SIZES: dict[str, Any] = {"prefix_tokens": 10_000, "fresh_tokens": 200, "output_tokens": 500}
NINE = datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_the_golden_value() -> None:
    (model,) = costkit.simulate_caching(models=OPUS, every="400s", as_of=date(2026, 11, 21), **SIZES).models
    assert (model.best.name, model.best.cost_usd) == ("1h", Decimal("0.206"))


def test_recorded_arrivals_may_be_times() -> None:
    times = [NINE, NINE + timedelta(minutes=1), NINE.replace(tzinfo=None) + timedelta(minutes=7)]
    (model,) = costkit.simulate_caching(models=OPUS, arrivals=times, **SIZES).models
    five = model.strategy("5m")
    assert (model.repeats, five.reads, five.expiries) == (3, 1, 1)


def test_a_body_is_counted_and_its_model_taken() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 200
    body = {"model": "claude-opus-5-5", "system": text, "messages": [{"role": "user", "content": "What is new?"}]}
    (model,) = costkit.simulate_caching(body).models
    assert model.model == "claude-opus-5-5"
    assert model.best.name == "5m"
    assert model.stable_tokens > 512


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "a prompt or prefix_tokens"),
        ({"prompt": "Hi", "prefix_tokens": 5}, "and not both"),
        ({"prefix_tokens": 5, "models": []}, "which model"),
        ({"prefix_tokens": 5, "arrivals": []}, "must not be empty"),
        ({"prefix_tokens": 5, "arrivals": [NINE], "poisson": "3/h"}, "beside a rate"),
        ({"prefix_tokens": 5, "arrivals": [NINE, NINE - timedelta(1)]}, "before arrival 1"),
        ({"prefix_tokens": 5, "every": "-1s"}, "negative"),
        ({"prefix_tokens": 5, "poisson": "0/h"}, "nothing ever arrives"),
    ],
)
def test_what_means_nothing_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(costkit.CostkitError, match=words):
        costkit.simulate_caching(**{"models": OPUS, **arguments})
