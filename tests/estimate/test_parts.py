"""Requests counted and priced in portions come to the same as all at once, however they are cut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.request import parse_request
from costkit.core.tokens import TokenCounter
from costkit.errors import Undecidable, UnknownModel
from costkit.estimate import EstimateOptions, Prompt, estimate_requests
from costkit.estimate.part import add_parts
from costkit.estimate.run import estimate_part, finish_estimate

BOOK = built_in_book()
DAY = date(2026, 11, 21)
MODELS = ("claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5", "claude-gone-9", None)
Counters = Callable[..., TokenCounter]
REQUESTS = st.lists(
    st.fixed_dictionaries(
        {"tokens": st.integers(1, 250_000), "model": st.sampled_from(MODELS)},
        optional={"max_tokens": st.integers(0, 9), "inference_geo": st.just("us")},
    ),
    min_size=1,
    max_size=12,
)
OPTIONS = st.builds(
    EstimateOptions,
    as_of=st.just(DAY),
    default_models=st.just(("claude-haiku-5-5", "claude-opus-5-5")),
    output_tokens=st.sampled_from((None, 7)),
    max_tokens=st.sampled_from((None, 9)),
    requests=st.sampled_from((1, 3)),
    batch=st.booleans(),
    cache=st.sampled_from(("none", "5m")),
    per_request=st.booleans(),
    tree=st.booleans(),
)


def prompts_of(rows: list[dict[str, Any]]) -> list[Prompt]:
    found = []
    for index, row in enumerate(rows):
        content = f"{row['tokens']} tokens"
        body = {**row, "messages": [{"role": "user", "content": content}]}
        del body["tokens"]
        found.append(Prompt("in.jsonl", index, parse_request(body)))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=REQUESTS, options=OPTIONS, cuts=st.lists(st.integers(0, 12), max_size=3))
def test_any_cut_gives_the_whole(
    stated: Counters, rows: list[dict[str, Any]], options: EstimateOptions, cuts: list[int]
) -> None:
    prompts = [*prompts_of(rows), Prompt("last.jsonl", 0, prompts_of([{"tokens": 5, "model": MODELS[0]}])[0].request)]
    places = [0, *sorted(min(cut, len(prompts)) for cut in cuts), len(prompts)]
    parts = [estimate_part(prompts[start:end], stated(2), BOOK, options) for start, end in pairwise(places)]
    whole = estimate_requests(prompts, stated(2), BOOK, options)
    assert finish_estimate(add_parts(parts), BOOK, options) == whole


def test_parts_without_any_known_model_are_the_same_error_as_the_whole(stated: Counters) -> None:
    prompts = prompts_of([{"tokens": 5, "model": "claude-gone-9"}] * 4)
    parts = [estimate_part([prompt], stated(), BOOK, EstimateOptions(DAY)) for prompt in prompts]
    with pytest.raises(UnknownModel, match="claude-gone-9"):
        finish_estimate(add_parts(parts), BOOK, EstimateOptions(DAY))


def test_parts_without_any_price_are_undecidable(stated: Counters) -> None:
    prompts = prompts_of([{"tokens": 5, "model": "claude-opus-5-5"}] * 2)
    options = EstimateOptions(DAY, fast=True, models=("claude-haiku-4-5",))
    parts = [estimate_part([prompt], stated(), BOOK, options) for prompt in prompts]
    with pytest.raises(Undecidable, match="no price is known"):
        finish_estimate(add_parts(parts), BOOK, options)
