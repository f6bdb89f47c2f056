"""One model with its repeats: every strategy tallied, compared and, if wanted, shown request by request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from costkit.cache.arrivals import Every, Poisson, poisson_gaps, seeded, starts_of
from costkit.cache.expected import ClassCosts, class_costs, closed_forms, poisson_shares
from costkit.cache.flips import Flips, cadence_flips, cadence_flips_by_events, cheapest, poisson_flips, search_flips
from costkit.cache.gaps import CLASSES, ClassTable, class_table, gap_rows, tally_gaps
from costkit.cache.marks import SECOND
from costkit.cache.result import ClosedForm, GapCurve, RepeatRow, RepeatTable, SimulateOptions, StrategyCost
from costkit.cache.shape import Laid, Shape
from costkit.cache.strategy import STRATEGIES, steps_of_strategy
from costkit.cache.tally import Groups, Tally, mean, serve_run, tally_events, tally_run
from costkit.cache.tariff import Tariff
from costkit.core.money import EXACT, ZERO, minus, total
from costkit.core.tokens import TokenCount

_SEARCH_STEPS, _SEARCH_PRECISION = 24, 0.01
SEARCH_REQUESTS = 4000
"""How flip points are searched where only events tell: coarsely, with so many requests for each look."""

_CURVE_SECONDS = (10.0, 36_000.0)
"""The gaps that a picture shows: ten seconds to ten hours."""
_CURVE_STEPS = 120


@dataclass(frozen=True, slots=True)
class Case:
    """What the strategies on one model share."""

    shape: Shape
    laid: Sequence[Sequence[Laid]]
    """For each arrival its requests."""
    tariff: Tariff
    options: SimulateOptions
    names: tuple[str, ...]
    count: TokenCount | None = None
    """How a written prompt was counted."""

    def lane(self, name: str) -> Lane:
        """A strategy's breakpoints on all requests."""
        groups = steps_of_strategy(name, self.shape, self.laid, self.tariff.model.min_cacheable_tokens)
        return Lane(name, groups, class_table(groups, self.tariff, uniform=not self.shape.growth))


@dataclass(frozen=True, slots=True)
class Lane:
    """One strategy: its requests, and what each is billed by the gap before it (where entries are visible at once)."""

    name: str
    groups: Groups
    table: ClassTable


Lanes = Sequence[Lane]


def tallies(case: Case, lanes: Lanes) -> dict[str, Tally]:
    """What each strategy comes to. All of them see the same arrivals."""
    options, arrivals, count = case.options, case.options.arrivals, len(case.laid)
    if not isinstance(arrivals, Poisson):
        starts = starts_of(arrivals, count, seeded(options.seed))
        return {lane.name: tally_run(lane.groups, starts, case.tariff, options.first_byte) for lane in lanes}
    if options.first_byte:
        return {lane.name: _tally_events(case, lane, arrivals) for lane in lanes}
    random = seeded(options.seed)
    gaps = gap_rows(poisson_gaps(arrivals.mean_gap, count - 1, random) for _ in range(options.runs))
    return {lane.name: tally_gaps(lane.table, gaps) for lane in lanes}


def _tally_events(case: Case, lane: Lane, arrivals: Poisson) -> Tally:
    options = case.options
    draw = _draws(arrivals, len(case.laid), options.seed)
    return tally_events(lane.groups, draw, options.runs, case.tariff, options.first_byte)


def _draws(arrivals: Poisson, count: int, seed: int) -> Callable[[], Sequence[int]]:
    random = seeded(seed)
    return lambda: starts_of(arrivals, count, random)


def strategy_costs(found: Mapping[str, Tally]) -> tuple[StrategyCost, ...]:
    """The strategies, cheapest first; of equals the simplest first."""
    plain = list(accumulate(found["none"].each_usd, EXACT.add))
    costs = [
        StrategyCost(
            name,
            tally.cost_usd,
            mean(tally.cost_usd, len(plain)),
            tally.usage,
            tally.reads,
            tally.writes,
            tally.expiries,
            _break_even(list(accumulate(tally.each_usd, EXACT.add)), plain),
            tally.interval_usd,
            tally.each_usd,
        )
        for name, tally in found.items()
    ]
    return tuple(sorted(costs, key=lambda cost: (cost.cost_usd, STRATEGIES.index(cost.name))))


def _break_even(spent: Sequence[Decimal], plain: Sequence[Decimal]) -> int | None:
    """The first repeat from which on less was spent, up to the end."""
    dearer = [number for number, (ours, theirs) in enumerate(zip(spent, plain, strict=True), 1) if ours >= theirs]
    first = dearer[-1] + 1 if dearer else 1
    return first if first <= len(plain) else None


def flips(case: Case, lanes: Lanes) -> Flips:
    """Where another strategy begins to win; none where arrivals were recorded."""
    arrivals, options, count = case.options.arrivals, case.options, len(case.laid)
    if count == 1 or not isinstance(arrivals, (Every, Poisson)):
        return "none", ()
    if not options.first_byte:
        costs = class_costs_of(lanes)
        return cadence_flips(costs) if isinstance(arrivals, Every) else poisson_flips(costs)
    if isinstance(arrivals, Every):
        return cadence_flips_by_events(
            lambda gap: _winner(case, lanes, [_evenly(gap, count)]), count, options.first_byte
        )
    if options.repeats > SEARCH_REQUESTS:
        return poisson_flips(class_costs_of(lanes))
    random = seeded(options.seed)
    runs = max(2, min(options.runs, SEARCH_REQUESTS // options.repeats))
    patterns = [[0, *accumulate(random.expovariate(1) for _ in range(count - 1))] for _ in range(runs)]

    def winner(mean_gap: float) -> str:
        scale = mean_gap * SECOND
        return _winner(case, lanes, [[int(at * scale) + number for number, at in enumerate(p)] for p in patterns])

    return search_flips(winner, _SEARCH_STEPS, _SEARCH_PRECISION)


def class_costs_of(lanes: Lanes) -> dict[str, ClassCosts]:
    """The costs of strategies by gap class."""
    return {lane.name: class_costs(lane.table) for lane in lanes}


def _evenly(gap: int, count: int) -> list[int]:
    return [number * gap for number in range(count)]


def _winner(case: Case, lanes: Lanes, runs: Sequence[Sequence[int]]) -> str:
    cost, late = case.tariff.cost, case.options.first_byte
    return cheapest(
        {
            lane.name: total(cost(served) for starts in runs for served in serve_run(lane.groups, starts, late))
            for lane in lanes
        }
    )


def repeat_table(case: Case, lanes: Lanes, name: str) -> RepeatTable:
    """One run under a strategy, request by request."""
    options, cost = case.options, case.tariff.cost
    starts = starts_of(options.arrivals, len(case.laid), seeded(options.seed))
    times = [at for at, group in zip(starts, case.laid, strict=True) for _ in group]
    ours, plain = (
        serve_run(next(lane.groups for lane in lanes if lane.name == which), starts, options.first_byte)
        for which in (name, "none")
    )
    rows, saved = [], ZERO
    for number, (at, served, uncached) in enumerate(zip(times, ours, plain, strict=True), 1):
        saved = EXACT.add(saved, minus(cost(uncached), cost(served)))
        rows.append(
            RepeatRow(
                number,
                at / SECOND,
                served.input_tokens,
                served.read_tokens,
                served.write_5m_tokens,
                served.write_1h_tokens,
                served.expired,
                cost(served),
                saved,
            )
        )
    return RepeatTable(name, tuple(rows))


def gap_curves(case: Case, lanes: Lanes) -> tuple[GapCurve, ...]:
    """Each strategy's cost over the gap between requests; nothing where gaps alone don't decide, or weren't chosen."""
    arrivals = case.options.arrivals
    if case.options.first_byte or len(case.laid) == 1 or not isinstance(arrivals, (Every, Poisson)):
        return ()
    if isinstance(arrivals, Every):
        gaps = [_CURVE_SECONDS[0], 300.0, 300.0, 3600.0, 3600.0, _CURVE_SECONDS[1]]
        classes = [float(which) for which in CLASSES for _ in range(2)]
        shares = [tuple(float(which == at) for which in CLASSES) for at in classes]
    else:
        ratio = _CURVE_SECONDS[1] / _CURVE_SECONDS[0]
        gaps = [_CURVE_SECONDS[0] * ratio ** (step / _CURVE_STEPS) for step in range(_CURVE_STEPS + 1)]
        shares = [poisson_shares(gap) for gap in gaps]
    return tuple(
        GapCurve(name, tuple((gap, costs.at(share)) for gap, share in zip(gaps, shares, strict=True)))
        for name, costs in class_costs_of(lanes).items()
    )


def forms(case: Case, lanes: Lanes, simulated: Mapping[str, Decimal]) -> tuple[ClosedForm, ...]:
    """The closed forms of both TTLs, whether or not they are among the strategies that were asked for."""
    known = {lane.name: lane for lane in lanes}
    both = [known.get(name) or case.lane(name) for name in ("5m", "1h")]
    rates = case.tariff.quote(case.laid[0][0].prompt.tokens).rates
    if not rates.input:  # a model that is free: there is no unit to count in
        return ()
    costs = class_costs_of(both)
    return closed_forms(rates, case.options.arrivals, len(case.laid), costs, simulated)
