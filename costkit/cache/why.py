"""Why requests did not read from the cache what they could have read, and what that cost.

Every request is served by the simulator as it is written; what it failed to read is put down to one cause. Rules:
https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from costkit.cache.divergence import Divergence, divergence_of
from costkit.cache.kin import Kin
from costkit.cache.marks import LOOKBACK, SECOND, TTL_MICROSECONDS
from costkit.cache.miss import CacheWhy, Miss, sums_by_cause
from costkit.cache.prompt import Prefixes
from costkit.cache.sent import Layout, Sent
from costkit.cache.store import CacheStore, Served, Step, step_of
from costkit.cache.traffic import LoggedRequest
from costkit.core.money import ZERO, minus, total

_LENGTH = {ttl: name for name, ttl in TTL_MICROSECONDS.items()}


@dataclass(slots=True)
class _Loss:
    """A cause that would explain a miss: up to where it could have read, and how it would be said."""

    cause: str
    upto: int
    message: str
    kept: int = 0
    """Tokens that were the same, of those that could not be read."""
    previous: int | None = None
    idle: int | None = None
    divergence: Divergence | None = None


@dataclass(slots=True)
class _History:
    """What is known when a request is sent."""

    store: CacheStore = field(default_factory=CacheStore)
    kin: Kin = field(default_factory=Kin)
    logged: list[LoggedRequest] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    writers: dict[int, int] = field(default_factory=dict)
    """By the number of a prefix, the last request that marked it."""
    across: Prefixes = field(default_factory=Prefixes)
    """Numbers of prefixes whatever the model, speed or batch."""
    elsewhere: dict[int, dict[tuple[object, ...], tuple[int, int]]] = field(default_factory=dict)
    """By these numbers and the pool: when the entry ends, and the request that marked it last."""


def explain_misses(
    requests: Sequence[LoggedRequest], layout: Layout, *, starts: Sequence[int], previous: int | None = None
) -> CacheWhy:
    """Explain what each request did not read; `starts` are their times in microseconds, in order.

    `previous` names the predecessor of the last request, where it is known. Raises what `Layout.lay_out` raises.
    """
    history = _History()
    misses: list[Miss] = []
    hits = first = unmarked = observed = agreed = 0
    for index, (logged, at) in enumerate(zip(requests, starts, strict=True)):
        sent = layout.lay_out(logged, at)
        step = step_of(sent.prompt, sent.marks, sent.minimum)
        told = previous if index == len(requests) - 1 else None
        loss, read = _look(history, logged, sent, step, told)
        seen = logged.usage.counts.cache_read_input_tokens if logged.usage else None
        observed += seen is not None
        agreed += seen is not None and (seen > 0) == (read > 0)
        if not sent.marks:
            unmarked += 1
        elif seen and not read:
            hits += 1
        elif loss is None and seen == 0 and read:
            missed = _Loss("unexplained", read, "the entry should have been there: evicted, or another workspace")
            misses.append(_miss(history, logged, sent, step, missed, 0))
        elif loss is not None:
            misses.append(_miss(history, logged, sent, step, loss, read))
        else:
            hits += read > 0
            first += read == 0
        _remember(history, index, logged, sent, step)
    return CacheWhy(
        len(requests),
        hits,
        first,
        unmarked,
        observed,
        agreed,
        total(miss.cost_usd for miss in misses),
        sums_by_cause(misses),
        tuple(misses),
    )


def _look(
    history: _History, logged: LoggedRequest, sent: Sent, step: Step, told: int | None
) -> tuple[_Loss | None, int]:
    """What a request reads, and the cause of the largest part that it does not."""
    longest = sent.prompt.ends[sent.marks[-1].position] if sent.marks else 0
    if sent.marks and not step.marks:
        missing = sent.minimum - longest
        text = f"{longest:,} tokens are {missing:,} too few for {sent.tariff.model.id}: the breakpoint does nothing"
        return _Loss("below-minimum", 0, text), 0
    losses = list(_timing(history, sent, step))
    served = history.store.serve(sent.at, step)
    if not step.marks:
        return None, 0
    losses += _sight(history, sent, step, served)
    losses += _other_pool(history, sent)
    losses += _change(history, logged, sent, told)
    for loss in losses:
        loss.upto = min(loss.upto, longest)
    worst = max(losses, key=lambda loss: loss.upto, default=None)
    return (worst if worst is not None and worst.upto > served.read_tokens else None), served.read_tokens


def _timing(history: _History, sent: Sent, step: Step) -> Iterator[_Loss]:
    """Entries that a breakpoint looks at and that are gone, or not there yet."""
    for key, end in step.reads:
        entry = history.store.entry(key)
        if entry is None:
            continue
        if entry.expires_at <= sent.at:
            idle = (sent.at - entry.expires_at + entry.ttl) // SECOND
            text = f"the entry of {_LENGTH[entry.ttl]} was last used {_spoken(idle)} before"
            yield _Loss("ttl-expired", end, text, previous=history.writers.get(key), idle=idle)
        elif entry.visible_at > sent.at:
            text = "sent before the answer to the request that was writing the entry had begun"
            yield _Loss("concurrent", end, text, previous=history.writers.get(key))
        else:
            return


def _sight(history: _History, sent: Sent, step: Step, served: Served) -> Iterator[_Loss]:
    """A living entry that no breakpoint looks back far enough to find."""
    seen = {key for key, _ in step.reads} | {key for key, _, _ in step.marks}
    marked = sent.marks[-1].position
    for position in range(marked, -1, -1):
        key, end = sent.prompt.keys[position], sent.prompt.ends[position]
        if end <= served.read_tokens:
            return
        entry = history.store.entry(key) if key not in seen else None
        if entry is not None and entry.visible_at <= sent.at < entry.expires_at:
            text = f"the entry is {marked - position + 1} positions back, and a breakpoint looks at {LOOKBACK}"
            yield _Loss("lookback-exceeded", end, text, previous=history.writers.get(key))
            return


def _other_pool(history: _History, sent: Sent) -> Iterator[_Loss]:
    """The same prefix, cached for another model, another speed, or on the other side of a batch."""
    pool = sent.tariff.pool
    tokens = [end - start for start, end in zip((0, *sent.prompt.ends), sent.prompt.ends, strict=False)]
    prompt = history.across.prompt(None, zip(sent.identities, tokens, strict=True))
    for key, end in zip(reversed(prompt.keys), reversed(sent.prompt.ends), strict=True):
        for other, (expires_at, writer) in history.elsewhere.get(key, {}).items():
            if other != pool and expires_at > sent.at:
                if other[0] != pool[0]:
                    yield _Loss("model-changed", end, f"written by {other[0]}, and models share nothing", 0, writer)
                elif other[1] != pool[1]:
                    yield _Loss("speed-changed", end, "written at another speed, and speeds share nothing", 0, writer)
                else:
                    yield _Loss("batch-apart", end, "batches and other requests share nothing", 0, writer)
                return


def _change(history: _History, logged: LoggedRequest, sent: Sent, told: int | None) -> Iterator[_Loss]:
    """The prefix of the predecessor's entry, changed."""
    index = told if told is not None else history.kin.of(logged, sent, history.logged)
    if index is None:
        return
    before = history.sent[index]
    if before.tariff.pool != sent.tariff.pool:
        return
    for mark in reversed(before.marks):
        entry = history.store.entry(before.prompt.keys[mark.position])
        if entry is not None and entry.visible_at <= sent.at < entry.expires_at:
            break
    else:
        return
    divergence = divergence_of(history.logged[index].request, logged.request)
    if divergence is None or divergence.position > mark.position:
        return
    kept = sent.prompt.ends[divergence.position - 1] if divergence.position else 0
    text = f"{divergence.path} {_SPOKEN[divergence.what]}"
    upto = max(before.prompt.ends[mark.position], kept)
    yield _Loss("changed-prefix", upto, text, kept, index, divergence=divergence)


_SPOKEN = {
    "changed": "changed",
    "added": "was added",
    "removed": "was removed",
    "reordered": "stands in another order",
}


def _miss(history: _History, logged: LoggedRequest, sent: Sent, step: Step, loss: _Loss, read: int) -> Miss:
    kept = min(max(loss.kept, read), loss.upto)
    bill = [sent.tariff.cost(_billed(step, tokens)) for tokens in (read, kept, loss.upto)]
    below = loss.cause == "below-minimum"
    return Miss(
        logged.where,
        loss.cause,
        loss.message,
        None if loss.previous is None else history.logged[loss.previous].where,
        sent.tariff.model.id,
        read,
        0 if below else loss.upto - kept,
        ZERO if below else minus(bill[1], bill[2]),
        0 if below else kept - read,
        ZERO if below else minus(bill[0], bill[1]),
        loss.idle,
        sent.minimum - sent.prompt.ends[sent.marks[-1].position] if below else None,
        loss.divergence,
        logged.usage.counts.cache_read_input_tokens if logged.usage else None,
        logged.miss_reason,
        logged.missed_tokens,
    )


def _billed(step: Step, read: int) -> Served:
    """What a request would be billed for if it read this many tokens."""
    hour = last = read
    for _, end, ttl in step.marks:
        if end > read:
            last = end
            if ttl == TTL_MICROSECONDS["1h"]:
                hour = end
    return Served(step.tokens - last, read, last - hour, hour - read)


def _remember(history: _History, index: int, logged: LoggedRequest, sent: Sent, step: Step) -> None:
    history.kin.add(index, logged, sent)
    history.logged.append(logged)
    history.sent.append(sent)
    tokens = [end - start for start, end in zip((0, *sent.prompt.ends), sent.prompt.ends, strict=False)]
    across = history.across.prompt(None, zip(sent.identities, tokens, strict=True))
    live = {key: ttl for key, _, ttl in step.marks}
    for mark in sent.marks:
        key = sent.prompt.keys[mark.position]
        if key in live:
            history.writers[key] = index
            pools = history.elsewhere.setdefault(across.keys[mark.position], {})
            pools[sent.tariff.pool] = (sent.at + live[key], index)


def _spoken(seconds: int) -> str:
    if seconds < 3600:  # noqa: PLR2004  an hour
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
