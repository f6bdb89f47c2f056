"""The questions that a report can be asked: how to group, which days, which models, how to tell copies apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from hashlib import blake2b
from typing import NamedTuple

from costkit.core.period import UNITS
from costkit.core.pricebook import PriceBook
from costkit.errors import InvalidInput
from costkit.report.group import labels_in
from costkit.report.records import check_dedupe

QUARTER_HOUR = 15 * 60 * 1_000_000
"""Microseconds. Every time zone in use is a whole number of quarter hours away from UTC."""
DAY = 96 * QUARTER_HOUR
APART = ("session", "project", "path")
"""The attributes of a response that select no price: needed only where they are asked for."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """By which prices the dearest responses are told while reading; equal if all that decides is equal."""

    count: int
    """How many are kept."""
    as_of: date
    model_glob: str | None
    prices: str
    """A digest of the price book."""
    book: PriceBook = field(repr=False, compare=False)


class FoldOptions(NamedTuple):
    """What must be known while reading; summaries can be merged when they share it."""

    dedupe: str = "auto"
    labels: tuple[str, ...] = ()
    """The `key:` and `tag:` dimensions whose values the records carry."""
    since: int | None = None
    """First microsecond since 1970 that counts."""
    until: int | None = None
    """First microsecond that no longer counts."""
    brackets: tuple[int, ...] = ()
    """Prompt sizes at which some model's price tier ends, ascending: whole-request tiers are decided per record."""
    apart: tuple[str, ...] = APART
    """Those of `APART` that closed responses are told apart by."""
    step: int = QUARTER_HOUR
    """Microseconds: closed responses are told apart by the step of time in which they were made."""
    dialect: str | None = None
    """The only dialect to read; `None` finds it by content."""
    ranking: Ranking | None = None
    """Whether the dearest responses are kept, and what makes them so."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """A whole question to the logs. Raises `InvalidInput` for values that make no sense together."""

    as_of: date
    """The day (UTC) whose prices apply to records without a timestamp."""
    by: tuple[str, ...] = ("model",)
    """Dimensions as `parse_by` returns them."""
    zone: tzinfo = UTC
    """Cuts hours, days, weeks and months for grouping; prices always go by the UTC day."""
    since: int | None = None
    until: int | None = None
    """Half-open range in microseconds since 1970, see `parse_since` and `parse_until`."""
    model_glob: str | None = None
    """Keeps models whose canonical id or written name matches; `*` and `?` as in a shell, case ignored. A name that
    the price book resolves keeps that model under all its names."""
    top: int | None = None
    """How many rows to keep; the others become one row, so that sums stay whole."""
    dedupe: str = "auto"
    dialect: str | None = None
    """The only dialect to read; `None` finds it by content."""
    over_time: bool = False
    """Whether `over_time` will be asked, too."""
    dearest: int = 0
    """How many of the dearest responses will be asked for."""

    def __post_init__(self) -> None:
        check_dedupe(self.dedupe)
        if self.top is not None and self.top < 1:
            raise InvalidInput(f"--top must be at least 1, not {self.top}")
        if self.model_glob is not None and not self.model_glob.strip():
            raise InvalidInput("--model is empty", hint="write a pattern such as '*opus*'")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidInput("--since must come before --until")

    @property
    def labels(self) -> tuple[str, ...]:
        """The dimensions whose values a reader has to pick out of each document."""
        return labels_in(self.by)

    def fold(self, book: PriceBook) -> FoldOptions:
        """What the reading side has to know to answer this question with the prices of this book."""
        apart = tuple(name for name in APART if name in self.by or (name == "path" and "file" in self.by))
        hours = "hour" in self.by or (self.zone is not UTC and not set(UNITS).isdisjoint(self.by))
        step = QUARTER_HOUR if hours or self.over_time else DAY
        return FoldOptions(
            self.dedupe,
            self.labels,
            self.since,
            self.until,
            brackets_of(book),
            apart,
            step,
            dialect=self.dialect,
            ranking=self._ranking(book),
        )

    def _ranking(self, book: PriceBook) -> Ranking | None:
        if not self.dearest:
            return None
        prices = blake2b(repr(book).encode(), digest_size=16).hexdigest()
        return Ranking(self.dearest, self.as_of, self.model_glob, prices, book)


def brackets_of(book: PriceBook) -> tuple[int, ...]:
    """Every prompt size at which a price tier of some model ends, ascending."""
    periods = (period for model in book.models for period in (*model.periods, *model.fast_periods))
    return tuple(sorted({tier.up_to for period in periods for tier in period.tiers if tier.up_to is not None}))
