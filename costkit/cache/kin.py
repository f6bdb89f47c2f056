"""Which earlier request a request was meant to share its prefix with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from costkit.cache.content import content_bytes
from costkit.cache.sent import Sent
from costkit.cache.traffic import LoggedRequest
from costkit.core.request import Request

_ALIKE = 0.5
"""Share of bytes that two texts have in common at their ends for one to be taken for a new version of the other."""


@dataclass(slots=True)
class Kin:
    """Finds the predecessor: the one that a request names, else that with most of its tokens, else its look-alike."""

    _by_message: dict[str, int] = field(default_factory=dict)
    _by_block: dict[int, int] = field(default_factory=dict)
    _by_look: dict[tuple[object, ...], int] = field(default_factory=dict)

    def of(self, logged: LoggedRequest, sent: Sent, earlier: Sequence[LoggedRequest]) -> int | None:
        """The index of the predecessor among the earlier requests; `None` if there is none."""
        named = self._by_message.get(logged.previous_message_id or "")
        if named is not None:
            return named
        votes = Counter[int]()
        start = 0
        for identity, end in zip(sent.identities, sent.prompt.ends, strict=True):
            if identity in self._by_block:
                votes[self._by_block[identity]] += end - start
            start = end
        if votes:
            return max(votes, key=lambda index: (votes[index], index))
        looks = self._by_look.get(_look(logged.request))
        return looks if looks is not None and _alike(earlier[looks].request, logged.request) else None

    def add(self, index: int, logged: LoggedRequest, sent: Sent) -> None:
        """Remember a request as a possible predecessor."""
        if logged.message_id:
            self._by_message[logged.message_id] = index
        self._by_block.update(dict.fromkeys(sent.identities, index))
        self._by_look[_look(logged.request)] = index


def _look(request: Request) -> tuple[object, ...]:
    tools = tuple(sorted(str(tool.value.get("name")) for tool in request.level("tools")))
    return (tools, len(request.level("system")))


def _alike(earlier: Request, later: Request) -> bool:
    """Whether the first blocks are versions of one text: mostly the same at the beginning and at the end."""
    old, new = content_bytes(earlier.blocks[0]), content_bytes(later.blocks[0])
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
    return head + tail >= _ALIKE * max(len(old), len(new))
