"""Contexts that only grow: what clearing old tool results or a summary saves, net of the cache it invalidates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from costkit.advise.call import Call, Sketch
from costkit.advise.replay import only_what_saves, replayed
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload
from costkit.core.money import ZERO
from costkit.core.usage import Usage

TRIGGERS = (30_000, 60_000, 100_000, 150_000)
"""Prompt tokens from which on something is cleared; the cheapest of these is proposed."""
KEPT_RESULTS = 3
"""The latest tool results stay, as in the API's own context editing by default."""
CLEARED_TOKENS = 10
"""What stands where a result was cleared."""
SUMMARY_TOKENS = 3_000
"""What a summary of a conversation has."""
_FEWEST = 4
_EDIT = (
    'context_management={"edits": [{"type": "clear_tool_uses_20250919", '
    '"trigger": {"type": "input_tokens", "value": %d}, "keep": {"type": "tool_uses", "value": %d}}]}'
)
"""https://platform.claude.com/docs/en/build-with-claude/context-editing"""

_Change = tuple[Mapping[int, Call], int]
"""Calls as they would be, and how many times something was cleared."""


def growing_contexts(work: Workload) -> Proposal | None:
    """Clear old tool results where the requests are in the log, summarise where only their usage is."""
    best: tuple[Workload, list[int], int, int] | None = None
    most = ZERO
    for trigger in TRIGGERS:
        after, touched, times = _cleared(work, trigger)
        saving = work.saving_of(after)
        if touched and saving > most:
            best, most = (after, touched, trigger, times), saving
    if best is None:
        return None
    after, touched, trigger, times = best
    fewer = sum(max(0, work.calls[i].usage.prompt_tokens - after.calls[i].usage.prompt_tokens) for i in touched)
    summarised = any(work.calls[index].sketch is None for index in touched)
    return Proposal(
        after=after,
        worst=work,
        touched=touched,
        tokens=fewer,
        title="contexts that only grow",
        what=f"{fewer:,} tokens of early turns in {many(len(touched), 'request')} that may not have needed them",
        remedy=(
            f"from {trigger:,} tokens on, {_remedy(work, touched)} ({many(times, 'time')} here); the cache that "
            "this throws away is counted"
        ),
        risk=_risk(summarised=summarised),
        certainty="candidate",
        how=tuple(_how(work, touched, trigger)),
    )


def _remedy(work: Workload, touched: Sequence[int]) -> str:
    ways = []
    if any(work.calls[index].sketch is not None for index in touched):
        ways.append(f"clear tool results but the last {KEPT_RESULTS}")
    if any(work.calls[index].sketch is None for index in touched):
        ways.append("summarise the conversation")
    return " or ".join(ways)


def _how(work: Workload, touched: Sequence[int], trigger: int) -> Iterator[str]:
    if any(work.calls[index].sketch is not None for index in touched):
        yield _EDIT % (trigger, KEPT_RESULTS)
    if any(work.calls[index].sketch is None for index in touched):
        yield "/compact   in Claude Code; in a program, ask for a summary and begin anew with it"


def _risk(*, summarised: bool) -> str:
    summary = f"; a summary of {SUMMARY_TOKENS:,} tokens is assumed, written once and read from then on"
    return "what was cleared can't be looked at again" + summary * summarised


def _cleared(work: Workload, trigger: int) -> tuple[Workload, list[int], int]:
    changed: dict[int, Call] = {}
    groups: list[Sequence[int]] = []
    times = 0
    for key, change in ((_conversation, _clear_results), (_session, _summarise)):
        for indices in work.groups(key).values():
            if len(indices) < _FEWEST:
                continue
            calls, count = change(work, indices, trigger)
            if calls:
                changed |= calls
                groups.append(indices)
                times += count
    after, kept = only_what_saves(work, replayed(work, work.changed(changed)), groups)
    return after, kept, times


def _conversation(call: Call) -> object:
    """Requests of one conversation share tools, system and the first message."""
    sketch = call.replayable
    if sketch is None:
        return None
    return (call.pool, call.session, sketch.identities[: sketch.levels[1] + 1].tobytes())


def _session(call: Call) -> object:
    usable = call.at is not None and call.session is not None and call.sketch is None and call.is_request
    return (call.pool, call.session) if usable else None


def _clear_results(work: Workload, indices: Sequence[int], trigger: int) -> _Change:
    cleared: set[int] = set()
    calls: dict[int, Call] = {}
    times = 0
    for index in indices:
        sketch = work.calls[index].sketch
        assert sketch is not None  # noqa: S101  of a conversation
        results = [i for i in sketch.identities if _is_result(work, i)]
        tokens = _tokens_without(sketch, cleared)
        old = set(results[:-KEPT_RESULTS]) - cleared
        if tokens > trigger and old:
            cleared |= old
            times += 1
        if not cleared.isdisjoint(results):
            calls[index] = replace(work.calls[index], sketch=_without(work, sketch, cleared))
    return calls, times


def _is_result(work: Workload, identity: int) -> bool:
    known = work.sketcher.facts.get(identity)
    return known is not None and known.kind == "tool_result"


def _tokens_without(sketch: Sketch, cleared: set[int]) -> int:
    pairs = zip(sketch.identities, sketch.sizes, strict=True)
    return sum(min(size, CLEARED_TOKENS) if identity in cleared else size for identity, size in pairs)


def _without(work: Workload, sketch: Sketch, cleared: set[int]) -> Sketch:
    return sketch.with_blocks(
        {
            position: (work.sketcher.number(("cleared", identity)), min(0, CLEARED_TOKENS - size))
            for position, (identity, size) in enumerate(zip(sketch.identities, sketch.sizes, strict=True))
            if identity in cleared
        }
    )


@dataclass(slots=True)
class _Session:
    """A session that is summarised while it grows."""

    base: int
    """Tokens that every request of it begins with: tools and system."""
    gone: int = 0
    """Tokens of earlier turns that a summary has replaced."""
    fresh: bool = False
    """Whether the summary is new, and no entry holds it yet."""
    calls: dict[int, Call] = field(default_factory=dict)


def _summarise(work: Workload, indices: Sequence[int], trigger: int) -> _Change:
    """Sessions of which only the usage is known: the summary is written by one more sampling, and paid for."""
    usages = [work.calls[index].usage for index in indices]
    session = _Session(min((_cached(usage) for usage in usages if _cached(usage)), default=0))
    times = 0
    previous = 0
    for index, usage in zip(indices, usages, strict=True):
        if usage.prompt_tokens < previous // 2:  # the session was summarised, or began anew, by itself
            session.gone = 0
        previous = usage.prompt_tokens
        if session.gone:
            session.calls[index] = replace(work.calls[index], usage=_shortened(usage, session))
        now = session.calls.get(index, work.calls[index])
        gone = now.usage.prompt_tokens - session.base - SUMMARY_TOKENS
        if now.usage.prompt_tokens > trigger and gone > SUMMARY_TOKENS and index != indices[-1]:
            times += 1
            session.calls[index] = _with_summary(now)
            session.gone, session.fresh = session.gone + gone, True
    return (session.calls if times else {}), times


def _cached(usage: Usage) -> int:
    return usage.cache_read_input_tokens + usage.cache_creation_input_tokens


def _with_summary(call: Call) -> Call:
    """One more sampling over the same prompt: read as it was billed for reading, and written out."""
    usage = call.usage
    read = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
    more = Usage(usage.input_tokens, read, 0, 0, SUMMARY_TOKENS)
    return replace(call, usage=usage + more)


def _shortened(usage: Usage, session: _Session) -> Usage:
    """A request behind a summary: the first one reads the base and writes the rest, later ones read what is left."""
    gone = min(session.gone, max(0, usage.prompt_tokens - session.base - SUMMARY_TOKENS))
    counts = [usage.cache_read_input_tokens, usage.ephemeral_5m_input_tokens]
    counts += [usage.ephemeral_1h_input_tokens, usage.input_tokens]
    left = gone
    for bucket, count in enumerate(counts):
        less = min(count, left)
        counts[bucket] -= less
        left -= less
    read, short, long, plain = counts
    if session.fresh:
        unread = max(0, read - session.base)
        to_hour = unread if long > short else 0
        read, long, short = read - unread, long + to_hour, short + unread - to_hour
        session.fresh = False
    return Usage(plain, read, short, long, usage.output_tokens, usage.web_search_requests)
