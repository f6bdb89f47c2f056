"""Where another strategy begins to win."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from costkit.cache import Every, ModelSimulation, Poisson, Recorded
from costkit.cache.marks import SECOND

Simulate = Callable[..., ModelSimulation]


def flips(found: ModelSimulation) -> list[tuple[float, str, str]]:
    return [(flip.gap_seconds, flip.before, flip.after) for flip in found.flip_points]


@pytest.mark.parametrize("seconds", [1, 60, 400, 4000])
def test_a_fixed_cadence_flips_exactly_at_the_ttls(simulate: Simulate, seconds: int) -> None:
    """They don't depend on the gap that was asked about."""
    found = simulate(arrivals=Every(seconds * SECOND))
    assert flips(found) == [(300, "5m", "1h"), (3600, "1h", "none")]
    assert found.first_winner == "5m"


@pytest.mark.parametrize(("gap", "best"), [(299, "5m"), (300, "1h"), (3599, "1h"), (3600, "none")])
def test_the_winner_changes_at_the_flip_and_not_before(simulate: Simulate, gap: int, best: str) -> None:
    assert simulate(arrivals=Every(gap * SECOND)).best.name == best


def test_two_requests_never_pay_for_an_hour(simulate: Simulate) -> None:
    assert flips(simulate(repeats=2)) == [(300, "5m", "none")]


def test_where_nothing_can_be_cached_nothing_flips(simulate: Simulate) -> None:
    found = simulate(3000, 200, "claude-haiku-4-5")
    assert (flips(found), found.first_winner) == ([], "none")


def test_recorded_arrivals_have_no_single_gap_to_flip_at(simulate: Simulate) -> None:
    found = simulate(repeats=3, arrivals=Recorded((0, 5, 9)))
    assert (flips(found), found.first_winner) == ([], None)


def test_with_a_late_first_byte_very_short_gaps_flip_too(simulate: Simulate) -> None:
    """Caching pays once at most seven of ten requests start before the first answer does: 3 s / 7."""
    found = simulate(arrivals=Every(SECOND), first_byte=3 * SECOND)
    assert flips(found) == [(0.428572, "none", "5m"), (300, "5m", "1h"), (3600, "1h", "none")]
    for gap, best in ((428_571, "none"), (428_572, "5m")):
        assert simulate(arrivals=Every(gap), first_byte=3 * SECOND).best.name == best


@pytest.mark.parametrize(
    ("repeats", "to_1h", "to_none", "without_1h"),
    [(5, 2.7, 59, 16.6), (10, 1.9, 71, 19.0), (40, 1.2, 80, 20.8), (200, 0.9, 83, 21.3)],
)
def test_random_arrivals_flip_from_five_minutes_to_an_hour_after_a_minute_or_two(
    simulate: Simulate, repeats: int, to_1h: float, to_none: float, without_1h: float
) -> None:
    """Minutes of mean gap where reading costs 0.05 of input: a rule for a fixed cadence is wrong here."""
    found = simulate(arrivals=Poisson(60.0), repeats=repeats, runs=1)
    (first, *names), (second, *_) = flips(found)
    assert names == ["5m", "1h"]
    assert (round(first / 60, 1), round(second / 60)) == (to_1h, to_none)
    ((only, *_),) = flips(simulate(arrivals=Poisson(60.0), repeats=repeats, runs=1, strategy="5m"))
    assert round(only / 60, 1) == without_1h


def test_simulated_flips_agree_with_the_closed_form(simulate: Simulate) -> None:
    """A first byte after a microsecond changes nothing, but makes every event count."""
    closed = flips(simulate(arrivals=Poisson(60.0), repeats=20, runs=1))
    searched = flips(simulate(arrivals=Poisson(60.0), repeats=20, runs=400, first_byte=1))
    assert [names for _, *names in searched] == [names for _, *names in closed]
    for (exact, *_), (about, *_) in zip(closed, searched, strict=True):
        assert about == pytest.approx(exact, rel=0.15)
