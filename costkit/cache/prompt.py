"""Prompts as the cache sees them: a chain of prefixes, each with a number that stands for everything up to it.

Two prompts share a prefix exactly when they share its number, so that whoever simulates never compares content.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: for each of its blocks the prefix that ends there. Positions count blocks from 0."""

    keys: tuple[int, ...]
    """The number of the prefix up to and including each block; made by `Prefixes`."""
    ends: tuple[int, ...]
    """The tokens of the same prefix; never falling."""

    @property
    def tokens(self) -> int:
        """Tokens of the whole prompt."""
        return self.ends[-1] if self.ends else 0


class Prefixes:
    """Gives every prefix a number: equal numbers mean equal pool and equal blocks from the first on.

    A pool is whatever entries are never shared across, such as model, speed, and whether it is a batch.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, Hashable], int] = {}

    def root(self, pool: Hashable) -> int:
        """The number of the empty prefix of a pool."""
        return self.child(-1, pool)

    def child(self, parent: int, identity: Hashable) -> int:
        """The number of a prefix that is one block longer than another."""
        return self._numbers.setdefault((parent, identity), len(self._numbers))

    def prompt(self, pool: Hashable, blocks: Iterable[tuple[Hashable, int]]) -> Prompt:
        """Lay out a prompt. `blocks` are (identity, tokens) in cache order; equal identity means equal bytes."""
        numbers = self._numbers
        node = self.root(pool)
        end, keys, ends = 0, [], []
        for identity, tokens in blocks:
            node = numbers.setdefault((node, identity), len(numbers))
            end += tokens
            keys.append(node)
            ends.append(end)
        return Prompt(tuple(keys), tuple(ends))


def shared_blocks(left: Prompt, right: Prompt) -> int:
    """How many blocks two prompts have in common from the first on; both from the same `Prefixes`."""
    return _common(left.keys, right.keys)


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[middle - 1] == right[middle - 1]:
            low = middle
        else:
            high = middle - 1
    return low
