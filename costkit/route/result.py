"""The values of a comparison of routes: what each request goes to, and what each way of choosing costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costkit.core.money import EXACT
from costkit.core.notice import Assumption, Notice
from costkit.core.tokens import TokenCount
from costkit.core.usage import Usage
from costkit.route.kinds import Kind, Reason

ROUTED, STRONG, CHEAP, TODAY = "routed", "always-strong", "always-cheap", "today"


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """How the requests are priced."""

    as_of: date
    output_tokens: int | None = None
    """Expected output of one request, whatever the model; `None` prices the input only."""
    classifier: str = "rules"
    classifier_model: str | None = None
    """The model that classified, for the price of its answers; `None` with rules."""


@dataclass(frozen=True, slots=True)
class Routed:
    """One request and where it goes."""

    path: str
    index: int
    kind: Kind | None
    """`None` where the classifier had no usable answer."""
    route: str
    model: str
    """Where it goes."""
    today: str | None
    """The model that the body names, as the price book calls it; `None` where it names none."""
    reasons: tuple[Reason, ...]
    cost_usd: Decimal
    """On the model that it goes to."""

    def as_json(self) -> dict[str, object]:
        """The item of the document."""
        kind = self.kind
        return {
            "path": self.path,
            "index": self.index,
            "complexity": kind and kind.complexity,
            "needs_code": kind and kind.code,
            "needs_reasoning": kind and kind.reasoning,
            "route": self.route,
            "model": self.model,
            "today": self.today,
            "reasons": self.reasons,
            "cost_usd": self.cost_usd,
        }


@dataclass(frozen=True, slots=True)
class Share:
    """How many requests of a plan go to one model."""

    model: str
    requests: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """One way of choosing models for all requests, priced in the order of the input."""

    name: str
    """`routed`, `always-strong`, `always-cheap` or `today`."""
    shares: tuple[Share, ...]
    input_tokens: TokenCount
    """Counted with each model's own tokenizer."""
    usage: Usage
    requests_usd: Decimal
    """What the requests cost, `switching_usd` in it."""
    switches: int
    """Requests that found their prefix in the cache of another model only."""
    switching_usd: Decimal
    """What those paid more than if that cache had been theirs."""
    classifier_usd: Decimal
    """What choosing costs."""

    @property
    def cost_usd(self) -> Decimal:
        """Everything."""
        return EXACT.add(self.requests_usd, self.classifier_usd)

    def as_json(self) -> dict[str, object]:
        """The plan with its total first."""
        return {
            "name": self.name,
            "cost_usd": self.cost_usd,
            "requests_usd": self.requests_usd,
            "switches": self.switches,
            "switching_usd": self.switching_usd,
            "classifier_usd": self.classifier_usd,
            "input_tokens": self.input_tokens,
            "usage": self.usage,
            "shares": self.shares,
        }


@dataclass(frozen=True, slots=True)
class RouteComparison:
    """The answer: every request with its model, and what the set costs in each way."""

    items: tuple[Routed, ...]
    """In input order."""
    plans: tuple[Plan, ...]
    """`routed` first; `today` is missing where a body names no model, or an unknown one."""
    fallbacks: int = 0
    """Requests that the classifier had no usable answer for."""
    classified_now: int = 0
    """Answers of the classifying model that were paid for now; the others were remembered."""
    options: RouteOptions = field(default_factory=lambda: RouteOptions(date.min))
    notices: tuple[Notice, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    def plan(self, name: str) -> Plan | None:
        """The plan of a name."""
        return next((plan for plan in self.plans if plan.name == name), None)

    def as_json(self) -> dict[str, object]:
        """The `result` of the document."""
        return {
            "classifier": {
                "name": self.options.classifier,
                "model": self.options.classifier_model,
                "fallbacks": self.fallbacks,
                "classified_now": self.classified_now,
            },
            "plans": self.plans,
            "items": self.items,
        }
