"""The values of an estimate: what goes in, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costkit.core.money import EXACT, ZERO, times
from costkit.core.notice import Assumption, Notice
from costkit.core.request import Request
from costkit.core.tokens import TokenCount
from costkit.core.usage import Usage

CACHE_MODES = ("none", "5m", "1h", "as-written")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request to be priced, and where it stands."""

    path: str
    index: int
    """Its position in the file, from 0."""
    request: Request

    @property
    def where(self) -> str:
        """The file, with the position where a file may hold several; for messages."""
        name = "<stdin>" if self.path == "-" else self.path
        return name if self.index == 0 else f"{name}[{self.index}]"


@dataclass(frozen=True, slots=True)
class EstimateOptions:
    """How the requests will be sent."""

    as_of: date
    models: tuple[str, ...] = ()
    """Price each request on these; empty means the request's own model, else `default_models`."""
    default_models: tuple[str, ...] = ()
    output_tokens: int | None = None
    """Expected output of one request; `None` prices the input only."""
    max_tokens: int | None = None
    """Output limit of one request, for the ceiling; `None` takes the body's own `max_tokens`."""
    requests: int = 1
    """How many times each request is sent."""
    batch: bool = False
    fast: bool | None = None
    """Fast mode; `None` takes the body's own `speed`."""
    inference_geo: str | None = None
    cache: str = "none"
    """One of `CACHE_MODES`."""
    hit_rate: Decimal | None = None
    """Share of the requests that read the cache; `None` means all but the first."""
    per_request: bool = False
    tree: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where a value came from (a flag, a file), by the name of its field; for the assumptions."""


@dataclass(frozen=True, slots=True)
class CostRange:
    """Exact US dollars: `low` at the low end of the token band, `ceiling` at its high end plus every `max_tokens`.

    `ceiling` is `None` where the output of a request has no limit; `limited` and `unlimited` tell those apart.
    """

    low: Decimal
    expected: Decimal
    ceiling: Decimal | None
    limited: Decimal
    """The ceilings of the requests that have one."""
    unlimited: Decimal = ZERO
    """The expected cost of the requests that have none."""

    @property
    def likely_most(self) -> Decimal:
        """What a limit is held against: each request's ceiling, or its expected cost where nothing limits it."""
        return EXACT.add(self.limited, self.unlimited)

    def __add__(self, other: CostRange) -> CostRange:
        known = self.ceiling is not None and other.ceiling is not None
        return CostRange(
            EXACT.add(self.low, other.low),
            EXACT.add(self.expected, other.expected),
            EXACT.add(self.ceiling or ZERO, other.ceiling or ZERO) if known else None,
            EXACT.add(self.limited, other.limited),
            EXACT.add(self.unlimited, other.unlimited),
        )

    def __mul__(self, count: int) -> CostRange:
        """The cost of `count` requests like this one."""
        return CostRange(
            times(self.low, count),
            times(self.expected, count),
            None if self.ceiling is None else times(self.ceiling, count),
            times(self.limited, count),
            times(self.unlimited, count),
        )

    def as_json(self) -> dict[str, Decimal | None]:
        """The `cost_usd` object of costkit's JSON documents."""
        return {"low": self.low, "expected": self.expected, "ceiling": self.ceiling}


def cost_range(low: Decimal, expected: Decimal, ceiling: Decimal | None) -> CostRange:
    """The three costs of requests that all have a limit, or of requests that have none."""
    if ceiling is None:
        return CostRange(low, expected, None, ZERO, expected)
    return CostRange(low, expected, ceiling, ceiling)


@dataclass(frozen=True, slots=True)
class OutputTokens:
    """Output of all requests of an item; `None` where nothing says how much."""

    expected: int | None
    max: int | None


@dataclass(frozen=True, slots=True)
class RatedUsage:
    """The requests of an item that have the same rates: enough to price them again, exactly, another day."""

    requests: int
    """At least 1."""
    tier: int
    """Which of the model's whole-request tiers each of them falls in, from 0."""
    batch: bool
    speed: str
    """`standard` or `fast`."""
    inference_geo: str | None
    usage: Usage
    """Of all of them together."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One block of a prompt with its share of the input, for `--tree`."""

    path: str
    """Empty for what surrounds the blocks: the message frame and the tool prompt."""
    kind: str
    input_tokens: TokenCount
    cost_usd: Decimal | None
    share: Decimal
    """Share of the prompt's tokens, between 0 and 1."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file on one model (or one request, with `per_request`); every number covers all its requests."""

    path: str
    index: int | None
    model: str
    requests: int
    input_tokens: TokenCount
    output_tokens: OutputTokens
    usage: Usage
    usage_by_rate: tuple[RatedUsage, ...]
    """The same by what selects its rates; empty where the price is unknown."""
    cost_usd: CostRange | None
    """`None` where the price is unknown."""
    input_usd: Decimal | None
    """The part of the expected cost that is not output."""
    output_usd: Decimal | None
    cached_5m_usd: Decimal | None
    """The expected cost if the cacheable prefix were cached for 5 minutes; `None` where it can't be."""
    batch_usd: Decimal | None
    """The expected cost as a batch, uncached."""
    tree: tuple[Branch, ...] | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """All items of one model."""

    model: str
    requests: int
    input_tokens: TokenCount
    cost_usd: CostRange | None
    """`None` where the price of an item is unknown."""
    input_usd: Decimal | None = None
    """This and the next are sums of the items' numbers; `None` where one of them is."""
    output_usd: Decimal | None = None
    cached_5m_usd: Decimal | None = None
    batch_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer of `estimate_requests`."""

    items: tuple[Item, ...]
    """In input order: one per file and model, or one per request and model."""
    totals: tuple[Total, ...]
    """One per model, in the order of first appearance."""
    notices: tuple[Notice, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every item has a price."""
        return all(item.cost_usd is not None for item in self.items)
