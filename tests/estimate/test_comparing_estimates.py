"""A change in cost is explained to the last digit, for each model by itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.money import total
from costkit.core.usage import Usage
from costkit.errors import UnknownModel
from costkit.estimate import Comparison, RatedUsage, compare_estimates
from costkit.estimate.attribution import Side
from costkit.estimate.compare import ModelComparison, side_of

DAY = date(2026, 11, 21)
BOOK = built_in_book()
MODELS = ("claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5-20251001")
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"


def rated(
    usage: Usage, requests: int = 1, *, batch: bool = False, speed: str = "standard", geo: Any = None
) -> RatedUsage:
    return RatedUsage(requests, 0, batch, speed, geo, usage)


def made(path: str, model: str, *parts: RatedUsage) -> Side:
    return side_of(path, model, parts, BOOK, DAY)


def side(tokens: int, *, output: int = 0, model: str = OPUS, requests: int = 1, path: str = "p", **sent: Any) -> Side:
    return made(path, model, rated(Usage(input_tokens=tokens, output_tokens=output), requests, **sent))


def compare(base: list[Side], now: list[Side]) -> Comparison:
    return compare_estimates(base, now, BOOK, DAY)


def one(base: list[Side], now: list[Side]) -> ModelComparison:
    """The comparison of the only model."""
    (model,) = compare(base, now).models
    return model


def parts(model: ModelComparison) -> dict[str, str]:
    return {name: format(amount.normalize(), "f") for name, amount in model.attribution.items() if amount}


counts = st.integers(0, 300_000)
groups = st.builds(
    lambda usage, requests, sent: rated(usage, requests, **sent),
    st.builds(Usage, counts, counts, counts, counts, counts),
    st.integers(1, 50),
    st.fixed_dictionaries({"batch": st.booleans(), "geo": st.sampled_from([None, "us"])}),
)
sides = st.builds(
    lambda path, model, own: made(path, model, *own),
    st.sampled_from(["a.md", "b.md", "c.md"]),
    st.sampled_from(MODELS),
    st.lists(groups, min_size=1, max_size=3),
)
lists = st.lists(sides, max_size=5)


@settings(deadline=None)
@given(lists, lists)
def test_the_parts_sum_to_the_change_exactly(base: list[Side], now: list[Side]) -> None:
    for model in compare(base, now).models:
        assert total(model.attribution.values()) == model.change_usd == model.usd - model.base_usd
        assert total(change.usd for change in model.changes) == model.usd
        for change in model.changes:
            assert total(change.attribution.values()) == change.change_usd == change.usd - change.base_usd


@settings(deadline=None)
@given(lists, lists)
def test_every_dollar_is_compared_or_named_as_left_out(base: list[Side], now: list[Side]) -> None:
    comparison = compare(base, now)
    for given_sides, in_base in ((base, True), (now, False)):
        left = {(out.path, out.model) for out in comparison.left_out if out.in_base == in_base}
        kept = total(each.usd for each in given_sides if (each.path, each.model) not in left)
        assert kept == total(model.base_usd if in_base else model.usd for model in comparison.models)


@settings(deadline=None)
@given(lists)
def test_nothing_changed_costs_nothing_more(both: list[Side]) -> None:
    comparison = compare(both, both)
    assert not comparison.left_out
    for model in comparison.models:
        assert model.change_usd == 0
        assert not parts(model)


@pytest.mark.parametrize(
    ("now", "attribution"),
    [
        (side(2_000, output=100), {"tokens": "0.004"}),  # 1,000 tokens more at $4
        (side(1_000, output=200), {"output": "0.002"}),  # 100 more at $20
        (side(2_000, output=200, requests=2), {"volume": "0.006"}),
        (side(1_000, output=100, model=HAIKU), {"model": "-0.00585"}),  # $0.10 and $0.50 instead of $4 and $20
        (side(1_000, output=100, batch=True), {"terms": "-0.003"}),
        (side(1_000, output=100, speed="fast"), {"terms": "0.006"}),
        (side(1_000, output=100, geo="us"), {"terms": "0.0006"}),
        (made("p", OPUS, rated(Usage(0, 1_000, 0, 0, 100))), {"terms": "-0.0038"}),  # read from the cache at $0.20
    ],
)
def test_a_single_cause_takes_all_of_the_change(now: Side, attribution: dict[str, str]) -> None:
    assert parts(one([side(1_000, output=100)], [now])) == attribution


def test_two_causes_share_what_they_only_cause_together() -> None:
    """Twice the tokens, twice as often: $0.004 becomes $0.016. Each alone adds $0.004; they share the last $0.004."""
    assert parts(one([side(1_000)], [side(4_000, requests=2)])) == {"tokens": "0.006", "volume": "0.006"}


def test_a_request_that_crosses_a_price_step_is_seen_among_others() -> None:
    """Nine requests of 10,000 tokens and one of 99,000 at $0.10; then that one has 100,500 and costs $0.50."""
    small = rated(Usage(input_tokens=90_000), 9)
    base = made("p", HAIKU, rated(Usage(input_tokens=189_000), 10))
    now = made("p", HAIKU, small, rated(Usage(input_tokens=100_500)))
    compared = one([base], [now])
    assert (compared.base_usd, compared.usd) == (Decimal("0.0189"), Decimal("0.05925"))
    assert parts(compared) == {"tokens": "0.04035"}


def test_between_a_fast_side_and_a_model_that_is_never_fast_there_are_prices_too() -> None:
    compared = one([side(1_000, speed="fast")], [side(1_000, model=HAIKU)])
    assert set(parts(compared)) == {"model", "terms"}


def test_files_that_came_and_went_are_named() -> None:
    compared = one([side(1_000, path="old")], [side(2_000, path="new")])
    assert parts(compared) == {"added": "0.008", "removed": "-0.004"}
    assert [(change.path, change.base_model, change.model) for change in compared.changes] == [
        ("new", None, OPUS),
        ("old", OPUS, None),
    ]


def test_models_are_compared_each_for_itself() -> None:
    both = [side(1_000), side(1_000, model=HAIKU)]
    dearer = [side(1_500), side(3_000, model=HAIKU)]
    found = {model.model: model.change_percent for model in compare(both, dearer).models}
    assert found == {OPUS: Decimal("50.00"), HAIKU: Decimal("200.00")}


def test_a_model_without_a_counterpart_is_left_out() -> None:
    """The three default models against a base on one of them: nothing has become dearer."""
    now = [side(1_000, model=model) for model in MODELS[:3]]
    comparison = compare([side(1_000)], now)
    assert [(model.model, model.change_usd) for model in comparison.models] == [(OPUS, Decimal(0))]
    assert [(out.model, out.in_base) for out in comparison.left_out] == [(HAIKU, False), ("claude-sonnet-5-5", False)]
    assert not comparison.undecided


def test_the_only_other_model_is_a_change_of_model() -> None:
    base = [side(1_000, model=HAIKU), side(1_000)]
    now = [side(1_000), side(1_000, model="claude-sonnet-5-5")]
    pairs = [(c.base_model, c.model) for model in compare(base, now).models for c in model.changes]
    assert pairs == [(OPUS, OPUS), (HAIKU, "claude-sonnet-5-5")]


def test_a_file_whose_models_all_changed_cannot_be_told_apart() -> None:
    comparison = compare([side(1_000), side(1_000, model=HAIKU)], [side(1_000, model="claude-sonnet-5-5")])
    assert comparison.models == ()
    assert [out.model for out in comparison.undecided] == ["claude-sonnet-5-5"]


def test_a_file_that_is_gone_counts_for_the_model_that_took_over() -> None:
    base = [side(1_000), side(1_000, path="q")]
    compared = one(base, [side(1_000, model=HAIKU)])
    assert (compared.model, compared.base_usd, compared.usd) == (HAIKU, Decimal("0.008"), Decimal("0.0001"))


def test_the_percentage_is_of_the_base_and_unknown_where_that_cost_nothing() -> None:
    assert one([side(3_000)], [side(4_000)]).change_percent == Decimal("33.33")
    assert one([], [side(4_000)]).change_percent is None
    assert one([side(0)], [side(4_000)]).change_percent is None
    assert one([side(1)], [side(10**30)]).change_percent == Decimal(10**32 - 100)


def test_a_model_that_is_unknown_today_has_no_price() -> None:
    with pytest.raises(UnknownModel):
        side(1, model="claude-gone-9")
