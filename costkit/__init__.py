"""costkit: exact costs for the Claude API, offline where it can be.

    from datetime import date
    import costkit

    book = costkit.load_price_book()
    usage = costkit.Usage(input_tokens=100_000, output_tokens=2_000)
    book.cost(usage, "claude-haiku-5-5", date(2026, 11, 21)).total_usd   # Decimal('0.011')

Importing costkit is cheap: each name is loaded when it is first used. Money is `decimal.Decimal` US dollars, tokens
are integers. Everything that can go wrong is a `CostkitError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from costkit.lazy import loader

__version__ = "0.1.0"

if TYPE_CHECKING:
    from costkit.adapters.budgets.handle import Budget
    from costkit.adapters.routing.router import Router
    from costkit.advise import Advice
    from costkit.api import advise_on_logs, estimate_requests, load_price_book, simulate_caching, summarize_logs
    from costkit.cache import Simulation
    from costkit.core.cost import Cost, cost_of
    from costkit.core.pricebook import PriceBook
    from costkit.core.rates import RateKey, Rates
    from costkit.core.usage import Usage
    from costkit.errors import BudgetExceeded, CostkitError, UnknownModel
    from costkit.estimate import Estimate
    from costkit.report import Report
    from costkit.tracking import tags, track

_HOMES = {
    "Advice": "costkit.advise",
    "Budget": "costkit.adapters.budgets.handle",
    "BudgetExceeded": "costkit.errors",
    "Cost": "costkit.core.cost",
    "CostkitError": "costkit.errors",
    "Estimate": "costkit.estimate",
    "PriceBook": "costkit.core.pricebook",
    "RateKey": "costkit.core.rates",
    "Rates": "costkit.core.rates",
    "Report": "costkit.report",
    "Router": "costkit.adapters.routing.router",
    "Simulation": "costkit.cache",
    "UnknownModel": "costkit.errors",
    "Usage": "costkit.core.usage",
    "advise_on_logs": "costkit.api",
    "cost_of": "costkit.core.cost",
    "estimate_requests": "costkit.api",
    "load_price_book": "costkit.api",
    "simulate_caching": "costkit.api",
    "summarize_logs": "costkit.api",
    "tags": "costkit.tracking",
    "track": "costkit.tracking",
}

__all__ = [
    "Advice",
    "Budget",
    "BudgetExceeded",
    "Cost",
    "CostkitError",
    "Estimate",
    "PriceBook",
    "RateKey",
    "Rates",
    "Report",
    "Router",
    "Simulation",
    "UnknownModel",
    "Usage",
    "__version__",
    "advise_on_logs",
    "cost_of",
    "estimate_requests",
    "load_price_book",
    "simulate_caching",
    "summarize_logs",
    "tags",
    "track",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loader(globals(), _HOMES)
