"""What a report shows beyond its rows: spend over time by model, and the dearest single responses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from costkit.core.period import UNITS, label
from costkit.core.pricebook import PriceBook
from costkit.report.dearest import Ranked, dearest, rank
from costkit.report.group import moment_of
from costkit.report.options import ReportOptions
from costkit.report.result import Figures, Period, Report
from costkit.report.settlement import settle_over_time
from costkit.report.summary import UsageSummary, place_text
from costkit.report.table import NO_TIME

MOST_WINDOWS = 62
"""More than so many can't be told apart in a picture."""
_LONGEST = {"hour": timedelta(hours=36), "day": timedelta(days=MOST_WINDOWS - 2), "week": timedelta(weeks=60)}
"""How long a log is at most that is shown by this unit where no other one is asked for."""


@dataclass(frozen=True, slots=True)
class OverTime:
    """Figures of each model in each calendar window from the first to the last, those without usage included."""

    unit: str
    windows: tuple[str, ...]
    models: tuple[str, ...]
    """The dearest first."""
    figures: dict[tuple[str, str], Figures]
    """By window and model; a pair without usage is missing."""
    untimed: Figures
    """What is in no window, because the log does not say when it was."""

    def cost(self, window: str, model: str) -> Decimal:
        """US dollars of a model in a window."""
        return self.figures.get((window, model), Figures()).cost_usd

    def of_window(self, window: str) -> Figures:
        """All models together."""
        return sum((self.figures.get((window, model), Figures()) for model in self.models), Figures())


@dataclass(frozen=True, slots=True)
class DearResponse:
    """One billed response that cost a lot."""

    usd: Decimal
    model: str | None
    """As the log has it."""
    moment: datetime | None
    """UTC."""
    place: str
    """`file:line`."""
    session: str | None
    tokens: tuple[int, int, int, int]
    """Plain input, read from the cache, written to it, output."""


def over_time(summary: UsageSummary, book: PriceBook, options: ReportOptions, period: Period) -> OverTime:
    """Spend by calendar window and model, in the unit of `--by` or one that suits the length of the log."""
    unit = _unit(options, period)
    report = settle_over_time(summary, book, options, unit)
    windows = windows_of(unit, period)
    figures: dict[tuple[str, str], Figures] = {}
    untimed = Figures()
    for row in report.rows:
        (_, window), (_, model) = row.group
        if window is None:
            untimed += row.figures
        else:
            figures[window, str(model)] = row.figures
    costs = _costs(report)
    return OverTime(unit, windows, tuple(sorted(costs, key=lambda name: (-costs[name], name))), figures, untimed)


def dearest_responses(summary: UsageSummary, options: ReportOptions) -> tuple[DearResponse, ...]:
    """As many of the dearest responses as the options name, the dearest first."""
    ranked = (*summary.dearest, *rank(summary.responses.values(), summary.options))
    return tuple(map(_dear, dearest(ranked, options.dearest)))


def windows_of(unit: str, period: Period) -> tuple[str, ...]:
    """The name of every calendar window from the first to the last moment of a period."""
    if period.first is None or period.last is None:
        return ()
    step = timedelta(minutes=15) if unit == "hour" else timedelta(hours=12)
    names = dict[str, None]()
    moment = period.first
    while moment < period.last:
        names[label(moment, unit, period.zone)] = None
        moment += step
    names[label(period.last, unit, period.zone)] = None
    return tuple(names)


def _unit(options: ReportOptions, period: Period) -> str:
    if period.first is None or period.last is None:
        return "day"
    asked, length = next((name for name in options.by if name in UNITS), None), period.last - period.first
    is_short = asked != "hour" or length < timedelta(hours=MOST_WINDOWS)
    if asked is not None and is_short and len(windows_of(asked, period)) <= MOST_WINDOWS:
        return asked
    return next((unit for unit, longest in _LONGEST.items() if length <= longest), "month")


def _costs(report: Report) -> dict[str, Decimal]:
    sums: dict[str, Figures] = {}
    for row in report.rows:
        model = str(row.group[1][1])
        sums[model] = sums.get(model, Figures()) + row.figures
    return {model: figures.cost_usd for model, figures in sums.items()}


def _dear(ranked: Ranked) -> DearResponse:
    response = ranked.response
    usage, attributes = response.counts.usage(), response.attributes
    return DearResponse(
        ranked.usd,
        attributes.model,
        None if response.timestamp == NO_TIME else moment_of(response.timestamp),
        place_text((attributes.path, response.offset, response.line)),
        attributes.session,
        (
            usage.input_tokens,
            usage.cache_read_input_tokens,
            usage.cache_creation_input_tokens,
            usage.output_tokens,
        ),
    )
