"""Answers: which model for which request, what does that cost, and is there evidence for it.

`classify` tells what a request needs, `decide` chooses the model, `compare_routes` prices a set of requests under the
routes and beside them.
"""

from costkit.route.compare import compare_routes
from costkit.route.kinds import Kind, Reason, Verdict
from costkit.route.result import Plan, RouteComparison, Routed, RouteOptions
from costkit.route.routes import Decision, Route, Routes, decide
from costkit.route.rules import classify

__all__ = [
    "Decision",
    "Kind",
    "Plan",
    "Reason",
    "Route",
    "RouteComparison",
    "RouteOptions",
    "Routed",
    "Routes",
    "Verdict",
    "classify",
    "compare_routes",
    "decide",
]
