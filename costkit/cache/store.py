"""The cache itself: which request reads, which writes, and what each is billed for.

The rules are those of https://platform.claude.com/docs/en/build-with-claude/prompt-caching: an entry is everything up
to a breakpoint; entries are written at breakpoints only; a breakpoint looks back 20 positions, its own included; an
entry can be read from the first byte of the answer to the request that wrote it, and until its TTL has passed since
the start of the last request that wrote or read it; a prefix below the model's minimum is neither written nor read.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from costkit.cache.marks import LOOKBACK, TTL_MICROSECONDS, Mark
from costkit.cache.prompt import Prompt
from costkit.core.usage import Usage

_HOUR = TTL_MICROSECONDS["1h"]


class Step(NamedTuple):
    """A prompt with its breakpoints, ready to be served: everything that can be known before the clock runs."""

    reads: tuple[tuple[int, int], ...]
    """(key, tokens) of the prefixes that the breakpoints look at, longest first."""
    marks: tuple[tuple[int, int, int], ...]
    """(key, tokens, TTL in microseconds) of the breakpoints that have effect, in cache order."""
    tokens: int
    """The whole prompt."""


class Served(NamedTuple):
    """What one request was billed for, in tokens; the first four add up to its prompt."""

    input_tokens: int
    read_tokens: int
    write_5m_tokens: int
    write_1h_tokens: int
    expired: bool = False
    """Whether a longer entry than the one it read had been there, and was gone: a longer TTL would have helped."""
    pending: bool = False
    """Whether a longer entry was being written by a request whose answer had not begun."""

    @property
    def write_tokens(self) -> int:
        """Tokens written to the cache, whatever their TTL."""
        return self.write_5m_tokens + self.write_1h_tokens

    def usage(self, output_tokens: int = 0) -> Usage:
        """The API's buckets."""
        return Usage(
            self.input_tokens, self.read_tokens, self.write_5m_tokens, self.write_1h_tokens, output_tokens
        )  # fmt: skip


class Entry(NamedTuple):
    """A cache entry; times in microseconds."""

    visible_at: int
    """The first moment at which it can be read."""
    expires_at: int
    """The first moment at which it can't be read any more."""
    ttl: int


def step_of(prompt: Prompt, marks: Sequence[Mark], minimum: int, known: Container[int] | None = None) -> Step:
    """Prepare a prompt with breakpoints (in cache order) for a model's minimum of tokens.

    `known`, if given, holds every key that any request of the simulation marks; looking only at those is faster and
    changes nothing.
    """
    keys, ends = prompt.keys, prompt.ends
    live = [mark for mark in marks if ends[mark.position] >= minimum]
    places = sorted({i for mark in live for i in range(max(0, mark.position - LOOKBACK + 1), mark.position + 1)})
    reads = tuple(
        (keys[i], ends[i]) for i in reversed(places) if ends[i] >= minimum and (known is None or keys[i] in known)
    )
    written = tuple((keys[m.position], ends[m.position], TTL_MICROSECONDS[m.ttl]) for m in live)
    return Step(reads, written, prompt.tokens)


class CacheStore:
    """The entries of one workspace while time passes. Serve requests in the order of their start."""

    def __init__(self, first_byte: int = 0) -> None:
        self._entries: dict[int, list[int]] = {}
        # Requests at one instant never see each other's entries, however fast the answer begins.
        self._delay = max(1, first_byte)

    def entry(self, key: int) -> Entry | None:
        """The entry of a prefix, expired or not; `None` if nobody ever wrote it."""
        found = self._entries.get(key)
        return None if found is None else Entry(*found)

    def serve(self, at: int, step: Step) -> Served:
        """Bill a request that starts at a moment (microseconds), and leave behind what it writes and refreshes.

        It reads the longest entry that a breakpoint finds (A tokens); pays the 1h write up to its last breakpoint of
        1h beyond A, the 5m write from there to its last breakpoint, and plain input for the rest. Everything up to A
        is used, so every live entry at its own breakpoints up to A lives on for its own TTL, free of charge.
        """
        entries = self._entries
        read = 0
        expired = pending = False
        for key, end in step.reads:
            entry = entries.get(key)
            if entry is None:
                continue
            if entry[1] <= at:
                expired = True
            elif entry[0] > at:
                pending = True
            else:
                entry[1] = at + entry[2]
                read = end
                break
        hour = last = read
        for key, end, ttl in step.marks:
            if end > read:
                self._write(key, at, ttl)
                last = end
                if ttl == _HOUR:
                    hour = end
            else:
                entry = entries.get(key)
                if entry is not None and entry[0] <= at < entry[1]:
                    entry[1] = at + entry[2]
        return Served(step.tokens - last, read, last - hour, hour - read, expired, pending)

    def _write(self, key: int, at: int, ttl: int) -> None:
        entry = self._entries.get(key)
        if entry is None or entry[1] <= at:
            self._entries[key] = [at + self._delay, at + ttl, ttl]
        else:  # another request is writing the same: the first answer makes it visible, the longer TTL holds
            entry[0] = min(entry[0], at + self._delay)
            entry[1] = max(entry[1], at + ttl)
            entry[2] = max(entry[2], ttl)


def serve_all(timeline: Iterable[tuple[int, Step]], first_byte: int = 0) -> Iterator[Served]:
    """Serve requests (start in microseconds, step) from an empty cache; starts must not fall.

    `first_byte` is the time from a request's start to the first byte of its answer, in microseconds.
    """
    serve = CacheStore(first_byte).serve
    for at, step in timeline:
        yield serve(at, step)
