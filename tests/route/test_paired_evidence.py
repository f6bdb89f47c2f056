"""The statistics: known values, honest error rates, and what must hold whatever the scores are."""

from __future__ import annotations

from itertools import pairwise
from math import comb
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.route.interval import Pairs, holm, interval_of, items_needed, p_value, tango, z_of


def binary(both: int, gained: int, lost: int, neither: int = 0) -> Pairs:
    ours = [1.0] * both + [1.0] * gained + [0.0] * lost + [0.0] * neither
    theirs = [1.0] * both + [0.0] * gained + [1.0] * lost + [0.0] * neither
    return Pairs(tuple(ours), tuple(theirs))


SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)
PASSES = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60)


def pairs_of(rows: list[tuple[float, float]]) -> Pairs:
    ours, theirs = zip(*rows, strict=True)
    return Pairs(ours, theirs)


def test_without_a_difference_the_bound_is_that_of_an_event_that_never_happened() -> None:
    """Tango's interval for no discordant pair has the closed form z²/(n + z²)."""
    z, count = z_of(0.05), 133
    found = interval_of(binary(count, 0, 0), 0.05)
    assert found.low == pytest.approx(-z * z / (count + z * z))
    assert found.high == pytest.approx(z * z / (count + z * z))


def test_the_statistic_at_no_difference_is_mcnemars() -> None:
    gained, lost = 14, 5
    assert tango(binary(60, gained, lost, 21), 0.0) == pytest.approx((gained - lost) / (gained + lost) ** 0.5)


@pytest.mark.parametrize(("count", "margin", "better"), [(60, 0.05, 0.02), (60, 0.1, 0.1), (120, 0.05, 0.0)])
def test_a_worse_candidate_passes_about_as_seldom_as_alpha_allows(count: int, margin: float, better: float) -> None:
    """Every table of results that can happen, weighed with its probability where the truth is exactly the margin."""
    worse = better + margin
    passed = sum(
        comb(count, gained)
        * comb(count - gained, lost)
        * better**gained
        * worse**lost
        * (1 - better - worse) ** (count - gained - lost)
        for gained in range(count // 2)
        for lost in range(count // 2)
        if p_value(binary(count - gained - lost, gained, lost), margin) <= 0.05
    )
    assert passed < 0.06


def test_the_number_of_items_is_the_textbooks() -> None:
    """(1.645 + 0.842)² · 0.2 / 0.05² = 495 items, where a fifth of the items differ."""
    assert items_needed(binary(80, 10, 10), margin=0.05, alpha=0.05, power=0.8) == 495


def test_items_that_never_differ_still_take_a_number_of_items() -> None:
    needed = items_needed(binary(50, 0, 0), margin=0.02, alpha=0.05, power=0.8)
    assert needed is not None
    assert interval_of(binary(needed, 0, 0), 0.05).low > -0.02
    assert interval_of(binary(130, 0, 0), 0.05).low < -0.02


def test_a_candidate_beyond_the_margin_is_not_helped_by_more_items() -> None:
    assert items_needed(binary(80, 0, 10, 10), margin=0.05, alpha=0.05, power=0.8) is None


@given(PASSES | SCORES)
def test_bounds_enclose_the_difference_and_stay_within_what_is_possible(rows: list[tuple[float, float]]) -> None:
    found = interval_of(pairs_of(rows), 0.05)
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert found.difference == fmean(ours - theirs for ours, theirs in rows)


@given(PASSES | SCORES)
def test_exchanging_the_two_mirrors_the_interval(rows: list[tuple[float, float]]) -> None:
    found, mirrored = (interval_of(pairs_of(side), 0.1) for side in (rows, [(b, a) for a, b in rows]))
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


@given(PASSES | SCORES)
def test_less_risk_means_a_wider_interval(rows: list[tuple[float, float]]) -> None:
    widths = [found.high - found.low for found in (interval_of(pairs_of(rows), alpha) for alpha in (0.2, 0.05, 0.01))]
    assert all(narrow <= wide + 1e-12 for narrow, wide in pairwise(widths))


@given(PASSES | SCORES, st.sampled_from([0.02, 0.1, 0.3]), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_p_value_and_the_bound_agree(rows: list[tuple[float, float]], margin: float, alpha: float) -> None:
    pairs = pairs_of(rows)
    distance = interval_of(pairs, alpha).low + margin
    assert abs(distance) < 1e-6 or (p_value(pairs, margin) <= alpha) == (distance > 0)


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.5))
def test_holm_rejects_between_bonferroni_and_every_small_one(values: list[float], alpha: float) -> None:
    found = holm(values, alpha)
    assert all(is_rejected for value, is_rejected in zip(values, found, strict=True) if value <= alpha / len(values))
    assert not any(is_rejected for value, is_rejected in zip(values, found, strict=True) if value > alpha)
    kept = [value for value, is_rejected in zip(values, found, strict=True) if not is_rejected]
    rejected = [value for value, is_rejected in zip(values, found, strict=True) if is_rejected]
    assert max(rejected, default=0) <= min(kept, default=1)
