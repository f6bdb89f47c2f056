"""Random workloads for the planner, and a planner that tries everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from itertools import combinations

from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.cache.bound import TTLS
from costkit.cache.marks import SECOND
from costkit.cache.places import LAST_BLOCK, PREVIOUS_END, Place, Plan, Planned, fixed_places
from costkit.cache.prompt import Prefixes
from costkit.cache.search import Fleet, bill, fleet_of, simulate_plan
from costkit.cache.sent import Sent
from costkit.cache.tariff import Tariff

MODELS = ("claude-opus-5-5", "claude-haiku-4-5", "claude-haiku-5-5")
SIZES = (40, 300, 700, 2_500, 9_000)
GAPS = (0, 1, 60, 299, 300, 301, 1_000, 3_599, 3_600, 5_000)


@cache
def tariff(model: str) -> Tariff:
    book = built_in_book()
    return Tariff(book, book.resolve(model), date(2026, 11, 21))


def lay_out(
    prefixes: Prefixes,
    levels: Sequence[Sequence[int]],
    at: int,
    *,
    model: str = MODELS[0],
    previous_end: int | None = None,
    unmarkable: frozenset[int] = frozenset(),
    sizes: Sequence[int] = SIZES,
) -> Sent:
    """A request of blocks that are numbers: equal numbers on one level are equal blocks, and say their size."""
    identities = tuple(depth * 1_000 + number for depth, level in enumerate(levels) for number in level)
    prompt = prefixes.prompt(tariff(model).pool, ((i, sizes[i % 1_000 % len(sizes)]) for i in identities))
    tools, static = len(levels[0]), len(levels[0]) + len(levels[1])
    last = next((p for p in range(len(identities) - 1, -1, -1) if p not in unmarkable), None)
    end = previous_end if previous_end is None or previous_end not in unmarkable else None
    return Sent("case", at, prompt, identities, (), tariff(model), (tools, static), unmarkable, last, end)


class Workload:
    """Requests, written so that a person can read them in a failure."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def __repr__(self) -> str:
        return "\n".join(
            f"{one.at // SECOND} s {one.tariff.model.id} {one.identities} {one.levels} "
            f"previous end {one.previous_end}, unmarkable {set(one.unmarkable)}"
            for one in self.fleet.sent
        )


def workloads(*, longest_turn: int = 2, most: int = 5) -> st.SearchStrategy[Workload]:
    """Requests of a few families and conversations at awkward times, on one or two models."""
    return st.composite(_workload)(longest_turn, most)


def _workload(draw: st.DrawFn, longest_turn: int, most: int) -> Workload:
    numbers = st.integers(0, 6)
    families = draw(
        st.lists(st.tuples(st.lists(numbers, max_size=2), st.lists(numbers, max_size=2)), min_size=1, max_size=2)
    )
    models = draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=2))
    conversations: list[list[int]] = [[] for _ in range(draw(st.integers(1, 2)))]
    prefixes, sent, now = Prefixes(), list[Sent](), 0
    for _ in range(draw(st.integers(1, most))):
        now += draw(st.sampled_from(GAPS)) * SECOND
        tools, system = draw(st.sampled_from(families))
        talk = draw(st.sampled_from(conversations))
        before = len(tools) + len(system) + len(talk) - 1 if talk else None
        talk += draw(st.lists(numbers, min_size=1, max_size=longest_turn))
        blocks = len(tools) + len(system) + len(talk)
        unmarkable = frozenset(draw(st.lists(st.integers(0, blocks - 1), max_size=1)))
        levels = (tools, system, tuple(talk))
        model = draw(st.sampled_from(models))
        sent.append(lay_out(prefixes, levels, now, model=model, previous_end=before, unmarkable=unmarkable))
        if draw(st.booleans()):
            talk.clear()
    return Workload(fleet_of(sent))


def every_place(fleet: Fleet) -> list[Place]:
    """All places that could be marked in some request, promising or not, where every request can carry a mark."""
    from costkit.cache.places import position_of

    return [
        place
        for place in (*fixed_places(fleet.sent), PREVIOUS_END, LAST_BLOCK)
        if all(position_of(place, one) not in one.unmarkable for one in fleet.sent)
    ]


def every_plan(places: Sequence[Place], most: int = 4) -> Iterator[Plan]:
    """All plans of at most four breakpoints on some places, in every order of TTLs that the API takes."""
    for count in range(most + 1):
        for chosen in combinations(places, count):
            for hours in range(count + 1):
                ttls = (TTLS[0],) * hours + (TTLS[1],) * (count - hours)
                yield tuple(Planned(place, ttl) for place, ttl in zip(chosen, ttls, strict=True))


def cost(fleet: Fleet, plan: Plan) -> int:
    """What a plan costs, simulated, in units of the fleet."""
    return bill(fleet, simulate_plan(fleet, plan))


def growing(*, conversations: int, turns: int) -> Fleet:
    """Conversations side by side that grow by two blocks a minute, with tools and a system prompt in common."""
    prefixes, sent = Prefixes(), list[Sent]()
    for turn in range(turns):
        for number in range(conversations):
            talk = [number * 20, *(number * 20 + 1 + block for block in range(2 * turn))]
            before = 3 + 2 * turn - 2 if turn else None
            at = (turn * 60 + number) * SECOND
            sent.append(lay_out(prefixes, ((3, 4), (3,), talk), at, previous_end=before))
    return fleet_of(sent)
