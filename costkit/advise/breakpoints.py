"""Where breakpoints should stand: those that are missing, and what else keeps entries from being read.

Rules: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from costkit.advise.call import Call, Sketch
from costkit.advise.places import MOST_SEARCHED, Kind, improve, kinds_of, remarked, with_previous_end
from costkit.advise.replay import only_what_saves, replayed
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload
from costkit.cache.marks import LOOKBACK, Mark
from costkit.cache.places import Plan, marks_of_plan
from costkit.cache.plan import FEWEST_TO_HOLD_OUT
from costkit.cache.search import bill, search, simulate, simulate_plan

_PLAN = "costkit cache plan LOG --apply DIR   writes the requests with the best breakpoints"


def lost_breakpoints(work: Workload) -> Proposal | None:
    """Turns so long that a breakpoint can't see where the previous request ended."""
    after, touched = improve(work, lambda sketch, _place: with_previous_end(sketch), lambda _mark: True)
    indices = sorted({index for found in touched.values() for index in found})
    if not indices:
        return None
    return Proposal(
        after=after,
        touched=indices,
        tokens=_written_less(work, after, indices),
        title=f"breakpoints lost to more than {LOOKBACK} new blocks",
        what=f"{many(len(indices), 'request')} with {LOOKBACK} new blocks or more, more than a breakpoint looks back",
        remedy="keep a breakpoint on the last block of the previous request as well",
        risk="none: breakpoints are free, and four are allowed",
        certainty="computed",
        how=('previous_request["messages"][-1]["content"][-1] keeps its "cache_control"', _PLAN),
    )


def simultaneous_requests(work: Workload) -> Proposal | None:
    """Requests that started at one instant, none of which could read what another was writing."""
    touched: list[int] = []
    moments = work.groups(lambda call: (call.pool, call.at) if call.replayable else None)
    changes: dict[int, Call] = {}
    for indices in moments.values():
        for behind, index in enumerate(indices[1:], 1):
            call = work.calls[index]
            changes[index] = replace(call, at=(call.at or 0) + behind)
            touched.append(index)
    if not touched:
        return None
    after = replayed(work, work.changed(changes))
    return Proposal(
        after=after,
        touched=touched,
        tokens=_written_less(work, after, touched),
        title="requests sent at the same instant",
        what=f"{many(len(touched), 'request')} started together with another one, each writing the prefix for itself",
        remedy="send the first one, wait for the first byte of its answer, then send the others",
        risk="the others begin later by the time to the first byte",
        certainty="computed",
        how=("first = await send(requests[0]); await asyncio.gather(*map(send, requests[1:]))",),
    )


def volatile_prefixes(work: Workload) -> Proposal | None:
    """Timestamps, ids and counters in system blocks, which end every prefix before them."""
    changes: dict[int, Call] = {}
    values: set[int] = set()
    for index, call in enumerate(work.calls):
        sketch = call.replayable
        if sketch is None:
            continue
        found = {
            position: known.stable
            for position, identity in enumerate(sketch.identities)
            if (known := work.sketcher.facts.get(identity)) and known.stable is not None
        }
        if found:
            values |= {sketch.identities[position] for position in found}
            stable = {at: (work.sketcher.number(("stable", digest)), 0) for at, digest in found.items()}
            changes[index] = replace(call, sketch=sketch.with_blocks(stable))
    if not changes:
        return None
    after, _ = planned(replayed(work, work.changed(changes)))
    return Proposal(
        after=after,
        touched=sorted(changes),
        tokens=_written_less(work, after, sorted(changes)),
        title="values that change, inside of the prefix",
        what=f"{many(len(values), 'system block')} with a timestamp, an id or a counter inside, otherwise the same",
        remedy="move these values to the end of the last user message, and mark the block that then stays the same",
        risk="the model reads them in another place",
        certainty="likely",
        worst=work,
        how=("costkit cache lint LOG   names the values", _PLAN),
    )


def small_prefixes(work: Workload) -> Proposal | None:
    """Marked prefixes below the model's minimum, filled up to it where the reads pay for that."""
    changes: dict[int, Call] = {}
    groups = []
    missing: set[int] = set()
    for kind in kinds_of(work):
        found = {index: filled for index in kind.indices if (filled := _filled(work, work.calls[index])) is not None}
        if kind.shares and found:
            groups.append(kind.indices)
            changes |= {index: call for index, (call, _) in found.items()}
            missing |= {tokens for _, tokens in found.values()}
    if not changes:
        return None
    after, kept = only_what_saves(work, replayed(work, work.changed(changes)), groups)
    inert = sorted(changes)
    return Proposal(
        after=after,
        touched=kept or inert,
        tokens=sum(_marked_tokens(work.calls[index]) for index in kept or inert),
        title="prefixes below the model's minimum",
        what=(
            f"{many(len(inert), 'request')} with a marked prefix, {many(max(missing), 'token')} too short to cache: "
            "the breakpoint does nothing"
        ),
        remedy=(
            f"fill it up by up to {many(max(missing), 'token')} with examples that help the answer; it can be read then"
            ", at the price of a read"
        )
        if kept
        else "drop the breakpoint: a longer prefix would cost more than it saves",
        risk="more text before the question; the first request of each lifetime pays for writing it",
        certainty="likely",
        worst=work,
        how=("costkit cache lint LOG   says how many tokens are missing",),
        tells_anyway=True,
    )


def _marked_tokens(call: Call) -> int:
    sketch = call.sketch
    return sum(sketch.sizes[: sketch.marks[-1].position + 1]) if sketch is not None and sketch.marks else 0


def _filled(work: Workload, call: Call) -> tuple[Call, int] | None:
    """A call whose longest marked prefix, which stays the same, is filled up to the minimum."""
    sketch = call.replayable
    if sketch is None or not sketch.marks:
        return None
    position = sketch.marks[-1].position
    missing = call.model.min_cacheable_tokens - sum(sketch.sizes[: position + 1])
    if missing <= 0:
        return None
    filled = work.sketcher.number(("filled", sketch.identities[position], missing))
    return replace(call, sketch=sketch.with_blocks({position: (filled, missing)})), missing


def uncached_prefixes(work: Workload) -> Proposal | None:
    """Prefixes that repeat and are not read from the cache, whatever else is wrong with the breakpoints."""
    after, rules = planned(work)
    touched = [index for index, call in enumerate(after.calls) if call.usage != work.calls[index].usage]
    if not touched:
        return None
    return Proposal(
        after=after,
        touched=touched,
        tokens=_written_less(work, after, touched),
        title="repeated prefixes sent uncached",
        what=f"{many(len(touched), 'request')} with a shared prefix that no breakpoint lets them read",
        remedy="; ".join(dict.fromkeys(rules)),
        risk="writes cost more than plain input: this pays at the pace of this log, on both halves of it",
        certainty="computed",
        how=(_PLAN, '"cache_control": {"type": "ephemeral"}   on the last block that stays the same'),
    )


def planned(work: Workload) -> tuple[Workload, list[str]]:
    """Every kind of request with its best breakpoints where they cost less, on both halves of the log."""
    changed: dict[int, Call] = {}
    rules: dict[int, str] = {}
    kinds = [kind for kind in kinds_of(work) if kind.shares]
    for number, kind in enumerate(kinds):
        plan = _plan(kind)
        if plan is not None:
            rules[number] = _spoken(plan)
            sketches = [replace(sketch, marks=marks) for sketch, marks in _marked(work, kind, plan)]
            changed |= remarked(work, kind, sketches)
    after, kept = only_what_saves(work, replayed(work, work.changed(changed)), [kind.indices for kind in kinds])
    alive = set(kept)
    return after, [rules[number] for number, kind in enumerate(kinds) if number in rules and alive & set(kind.indices)]


def _marked(work: Workload, kind: Kind, plan: Plan) -> list[tuple[Sketch, tuple[Mark, ...]]]:
    found = []
    for index, one in zip(kind.indices, kind.fleet.sent, strict=True):
        sketch = work.calls[index].sketch
        assert sketch is not None  # noqa: S101  only calls with sketches are of a kind
        found.append((sketch, marks_of_plan(plan, one)))
    return found


def _plan(kind: Kind) -> Plan | None:
    """The best plan of a kind, if it beats what is written on the part that it was chosen on and on the rest."""
    fleet = kind.fleet
    count = len(fleet.sent)
    half = min(MOST_SEARCHED, count // 2 if count >= FEWEST_TO_HOLD_OUT else count)
    found = search(fleet.part(0, half)).best
    new, old = simulate_plan(fleet, found), simulate(fleet, [one.marks for one in fleet.sent])
    ends = ((0, half), (half, count))
    bills = [(bill(fleet.part(a, b), new[a:b]), bill(fleet.part(a, b), old[a:b])) for a, b in ends]
    better = sum(pair[0] for pair in bills) < sum(pair[1] for pair in bills)
    return found if better and all(one <= other for one, other in bills) else None


def _spoken(plan: Plan) -> str:
    if not plan:
        return "no breakpoints: nothing here is read often enough"
    return "breakpoints on " + ", ".join(f"{mark.place.name} ({mark.ttl})" for mark in plan)


def _written_less(before: Workload, after: Workload, indices: Sequence[int]) -> int:
    """Tokens that are read from the cache after a remedy, and were not before."""
    gained = (
        after.calls[index].usage.cache_read_input_tokens - before.calls[index].usage.cache_read_input_tokens
        for index in indices
    )
    return max(0, sum(gained))
