"""The search for breakpoints against one that tries every plan."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_workloads import Workload, cost, every_place, every_plan, lay_out, workloads

from costkit.cache.bound import MOVING, TTLS, Bounds
from costkit.cache.marks import SECOND
from costkit.cache.places import LAST_BLOCK, PREVIOUS_END, Planned, candidates
from costkit.cache.prompt import Prefixes
from costkit.cache.search import Fleet, fleet_of, search


@settings(max_examples=520, deadline=None)
@given(workloads())
def test_no_plan_of_any_places_costs_less_than_the_one_that_is_found(workload: Workload) -> None:
    requests = workload.fleet
    found = search(requests)
    assert found.exhaustive
    assert cost(requests, found.best) == min(cost(requests, plan) for plan in every_plan(every_place(requests)))


@settings(max_examples=250, deadline=None)
@given(workloads(longest_turn=26, most=5), st.data())
def test_no_plan_costs_less_than_its_bound(workload: Workload, data: st.DataObject) -> None:
    """Turns of more than 20 blocks included, which breakpoints can't look back over."""
    requests = workload.fleet
    places = candidates(requests.sent)
    bounds = Bounds(requests.sent, requests.prices, places)
    moving = data.draw(st.sampled_from(MOVING))
    deltas = bounds.deltas(moving)
    numbers = sorted(data.draw(st.sets(st.integers(0, len(places) - 1), max_size=4 - moving.marks))) if places else []
    hours = data.draw(st.integers(0, len(numbers))) if len(moving.fixed_ttls) > 1 else len(numbers)
    chain = [(number, TTLS[index >= hours]) for index, number in enumerate(numbers)]
    bound, before = deltas.alone, 0
    for number, ttl in chain:
        bound += deltas.pairs[ttl][before][number]
        before = number + 1
    moved = zip((PREVIOUS_END, LAST_BLOCK), moving, strict=True)
    plan = tuple(Planned(places[number], ttl) for number, ttl in chain)
    plan += tuple(Planned(place, ttl) for place, ttl in moved if ttl)
    assert bound <= cost(requests, plan)


def fleet(*requests: tuple[tuple[int, ...], int, int | None], unmarkable: frozenset[int] = frozenset()) -> Fleet:
    """Requests as (messages, second, end of the previous turn); the last one has the unmarkable positions."""
    prefixes = Prefixes()
    sent = [lay_out(prefixes, ((), (), talk), at * SECOND, previous_end=end) for talk, at, end in requests[:-1]]
    talk, at, end = requests[-1]
    last = lay_out(prefixes, ((), (), talk), at * SECOND, previous_end=end, unmarkable=unmarkable)
    return fleet_of([*sent, last])


@pytest.mark.parametrize(
    "requests",
    [
        # between two boundaries one prefix grows where the other hardly does: the best place is in the middle
        fleet(((0, 3, 0), 0, None), ((0, 3, 0, 0), 1, 2), ((0, 3, 0, 0, 0), 1, 3), ((0, 2, 1), 1, None)),
        # a breakpoint is worth most where it just sees what a moving one left, and writes as little as possible
        fleet(
            ((0, 0, 0, 0, 2), 0, None),
            ((0, 0, 0, 0, 2, 0), 0, 4),
            ((0, 0, 0, 0, 2, 0, 0, 0), 1, None),
            unmarkable=frozenset({5}),
        ),
        # an entry of an hour that is read by a breakpoint of five minutes lives on for an hour
        fleet(((4,), 0, None), ((4, 0), 0, 0), ((4, 0, 0), 3_599, 1), ((4,), 3_600, None)),
    ],
)
def test_awkward_workloads_have_the_cheapest_plan_too(requests: Fleet) -> None:
    found = search(requests)
    assert cost(requests, found.best) == min(cost(requests, plan) for plan in every_plan(every_place(requests)))
