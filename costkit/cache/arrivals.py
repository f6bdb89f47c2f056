"""When requests arrive: at a fixed cadence, at random, or as recorded; and how people write durations and rates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from costkit.cache.marks import SECOND
from costkit.core.money import decimal_from
from costkit.errors import InvalidInput

_UNITS = {"ms": SECOND // 1000, "s": SECOND, "min": 60 * SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_UNITS["d"] = 24 * _UNITS["h"]
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|min|[smhd])?", re.ASCII)
_PER = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "min": 60,
    "m": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
}
LONGEST_SECONDS = 10 * 366 * 86400
"""Ten years: whoever waits longer between two requests doesn't need a cache."""


@dataclass(frozen=True, slots=True)
class Every:
    """One arrival after each gap, in microseconds; 0 is all at once."""

    gap: int


@dataclass(frozen=True, slots=True)
class Poisson:
    """Arrivals at random, independent of each other, with a mean gap in seconds."""

    mean_gap: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """Arrivals as they were, in microseconds from the first, never falling."""

    starts: tuple[int, ...]

    def __post_init__(self) -> None:
        for position, (earlier, later) in enumerate(zip(self.starts, self.starts[1:], strict=False), 2):
            if later < earlier:
                raise InvalidInput(f"arrival {position} is before arrival {position - 1}", code="arrivals-out-of-order")


Arrivals = Every | Poisson | Recorded


def seeded(seed: int) -> Random:
    """The source of random arrivals; the same seed gives the same arrivals on every machine."""
    return Random(seed)  # noqa: S311  a simulation, not a secret


def poisson_gaps(mean_gap: float, count: int, random: Random) -> list[int]:
    """Gaps between random arrivals in microseconds, at least 1: two arrivals never share an instant."""
    draw, rate = random.expovariate, 1 / (mean_gap * SECOND)
    return [int(draw(rate)) + 1 for _ in range(count)]


def starts_of(arrivals: Arrivals, count: int, random: Random) -> list[int]:
    """The first `count` arrivals in microseconds from the first one."""
    if isinstance(arrivals, Every):
        return [number * arrivals.gap for number in range(count)]
    if isinstance(arrivals, Recorded):
        return list(arrivals.starts[:count])
    starts = [0]
    for gap in poisson_gaps(arrivals.mean_gap, count - 1, random):
        starts.append(starts[-1] + gap)
    return starts


def parse_duration(flag: str, text: str) -> int:
    """Read a duration such as `60s`, `1.5h` or `500ms` (a bare number is seconds) as whole microseconds."""
    if text.strip().startswith("-"):
        raise InvalidInput(f"{flag} {text!r} is negative", hint="write a duration such as 60s", code="bad-duration")
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(
            f"{flag} {text!r} is not a duration", hint="write it as 60s, 5min, 1.5h or 500ms", code="bad-duration"
        )
    microseconds = decimal_from(match[1]) * _UNITS[match[2] or "s"]
    if microseconds > LONGEST_SECONDS * SECOND:
        raise InvalidInput(f"{flag} {text!r} is longer than ten years", code="bad-duration")
    return int(microseconds)


def parse_rate(flag: str, text: str) -> Poisson:
    """Read a rate of arrivals such as `30/h` or `2/min`."""
    amount, _, unit = text.replace(" ", "").partition("/")
    try:
        rate = decimal_from(amount)
        seconds = _PER[unit]
    except (ValueError, KeyError):
        raise InvalidInput(
            f"{flag} {text!r} is not a rate", hint="write it as 30/h or 2/min", code="bad-rate"
        ) from None
    if not rate:
        raise InvalidInput(f"{flag} {text!r}: at a rate of zero nothing ever arrives", code="bad-rate")
    mean_gap = Decimal(seconds) / rate
    if not Decimal("0.000001") <= mean_gap <= LONGEST_SECONDS:
        raise InvalidInput(
            f"{flag} {text!r} is not a rate of requests: gaps must lie between a microsecond and ten years",
            code="bad-rate",
        )
    return Poisson(float(mean_gap))
