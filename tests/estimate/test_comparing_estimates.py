"""A change in cost is explained to the last digit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.cost import cost_of
from costkit.core.money import total
from costkit.core.usage import Usage
from costkit.estimate import Comparison, compare_estimates
from costkit.estimate.compare import Side

DAY = date(2026, 11, 21)
BOOK = built_in_book()
MODELS = ("claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5")


def price(side: Side) -> Decimal:
    probe = Usage(input_tokens=side.usage.prompt_tokens // side.requests)
    return cost_of(side.usage, BOOK.quote(BOOK.key_for(probe, side.model, DAY)).rates).total_usd


def side(tokens: int, *, output: int = 0, model: str = "claude-opus-5-5", requests: int = 1, path: str = "p") -> Side:
    return Side(path, model, requests, Usage(input_tokens=tokens, output_tokens=output))


counts = st.integers(0, 300_000)
sides = st.builds(
    Side,
    st.sampled_from(["a.md", "b.md", "c.md"]),
    st.sampled_from(MODELS),
    st.integers(1, 50),
    st.builds(Usage, counts, counts, counts, counts, counts),
)


def parts(comparison: Comparison) -> dict[str, str]:
    return {name: format(amount.normalize(), "f") for name, amount in comparison.attribution.items() if amount}


@given(st.lists(sides, max_size=5), st.lists(sides, max_size=5))
def test_the_parts_sum_to_the_change_exactly(base: list[Side], now: list[Side]) -> None:
    comparison = compare_estimates(base, now, price)
    assert comparison.base_usd == total(map(price, base))
    assert comparison.usd == total(map(price, now))
    assert total(comparison.attribution.values()) == comparison.change_usd == comparison.usd - comparison.base_usd
    assert total(change.change_usd for change in comparison.changes) == comparison.change_usd
    for change in comparison.changes:
        assert total(change.attribution.values()) == change.change_usd == change.usd - change.base_usd


@given(st.lists(sides, max_size=5))
def test_nothing_changed_costs_nothing_more(both: list[Side]) -> None:
    comparison = compare_estimates(both, both, price)
    assert comparison.change_usd == 0
    assert not parts(comparison)


@given(st.lists(sides, max_size=4), st.lists(sides, max_size=4))
def test_looking_back_is_the_opposite_of_looking_forward(base: list[Side], now: list[Side]) -> None:
    forward, back = compare_estimates(base, now, price), compare_estimates(now, base, price)
    assert forward.change_usd == -back.change_usd


def test_a_single_cause_takes_all_of_the_change() -> None:
    """1,000 tokens more at $4; 100 of output more at $20; twice as often; $0.10 and $0.50 instead of $4 and $20."""
    base = [side(1_000, output=100)]
    assert parts(compare_estimates(base, [side(2_000, output=100)], price)) == {"tokens": "0.004"}
    assert parts(compare_estimates(base, [side(1_000, output=200)], price)) == {"output": "0.002"}
    assert parts(compare_estimates(base, [side(2_000, output=200, requests=2)], price)) == {"volume": "0.006"}
    cheaper = side(1_000, output=100, model="claude-haiku-5-5")
    assert parts(compare_estimates(base, [cheaper], price)) == {"model": "-0.00585"}


def test_two_causes_share_what_they_only_cause_together() -> None:
    """Twice the tokens, twice as often: $0.004 becomes $0.016. Each alone adds $0.004; they share the last $0.004."""
    comparison = compare_estimates([side(1_000)], [side(4_000, requests=2)], price)
    assert parts(comparison) == {"tokens": "0.006", "volume": "0.006"}


def test_caching_is_a_change_of_tokens() -> None:
    """1,000 tokens at $4, then read from the cache at $0.20."""
    cached = Side("p", "claude-opus-5-5", 1, Usage(cache_read_input_tokens=1_000))
    assert parts(compare_estimates([side(1_000)], [cached], price)) == {"tokens": "-0.0038"}


def test_files_that_came_and_went_are_named() -> None:
    comparison = compare_estimates([side(1_000, path="old")], [side(2_000, path="new")], price)
    assert parts(comparison) == {"added": "0.008", "removed": "-0.004"}
    assert [(change.path, change.base_model, change.model) for change in comparison.changes] == [
        ("new", None, "claude-opus-5-5"),
        ("old", "claude-opus-5-5", None),
    ]


def test_a_file_is_paired_with_its_own_model_before_another() -> None:
    base = [side(1_000, model="claude-haiku-5-5"), side(1_000)]
    now = [side(1_000), side(1_000, model="claude-sonnet-5-5")]
    pairs = [(change.base_model, change.model) for change in compare_estimates(base, now, price).changes]
    assert pairs == [("claude-opus-5-5", "claude-opus-5-5"), ("claude-haiku-5-5", "claude-sonnet-5-5")]


def test_the_percentage_is_of_the_base_and_unknown_where_that_cost_nothing() -> None:
    assert compare_estimates([side(3_000)], [side(4_000)], price).change_percent == Decimal("33.33")
    assert compare_estimates([], [side(4_000)], price).change_percent is None
    assert compare_estimates([side(0)], [side(4_000)], price).change_percent is None
