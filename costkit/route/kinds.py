"""What a request needs: how complex it is, and whether it needs code or reasoning; with the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from costkit.core.usage import Usage

COMPLEXITIES = ("simple", "moderate", "complex")


class Kind(NamedTuple):
    """One of the twelve kinds of request that routes are chosen by."""

    complexity: str
    """One of `COMPLEXITIES`."""
    code: bool = False
    """Whether it is about writing or reading code."""
    reasoning: bool = False
    """Whether the answer has to be worked out."""

    def __str__(self) -> str:
        needs = [name for name, needed in (("code", self.code), ("reasoning", self.reasoning)) if needed]
        return f"{self.complexity}, {' and '.join(needs)}" if needs else self.complexity


ALL_KINDS = tuple(
    Kind(complexity, code, reasoning)
    for complexity in COMPLEXITIES
    for code in (False, True)
    for reasoning in (False, True)
)


class Reason(NamedTuple):
    """One rule that decided something about a request."""

    about: str
    """`complexity`, `code`, `reasoning` or `fallback`."""
    rule: str
    """The name of the rule."""
    because: str
    """What it saw in this request."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a classifier says about one request."""

    kind: Kind | None
    """`None` where it has no usable answer: the request then goes to the safe model."""
    reasons: tuple[Reason, ...]
    """At least one."""
    usage: Usage | None = None
    """What a model that classified was billed for this request; `None` for rules."""
    is_remembered: bool = False
    """Whether the answer was known from an earlier time, and not paid for again."""
    is_batch: bool = False
    """Whether the answer came from a Message Batch, at half price."""
