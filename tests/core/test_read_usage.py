"""The API's usage object is read field by field; what can't be a bill is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.core.response import MOST_TOKENS, Counts, Iteration, read_usage
from costkit.core.usage import Usage

FULL = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 600,
    "cache_read_input_tokens": 20,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 400},
    "output_tokens": 30,
    "output_tokens_details": {"thinking_tokens": 25},
    "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 9},
    "service_tier": "standard",
    "speed": "fast",
    "inference_geo": "us",
}
COUNTS = st.builds(Counts, *[st.integers(min_value=0, max_value=10**6)] * 7)


def test_every_billed_field_is_read_and_thinking_is_not_added() -> None:
    billed = read_usage(FULL)
    assert billed.counts == Counts(10, 20, 600, 200, 400, 30, 3)
    assert billed.counts.usage() == Usage(10, 20, 200, 400, 30, 3)
    assert (billed.service_tier, billed.speed, billed.inference_geo) == ("standard", "fast", "us")


def test_null_and_absent_fields_count_as_zero() -> None:
    nulls = dict.fromkeys(FULL)
    assert read_usage(nulls) == read_usage({})
    assert read_usage({}).counts == Counts()


def test_cache_writes_without_a_split_are_five_minute_writes() -> None:
    counts = read_usage({"cache_creation_input_tokens": 500}).counts
    assert counts.assumed_5m_tokens == 500
    assert counts.usage() == Usage(ephemeral_5m_input_tokens=500)


def test_what_the_split_leaves_over_is_a_five_minute_write() -> None:
    usage = {"cache_creation_input_tokens": 1000, "cache_creation": {"ephemeral_1h_input_tokens": 700}}
    counts = read_usage(usage).counts
    assert counts.assumed_5m_tokens == 300
    assert counts.usage() == Usage(ephemeral_5m_input_tokens=300, ephemeral_1h_input_tokens=700)


def test_a_split_larger_than_its_total_is_billed_as_the_split_says() -> None:
    usage = {"cache_creation_input_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 9}}
    assert read_usage(usage).counts.usage() == Usage(ephemeral_5m_input_tokens=9)


def test_whole_numbers_written_as_floats_are_accepted() -> None:
    assert read_usage({"input_tokens": 12.0, "output_tokens": 3e2}).counts == Counts(input_tokens=12, output_tokens=300)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (-1, "is negative"),
        (-1.0, "is negative"),
        (1.5, "is not a whole number"),
        (True, "is not a whole number"),
        ("12", "is not a whole number"),
        ([], "is not a whole number"),
        (float("nan"), "is not a whole number"),
        (float("inf"), "is not a whole number"),
        (MOST_TOKENS + 1, "is absurdly large"),
        (1e300, "is absurdly large"),
        (10**400, "is absurdly large"),
    ],
)
@pytest.mark.parametrize("field", ["input_tokens", "output_tokens", "cache_read_input_tokens"])
def test_a_count_that_is_no_count_is_refused_by_name(field: str, value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=f"usage.{field} {problem}"):
        read_usage({field: value})


@pytest.mark.parametrize(
    ("usage", "problem"),
    [
        ({"cache_creation": {"ephemeral_1h_input_tokens": -4}}, "usage.ephemeral_1h_input_tokens is negative"),
        ({"server_tool_use": {"web_search_requests": "3"}}, "usage.web_search_requests is not a whole number"),
        ({"cache_creation": 5}, "usage.cache_creation is not an object"),
        ({"server_tool_use": []}, "usage.server_tool_use is not an object"),
        ({"service_tier": 1}, "usage.service_tier is not text"),
        ({"speed": False}, "usage.speed is not text"),
        ({"inference_geo": {}}, "usage.inference_geo is not text"),
        ({"iterations": {"a": 1}}, "usage.iterations is not a list of objects"),
        ({"iterations": "abc"}, "usage.iterations is not a list of objects"),
        ({"iterations": [1]}, "usage.iterations is not a list of objects"),
        ({"iterations": [{"model": 5}]}, "usage.model is not text"),
        ({"iterations": [{"input_tokens": -5}]}, "usage.input_tokens is negative"),
    ],
)
def test_a_wrong_shape_is_refused_by_name(usage: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_usage(usage)


@pytest.mark.parametrize("iterations", [[], None])
def test_without_iterations_the_bill_is_the_top_level(iterations: object) -> None:
    billed = read_usage({**FULL, "iterations": iterations})
    assert billed.bill() == (Iteration(None, billed.counts),)


def test_with_iterations_the_bill_is_their_sum_each_at_its_own_model() -> None:
    usage = {
        "input_tokens": 5,
        "output_tokens": 6,
        "iterations": [
            {"type": "compaction", "input_tokens": 900, "output_tokens": 40},
            {"type": "message", "model": None, "input_tokens": 5, "output_tokens": 6},
            {"type": "advisor_message", "model": "claude-opus-5-5", "input_tokens": 70, "output_tokens": 8},
        ],
    }
    assert read_usage(usage).bill() == (
        Iteration(None, Counts(input_tokens=900, output_tokens=40)),
        Iteration(None, Counts(input_tokens=5, output_tokens=6)),
        Iteration("claude-opus-5-5", Counts(input_tokens=70, output_tokens=8)),
    )


def test_searches_stay_on_the_bill_when_there_are_iterations() -> None:
    usage = {"server_tool_use": {"web_search_requests": 2}, "iterations": [{"input_tokens": 1}]}
    bill = read_usage(usage).bill()
    assert sum(part.counts.web_search_requests for part in bill) == 2
    assert sum(part.counts.input_tokens for part in bill) == 1


@given(COUNTS, COUNTS, COUNTS)
def test_merging_copies_does_not_depend_on_their_order_or_number(a: Counts, b: Counts, c: Counts) -> None:
    assert a.largest(b) == b.largest(a)
    assert a.largest(b).largest(c) == a.largest(b.largest(c))
    assert a.largest(a) == a
    assert a.largest(Counts()) == a


@given(COUNTS)
def test_no_cache_write_is_lost_or_invented(counts: Counts) -> None:
    split = counts.ephemeral_5m_input_tokens + counts.ephemeral_1h_input_tokens
    assert counts.usage().cache_creation_input_tokens == max(counts.cache_creation_input_tokens, split)
