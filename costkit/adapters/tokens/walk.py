"""Where in a conversation the next block stands: what it adds depends on what came before."""

from __future__ import annotations

from dataclasses import dataclass, field

from costkit.adapters.tokens.overheads import Profile
from costkit.core.request import Request


@dataclass(slots=True)
class Walk:
    """What all blocks share, and what the next block adds depends on."""

    request: Request
    profile: Profile
    kinds: list[str]
    last_prompt: int
    """The last user message that isn't a tool result: what comes after it is the running tool loop."""
    message: int = -1
    turn: int = -1
    """The first of the messages of one role in a row: the API makes one of them."""
    role: str | None = None
    text: str = ""
    """The text that the next block follows within its message."""
    calls: int = 0
    called: dict[str, str] = field(default_factory=dict)
    """Names of the tools called so far, by the id of the call."""
    together: dict[int, list[str]] = field(default_factory=dict)
    """The ids of the calls of each turn."""
    after_result: bool = False

    def rule(self, name: str) -> float:
        """A constant of tool rounds for this family."""
        return self.profile.rule("rounds", name)
