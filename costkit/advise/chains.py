"""Sessions of a log that has no requests: what their usage alone says about the entries behind it.

A session is a conversation that grows. What a response read and wrote is the length of its cached prefix; where less
was read than the one before had cached, after a pause longer than its time to live and although the conversation only
grew, the entry had expired. So each session can be replayed with other times to live, through the same cache. Where no
session is named, responses with the same tags stand for one, but only a prefix of the very same length is then taken
for the same prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from costkit.advise.call import Call
from costkit.advise.replay import moved
from costkit.advise.workload import Workload
from costkit.cache.marks import TTL_MICROSECONDS
from costkit.cache.store import Served, Step, serve_all
from costkit.core.usage import Usage

AS_WRITTEN, NONE = "as-written", "none"
_MOST_PREFIXES = 100
"""How many of the prefixes of a conversation are looked at, the longest first; entries further back are long gone."""


@dataclass(slots=True)
class _Node:
    """A prefix of a conversation: its length, the next shorter one that is known, and a number."""

    tokens: int
    parent: _Node | None
    key: int


@dataclass(frozen=True, slots=True)
class Chain:
    """One session, in the order of time."""

    indices: tuple[int, ...]
    ends: tuple[_Node | None, ...]
    """The prefix that each call left in the cache, or read from it; `None` where it cached nothing."""
    expired: int
    """How many of its calls found an entry expired."""


@dataclass(slots=True)
class _Growing:
    """A session while it is read."""

    nodes: int = 0
    latest: dict[int, _Node] = field(default_factory=dict)
    """By its length, the prefix that was met last."""
    ends: list[_Node | None] = field(default_factory=list)
    last: _Node | None = None
    ttl: str = "5m"
    expired: int = 0
    is_session: bool = True
    used: dict[int, int] = field(default_factory=dict)
    """By the number of a prefix, when it was last read or written."""

    def node(self, tokens: int, parent: _Node | None) -> _Node:
        new = self.latest[tokens] = _Node(tokens, parent, self.nodes)
        self.nodes += 1
        return new


def chains_of(work: Workload) -> list[Chain]:
    """The sessions whose calls have times and usages but no requests, and that use the cache."""
    groups = work.groups(
        lambda call: (call.pool, call.session, () if call.session else call.tags) if _is_link(call) else None
    )
    found = (_chain(work, indices) for indices in groups.values() if len(indices) > 1)
    return [chain for chain in found if any(chain.ends)]


def _is_link(call: Call) -> bool:
    return (
        call.at is not None
        and (call.session is not None or bool(call.tags))
        and call.sketch is None
        and call.is_request
        and not call.usage.web_search_requests
    )


def _chain(work: Workload, indices: Sequence[int]) -> Chain:
    growing = _Growing(is_session=work.calls[indices[0]].session is not None)
    for index in indices:
        _grow(growing, work.calls[index])
    return Chain(tuple(indices), tuple(growing.ends), growing.expired)


def _grow(growing: _Growing, call: Call) -> None:
    usage, at = call.usage, call.at or 0
    cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
    if not cached:
        growing.ends.append(None)
        return
    read = usage.cache_read_input_tokens
    base = _expired(growing, read, cached, at)
    if base is not None:
        growing.expired += 1
        _split(growing, base, read)
    else:
        base = _prefix(growing, read)
    end = base if base is not None and base.tokens == cached else growing.node(cached, base)
    growing.ends.append(end)
    growing.last = end
    growing.used[end.key] = at
    growing.ttl = _ttl(usage, growing.ttl)


def _expired(growing: _Growing, read: int, cached: int, at: int) -> _Node | None:
    """The prefix that this call would have read, had its entry not expired; `None` where nothing speaks for one."""
    last = growing.last
    if not growing.is_session:
        last = growing.latest.get(cached)
    if last is None or not read < last.tokens <= cached:
        return None
    return last if at - growing.used.get(last.key, at) >= TTL_MICROSECONDS[growing.ttl] else None


def _prefix(growing: _Growing, tokens: int) -> _Node | None:
    """The prefix of this length that a call read: the latest of its length, or one inside of the latest."""
    if not tokens:
        return None
    found = growing.latest.get(tokens)
    if found is not None:
        return found
    if growing.last is not None and growing.last.tokens > tokens:
        return _split(growing, growing.last, tokens)
    return growing.node(tokens, growing.last)


def _split(growing: _Growing, node: _Node, tokens: int) -> _Node | None:
    """The prefix of this length on the way to a longer one; it is put there if it was not known."""
    if not tokens:
        return None
    longer = node
    while longer.parent is not None and longer.parent.tokens >= tokens:
        longer = longer.parent
    if longer.tokens == tokens:
        return longer
    longer.parent = growing.node(tokens, longer.parent)
    return longer.parent


def bills(work: Workload, chain: Chain, ttl: str) -> list[Served]:
    """What the calls of a chain would be billed for if their entries lived for `5m` or `1h`, or with `none` at all.

    `as-written` takes the time to live of each call's own writes; without a write, of the writes before it.
    """
    timeline = []
    own = "5m"
    for index, end in zip(chain.indices, chain.ends, strict=True):
        call = work.calls[index]
        own = _ttl(call.usage, own)
        lives = TTL_MICROSECONDS[own if ttl == AS_WRITTEN else ttl] if ttl != NONE else 0
        timeline.append((call.at or 0, _step(call.usage.prompt_tokens, end if ttl != NONE else None, lives)))
    return list(serve_all(timeline))


def _ttl(usage: Usage, before: str) -> str:
    if usage.ephemeral_1h_input_tokens > usage.ephemeral_5m_input_tokens:
        return "1h"
    return "5m" if usage.ephemeral_5m_input_tokens else before


def _step(tokens: int, end: _Node | None, lives: int) -> Step:
    path: list[tuple[int, int]] = []
    node = end
    while node is not None and len(path) < _MOST_PREFIXES:
        path.append((node.key, node.tokens))
        node = node.parent
    return Step(tuple(path), tuple((key, size, lives) for key, size in reversed(path)), tokens)


def with_bills(work: Workload, chain: Chain, ttl: str) -> dict[int, Call]:
    """The calls of a chain, billed for another time to live."""
    before, after = bills(work, chain, AS_WRITTEN), bills(work, chain, ttl)
    return {
        index: replace(work.calls[index], usage=moved(work.calls[index].usage, old, new))
        for index, old, new in zip(chain.indices, before, after, strict=True)
        if old[:4] != new[:4]
    }
