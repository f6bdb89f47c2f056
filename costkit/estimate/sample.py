"""Counting a sample instead of everything: which requests, for how many each stands, and how far a total may be off.

The largest requests, each of which has more than its share of the bytes, are all counted. The others are ordered by
size and cut into slices of about the same number of bytes, so that larger ones are counted more often. Within a slice
the choice is random (seeded: the same file gives the same sample), and the known sizes of all its requests correct the
sample's mean: a regression estimator, written as whole numbers of requests that each counted one stands for, so that
counts stay integers and dollars exact.
Cochran, Sampling Techniques, chapters 5 and 7.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from operator import mul

from costkit.core.request import Request
from costkit.errors import InvalidInput

AUTO, OFF = "auto", "off"
ALL_UP_TO = 2_000
"""So many requests are all counted, if they are not large."""
AUTO_SIZE = 500
AUTO_BYTES = 8_000_000
"""`auto` counts fewer where requests are so large that this is exceeded, but never fewer than `FEWEST_AUTO`."""
FEWEST_AUTO, FEWEST = 200, 30
_MOST_SLICES = 20
_FEWEST_IN_SLICE = 4
"""Two more than a straight line takes, so that something is left to see how far values are off it."""
_MOST_MOVES = 50
_BYTES_LIKE_AN_IMAGE = 6_000
"""About as many tokens as an image of ordinary size."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Requests of similar size, some of them counted."""

    population: int
    """How many requests it has."""
    members: tuple[int, ...]
    """Positions of those that are counted, by size."""
    sizes: tuple[int, ...]
    """Bytes of the members."""
    weights: tuple[int, ...]
    """For how many requests each member stands; they add up to the population."""
    missing: int
    """Bytes of the population that the weights leave out (negative: count twice); 0 or nearly."""
    largest: int
    """Bytes of the largest request of the population."""
    max_tokens: int | None
    """Sum over the whole population; `None` where one has no limit."""

    @property
    def is_complete(self) -> bool:
        """Whether every request is counted."""
        return len(self.members) == self.population


@dataclass(frozen=True, slots=True)
class Sample:
    """The requests of one file that are counted."""

    population: int
    slices: tuple[Slice, ...]

    @property
    def size(self) -> int:
        """How many requests are counted."""
        return sum(len(piece.members) for piece in self.slices)

    @property
    def is_complete(self) -> bool:
        """Whether that is all of them."""
        return self.size == self.population

    @property
    def members(self) -> list[int]:
        """Their positions, in input order."""
        return sorted(member for piece in self.slices for member in piece.members)


def sample_choice(text: str) -> str | int:
    """Read `auto`, `off` or a number of requests; raises `InvalidInput`."""
    if text in (AUTO, OFF):
        return text
    if text.isascii() and text.isdigit() and len(text) < len(str(10**12)) and int(text) >= FEWEST:
        return int(text)
    raise InvalidInput(f"--sample {text[:80]!r} is not auto, off or a number from {FEWEST}")


def wanted_size(choice: str | int, requests: int, size: int) -> int:
    """How many of so many requests with so many bytes are counted."""
    if choice == OFF or (choice == AUTO and requests <= ALL_UP_TO and size <= AUTO_BYTES):
        return requests
    if isinstance(choice, int):
        return min(choice, requests)
    mean = max(1, size // max(1, requests))
    return min(requests, AUTO_SIZE, max(FEWEST_AUTO, AUTO_BYTES // mean))


def text_size(request: Request, size: int) -> int:
    """The bytes of a request that token counts go along with: an image costs by its pixels, whatever its data weigh."""
    images = [image for block in request.blocks if block.kind != "text" for image in _images(block.value)]
    data = sum(len(image) for image in images)
    return max(1, size - data) + len(images) * _BYTES_LIKE_AN_IMAGE if images else size


def _images(block: Mapping[str, object]) -> Iterator[str]:
    """The data of the images in a block and in what it contains; empty for those that are elsewhere."""
    if block.get("type") == "image":
        source = block.get("source")
        data = source.get("data") if isinstance(source, Mapping) else None
        yield data if isinstance(data, str) else ""
    content = block.get("content")
    for inner in content if isinstance(content, list) else ():
        if isinstance(inner, Mapping):
            yield from _images(inner)


def draw_sample(
    sizes: Sequence[int], groups: Sequence[int], max_tokens: Sequence[int], wanted: int, *, draw: int = 0
) -> Sample:
    """Choose about `wanted` requests of a file, at least 30 of each group (or all).

    `sizes`, `groups` and `max_tokens` describe all requests in input order: bytes that token counts go along with, what
    they are priced alike by, and the output limit (negative: none).
    """
    positions: dict[int, list[int]] = {}
    for position, group in enumerate(groups):
        positions.setdefault(group, []).append(position)
    dice = random.Random(f"{len(sizes)}:{sum(sizes)}:{draw}")  # noqa: S311  reproducible on purpose
    whole = max(1, sum(sizes))
    slices: list[Slice] = []
    for members in positions.values():
        size = sum(sizes[member] for member in members)
        share = len(members) if wanted >= len(sizes) else max(FEWEST, wanted * size // whole)
        members.sort(key=sizes.__getitem__)  # stable: of one size, in input order
        slices += _slices(members, sizes, max_tokens, min(share, len(members)), dice)
    return Sample(len(sizes), tuple(slices))


def _slices(
    members: Sequence[int], sizes: Sequence[int], max_tokens: Sequence[int], wanted: int, dice: random.Random
) -> list[Slice]:
    """Cut one group, by size, and choose within each slice."""
    certain = 0 if wanted == len(members) else _certain(members, sizes, wanted)
    rest, largest = members[: len(members) - certain], members[len(members) - certain :]
    wanted -= certain
    parts = 1 if wanted == len(rest) else min(_MOST_SLICES, 1 + 2 * isqrt(wanted) // 3)
    runs = _runs(rest, sizes, parts)
    shares = _shares([len(run) for run in runs], wanted)
    if largest:
        runs, shares = [*runs, largest], [*shares, certain]
    slices = []
    for run, count in zip(runs, shares, strict=True):
        chosen = [run[index] for index in sorted(dice.sample(range(len(run)), count))]
        own = [sizes[member] for member in chosen]
        size = sum(sizes[member] for member in run)
        weights = _weights(own, len(run), size)
        missing = size - sum(map(mul, weights, own))
        limits = [max_tokens[member] for member in run]
        limit = None if min(limits) < 0 else sum(limits)
        slices.append(Slice(len(run), tuple(chosen), tuple(own), tuple(weights), missing, sizes[run[-1]], limit))
    return slices


def _certain(members: Sequence[int], sizes: Sequence[int], wanted: int) -> int:
    """How many of the largest have more than their share of the bytes: a draw that left one out would be far off."""
    whole, found = sum(sizes[member] for member in members), 0
    for member in reversed(members):
        if 3 * found >= wanted or sizes[member] * (wanted - found) < whole:
            break
        whole -= sizes[member]
        found += 1
    return found


def _runs(members: Sequence[int], sizes: Sequence[int], parts: int) -> list[Sequence[int]]:
    """Cut requests in order of size into runs with about the same number of bytes."""
    runs: list[Sequence[int]] = []
    whole, running, start = sum(sizes[member] for member in members), 0, 0
    for end, member in enumerate(members):
        due = whole * (len(runs) + 1)
        over, under = (running + sizes[member]) * parts - due, due - running * parts
        if over > under and end > start:
            runs.append(members[start:end])
            start = end
        running += sizes[member]
    return [*runs, members[start:]]


def _shares(populations: Sequence[int], wanted: int) -> list[int]:
    """How many to count of each slice: half of them by slices (bytes), half by requests; at most what it has."""
    whole, shares = sum(populations), [0] * len(populations)
    by_size = sorted(range(len(populations)), key=populations.__getitem__)
    left = wanted
    for done, index in enumerate(by_size):
        rest = sum(populations[other] for other in by_size[done:])
        fair = left * (rest + populations[index] * (len(by_size) - done)) // (2 * rest * (len(by_size) - done))
        shares[index] = min(populations[index], max(_FEWEST_IN_SLICE, fair if done + 1 < len(by_size) else left))
        left -= shares[index]
    return shares if whole else []


def _weights(sizes: Sequence[int], population: int, size: int) -> list[int]:
    """Whole numbers from 1 that add up to the population and, as nearly as that goes, to its bytes.

    `sizes` are in order. Rounded at the running sums, so that what one request is given too much its neighbour lacks;
    then single requests are moved from one member to another until the bytes are right.
    """
    count = len(sizes)
    mean = sum(sizes) / count
    off, spread = size / population - mean, sum((own - mean) ** 2 for own in sizes)
    real = [1 + (off * (own - mean) * count / spread if spread else 0.0) for own in sizes]
    beyond = [max(0.0, weight * population / count - 1) for weight in real]
    scale = (population - count) / sum(beyond) if sum(beyond) else 0.0
    weights, running, before = [], 0.0, 0
    for position, weight in enumerate(beyond, 1):
        running += weight * scale
        upto = population - count if position == count else round(running)
        weights.append(1 + upto - before)
        before = upto
    _balance(weights, sizes, size)
    return weights


def _balance(weights: list[int], sizes: Sequence[int], size: int) -> None:
    """Move requests between members, each time the move that brings the bytes nearest to what they should be."""
    missing = size - sum(map(mul, weights, sizes))
    for _ in range(_MOST_MOVES):
        best = None
        for giver, own in enumerate(sizes):
            if weights[giver] > 1:
                place = bisect_left(sizes, own + missing)
                for taker in range(max(0, place - 1), min(len(sizes), place + 1)):
                    left = missing - (sizes[taker] - own)
                    if best is None or abs(left) < abs(best[0]):
                        best = (left, giver, taker)
        if best is None or abs(best[0]) >= abs(missing):
            return
        missing = best[0]
        weights[best[1]] -= 1
        weights[best[2]] += 1
