"""The answer of `costkit cache why`: each miss with its cause, its place and its dollars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costkit.cache.divergence import Divergence
from costkit.core.money import ZERO, total

CAUSES = (
    "changed-prefix",
    "ttl-expired",
    "concurrent",
    "lookback-exceeded",
    "model-changed",
    "speed-changed",
    "batch-apart",
    "below-minimum",
    "unexplained",
)
"""What a miss can be put down to. `unexplained`: nothing in the log speaks against a read that did not happen."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A request that read less than it could have."""

    where: str
    cause: str
    message: str
    previous: str | None
    """The earlier request whose entry it could have read."""
    model: str
    read_tokens: int
    """What it did read, as simulated."""
    lost_tokens: int
    """What it had to pay for beside that: after the difference, up to the breakpoint."""
    lost_usd: Decimal
    """(write - read) price of these tokens."""
    unmarked_tokens: int = 0
    """Tokens before the difference that were lost with it, because no breakpoint stands before it."""
    unmarked_usd: Decimal = ZERO
    idle_seconds: int | None = None
    """How long the entry had not been used."""
    missing_tokens: int | None = None
    """How many tokens the model's minimum was away."""
    divergence: Divergence | None = None
    observed_read_tokens: int | None = None
    """What the API billed as read; `None` where the log has no usage."""
    api_reason: str | None = None
    """The API's own `diagnostics.cache_miss_reason`."""
    api_missed_tokens: int | None = None

    @property
    def cost_usd(self) -> Decimal:
        """Everything that the miss cost."""
        return total((self.lost_usd, self.unmarked_usd))


@dataclass(frozen=True, slots=True)
class CauseSum:
    """The misses of one cause."""

    cause: str
    requests: int
    lost_tokens: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class CacheWhy:
    """Why requests missed, the dearest cause first."""

    requests: int
    hits: int
    """Requests that read all they could."""
    first: int
    """Requests with nothing before them that they could have read."""
    unmarked: int
    """Requests without a breakpoint."""
    observed: int
    """Requests whose usage is in the log."""
    agreed: int
    """Those of them for which the simulator says the same: a read or none."""
    cost_usd: Decimal
    causes: tuple[CauseSum, ...]
    misses: tuple[Miss, ...]
    """In the order of time."""


def sums_by_cause(misses: Sequence[Miss]) -> tuple[CauseSum, ...]:
    """Add up misses by cause, the dearest first."""
    sums = []
    for cause in CAUSES:
        of_cause = [miss for miss in misses if miss.cause == cause]
        if of_cause:
            lost = sum(miss.lost_tokens + miss.unmarked_tokens for miss in of_cause)
            sums.append(CauseSum(cause, len(of_cause), lost, total(miss.cost_usd for miss in of_cause)))
    return tuple(sorted(sums, key=lambda entry: -entry.cost_usd))


def without_text(why: CacheWhy) -> CacheWhy:
    """The same without a word of the requests."""
    misses = (replace(m, divergence=m.divergence.without_text() if m.divergence else None) for m in why.misses)
    return replace(why, misses=tuple(misses))
