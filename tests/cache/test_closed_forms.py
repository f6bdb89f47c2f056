"""The closed forms, and that simulations agree with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import pytest

from costkit.cache import Every, ModelSimulation, Poisson, Recorded
from costkit.cache.marks import SECOND
from costkit.cache.result import ClosedForm

Simulate = Callable[..., ModelSimulation]


def forms(found: ModelSimulation) -> dict[str, ClosedForm]:
    assert found.closed_forms is not None
    return {form.ttl: form for form in found.closed_forms}


@pytest.mark.parametrize(
    ("model", "read", "hit_shares", "minutes"),
    [
        ("claude-haiku-4-5", "0.1", ("21.7", "52.6"), (20.4, 80.3)),
        ("claude-opus-5-5", "0.05", ("20.8", "51.3"), (21.4, 83.4)),
        ("claude-fable-5-2", "0.025", ("20.4", "50.6"), (21.9, 85.0)),
    ],
)
def test_break_even_by_model_and_ttl(
    simulate: Simulate, model: str, read: str, hit_shares: tuple[str, str], minutes: tuple[float, float]
) -> None:
    found = forms(simulate(model=model, explain=True))
    for ttl, write, reads, share, longest in zip(("5m", "1h"), ("1.25", "2"), (1, 2), hit_shares, minutes, strict=True):
        form = found[ttl]
        assert (form.write_multiple, form.read_multiple) == (Decimal(write), Decimal(read))
        assert (form.break_even_reads, form.break_even_repeat) == (reads, 1 + reads)
        assert form.break_even_hit_share is not None
        assert round(form.break_even_hit_share * 100, 1) == Decimal(share)
        assert form.longest_mean_gap_seconds is not None
        assert round(form.longest_mean_gap_seconds / 60, 1) == longest


def test_the_read_multiple_is_that_of_the_day(simulate: Simulate) -> None:
    """Sonnet 5.5 and the others get their multiples from the price book, not from a constant."""
    multiples = {
        model: forms(simulate(model=model, explain=True))["5m"].read_multiple
        for model in ("claude-opus-5-5", "claude-opus-5")
    }
    assert multiples == {"claude-opus-5-5": Decimal("0.05"), "claude-opus-5": Decimal("0.1")}


def test_the_expected_cost_is_the_textbook_formula(simulate: Simulate) -> None:
    """w + (N-1)(w q + r(1-q)) for each prefix token; what is new and the output are paid every time."""
    found = forms(simulate(explain=True, repeats=40, arrivals=Poisson(200.0)))
    for ttl, w, seconds in (("5m", 1.25, 300), ("1h", 2.0, 3600)):
        q = math.exp(-seconds / 200)
        prefix = (w + 39 * (w * q + 0.05 * (1 - q))) * 10_000
        usd = prefix * 4e-6 + 40 * (200 * 4e-6 + 500 * 20e-6)
        assert float(found[ttl].expected_usd) == pytest.approx(usd, rel=1e-9)
        assert found[ttl].miss_probability == pytest.approx(q, abs=1e-9)


@pytest.mark.parametrize("seconds", [60, 400, 4000])
def test_for_a_fixed_cadence_formula_and_simulation_are_the_same(simulate: Simulate, seconds: int) -> None:
    for form in forms(simulate(explain=True, arrivals=Every(seconds * SECOND))).values():
        assert form.expected_usd == form.simulated_usd


def test_for_recorded_arrivals_q_is_the_observed_share(simulate: Simulate) -> None:
    minute = 60 * SECOND
    starts = (0, minute, 11 * minute, 12 * minute, 100 * minute)
    found = forms(simulate(explain=True, repeats=5, arrivals=Recorded(starts)))
    assert (found["5m"].miss_probability, found["1h"].miss_probability) == (0.5, 0.25)
    assert found["1h"].expected_usd == found["1h"].simulated_usd


@pytest.mark.parametrize("mean_gap", [30.0, 300.0, 3000.0])
@pytest.mark.parametrize("first_byte", [0, 1])
def test_simulation_and_formula_agree_within_one_percent_at_20_000_requests(
    simulate: Simulate, mean_gap: float, first_byte: int
) -> None:
    """Both ways of simulating: by gap classes, and (where the first byte is late, by a microsecond) event by event."""
    found = forms(
        simulate(explain=True, arrivals=Poisson(mean_gap), repeats=20_000, runs=1, first_byte=first_byte, strategy="5m")
    )["5m"]
    assert found.simulated_usd is not None
    assert abs(found.simulated_usd / found.expected_usd - 1) < Decimal("0.01")


def test_a_ttl_that_was_not_asked_for_has_a_formula_but_no_simulation(simulate: Simulate) -> None:
    found = forms(simulate(explain=True, strategy="5m"))
    assert found["1h"].simulated_usd is None
    assert found["1h"].expected_usd == Decimal("0.206")
