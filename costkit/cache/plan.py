"""Which breakpoints would have cost least for requests that were sent, chosen on one half and scored on the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costkit.cache.breakpoints import AUTOMATIC, breakpoints_of
from costkit.cache.places import LAST_BLOCK, Plan, Planned, marks_of_plan, position_of
from costkit.cache.prompt import Prompt
from costkit.cache.search import Fleet, bill, fleet_of, search, simulate, simulate_plan, usage_of
from costkit.cache.sent import Layout, Sent
from costkit.cache.store import Served
from costkit.cache.timeline import Timeline
from costkit.core.notice import Assumption, Notice
from costkit.core.usage import Usage

FEWEST_TO_HOLD_OUT = 8
"""Requests below which no half is held out: it would prove nothing."""
BEST, RUNNER_UP, AUTOMATIC_ROW, AS_WRITTEN, NONE = "best", "runner-up", "automatic", "as-written", "none"


@dataclass(frozen=True, slots=True)
class PlanMark:
    """One breakpoint of a plan."""

    place: str
    """In words, for all requests."""
    path: str
    """In the first request that has it."""
    ttl: str
    saves_usd: Decimal
    """What the plan would cost more without it."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One plan with its bill, input side only: output costs the same under every plan."""

    name: str
    """`best`, `runner-up`, `automatic`, `as-written` or `none`."""
    marks: tuple[PlanMark, ...]
    """Empty for `none` and for `as-written`, whose breakpoints differ from request to request."""
    cost_usd: Decimal
    chosen_on_usd: Decimal | None
    """The part of the requests that the plan was chosen on; `None` where nothing was held out."""
    scored_on_usd: Decimal | None
    """The part that was held out."""
    usage: Usage


@dataclass(frozen=True, slots=True)
class CachePlan:
    """What to do about the breakpoints of these requests."""

    requests: int
    held_out: int
    """How many of them, the last ones, the choice was not made on."""
    places: int
    """Places that were searched."""
    exhaustive: bool
    """Whether it is proved that no plan would have cost less on the requests that it was chosen on."""
    recommended: str
    """`best`, or `as-written` or `none` where it costs no more."""
    saving_usd: Decimal
    """What the recommendation saves against the requests as they are written."""
    rows: tuple[PlanRow, ...]
    notices: tuple[Notice, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    plan: Plan = ()
    """The plan that is recommended, for `apply`."""

    def as_json(self) -> dict[str, object]:
        """The `result` of the JSON document."""
        return {
            "requests": self.requests,
            "held_out": self.held_out,
            "places": self.places,
            "exhaustive": self.exhaustive,
            "recommended": self.recommended,
            "saving_usd": self.saving_usd,
            "rows": self.rows,
        }

    def row(self, name: str) -> PlanRow:
        """The row of this name."""
        return next(row for row in self.rows if row.name == name)


@dataclass(frozen=True, slots=True)
class _Bill:
    """A bill, whole and by halves, in units of the fleet."""

    chosen_on: int
    scored_on: int
    usage: Usage

    @property
    def whole(self) -> int:
        return self.chosen_on + self.scored_on

    def beats(self, other: _Bill) -> bool:
        """Whether it is lower, and no higher on either half."""
        return self.whole < other.whole and self.chosen_on <= other.chosen_on and self.scored_on <= other.scored_on


def plan_breakpoints(timeline: Timeline, layout: Layout) -> CachePlan:
    """Find the cheapest breakpoints for a log; the second half only scores what was chosen on the first.

    Raises what `Layout.lay_out` raises: breakpoints that the API refuses, unknown models.
    """
    sent = [layout.lay_out(*pair) for pair in zip(timeline.requests, timeline.starts, strict=True)]
    held_out = len(sent) // 2 if len(sent) >= FEWEST_TO_HOLD_OUT else 0
    notices = [*timeline.notices, *_scaled(layout)]
    if not held_out and len(sent) > 1:
        message = f"{len(sent)} requests are too few to hold a half out: chosen and scored on all of them"
        notices.append(Notice("nothing-held-out", message))
    return _plan(timeline, sent, held_out, notices)


def _scaled(layout: Layout) -> Iterator[Notice]:
    if layout.scaled:
        message = (
            f"the tokens of {layout.scaled:,} blocks were scaled from their length, by those that were counted before: "
            "--tokens offline counts every block"
        )
        yield Notice("tokens-scaled", message)


def plan_repeats(timeline: Timeline, layout: Layout) -> CachePlan:
    """Find the cheapest breakpoints for one request that is sent again and again.

    What stands behind its last own breakpoint, or without one behind tools and system, is taken to be new each time.
    """
    logged = timeline.requests[0]
    first = layout.lay_out(logged, timeline.starts[0])
    own = [mark.position for mark in breakpoints_of(logged.request) if mark.path != AUTOMATIC]
    stable = max([*own, first.levels[1] - 1], default=-1) + 1 or len(first.identities)
    sent = [_afresh(first, stable, at, layout, number) for number, at in enumerate(timeline.starts)]
    after = logged.request.blocks[stable].path if stable < len(logged.request.blocks) else None
    assumption = Assumption("new_in_every_request", after or "nothing", "breakpoints and levels of the request")
    found = _plan(timeline, sent, 0, list(timeline.notices))
    return replace(found, assumptions=(assumption,))


def _afresh(first: Sent, stable: int, at: int, layout: Layout, number: int) -> Sent:
    keys, ends = list(first.prompt.keys[:stable]), first.prompt.ends
    node = keys[-1] if keys else layout.prefixes.root(first.tariff.pool)
    for position in range(stable, len(ends)):
        node = layout.prefixes.child(node, ("repeat", number, position))
        keys.append(node)
    return replace(first, at=at, prompt=Prompt(tuple(keys), ends))


def _plan(timeline: Timeline, sent: Sequence[Sent], held_out: int, notices: list[Notice]) -> CachePlan:
    fleet = fleet_of(sent)
    half = len(sent) - held_out
    found = search(fleet.part(0, half))
    bills: dict[str, tuple[Plan, _Bill]] = {BEST: (found.best, _bill_of_plan(fleet, found.best, half))}
    if found.runner_up is not None:
        bills[RUNNER_UP] = (found.runner_up, _bill_of_plan(fleet, found.runner_up, half))
    automatic = (Planned(LAST_BLOCK, "5m"),)
    bills[AUTOMATIC_ROW] = (automatic, _bill_of_plan(fleet, automatic, half))
    bills[AS_WRITTEN] = ((), _bill(fleet, simulate(fleet, [one.marks for one in sent]), half))
    bills[NONE] = ((), _bill_of_plan(fleet, (), half))
    recommended = _recommended(bills)
    if not found.exhaustive:
        message = "there are too many places to prove that nothing costs less: this is the best that was found"
        notices.append(Notice("not-exhaustive", message))
    if recommended != BEST and bills[BEST][1].chosen_on < bills[recommended][1].chosen_on:
        message = "what was cheapest on the first half was not on the second: nothing is recommended on such evidence"
        notices.append(Notice("not-confirmed", message))
    rows = [_row(name, *pair, fleet, timeline, held_out) for name, pair in bills.items()]
    return CachePlan(
        len(sent),
        held_out,
        found.places,
        found.exhaustive,
        recommended,
        fleet.usd(bills[AS_WRITTEN][1].whole - bills[recommended][1].whole),
        tuple(rows),
        tuple(notices),
        plan=found.best if recommended == BEST else (),
    )


def _recommended(bills: dict[str, tuple[Plan, _Bill]]) -> str:
    """The best plan where it saves something whichever half one asks; else the cheaper of what needs no search."""
    plan, best = bills[BEST]
    written, none = bills[AS_WRITTEN][1], bills[NONE][1]
    if plan and best.beats(written) and best.beats(none):
        return BEST
    return AS_WRITTEN if written.whole <= none.whole else NONE


def _bill_of_plan(fleet: Fleet, plan: Plan, half: int) -> _Bill:
    return _bill(fleet, simulate_plan(fleet, plan), half)


def _bill(fleet: Fleet, served: Sequence[Served], half: int) -> _Bill:
    rest = fleet.part(half, len(fleet.sent))
    return _Bill(bill(fleet.part(0, half), served[:half]), bill(rest, served[half:]), usage_of(served))


def _row(name: str, plan: Plan, bills: _Bill, fleet: Fleet, timeline: Timeline, held_out: int) -> PlanRow:
    marks = []
    for number, planned in enumerate(plan):
        without = plan[:number] + plan[number + 1 :]
        saves = bill(fleet, simulate_plan(fleet, without)) - bills.whole if name == BEST else 0
        path = _example(planned, plan, fleet.sent, timeline)
        marks.append(PlanMark(planned.place.name, path, planned.ttl, fleet.usd(saves)))
    return PlanRow(
        name,
        tuple(marks),
        fleet.usd(bills.whole),
        fleet.usd(bills.chosen_on) if held_out else None,
        fleet.usd(bills.scored_on) if held_out else None,
        bills.usage,
    )


def _example(planned: Planned, plan: Plan, sent: Sequence[Sent], timeline: Timeline) -> str:
    """The path of a breakpoint in the first request that it is set in."""
    for one, logged in zip(sent, timeline.requests, strict=True):
        at = position_of(planned.place, one)
        if at is not None and any(mark.position == at for mark in marks_of_plan(plan, one)):
            return logged.place(logged.request.blocks[at].path)
    return planned.place.name
