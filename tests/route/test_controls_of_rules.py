"""What a rule for choosing models must beat."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.route.controls import best_split, shuffled
from costkit.route.grades import Candidate

ITEMS = tuple(f"q{number}" for number in range(40))


def candidate(name: str, scores: list[float], usd: str) -> Candidate:
    items = ITEMS[: len(scores)]
    return Candidate(
        name, name, None, dict(zip(items, scores, strict=True)), dict.fromkeys(items, Decimal(usd)), len(scores)
    )


CHEAP = candidate("cheap", [1.0, 0.0] * 20, "0.01")
STRONG = candidate("strong", [1.0] * 40, "0.05")
POINTLESS = candidate("pointless", [1.0, 0.0] * 20, "0.04")


def test_a_split_mixes_the_two_neighbours_on_the_edge_to_exactly_the_cost() -> None:
    split, each = best_split([STRONG, POINTLESS, CHEAP], ITEMS, Decimal("0.03"))
    assert [(part.name, part.share) for part in split.parts] == [("cheap", Decimal("0.5")), ("strong", Decimal("0.5"))]
    assert (split.score, split.cost_usd) == (0.75, Decimal("0.03"))
    assert each == [1.0, 0.5] * 20


@pytest.mark.parametrize(("usd", "name"), [("0.05", "strong"), ("9", "strong"), ("0.01", "cheap"), ("0.001", "cheap")])
def test_at_the_ends_a_split_is_one_model(usd: str, name: str) -> None:
    split, _ = best_split([STRONG, POINTLESS, CHEAP], ITEMS, Decimal(usd))
    assert [(part.name, part.share) for part in split.parts] == [(name, Decimal(1))]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 10)), min_size=1, max_size=5),
    st.integers(1, 40),
)
def test_no_mixture_of_two_models_at_the_same_cost_has_a_higher_score(points: list[tuple[int, int]], cost: int) -> None:
    items = ITEMS[:10]
    found = [
        candidate(f"m{at}", [1.0] * passed + [0.0] * (10 - passed), str(usd)) for at, (usd, passed) in enumerate(points)
    ]
    split, each = best_split(found, items, Decimal(cost))
    assert split.score == pytest.approx(sum(each) / len(each))
    affordable = [passed / 10 for usd, passed in points if usd <= cost]
    mixed = [
        low[1] / 10 + (high[1] - low[1]) / 10 * (cost - low[0]) / (high[0] - low[0])
        for low in points
        for high in points
        if low[0] <= cost < high[0]
    ]
    assert split.score >= max([*affordable, *mixed], default=0.0) - 1e-9
    assert sum(part.share for part in split.parts) == 1


def test_a_rule_that_knows_which_items_are_hard_beats_its_shuffles() -> None:
    rule = {item: CHEAP if CHEAP.scores[item] else STRONG for item in ITEMS}
    found = shuffled(rule, ITEMS, 500, seed=1)
    assert found.p_value == pytest.approx(1 / 501)
    assert found.score == pytest.approx(0.75, abs=0.02)
    assert found.cost_usd == Decimal("0.03")


def test_a_rule_that_knows_nothing_does_not_beat_its_shuffles() -> None:
    """Over many blind rules a p-value of 5 % or less is about as rare as that."""
    dice, lucky = random.Random(5), 0  # noqa: S311  reproducible on purpose
    for seed in range(100):
        rule = {item: dice.choice([CHEAP, STRONG]) for item in ITEMS}
        lucky += shuffled(rule, ITEMS, 100, seed=seed).p_value <= 0.05
    assert lucky <= 12


def test_the_same_seed_deals_the_same_shuffles() -> None:
    rule = {item: CHEAP if number % 3 else STRONG for number, item in enumerate(ITEMS)}
    assert shuffled(rule, ITEMS, 100, seed=4) == shuffled(rule, ITEMS, 100, seed=4)
    assert shuffled(rule, ITEMS, 100, seed=4) != shuffled(rule, ITEMS, 100, seed=5)
