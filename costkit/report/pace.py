"""What is being spent right now: responses cut into minutes, so that only minutes with news are priced again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from costkit.core.pricebook import PriceBook
from costkit.report.fold import summarize
from costkit.report.group import moment_of
from costkit.report.options import ReportOptions
from costkit.report.quality import SkippedReason
from costkit.report.records import FileRead, Item, Record, Remark, Skipped, response_key
from costkit.report.result import Figures, Report, Row, Unpriced
from costkit.report.settlement import settle
from costkit.report.summary import UsageSummary

MINUTE = 60 * 1_000_000
"""Microseconds."""
BY = ("model", "tag:*")
"""What the rows of a minute are cut by: the model, and all tags together."""


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """What one group cost in one minute."""

    minute: datetime
    """Its start, UTC."""
    row: Row

    def as_json(self) -> dict[str, object]:
        """The row as documents have it; all tags as one text."""
        model, tags = (value for _, value in self.row.group)
        return {"minute": _rfc3339(self.minute), "model": model, "tags": tags, **self.row.figures.as_json()}


@dataclass(frozen=True, slots=True)
class Spending:
    """What a log says so far; `rows` are those of the newest minutes, `total` is everything that was read."""

    rows: tuple[MinuteRow, ...]
    """The newest minute first; within it the dearest first."""
    total: Figures
    unpriced: tuple[Unpriced, ...]
    skipped: tuple[SkippedReason, ...]
    duplicates: int
    first: datetime | None
    """The start of the earliest minute that counts."""
    last: datetime | None
    """The start of the latest one."""
    incomplete: int
    """Responses of streams that ended early."""

    @property
    def complete(self) -> bool:
        """Whether everything that was used has a price."""
        return not self.unpriced

    def as_json(self) -> dict[str, object]:
        """The `result` of `costkit tail --json`."""
        return {
            "rows": [row.as_json() for row in self.rows],
            "total": {**self.total.as_json(), "complete": self.complete},
            "unpriced": [entry.as_json() for entry in self.unpriced],
            "skipped": [entry.as_json() for entry in self.skipped],
            "duplicates": self.duplicates,
            "period": {"from": _rfc3339(self.first), "to": _rfc3339(self.last)},
        }


@dataclass(slots=True)
class Pace:
    """Takes what readers find, and says what it comes to at any moment.

    A response counts in the minute in which it was first seen; later copies of it only complete it. Minutes are cut by
    the records' own times, and where a record has none by the moment at which it is taken.
    """

    book: PriceBook
    options: ReportOptions
    _minutes: dict[int, UsageSummary] = field(default_factory=dict)
    _reports: dict[int, Report] = field(default_factory=dict)
    """Those of the minutes without news."""
    _homes: dict[bytes, int] = field(default_factory=dict)
    """By the key of a response, its minute."""
    _rest: UsageSummary | None = None
    """What was skipped."""

    def take(self, items: Iterable[Item], now: int) -> None:
        """Count what was read at a moment, in microseconds since 1970."""
        found: dict[int, list[Item]] = {}
        rest: list[Item] = []
        for item in items:
            if isinstance(item, Record):
                key = response_key(item.message_id, item.request_id, self.options.dedupe)
                minute = (item.timestamp or now) // MINUTE
                home = minute if key is None else self._homes.setdefault(key, minute)
                found.setdefault(home, []).append(item)
            elif isinstance(item, Skipped | Remark | FileRead):
                rest.append(item)
        fold = self.options.fold(self.book)
        for minute, records in found.items():
            self._minutes.setdefault(minute, UsageSummary(fold)).absorb(summarize(records, fold))
            self._reports.pop(minute, None)
        if rest:
            self._rest = self._rest or UsageSummary(fold)
            self._rest.absorb(summarize(rest, fold))

    def spending(self, minutes: int) -> Spending:
        """What was spent, with the rows of the newest minutes."""
        reports = {minute: self._report(minute) for minute in sorted(self._minutes, reverse=True)}
        rows = [MinuteRow(moment_of(at * MINUTE), row) for at in [*reports][:minutes] for row in reports[at].rows]
        moments = [moment_of(at * MINUTE) for at in reports]
        rest = [] if self._rest is None else [settle(self._rest, self.book, self.options)]
        return Spending(
            tuple(rows),
            sum((report.total for report in reports.values()), Figures()),
            tuple(_unpriced(reports.values())),
            tuple(entry for report in rest for entry in report.skipped),
            sum(report.duplicates for report in reports.values()),
            min(moments, default=None),
            max(moments, default=None),
            sum(report.quality.incomplete for report in reports.values()),
        )

    def _report(self, minute: int) -> Report:
        found = self._reports.get(minute)
        if found is None:
            found = self._reports[minute] = settle(self._minutes[minute], self.book, self.options)
        return found


def _unpriced(reports: Iterable[Report]) -> Iterator[Unpriced]:
    found: dict[tuple[str | None, str], list[Unpriced]] = {}
    for report in reports:
        for entry in report.unpriced:
            found.setdefault((entry.model, entry.reason), []).append(entry)
    for (model, reason), entries in sorted(found.items(), key=lambda item: (item[0][0] or "", item[0][1])):
        yield _added(model, reason, entries)


def _added(model: str | None, reason: str, entries: Sequence[Unpriced]) -> Unpriced:
    usage = entries[0].usage
    for entry in entries[1:]:
        usage += entry.usage
    return Unpriced(model, sum(entry.requests for entry in entries), usage, reason)


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
