"""How good the data of a report are: everything that was merged, odd, doubtful or not read, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from costkit.report.beside import SourceComparison
from costkit.report.recorded import Comparison


class Places(NamedTuple):
    """How often something was met, and the first few places (`file:line`)."""

    times: int = 0
    examples: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The count and the places."""
        return {"count": self.times, "examples": list(self.examples)}


NOWHERE = Places()


@dataclass(frozen=True, slots=True)
class SkippedReason:
    """What was skipped for one reason, and the first few places (`file:line`)."""

    reason: str
    count: int
    examples: tuple[str, ...]
    whole_files: bool = False
    """Whether files were skipped, not lines."""

    def as_json(self) -> dict[str, object]:
        """The entry of `skipped`."""
        return {"reason": self.reason, "count": self.count, "examples": list(self.examples)}


class Quality(NamedTuple):
    """The `quality` of a report; counts are of responses unless they say otherwise."""

    files: int = 0
    documents: int = 0
    """JSON documents that were read."""
    other: int = 0
    """Documents without a bill."""
    unbilled: tuple[tuple[str, int], ...] = ()
    """Responses that are known to cost nothing, by kind."""
    skipped: tuple[SkippedReason, ...] = ()
    duplicates: int = 0
    """Records that were copies of a response that counts once."""
    glued: Places = NOWHERE
    """Lines that held several documents, all of which were read."""
    torn: Places = NOWHERE
    """Lines that break off."""
    unreadable_times: Places = NOWHERE
    """Responses of which the time can't be read; they count as without one."""
    without_time: int = 0
    """Responses that don't say when they were made: priced as of one day, and in no day of their own."""
    placeholders: int = 0
    """Responses whose output count is a sub-agent's provisional one."""
    incomplete: int = 0
    """Responses whose recorded stream ended early."""
    refusals: int = 0
    assumed_5m_tokens: int = 0
    """Cache writes without a time to live, priced as 5-minute writes."""
    unpriced_requests: int = 0
    unpriced_tokens: int = 0
    unpriced_share: Decimal | None = None
    """The tokens without a price as a share of all tokens, from 0 to 1 in millionths; `None` without any."""
    recorded: Comparison | None = None
    """What clients recorded, beside what was calculated; `None` where nothing was, or only a part was asked for."""
    recorded_by: tuple[SourceComparison, ...] = ()
    """What other systems recorded for each response, beside what was calculated for the same."""

    def as_json(self) -> dict[str, object]:
        """The `quality` of `costkit report --json`."""
        share = self.unpriced_share
        return {
            "files": self.files,
            "documents": self.documents,
            "without_bill": self.other,
            "unbilled": [{"kind": kind, "count": count} for kind, count in self.unbilled],
            "skipped": [reason.as_json() for reason in self.skipped],
            "duplicates": self.duplicates,
            "glued": self.glued.as_json(),
            "torn": self.torn.as_json(),
            "unreadable_times": self.unreadable_times.as_json(),
            "without_time": self.without_time,
            "placeholders": self.placeholders,
            "incomplete_streams": self.incomplete,
            "refusals": self.refusals,
            "assumed_5m_tokens": self.assumed_5m_tokens,
            "unpriced": {
                "requests": self.unpriced_requests,
                "tokens": self.unpriced_tokens,
                "token_share": None if share is None else float(share),
            },
            "recorded": None if self.recorded is None else self.recorded.as_json(),
            "recorded_by": [source.as_json() for source in self.recorded_by],
        }
