"""Puts the data quality of a report together from what its summary and its pricing know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from costkit.core.usage import Usage
from costkit.report.beside import SourceComparison
from costkit.report.quality import Places, Quality, SkippedReason
from costkit.report.recorded import Comparison
from costkit.report.records import GLUED, TORN_LAST_LINE, UNREADABLE_TIME
from costkit.report.result import Unpriced
from costkit.report.shares import share_of
from costkit.report.summary import Omission, UsageSummary, place_text
from costkit.report.tally import Tally

_TORN = ("torn-json", TORN_LAST_LINE)


def quality_of(
    summary: UsageSummary,
    whole: Tally,
    untimed: Omission,
    unpriced: Sequence[Unpriced],
    recorded: Comparison | None,
    recorded_by: tuple[SourceComparison, ...],
) -> Quality:
    """Assess the data; `whole` is the tally of all responses that count, `untimed` what can't be placed in a range."""
    missing = sum(_tokens(entry.usage) for entry in unpriced)
    return Quality(
        summary.files,
        summary.documents,
        summary.other,
        tuple(sorted(summary.unbilled.items())),
        _skipped(summary, untimed),
        summary.duplicates,
        _places(omission for kind, omission in summary.remarks.items() if kind == GLUED),
        _places(omission for reason, omission in summary.skipped.items() if reason in _TORN),
        _places(omission for kind, omission in summary.remarks.items() if kind == UNREADABLE_TIME),
        whole.without_time,
        whole.placeholders,
        whole.incomplete,
        whole.refusals,
        whole.assumed_5m_tokens,
        sum(entry.requests for entry in unpriced),
        missing,
        share_of(missing, _tokens(whole.usage)),
        recorded,
        recorded_by,
    )


def _tokens(usage: Usage) -> int:
    return usage.prompt_tokens + usage.output_tokens


def _places(omissions: Iterable[Omission]) -> Places:
    both = Omission()
    for omission in omissions:
        both.absorb(omission)
    return Places(both.count, tuple(place_text(place) for place in both.places))


def _skipped(summary: UsageSummary, untimed: Omission) -> tuple[SkippedReason, ...]:
    omissions = dict(summary.skipped)
    if untimed.count:
        both = Omission()
        both.absorb(untimed)
        both.absorb(omissions.get("no-timestamp", Omission()))
        omissions["no-timestamp"] = both
    return tuple(
        SkippedReason(
            reason,
            omission.count,
            tuple(place_text(place) for place in omission.places),
            whole_files=not any(line for _, _, line in omission.places),
        )
        for reason, omission in sorted(omissions.items(), key=lambda item: (-item[1].count, item[0]))
    )
