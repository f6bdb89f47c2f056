"""How long entries should live: breakpoints that nobody reads, entries that expire, hours that are not needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from costkit.advise.call import Call
from costkit.advise.chains import NONE, chains_of, with_bills
from costkit.advise.places import Change, improve, with_ttl, without_place
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload
from costkit.cache.marks import SECOND, TTL_MICROSECONDS, Mark
from costkit.cache.places import Place
from costkit.core.money import display, total
from costkit.core.usage import Usage

_PING_EVERY = 270 * SECOND
"""A keep-alive comes a little before five minutes have passed."""
_LIVES, _HOUR = TTL_MICROSECONDS["5m"], TTL_MICROSECONDS["1h"]


def idle_breakpoints(work: Workload) -> Proposal | None:
    """Marks on blocks that change every time: written at a premium, never read."""
    after, touched, _, indices = _relived(work, without_place, lambda _mark: True, NONE)
    if not indices:
        return None
    written = sum(work.calls[index].usage.cache_creation_input_tokens for index in indices)
    return Proposal(
        after=after,
        touched=indices,
        tokens=written,
        title="marks on blocks that always change",
        what=f"{written:,} tokens written to the cache by {many(len(indices), 'request')}, that hardly anything read",
        remedy=f"take the breakpoint away{_where(touched)}",
        risk="none at this pace; if the same prefix is sent more often one day, it pays again",
        certainty="computed",
        how=('remove "cache_control" there', "costkit cache why LOG   says why nothing was read"),
    )


def expired_entries(work: Workload) -> Proposal | None:
    """Entries of five minutes that expire between requests, where an hour would have been read."""
    after, touched, sessions, indices = _relived(
        work, lambda sketch, place: with_ttl(sketch, place, "1h"), lambda mark: mark.ttl == "5m", "1h"
    )
    if not indices:
        return None
    gained = sum(
        max(0, new.usage.cache_read_input_tokens - old.usage.cache_read_input_tokens)
        for old, new in zip(work.calls, after.calls, strict=True)
    )
    return Proposal(
        after=after,
        touched=indices,
        tokens=gained,
        title="5-minute entries that expire between requests",
        what=f"{gained:,} tokens written again that an entry of an hour would still have held",
        remedy=f"let the entries live for an hour{_where(touched)}",
        risk="a write for an hour costs 2 times the input price instead of 1.25; sessions without pauses pay it too",
        certainty="likely" if sessions else "computed",
        how=('"cache_control": {"type": "ephemeral", "ttl": "1h"}', "costkit simulate --ttl 1h   for one prompt"),
        detail=tuple(_keep_alive(work, indices)),
    )


def hour_entries(work: Workload) -> Proposal | None:
    """Entries of an hour that are read within five minutes anyway."""
    after, touched, sessions, indices = _relived(
        work, lambda sketch, place: with_ttl(sketch, place, "5m"), lambda mark: mark.ttl == "1h", "5m"
    )
    if not indices:
        return None
    written = sum(work.calls[index].usage.ephemeral_1h_input_tokens for index in indices)
    return Proposal(
        after=after,
        touched=indices,
        tokens=written,
        title="1-hour entries read within five minutes",
        what=f"{written:,} tokens written for an hour where five minutes cost less at the pace of this log",
        remedy=f"let the entries live for five minutes{_where(touched)}",
        risk="a pause of more than five minutes writes again",
        certainty="likely" if sessions else "computed",
        how=('"cache_control": {"type": "ephemeral"}   (no ttl)',),
    )


def _relived(
    work: Workload, change: Change, chosen: Callable[[Mark], bool], ttl: str
) -> tuple[Workload, dict[Place, list[int]], list[int], list[int]]:
    """Other times to live where they cost less: the copy, the calls by place, those of sessions, and all of them."""
    improved, touched = improve(work, change, chosen)
    after, sessions = _sessions(improved, ttl)
    indices = sorted({*(index for found in touched.values() for index in found), *sessions})
    return after, touched, sessions, indices


def _sessions(work: Workload, ttl: str) -> tuple[Workload, list[int]]:
    """Sessions without requests in the log, with another time to live where that costs less."""
    changed: dict[int, Call] = {}
    for chain in chains_of(work):
        if not _is_candidate(work, chain.indices, ttl):
            continue
        billed = with_bills(work, chain, ttl)
        if billed and total(work.saves(index, call) for index, call in billed.items()) > 0:
            changed |= billed
    return work.changed(changed), sorted(changed)


def _is_candidate(work: Workload, indices: tuple[int, ...], ttl: str) -> bool:
    short = sum(work.calls[index].usage.ephemeral_5m_input_tokens for index in indices)
    long = sum(work.calls[index].usage.ephemeral_1h_input_tokens for index in indices)
    return {"1h": short > 0, "5m": long > 0, NONE: short + long > 0}[ttl]


def _where(touched: dict[Place, list[int]]) -> str:
    return f" on {', '.join(place.name for place in sorted(touched))}" if touched else ""


def _keep_alive(work: Workload, indices: list[int]) -> list[tuple[str, str]]:
    """What keep-alive requests would cost instead: one read of the prefix for every 4.5 minutes of pause."""
    spent = []
    last: dict[object, Call] = {}
    for index in indices:
        call = work.calls[index]
        key = (call.pool, call.session, call.sketch.identities[0] if call.sketch else None)
        before = last.get(key)
        last[key] = call
        if before is None or before.at is None or call.at is None or not _LIVES <= call.at - before.at < _HOUR:
            continue
        usage = before.usage
        cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
        ping = work.pricer.cost(replace(before, usage=Usage(cache_read_input_tokens=cached)))
        spent.append(total([ping] * ((call.at - before.at) // _PING_EVERY)))
    return (
        [("keep-alive requests instead", f"{display(total(spent))} for {many(len(spent), 'pause')}")] if spent else []
    )
