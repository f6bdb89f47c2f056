"""Routes: which model a kind of request goes to. The first route that fits is taken; together they leave no gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from costkit.route.kinds import ALL_KINDS, Kind, Reason, Verdict
from costkit.route.rules import OwnRule, Sizes

CLASSIFIERS = ("rules", "api")
SAFE = "safe"
"""The name of the route of requests that a classifier has no usable answer for."""


@dataclass(frozen=True, slots=True)
class Route:
    """A condition and the model for what meets it; `None` stands for any."""

    name: str
    model: str
    """An id of the price book."""
    complexities: tuple[str, ...] | None = None
    code: bool | None = None
    reasoning: bool | None = None

    def fits(self, kind: Kind) -> bool:
        """Whether a kind of request may take this route."""
        return (
            (self.complexities is None or kind.complexity in self.complexities)
            and self.code in (None, kind.code)
            and self.reasoning in (None, kind.reasoning)
        )


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes of one file, and how requests are classified for them."""

    routes: tuple[Route, ...]
    safe: str
    """The model for requests without a usable verdict."""
    classifier: str = "rules"
    """One of `CLASSIFIERS`."""
    classifier_model: str | None = None
    """The model that classifies; `None` takes the cheapest one."""
    sizes: Sizes = field(default_factory=Sizes)
    own_rules: tuple[OwnRule, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """The models that requests can go to, each once."""
        return tuple(dict.fromkeys((*(route.model for route in self.routes), self.safe)))


@dataclass(frozen=True, slots=True)
class Decision:
    """Which model one request goes to, and why."""

    model: str
    route: str
    """The name of the route; `safe` where the classifier had no usable answer."""
    kind: Kind | None
    reasons: tuple[Reason, ...]

    @property
    def rule(self) -> str:
        """The name of the rule that decided how complex the request is, or why it fell back."""
        return self.reasons[0].rule


def gaps(routes: Sequence[Route]) -> tuple[Kind, ...]:
    """The kinds of request that no route fits."""
    return tuple(kind for kind in ALL_KINDS if not any(route.fits(kind) for route in routes))


def never_taken(routes: Sequence[Route]) -> tuple[int, ...]:
    """The positions of routes that earlier ones leave nothing for."""
    taken = {next((at for at, route in enumerate(routes) if route.fits(kind)), None) for kind in ALL_KINDS}
    return tuple(at for at in range(len(routes)) if at not in taken)


def decide(routes: Routes, verdict: Verdict) -> Decision:
    """Choose the model for a request with this verdict; the safe one where there is none."""
    if verdict.kind is None:
        return Decision(routes.safe, SAFE, None, verdict.reasons)
    route = next(route for route in routes.routes if route.fits(verdict.kind))
    return Decision(route.model, route.name, verdict.kind, verdict.reasons)
