"""The answer of a report as plain values: rows, a total that they add up to, and what is not in it, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from costkit.core.cost import Cost
from costkit.core.money import EXACT, ZERO, exact_text
from costkit.core.notice import Notice
from costkit.core.usage import Usage

_RATIO = Context(prec=60, rounding=ROUND_HALF_EVEN)
_RATIO_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a set of responses used and cost; adding is exact and `Figures()` is neutral."""

    requests: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    saved_by_cache_usd: Decimal = ZERO
    """What the cached tokens would have cost as plain input, less what they did cost; negative if dearer."""
    saved_by_batch_usd: Decimal = ZERO
    """The undiscounted cost, less the actual one."""

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.requests + other.requests,
            self.usage + other.usage,
            self.cost + other.cost,
            EXACT.add(self.saved_by_cache_usd, other.saved_by_cache_usd),
            EXACT.add(self.saved_by_batch_usd, other.saved_by_batch_usd),
        )

    @property
    def cost_usd(self) -> Decimal:
        """US dollars in total."""
        return self.cost.total_usd

    @property
    def cache_hit_rate(self) -> Decimal | None:
        """The share of all prompt tokens that came from the cache, from 0 to 1 in millionths; `None` without any."""
        prompt = self.usage.prompt_tokens
        if prompt == 0:
            return None
        share = _RATIO.divide(Decimal(self.usage.cache_read_input_tokens), Decimal(prompt))
        return share.quantize(_RATIO_STEP, context=_RATIO)

    def as_json(self) -> dict[str, object]:
        """The figures of a row or a total; dollars as exact text."""
        rate = self.cache_hit_rate
        return {
            "requests": self.requests,
            "usage": self.usage.as_json(),
            "cost_usd": exact_text(self.cost_usd),
            "cache_hit_rate": None if rate is None else float(rate),
            "saved_by_cache_usd": exact_text(self.saved_by_cache_usd),
            "saved_by_batch_usd": exact_text(self.saved_by_batch_usd),
        }


class Row(NamedTuple):
    """One group of a report."""

    group: tuple[tuple[str, str | None], ...]
    """Dimension and value, in the order of `--by`; `None` where the log does not say."""
    figures: Figures
    folded: int = 0
    """How many rows were folded into this one by `--top`; its values are then `other`."""

    def as_json(self) -> dict[str, object]:
        """The row with one key for each dimension; `folded` tells the rest from a group that is called `other`."""
        return {**dict(self.group), **self.figures.as_json(), "folded": self.folded}


class Unpriced(NamedTuple):
    """Usage that no price is known for; it is in no row and not in the total."""

    model: str | None
    requests: int
    """Responses; 0 where only parts of responses (`usage.iterations`) that count elsewhere have no price."""
    usage: Usage
    reason: str
    """`unknown-model`, `no-model`, `unknown-rate` or `fast-batch`."""

    def as_json(self) -> dict[str, object]:
        """The unpriced entry; its cost is null, never zero."""
        return {
            "model": self.model,
            "requests": self.requests,
            "usage": self.usage.as_json(),
            "cost_usd": None,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class SkippedReason:
    """What was skipped for one reason, and the first few places (`file:line`)."""

    reason: str
    count: int
    examples: tuple[str, ...]
    whole_files: bool = False
    """Whether files were skipped, not lines."""

    def as_json(self) -> dict[str, object]:
        """The entry of `skipped`."""
        return {"reason": self.reason, "count": self.count, "examples": list(self.examples)}


class Period(NamedTuple):
    """The first and the last moment (UTC) among the responses that count; `None` if none has a time."""

    first: datetime | None
    last: datetime | None
    zone: tzinfo = UTC
    """Cuts the days that people are shown."""

    def as_json(self) -> dict[str, str | None]:
        """`from` and `to` as RFC 3339."""
        return {"from": _rfc3339(self.first), "to": _rfc3339(self.last)}


@dataclass(frozen=True, slots=True)
class Report:
    """What was spent. The rows add up to `total`, whatever they are grouped by."""

    by: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Figures
    unpriced: tuple[Unpriced, ...]
    skipped: tuple[SkippedReason, ...]
    duplicates: int
    """Records that were copies of a response that counts once."""
    period: Period
    notices: tuple[Notice, ...]
    placeholders: int = 0
    """Responses whose output count is a sub-agent's provisional one."""
    incomplete: int = 0
    """Responses whose recorded stream ended early."""
    assumed_5m_tokens: int = 0
    """Cache writes without a time to live, priced as 5-minute writes."""
    unbilled: tuple[tuple[str, int], ...] = ()
    """Responses that are known not to be billed, by kind."""
    files: int = 0
    documents: int = 0
    other: int = 0
    """Documents without a bill."""
    is_unrecognised: bool = False
    """Whether there was something to read, but nothing in it is a response."""

    @property
    def complete(self) -> bool:
        """Whether everything that was used has a price."""
        return not self.unpriced

    def as_json(self) -> dict[str, object]:
        """The `result` of `costkit report --json`."""
        return {
            "by": list(self.by),
            "rows": [row.as_json() for row in self.rows],
            "total": {**self.total.as_json(), "complete": self.complete},
            "unpriced": [entry.as_json() for entry in self.unpriced],
            "skipped": [entry.as_json() for entry in self.skipped],
            "duplicates": self.duplicates,
            "period": self.period.as_json(),
        }


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
