"""The entries that moving breakpoints may have left in the cache, whatever fixed breakpoints stand beside them.

Never less than what is there: an entry lives at least as long in here as in any simulation. An entry keeps the TTL it
was written with while it lives, so it matters whether it surely does: only then can a longer TTL not replace it.
"""

from __future__ import annotations

from typing import NamedTuple


class _Entry(NamedTuple):
    """What is known about one entry; times in microseconds."""

    until: int = 0
    """It is gone from here on, at the latest."""
    longest: int = 0
    """Its TTL, at most."""
    sure_until: int = 0
    """It is there until here, at least."""
    shortest: int = 0
    """Its TTL, at least."""


_NEVER = _Entry()


class HopedFor:
    """Entries by the number of their prefix. Requests of one instant see what was there before all of them."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._marked: dict[int, tuple[int, int, bool]] = {}
        self._read: set[int] = set()

    def until(self, key: int) -> int:
        """The moment from which on an entry can't be there any more; 0 if nobody left it."""
        return self._entries.get(key, _NEVER).until

    def mark(self, key: int, ttl: int, *, sure: bool) -> None:
        """A breakpoint stands here in this instant; `sure` if it does under every plan."""
        longest, shortest, before = self._marked.get(key, (ttl, ttl, False))
        self._marked[key] = (max(longest, ttl), min(shortest, ttl), before or sure)

    def read(self, key: int) -> None:
        """The entry may be read in this instant, which would keep it alive."""
        self._read.add(key)

    def pass_on(self, now: int) -> None:
        """End an instant: what was marked and read in it is there for the next."""
        for key in self._read:
            entry = self._entries.get(key, _NEVER)
            if entry.until > now:
                self._entries[key] = entry._replace(until=now + entry.longest)
        for key, marks in self._marked.items():
            self._entries[key] = _after(self._entries.get(key, _NEVER), *marks, now)
        self._marked.clear()
        self._read.clear()


def _after(entry: _Entry, longest: int, shortest: int, sure: bool, now: int) -> _Entry:  # noqa: FBT001  of one tuple
    """An entry after breakpoints of these TTLs stood at it."""
    if entry.sure_until > now:  # it lives, and goes on with the TTL that it has
        longest, shortest = entry.longest, entry.shortest
    elif entry.until > now:
        longest, shortest = max(longest, entry.longest), min(shortest, entry.shortest)
    return _Entry(now + longest, longest, now + shortest if sure else entry.sure_until, shortest)
