"""A billed response: what the API's `usage` object says, field by field, before anything is derived from it.

Documented at https://platform.claude.com/docs/en/api/messages and, for `iterations`, in the SDK's beta types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from costkit.core.text import clean
from costkit.core.usage import Usage

MOST_TOKENS = 10**10
"""More than this in one response is a broken log, not a bill."""


class Counts(NamedTuple):
    """The billed integers of one usage object as they were written.

    Of several copies of the same response the billed one has the maximum of each field, so that is what must be
    kept until all copies are seen; only then may the cache writes without a TTL be told from those with one.
    """

    input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0
    output_tokens: int = 0
    web_search_requests: int = 0

    def largest(self, other: Counts) -> Counts:
        """The larger of each field: commutative, associative, idempotent."""
        return Counts(*map(max, self, other))

    @property
    def assumed_5m_tokens(self) -> int:
        """Cache writes without a TTL; they are priced as 5-minute writes."""
        return max(
            0, self.cache_creation_input_tokens - self.ephemeral_5m_input_tokens - self.ephemeral_1h_input_tokens
        )

    def usage(self) -> Usage:
        """The disjoint buckets: whatever the TTL split does not cover is a 5-minute write."""
        return Usage(
            self.input_tokens,
            self.cache_read_input_tokens,
            self.ephemeral_5m_input_tokens + self.assumed_5m_tokens,
            self.ephemeral_1h_input_tokens,
            self.output_tokens,
            self.web_search_requests,
        )


class Iteration(NamedTuple):
    """One sampling pass inside a response (compaction, advisor, fallback), billed at its own model."""

    model: str | None
    """`None` means the message's own model."""
    counts: Counts


def largest_iterations(left: tuple[Iteration, ...], right: tuple[Iteration, ...]) -> tuple[Iteration, ...]:
    """Merge two copies of `usage.iterations` position by position; the longer one keeps its tail."""
    if left == right:
        return left
    merged = [
        Iteration(max(a.model or "", b.model or "") or None, a.counts.largest(b.counts))
        for a, b in zip(left, right, strict=False)
    ]
    longer = left if len(left) > len(right) else right
    return (*merged, *longer[len(merged) :])


class BilledUsage(NamedTuple):
    """A `usage` object, checked."""

    counts: Counts
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: tuple[Iteration, ...] = ()
    """When not empty, the bill is the sum over these; the top-level counts leave some of them out."""

    def bill(self) -> tuple[Iteration, ...]:
        """What is billed, part by part; each part is one request for the choice of a tier.

        Web searches are reported for the whole response only, so they stay with the message's own model.
        """
        if not self.iterations:
            return (Iteration(None, self.counts),)
        searches = self.counts.web_search_requests
        extra = (Iteration(None, Counts(web_search_requests=searches)),) if searches else ()
        return self.iterations + extra


def read_usage(usage: Mapping[str, object]) -> BilledUsage:
    """Check the API's `usage` object; null and absent fields count as 0, texts are made fit to be written out.

    Raises ValueError, naming the field, for negative, fractional, absurd or non-numeric counts.
    """
    iterations = usage.get("iterations")
    return BilledUsage(
        _read_counts(usage),
        _text(usage, "service_tier"),
        _text(usage, "speed"),
        _text(usage, "inference_geo"),
        _read_iterations(iterations) if iterations else (),
    )


def _read_iterations(items: object) -> tuple[Iteration, ...]:
    if not isinstance(items, Sequence) or isinstance(items, str) or not all(isinstance(i, Mapping) for i in items):
        raise ValueError("usage.iterations is not a list of objects")
    return tuple(Iteration(_text(item, "model"), _read_counts(item)) for item in items)


def _read_counts(usage: Mapping[str, object]) -> Counts:
    split = _child(usage, "cache_creation")
    return Counts(
        _count(usage, "input_tokens"),
        _count(usage, "cache_read_input_tokens"),
        _count(usage, "cache_creation_input_tokens"),
        _count(split, "ephemeral_5m_input_tokens"),
        _count(split, "ephemeral_1h_input_tokens"),
        _count(usage, "output_tokens"),
        _count(_child(usage, "server_tool_use"), "web_search_requests"),
    )


def _child(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"usage.{name} is not an object")
    return value


def _count(parent: Mapping[str, object], name: str) -> int:
    value = parent.get(name)
    if value is None:
        return 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"usage.{name} is not a whole number")
    if value < 0:
        raise ValueError(f"usage.{name} is negative")
    if value > MOST_TOKENS:
        raise ValueError(f"usage.{name} is absurdly large")
    return value


def _text(parent: Mapping[str, object], name: str) -> str | None:
    value = parent.get(name)
    if isinstance(value, str):
        return clean(value)
    if value is None:
        return None
    raise ValueError(f"usage.{name} is not text")
