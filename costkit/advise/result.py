"""The answer of `costkit advise`: findings ranked by dollars, that add up, and what could not be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from costkit.cache.miss import CauseSum
from costkit.core.money import ZERO, exact_text, total
from costkit.core.notice import Assumption, Notice
from costkit.report.quality import SkippedReason
from costkit.report.result import Period, Unpriced

CERTAINTIES = ("computed", "likely", "candidate")
"""`computed`: the same answers for less; `likely`: rests on an assumption that is named; `candidate`: only you know
whether it can be done."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the log shows of a finding, before anything is remedied."""

    requests: int
    tokens: int
    """The tokens that the finding is about."""
    cost_usd: Decimal
    """What these requests cost, all of their tokens together."""
    places: tuple[str, ...]
    """The first few, `file:line`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of waste with its remedy; `saving_usd` is what is left to save after the findings of a lower `order`."""

    code: str
    title: str
    order: int
    """From 1: in which order the remedies are applied, so that no token is saved twice."""
    saving_usd: Decimal
    at_least_usd: Decimal
    """The same if every assumption turns out at its worst; negative where it could then cost more."""
    certainty: str
    observed: Observed
    what: str
    """What was observed, in a sentence."""
    remedy: str
    risk: str
    """What it costs or risks."""
    how: tuple[str, ...]
    """The command or the lines that do it."""
    detail: tuple[tuple[str, str], ...] = ()
    """More numbers by name, such as what other models would have cost."""


class NotJudged(NamedTuple):
    """A kind of finding that this log can't show, and what to log for it."""

    code: str
    title: str
    requests: int
    """For how many requests it could not be judged."""
    reason: str
    log: str


@dataclass(frozen=True, slots=True)
class DaySum:
    """One UTC day before and after all remedies."""

    day: str
    cost_usd: Decimal
    after_usd: Decimal


@dataclass(frozen=True, slots=True)
class Advice:
    """Where the money went, and what each remedy would have saved."""

    spent_usd: Decimal
    requests: int
    findings: tuple[Finding, ...]
    """Those that save most first; their savings add up to `saving_usd`."""
    not_judged: tuple[NotJudged, ...]
    misses: tuple[CauseSum, ...]
    """Cache misses by cause, where the log has the requests."""
    days: tuple[DaySum, ...]
    period: Period
    unpriced: tuple[Unpriced, ...]
    skipped: tuple[SkippedReason, ...]
    duplicates: int
    notices: tuple[Notice, ...]
    assumptions: tuple[Assumption, ...] = ()

    @property
    def saving_usd(self) -> Decimal:
        """What all remedies together save."""
        return total(finding.saving_usd for finding in self.findings)

    def saving_of(self, certainty: str) -> Decimal:
        """What the findings of one certainty save."""
        return total(finding.saving_usd for finding in self.findings if finding.certainty == certainty)

    def as_json(self) -> dict[str, object]:
        """The `result` of the JSON document."""
        return {
            "spent_usd": self.spent_usd,
            "requests": self.requests,
            "saving_usd": self.saving_usd,
            "saving_by_certainty_usd": {name: exact_text(self.saving_of(name)) for name in CERTAINTIES},
            "findings": self.findings,
            "order": [finding.code for finding in sorted(self.findings, key=lambda finding: finding.order)],
            "not_judged": self.not_judged,
            "cache_misses": self.misses,
            "days": self.days,
            "period": self.period,
            "complete": not self.unpriced,
            "unpriced": self.unpriced,
            "skipped": self.skipped,
            "duplicates": self.duplicates,
        }


def ranked(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The dearest first; of those that save nothing, in the order in which they were looked for."""
    return tuple(sorted(findings, key=lambda finding: (-finding.saving_usd, finding.order)))


NOTHING = Observed(0, 0, ZERO, ())
