"""What plans cost at least, without simulating each of them.

Under one choice of moving breakpoints, the bill of a plan is a sum over its neighbouring fixed breakpoints: the tokens
between two of them are read, or written, whatever the others are. The sums for all pairs are laid down once, in time
that grows with requests times places. They take every entry that could be there to be there; so no plan costs less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import NamedTuple

from costkit.cache.hoped import HopedFor
from costkit.cache.marks import LOOKBACK, TTL_MICROSECONDS
from costkit.cache.places import Place, position_of
from costkit.cache.sent import Sent

TTLS = ("1h", "5m")
"""In the order in which they may follow each other."""


class Prices(NamedTuple):
    """The rates of one request as whole numbers of one tiny unit, so that sums are exact and quick."""

    input: int
    read: int
    write_5m: int
    write_1h: int


class Moving(NamedTuple):
    """Which of the two moving breakpoints a plan has, and for how long; `None` for none."""

    previous_end: str | None
    last: str | None

    @property
    def marks(self) -> int:
        """How many they are."""
        return (self.previous_end is not None) + (self.last is not None)

    @property
    def fixed_ttls(self) -> tuple[str, ...]:
        """The TTLs of the breakpoints that stand before them."""
        return TTLS[:1] if "1h" in self else TTLS


MOVING = tuple(
    Moving(previous, last)
    for previous in (None, *TTLS)
    for last in (None, *TTLS)
    if (previous, last) != ("5m", "1h")  # a 1h breakpoint may not follow one of 5m
)


@dataclass(slots=True)
class _Row:
    """One request: its tokens at each candidate that it has, and how many of them are read under each TTL."""

    sent: Sent
    prices: Prices
    places: list[int]
    """Positions; -1 for a place before its first block."""
    tokens: list[int]
    """Tokens up to each of them; 0 below the minimum, where a breakpoint does nothing."""
    hits: tuple[int, int]
    """How many of the candidates, from the first on, are read under 1h and under 5m."""
    strays: tuple[int, ...]
    """Positions where the same place left an entry in a shorter request."""


class Deltas(NamedTuple):
    """Under one choice of moving breakpoints: the bill without fixed ones, and what each pair adds to it."""

    alone: int
    pairs: dict[str, list[list[int]]]
    """By the TTL of the second of the two: [first + 1][second], where 0 is no first one."""


class Bounds:
    """Lays requests out over candidate places; `deltas` then answers for one choice of moving breakpoints."""

    def __init__(self, sent: Sequence[Sent], prices: Sequence[Prices], places: Sequence[Place]) -> None:
        self._places = places
        self._rows = list(self._laid(sent, prices))

    def _laid(self, sent: Sequence[Sent], prices: Sequence[Prices]) -> Iterator[_Row]:
        touched: list[dict[int, int]] = [{} for _ in self._places]
        left: dict[int, dict[int, int]] = {}
        ragged = len({one.levels for one in sent}) > 1
        for _, group in groupby(zip(sent, prices, strict=True), key=lambda pair: pair[0].at):
            now = [self._row(one, price, touched, left) for one, price in group]
            yield from now
            for row in now:
                for number, at in enumerate(row.places):
                    if row.tokens[number]:
                        key = row.sent.prompt.keys[at]
                        touched[number][key] = row.sent.at
                        if ragged and at < row.sent.levels[1]:
                            left.setdefault(key, {})[number] = row.sent.at
                for position in row.strays:  # whoever reads an entry keeps it
                    key = row.sent.prompt.keys[position]
                    left[key] = dict.fromkeys(left[key], row.sent.at)

    def _row(self, one: Sent, price: Prices, touched: list[dict[int, int]], left: dict[int, dict[int, int]]) -> _Row:
        prompt, minimum = one.prompt, one.minimum
        places: list[int] = []
        tokens: list[int] = []
        for place in self._places:
            at = position_of(place, one)
            if at is None and place.depth == 2:  # noqa: PLR2004  messages: this request has ended
                break
            places.append(-1 if at is None else at)
            tokens.append(prompt.ends[at] if at is not None and prompt.ends[at] >= minimum else 0)
        hits = tuple(_hits(one, places, tokens, touched, TTL_MICROSECONDS[ttl]) for ttl in TTLS)
        strays = tuple(_strays(one, places, left)) if left else ()
        return _Row(one, price, places, tokens, (hits[0], hits[1]), strays)

    def deltas(self, moving: Moving) -> Deltas:
        """What plans with these moving breakpoints cost at least."""
        count = len(self._places)
        steps = {ttl: [[0] * (count + 1) for _ in range(count + 1)] for ttl in moving.fixed_ttls}
        own = {ttl: [0] * count for ttl in moving.fixed_ttls}
        alone = 0
        for row, reach, beyond in self._reaches(moving):
            rest = _rest(row, moving, reach)
            alone += rest[0]
            ranges = _ranges(row, beyond)
            for ttl in moving.fixed_ttls:
                _add(steps[ttl], own[ttl], row, ttl, reach, rest, ranges)
        pairs = {
            ttl: [[own[ttl][b] - behind for b, behind in enumerate(accumulate(line[:count]))] for line in steps[ttl]]
            for ttl in moving.fixed_ttls
        }
        return Deltas(alone, pairs)

    def _reaches(self, moving: Moving) -> Iterator[tuple[_Row, int, list[int]]]:
        """For each request, the tokens that its moving breakpoints can read, and living entries beyond their sight."""
        hoped = HopedFor()
        for at, group in groupby(self._rows, key=lambda row: row.sent.at):
            found = [(row, *_reach(row, moving, hoped, at)) for row in group]
            for row, reach, beyond in found:
                yield row, row.sent.prompt.ends[reach] if reach >= 0 else 0, beyond
                keys = row.sent.prompt.keys
                for position, ttl in _moving_marks(row.sent, moving):
                    hoped.mark(keys[position], TTL_MICROSECONDS[ttl], sure=position == row.sent.last)
                for position in (reach, *beyond):
                    if position >= 0:
                        hoped.read(keys[position])
            hoped.pass_on(at)


def _hits(one: Sent, places: list[int], tokens: list[int], touched: list[dict[int, int]], ttl: int) -> int:
    """How many candidates, from the first on, find their entry: longer prefixes are never fresher than shorter ones."""
    for number, at in enumerate(places):
        if tokens[number]:
            before = touched[number].get(one.prompt.keys[at])
            if before is None or one.at - before >= ttl:
                return number
    return len(places)


def _strays(one: Sent, places: list[int], left: dict[int, dict[int, int]]) -> Iterator[int]:
    for position in range(one.levels[1]):
        for number, moment in left.get(one.prompt.keys[position], {}).items():
            if one.at - moment < TTL_MICROSECONDS["1h"] and places[number] != position:
                yield position
                break


def _moving_marks(one: Sent, moving: Moving) -> list[tuple[int, str]]:
    """The positions of the moving breakpoints that have effect, in order."""
    marks: list[tuple[int, str]] = []
    for at, ttl in ((one.previous_end, moving.previous_end), (one.last, moving.last)):
        if at is not None and ttl and one.prompt.ends[at] >= one.minimum and (not marks or at > marks[-1][0]):
            marks.append((at, ttl))
    return marks


def _reach(row: _Row, moving: Moving, hoped: HopedFor, now: int) -> tuple[int, list[int]]:
    """The position that moving breakpoints can read up to (-1: none), and living entries that only others can see."""
    keys, ends, minimum = row.sent.prompt.keys, row.sent.prompt.ends, row.sent.minimum
    reach, strays = -1, set(row.strays)
    seen: set[int] = set()
    for mark, _ in _moving_marks(row.sent, moving):
        window = range(mark, max(-1, mark - LOOKBACK), -1)
        seen.update(window)
        for position in window:
            if ends[position] < minimum or position <= reach:
                break
            if hoped.until(keys[position]) > now or position in strays:
                reach = position
                break
    beyond = {position for position in strays if position > reach and ends[position] >= minimum}
    if moving.marks:
        for position in range(len(keys) - 1, reach, -1):
            if ends[position] < minimum:
                break
            if position not in seen and hoped.until(keys[position]) > now:
                beyond.add(position)
    return reach, sorted(beyond, reverse=True)


def _write(prices: Prices, ttl: str) -> int:
    return prices.write_1h if ttl == "1h" else prices.write_5m


def _rest(row: _Row, moving: Moving, reach: int) -> list[int]:
    """What everything behind a fixed breakpoint costs, for each of them; the first is for none at all."""
    prices, ends, whole = row.prices, row.sent.prompt.ends, row.sent.prompt.tokens
    marks = [(at, ends[at], _write(prices, ttl)) for at, ttl in _moving_marks(row.sent, moving)]
    read, plain = prices.read, prices.input
    costs = []
    for at, start in zip((-1, *row.places), (0, *row.tokens), strict=True):
        cost, base = 0, start
        for position, end, write in marks:
            if position > at:
                cost += write * (max(end, reach) - max(base, reach)) + read * (min(end, reach) - min(base, reach))
                base = end
        costs.append(cost + plain * (whole - base))
    return costs


def _ranges(row: _Row, beyond: list[int]) -> list[tuple[int, int, int]]:
    """(first, last + 1) candidates that see an entry beyond the moving breakpoints' sight, and its tokens."""
    found = []
    upper = len(row.sent.prompt.keys)
    for position in beyond:  # from the longest on
        sees = [n for n, at in enumerate(row.places) if position <= at < min(position + LOOKBACK, upper)]
        if sees:
            found.append((sees[0], sees[-1] + 1, row.sent.prompt.ends[position]))
        upper = min(upper, position)
    return found


def _add(
    steps: list[list[int]],
    own: list[int],
    row: _Row,
    ttl: str,
    reach: int,
    rest: list[int],
    ranges: list[tuple[int, int, int]],
) -> None:
    """Add one request to the sums of all pairs: changes along the second place, to be accumulated."""
    read, write = row.prices.read, _write(row.prices, ttl)
    hits, count = row.hits[TTLS.index(ttl)], len(row.places)
    for first, start in enumerate((0, *row.tokens)):
        behind = rest[first]
        as_read = read * start
        as_written = write * max(start, reach) + read * min(start, reach)
        if first:
            own[first - 1] += (as_read if first <= hits else as_written) + behind
        if first == count:
            return
        line = steps[first]
        if hits <= first:
            line[first] += as_written + behind
            line[count] -= as_written + behind
        else:
            line[first] += as_read + behind
            line[hits] += as_written - as_read
            line[count] -= as_written + behind
        for low, high, tokens in ranges:
            begin = max(low, first, hits)
            if begin < high and tokens > max(start, reach):
                gain = (write - read) * (tokens - max(start, reach))
                line[begin] += gain
                line[high] -= gain
