"""Answers: what will this cost, and how sure are we.

`estimate_requests` counts the tokens of requests and prices them on one or several models; `compare_estimates`
says what changed between two estimates and why.
"""

from costkit.estimate.compare import Comparison, compare_estimates
from costkit.estimate.result import CostRange, Estimate, EstimateOptions, Item, Prompt, RatedUsage, Total
from costkit.estimate.run import estimate_requests

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
