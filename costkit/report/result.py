"""The answer of a report as plain values: rows, a total that they add up to, and what is not in it, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from costkit.core.cost import Cost
from costkit.core.money import EXACT, ZERO, exact_text
from costkit.core.notice import Notice
from costkit.core.usage import Usage
from costkit.report.quality import Quality, SkippedReason
from costkit.report.shares import share_of


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
        return share_of(self.usage.cache_read_input_tokens, self.usage.prompt_tokens)

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
    period: Period
    notices: tuple[Notice, ...]
    quality: Quality = field(default_factory=Quality)
    is_unrecognised: bool = False
    """Whether there was something to read, but nothing in it is a response."""

    @property
    def skipped(self) -> tuple[SkippedReason, ...]:
        """What could not be read, and why."""
        return self.quality.skipped

    @property
    def duplicates(self) -> int:
        """Records that were copies of a response that counts once."""
        return self.quality.duplicates

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
            "quality": self.quality.as_json(),
        }


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
