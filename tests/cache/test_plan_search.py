"""The search for breakpoints against one that tries every plan."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_workloads import Workload, cost, every_place, every_plan, workloads

from costkit.cache.bound import MOVING, TTLS, Bounds
from costkit.cache.places import candidates
from costkit.cache.search import search


@settings(max_examples=520, deadline=None)
@given(workloads())
def test_no_plan_of_any_places_costs_less_than_the_one_that_is_found(workload: Workload) -> None:
    fleet = workload.fleet
    found = search(fleet)
    assert found.exhaustive
    assert cost(fleet, found.best) == min(cost(fleet, plan) for plan in every_plan(every_place(fleet)))


@settings(max_examples=250, deadline=None)
@given(workloads(longest_turn=26, most=5), st.data())
def test_no_plan_costs_less_than_its_bound(workload: Workload, data: st.DataObject) -> None:
    """Turns of more than 20 blocks included, which breakpoints can't look back over."""
    fleet = workload.fleet
    places = candidates(fleet.sent)
    bounds = Bounds(fleet.sent, fleet.prices, places)
    moving = data.draw(st.sampled_from(MOVING))
    deltas = bounds.deltas(moving)
    numbers = sorted(data.draw(st.sets(st.integers(0, len(places) - 1), max_size=4 - moving.marks))) if places else []
    hours = data.draw(st.integers(0, len(numbers))) if len(moving.fixed_ttls) > 1 else len(numbers)
    chain = [(number, TTLS[index >= hours]) for index, number in enumerate(numbers)]
    bound, before = deltas.alone, 0
    for number, ttl in chain:
        bound += deltas.pairs[ttl][before][number]
        before = number + 1
    from costkit.cache.places import LAST_BLOCK, PREVIOUS_END, Planned

    moved = zip((PREVIOUS_END, LAST_BLOCK), moving, strict=True)
    plan = tuple(Planned(places[number], ttl) for number, ttl in chain)
    plan += tuple(Planned(place, ttl) for place, ttl in moved if ttl)
    assert bound <= cost(fleet, plan)
