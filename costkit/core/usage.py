"""Usage: what one or many requests consumed, in the API's own disjoint buckets."""

from __future__ import annotations

from dataclasses import dataclass

from costkit.errors import InvalidInput

_WHOLE = {int}


@dataclass(frozen=True, slots=True)
class Usage:
    """Whole tokens by price bucket; adding two usages is the only way to merge them.

    The buckets are disjoint, as the API reports them: `input_tokens` counts only what was neither read from
    nor written to the cache, and `output_tokens` already contains thinking. `Usage()` is the neutral element.
    Raises `InvalidInput` for a count that is negative or not an `int`: it would make a bill smaller or inexact.
    """

    input_tokens: int = 0
    cache_read_input_tokens: int = 0
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0
    output_tokens: int = 0
    web_search_requests: int = 0

    def __post_init__(self) -> None:
        counts = (
            self.input_tokens,
            self.cache_read_input_tokens,
            self.ephemeral_5m_input_tokens,
            self.ephemeral_1h_input_tokens,
            self.output_tokens,
            self.web_search_requests,
        )
        if {*map(type, counts)} == _WHOLE and min(counts) >= 0:  # a report of a large log does this millions of times
            return
        for name, count in zip(self.__slots__, counts, strict=True):
            if type(count) is not int or count < 0:
                raise InvalidInput(f"{name} must be a whole number from 0, not {count!r}")

    @property
    def cache_creation_input_tokens(self) -> int:
        """All tokens written to the cache, whatever their time to live."""
        return self.ephemeral_5m_input_tokens + self.ephemeral_1h_input_tokens

    @property
    def prompt_tokens(self) -> int:
        """The whole prompt: what decides the price tier of one request."""
        return self.input_tokens + self.cache_read_input_tokens + self.cache_creation_input_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cache_read_input_tokens + other.cache_read_input_tokens,
            self.ephemeral_5m_input_tokens + other.ephemeral_5m_input_tokens,
            self.ephemeral_1h_input_tokens + other.ephemeral_1h_input_tokens,
            self.output_tokens + other.output_tokens,
            self.web_search_requests + other.web_search_requests,
        )

    def __mul__(self, times: int) -> Usage:
        """The usage of `times` requests like this one."""
        return Usage(
            self.input_tokens * times,
            self.cache_read_input_tokens * times,
            self.ephemeral_5m_input_tokens * times,
            self.ephemeral_1h_input_tokens * times,
            self.output_tokens * times,
            self.web_search_requests * times,
        )

    def as_json(self) -> dict[str, int]:
        """The `usage` object of costkit's JSON documents."""
        return {
            "input_tokens": self.input_tokens,
            "cache_read_input_tokens": self.cache_read_input_tokens,
            "cache_creation_input_tokens": self.cache_creation_input_tokens,
            "ephemeral_5m_input_tokens": self.ephemeral_5m_input_tokens,
            "ephemeral_1h_input_tokens": self.ephemeral_1h_input_tokens,
            "output_tokens": self.output_tokens,
            "web_search_requests": self.web_search_requests,
        }
