"""Usage is a commutative monoid under addition."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.core.usage import Usage
from costkit.errors import InvalidInput

COUNTS = st.integers(min_value=0, max_value=10**12)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)


@given(USAGES, USAGES, USAGES)
def test_adding_is_associative(a: Usage, b: Usage, c: Usage) -> None:
    assert (a + b) + c == a + (b + c)


@given(USAGES, USAGES)
def test_adding_is_commutative(a: Usage, b: Usage) -> None:
    assert a + b == b + a


@given(USAGES)
def test_an_empty_usage_changes_nothing(usage: Usage) -> None:
    assert usage + Usage() == usage == Usage() + usage


@given(USAGES, st.integers(min_value=0, max_value=6))
def test_multiplying_is_repeated_adding(usage: Usage, times: int) -> None:
    assert usage * times == sum((usage for _ in range(times)), Usage())


@given(USAGES, USAGES)
def test_derived_counts_add_up_too(a: Usage, b: Usage) -> None:
    assert (a + b).prompt_tokens == a.prompt_tokens + b.prompt_tokens
    assert (a + b).cache_creation_input_tokens == a.cache_creation_input_tokens + b.cache_creation_input_tokens


def test_the_prompt_is_everything_but_output_and_searches() -> None:
    assert Usage(1, 20, 300, 4_000, 50_000, 600_000).prompt_tokens == 4_321


def test_the_json_object_has_the_contracts_seven_counts() -> None:
    assert Usage(1, 2, 3, 4, 5, 6).as_json() == {
        "input_tokens": 1,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 7,
        "ephemeral_5m_input_tokens": 3,
        "ephemeral_1h_input_tokens": 4,
        "output_tokens": 5,
        "web_search_requests": 6,
    }


@pytest.mark.parametrize("count", [-1, 1.0, True, "1", None])
def test_a_count_that_is_no_count_is_refused(count: Any) -> None:
    """A negative one would make the bill smaller, a float inexact."""
    with pytest.raises(InvalidInput, match="output_tokens must be a whole number from 0"):
        Usage(output_tokens=count)
