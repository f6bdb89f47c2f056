"""The price book, and a simulation in one line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.cache import ModelSimulation, SimulateOptions, Sizes, simulate_repeats
from costkit.core.pricebook import PriceBook

DAY = date(2026, 11, 21)
Simulate = Callable[..., ModelSimulation]


@pytest.fixture(scope="session")
def book() -> PriceBook:
    return built_in_book()


@pytest.fixture
def simulate(book: PriceBook) -> Simulate:
    """`simulate(10_000, 200, arrivals=Every(60 * SECOND))`: prefix and fresh tokens, 500 of output, on Opus 5.5."""

    def run(prefix: int = 10_000, fresh: int = 200, model: str = "claude-opus-5-5", **options: Any) -> ModelSimulation:
        chosen = SimulateOptions(as_of=DAY, models=(model,), output_tokens=500, **options)
        (simulated,) = simulate_repeats(Sizes(prefix, fresh), None, book, chosen).models
        return simulated

    return run
