"""The fast way through random arrivals: where every entry is visible at once, only gaps decide.

What a request is billed then depends on nothing but the gap before it: shorter than 5 minutes, shorter than an hour, or
longer. So a strategy is a table of bills by arrival and gap class, and a run is a row of classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from costkit.cache.marks import TTL_MICROSECONDS
from costkit.cache.store import Served
from costkit.cache.tally import Groups, Tally, add_up, mean, serve_run, with_interval
from costkit.cache.tariff import Tariff
from costkit.core.money import EXACT, times, total

SHORT, MIDDLE, LONG = range(3)
CLASSES = (SHORT, MIDDLE, LONG)
FIVE_MINUTES, HOUR = TTL_MICROSECONDS["5m"], TTL_MICROSECONDS["1h"]
_GAP_OF_CLASS = (1, FIVE_MINUTES, HOUR)


def gap_class(gap: int) -> int:
    """Which of the three classes a gap in microseconds belongs to."""
    return (gap >= FIVE_MINUTES) + (gap >= HOUR)


@dataclass(frozen=True, slots=True)
class GapRows:
    """Many runs as gap classes."""

    rows: bytes
    """One byte for each arrival but the first, run after run."""
    runs: int
    columns: tuple[tuple[int, ...], ...]
    """For each arrival but the first, how many runs had which class there."""

    @property
    def width(self) -> int:
        """Arrivals of a run but the first."""
        return len(self.columns)


def gap_rows(runs: Iterable[Sequence[int]]) -> GapRows:
    """Classify the gaps (in microseconds) of runs of equal length."""
    five_minutes, hour = FIVE_MINUTES, HOUR
    found = [bytes([(gap >= five_minutes) + (gap >= hour) for gap in gaps]) for gaps in runs]
    width, rows = len(found[0]), b"".join(found)
    columns = (rows[column::width] for column in range(width))
    return GapRows(rows, len(found), tuple((seen.count(0), seen.count(1), seen.count(2)) for seen in columns))


@dataclass(frozen=True, slots=True)
class Row:
    """One arrival: what its requests are billed, by the class of the gap before it."""

    served: tuple[tuple[Served, ...], ...]
    costs: tuple[tuple[Decimal, ...], ...]
    """The same in exact US dollars."""
    sums: tuple[Decimal, ...]
    """All requests of the arrival together."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """A strategy as one row for each arrival; arrivals that are alike share theirs. The first has no gap before it."""

    rows: tuple[Row, ...]
    uniform: bool
    """Whether all arrivals but the first and the last are alike."""
    tariff: Tariff


def class_table(groups: Groups, tariff: Tariff, *, uniform: bool) -> ClassTable:
    """Work out the bills of each arrival, after one that left its entries behind and a gap of each class.

    `uniform` promises that all arrivals but the last have the same bills (nothing grows).
    """
    rows = [_row((tuple(serve_run(groups[:1], [0])),) * len(CLASSES), tariff)]
    for number in range(1, len(groups)):
        if uniform and 1 < number < len(groups) - 1:
            rows.append(rows[1])
        else:
            pair = groups[number - 1 : number + 1]
            before = len(pair[0])
            rows.append(_row([tuple(serve_run(pair, [0, gap]))[before:] for gap in _GAP_OF_CLASS], tariff))
    return ClassTable(tuple(rows), uniform, tariff)


def _row(served: Sequence[tuple[Served, ...]], tariff: Tariff) -> Row:
    costs = tuple(tuple(map(tariff.cost, bills)) for bills in served)
    return Row(tuple(served), costs, tuple(map(total, costs)))


def tally_gaps(table: ClassTable, gaps: GapRows) -> Tally:
    """Add up many runs."""
    run_totals = _run_totals(table, gaps)
    counted = [(one, gaps.runs) for one in table.rows[0].served[SHORT]]
    each = list(table.rows[0].costs[SHORT])
    known: dict[tuple[int, tuple[int, ...]], list[Decimal]] = {}
    for row, counts in zip(table.rows[1:], gaps.columns, strict=True):
        counted += [(one, count) for bills, count in zip(row.served, counts, strict=True) for one in bills]
        key = (id(row), counts)
        if key not in known:
            members = zip(*row.costs, strict=True)
            known[key] = [mean(total(map(times, member, counts)), gaps.runs) for member in members]
        each += known[key]
    return with_interval(add_up(counted, gaps.runs, total(run_totals), tuple(each), table.tariff), run_totals)


def _run_totals(table: ClassTable, gaps: GapRows) -> list[Decimal]:
    """What each run cost."""
    first, width = table.rows[0].sums[SHORT], gaps.width
    if not width:
        return [first] * gaps.runs
    runs = (gaps.rows[start : start + width] for start in range(0, gaps.runs * width, width))
    if table.uniform and width > 1:
        middle, last = table.rows[1].sums, table.rows[-1].sums
        found = []
        for row in runs:
            ending = row[-1]
            counts = [row.count(which) - (which == ending) for which in CLASSES]
            found.append(total([first, last[ending], *map(times, middle, counts)]))
        return found
    unit, scaled = _scaled([row.sums for row in table.rows[1:]])
    sums = (sum(map(tuple.__getitem__, scaled, row)) for row in runs)
    return [EXACT.add(first, times(unit, amount)) for amount in sums]


def _scaled(sums: Sequence[tuple[Decimal, ...]]) -> tuple[Decimal, list[tuple[int, ...]]]:
    """Amounts as whole multiples of a common unit: adding integers is faster, and as exact."""
    exponents = [int(amount.as_tuple().exponent) for group in sums for amount in group]
    places = max([0, *(-exponent for exponent in exponents)])
    return Decimal(1).scaleb(-places), [tuple(int(amount.scaleb(places, EXACT)) for amount in group) for group in sums]
