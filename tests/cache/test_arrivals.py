"""Durations and rates as people write them, and when requests arrive."""

from __future__ import annotations

import statistics

import pytest

from costkit.cache import Every, Poisson, Recorded
from costkit.cache.arrivals import parse_duration, parse_rate, poisson_gaps, seeded, starts_of
from costkit.cache.marks import SECOND
from costkit.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("90", 90), ("5min", 300), ("5m", 300), ("1.5h", 5400), ("1d", 86_400), ("500ms", 0.5), ("0s", 0)],
)
def test_durations_are_read_exactly(text: str, seconds: float) -> None:
    assert parse_duration("--every", text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "fast", "5 parsecs", "1e3s", "1,5h", "s", "0x10s", "∞", "5m30"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a duration") as caught:
        parse_duration("--every", text)
    assert "60s" in str(caught.value.hint)


def test_negative_and_endless_gaps_are_refused() -> None:
    with pytest.raises(InvalidInput, match="'-5s' is negative"):
        parse_duration("--every", "-5s")
    with pytest.raises(InvalidInput, match="longer than ten years"):
        parse_duration("--every", "99999999h")


@pytest.mark.parametrize(("text", "seconds"), [("30/h", 120), ("2/min", 30), ("0.5/s", 2), ("24 / day", 3600)])
def test_rates_become_mean_gaps(text: str, seconds: float) -> None:
    assert parse_rate("--poisson", text) == Poisson(seconds)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0/h", "nothing ever arrives"),
        ("0.00/s", "nothing ever arrives"),
        ("30", "is not a rate"),
        ("/h", "is not a rate"),
        ("30/fortnight", "is not a rate"),
        ("-3/h", "is not a rate"),
        ("1e9/s", "is not a rate"),
        ("9999999/s", "between a microsecond"),
        ("0.000001/d", "between a microsecond"),
    ],
)
def test_what_is_no_rate_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_rate("--poisson", text)


def test_a_cadence_starts_at_zero_and_never_drifts() -> None:
    gap = parse_duration("--every", "0.1s")
    assert starts_of(Every(gap), 3001, seeded(1))[-1] == 300 * SECOND


def test_recorded_arrivals_are_taken_as_they_are() -> None:
    assert starts_of(Recorded((0, 0, 5, 9)), 3, seeded(1)) == [0, 0, 5]


def test_random_arrivals_never_share_an_instant_and_keep_their_mean() -> None:
    gaps = poisson_gaps(30.0, 20_000, seeded(7))
    assert min(gaps) >= 1
    assert statistics.fmean(gaps) == pytest.approx(30 * SECOND, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(30 * SECOND, rel=0.03)
    assert starts_of(Poisson(30.0), 4, seeded(7))[1:] == [gaps[0], sum(gaps[:2]), sum(gaps[:3])]
