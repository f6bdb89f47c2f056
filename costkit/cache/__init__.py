"""Answers: when does caching pay, where do the breakpoints go, and why was a read missed.

`simulate_repeats` compares caching strategies for a request that is sent again and again.
"""

from costkit.cache.arrivals import Arrivals, Every, Poisson, Recorded
from costkit.cache.result import (
    ModelSimulation,
    SimulateOptions,
    Simulation,
    Sizes,
    StrategyCost,
    WrittenPrompt,
)
from costkit.cache.simulate import simulate_repeats

__all__ = [
    "Arrivals",
    "Every",
    "ModelSimulation",
    "Poisson",
    "Recorded",
    "SimulateOptions",
    "Simulation",
    "Sizes",
    "StrategyCost",
    "WrittenPrompt",
    "simulate_repeats",
]
