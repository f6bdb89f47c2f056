"""The values of a simulation: what goes in, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate

from costkit.cache.arrivals import Arrivals, Every
from costkit.cache.marks import SECOND
from costkit.core.money import EXACT, minus
from costkit.core.notice import Assumption, Notice
from costkit.core.request import Request
from costkit.core.tokens import TokenCount
from costkit.core.usage import Usage

ONCE_A_MINUTE = Every(60 * SECOND)


@dataclass(frozen=True, slots=True)
class Sizes:
    """A prompt that is known by its sizes only."""

    prefix_tokens: int
    """Tokens that are the same every time."""
    fresh_tokens: int
    """Tokens behind them that are new every time."""


@dataclass(frozen=True, slots=True)
class WrittenPrompt:
    """A request body, and the file that it stands in."""

    path: str
    request: Request


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """How the repeats are sent."""

    as_of: date
    repeats: int = 10
    arrivals: Arrivals = ONCE_A_MINUTE
    models: tuple[str, ...] = ()
    """Simulate on each of these; empty means the request's own model, else `default_models`."""
    default_models: tuple[str, ...] = ()
    output_tokens: int | None = None
    """Output of one request; `None` leaves it out."""
    strategy: str = "auto"
    """One strategy to compare with no caching; `auto` is all that make sense."""
    growth: int = 0
    """Tokens by which the conversation is longer with every arrival."""
    concurrency: int = 1
    """Requests that arrive at the same instant."""
    first_byte: int = 0
    """Microseconds from the start of a request to the first byte of its answer."""
    batch: bool = False
    seed: int = 7
    runs: int = 1000
    """Runs with random arrivals, of which the mean is shown."""
    per_repeat: bool = False
    explain: bool = False
    gap_curves: bool = False
    """Whether to follow each strategy's cost over the gap between requests, for a picture."""


@dataclass(frozen=True, slots=True)
class StrategyCost:
    """What one strategy comes to; means of all runs where arrivals are random."""

    name: str
    cost_usd: Decimal
    cost_per_request_usd: Decimal
    usage: Usage
    reads: int
    """Requests that read from the cache."""
    writes: int
    """Requests that wrote to it."""
    expiries: int
    """Requests that found an entry which had expired."""
    break_even_repeat: int | None
    """From this repeat on it has cost less than no caching, for good; `None` if it never does."""
    interval_usd: tuple[Decimal, Decimal] | None
    """95 % of the runs cost between these; `None` where arrivals are not random."""
    each_usd: tuple[Decimal, ...] = ()
    """The cost of each request, in order."""

    @property
    def cumulative_usd(self) -> list[Decimal]:
        """What has been spent after each request."""
        return list(accumulate(self.each_usd, EXACT.add))

    def as_json(self) -> dict[str, object]:
        """The object of `result.models[].strategies`."""
        return {
            "name": self.name,
            "cost_usd": self.cost_usd,
            "cost_per_request_usd": self.cost_per_request_usd,
            "usage": self.usage,
            "reads": self.reads,
            "writes": self.writes,
            "expiries": self.expiries,
            "break_even_repeat": self.break_even_repeat,
            "interval_usd": self.interval_usd,
        }


@dataclass(frozen=True, slots=True)
class FlipPoint:
    """A gap (a mean gap, where arrivals are random) from which on another strategy costs least."""

    gap_seconds: int | float
    before: str
    after: str

    def as_json(self) -> dict[str, object]:
        """The object of `flip_points`."""
        return {"gap_seconds": self.gap_seconds, "from": self.before, "to": self.after}


@dataclass(frozen=True, slots=True)
class RepeatRow:
    """One request of a run, under one strategy."""

    repeat: int
    """From 1."""
    at_seconds: float
    input_tokens: int
    read_tokens: int
    write_5m_tokens: int
    write_1h_tokens: int
    expired: bool
    cost_usd: Decimal
    saved_usd: Decimal
    """What not caching would have cost up to here, less what this did; negative at first."""


@dataclass(frozen=True, slots=True)
class RepeatTable:
    """A run request by request; the first one where arrivals are random."""

    strategy: str
    rows: tuple[RepeatRow, ...]


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """The formulas for one TTL, in units of the input price: `w` to write, `r` to read."""

    ttl: str
    write_multiple: Decimal
    read_multiple: Decimal
    break_even_reads: int | None
    """Reads that pay for one write: k* = ceil((w-1)/(1-r)); `None` where reading costs as much as input."""
    break_even_repeat: int | None
    """1 + k*."""
    break_even_hit_share: Decimal | None
    """Share of requests that must read: H* = (w-1)/(w-r); `None` where reading costs as much as writing."""
    longest_mean_gap_seconds: float | None
    """With endless random arrivals caching pays up to this mean gap: TTL / -ln(1-H*)."""
    miss_probability: float
    """q: the share of gaps that outlive the entry; e^(-TTL / mean gap) where arrivals are random."""
    expected_usd: Decimal
    """w + (N-1)(w q + r (1-q)) per prefix token, what is new and the output added, in US dollars."""
    simulated_usd: Decimal | None
    """The same from the simulation; `None` where this strategy was not asked for."""


@dataclass(frozen=True, slots=True)
class GapCurve:
    """A strategy's cost over the gap (the mean gap, where arrivals are random) between requests."""

    name: str
    points: tuple[tuple[float, Decimal], ...]
    """(seconds, US dollars)."""


@dataclass(frozen=True, slots=True)
class ModelSimulation:
    """All strategies on one model."""

    model: str
    repeats: int
    strategies: tuple[StrategyCost, ...]
    """The cheapest first."""
    flip_points: tuple[FlipPoint, ...]
    prompt_tokens: int
    """Tokens of the first request."""
    first_winner: str | None = None
    """The strategy that costs least at the smallest gaps; `None` where no single gap describes the arrivals."""
    per_repeat: RepeatTable | None = None
    closed_forms: tuple[ClosedForm, ...] | None = None
    gap_curves: tuple[GapCurve, ...] = ()
    count: TokenCount | None = None
    """How the first request was counted; `None` where its size was given."""
    stable_tokens: int = 0
    """Tokens of it that are the same in every repeat."""

    def strategy(self, name: str) -> StrategyCost:
        """One strategy by its name."""
        return next(strategy for strategy in self.strategies if strategy.name == name)

    @property
    def best(self) -> StrategyCost:
        """The cheapest; of equals the simplest."""
        return self.strategies[0]

    @property
    def margin_usd(self) -> Decimal:
        """What the best strategy saves against no caching."""
        return minus(self.strategy("none").cost_usd, self.best.cost_usd)

    def as_json(self) -> dict[str, object]:
        """The object of `result.models`; tables that were not asked for are left out."""
        document: dict[str, object] = {
            "model": self.model,
            "repeats": self.repeats,
            "strategies": self.strategies,
            "best": self.best.name,
            "margin_usd": self.margin_usd,
            "flip_points": self.flip_points,
        }
        if self.per_repeat is not None:
            document["per_repeat"] = self.per_repeat
        if self.closed_forms is not None:
            document["closed_forms"] = self.closed_forms
        return document


@dataclass(frozen=True, slots=True)
class Simulation:
    """The answer of `simulate_repeats`."""

    options: SimulateOptions
    models: tuple[ModelSimulation, ...]
    notices: tuple[Notice, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    what_stays: str = ""
    """What is the same in every repeat, in words."""
