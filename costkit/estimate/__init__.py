"""Answers: what will this cost, and how sure are we.

`estimate_requests` counts the tokens of requests and prices them on one or several models; `compare_estimates`
says what changed between two estimates and why.
"""

from typing import TYPE_CHECKING

from costkit.lazy import loader

if TYPE_CHECKING:
    from costkit.estimate.compare import Comparison, compare_estimates
    from costkit.estimate.result import CostRange, Estimate, EstimateOptions, Item, Prompt, RatedUsage, Total
    from costkit.estimate.run import estimate_requests

_HOMES = {
    "Comparison": "costkit.estimate.compare",
    "CostRange": "costkit.estimate.result",
    "Estimate": "costkit.estimate.result",
    "EstimateOptions": "costkit.estimate.result",
    "Item": "costkit.estimate.result",
    "Prompt": "costkit.estimate.result",
    "RatedUsage": "costkit.estimate.result",
    "Total": "costkit.estimate.result",
    "compare_estimates": "costkit.estimate.compare",
    "estimate_requests": "costkit.estimate.run",
}

__all__ = [
    "Comparison",
    "CostRange",
    "Estimate",
    "EstimateOptions",
    "Item",
    "Prompt",
    "RatedUsage",
    "Total",
    "compare_estimates",
    "estimate_requests",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loader(globals(), _HOMES)
