"""Where does the money go, and what would each remedy save? Applies the remedies one after the other and prices each.

The order is that of the tuple below: first what need not be sent, then what can be shorter, then speed and model, then
the cache, then what needs a decision of yours. Each saving is what is left after those before it, so they add up to the
last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from decimal import Decimal

from costkit.advise.assumptions import assumptions_of
from costkit.advise.batches import batch_candidates
from costkit.advise.breakpoints import (
    lost_breakpoints,
    simultaneous_requests,
    small_prefixes,
    uncached_prefixes,
    volatile_prefixes,
)
from costkit.advise.call import Item
from costkit.advise.contents import indented_json, tier_cliff
from costkit.advise.growth import growing_contexts
from costkit.advise.intake import Intake
from costkit.advise.judging import not_judged
from costkit.advise.lifetimes import expired_entries, hour_entries, idle_breakpoints
from costkit.advise.limits import generous_limits
from costkit.advise.misses import misses_by_cause
from costkit.advise.models import cheaper_successor, fast_mode, smaller_model
from costkit.advise.repeats import identical_requests, refused_requests, repeated_tool_calls
from costkit.advise.result import Advice, DaySum, Finding, Observed, ranked
from costkit.advise.sketch import Sketcher
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Remedy, Workload
from costkit.core.money import ZERO
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.core.tokens import TokenCounter
from costkit.errors import InvalidInput
from costkit.report.group import moment_of
from costkit.report.options import FoldOptions
from costkit.report.records import check_dedupe
from costkit.report.result import Period

ORDER: tuple[tuple[str, Remedy], ...] = (
    ("refused-requests", refused_requests),
    ("identical-requests", identical_requests),
    ("repeated-tool-calls", repeated_tool_calls),
    ("indented-json", indented_json),
    ("tier-cliff", tier_cliff),
    ("fast-mode", fast_mode),
    ("cheaper-successor", cheaper_successor),
    ("simultaneous-requests", simultaneous_requests),
    ("lost-breakpoints", lost_breakpoints),
    ("expired-entries", expired_entries),
    ("hour-entries", hour_entries),
    ("idle-breakpoints", idle_breakpoints),
    ("uncached-prefixes", uncached_prefixes),
    ("volatile-prefixes", volatile_prefixes),
    ("small-prefixes", small_prefixes),
    ("growing-contexts", growing_contexts),
    ("batch-candidates", batch_candidates),
    ("smaller-model", smaller_model),
    ("generous-limits", generous_limits),
)
PLACES = 5
MOST_COUNTED = 1_000_000
"""Characters of distinct blocks that are counted unless all are asked for: a few seconds for a tokenizer."""


@dataclass(frozen=True, slots=True)
class AdviseOptions:
    """What is asked of the log."""

    as_of: date
    """The day whose models are proposed, and whose prices hold for responses without a time."""
    since: int | None = None
    until: int | None = None
    """Half-open range in microseconds since 1970."""
    dedupe: str = "auto"
    zone: tzinfo = UTC
    """Cuts the days of the headline."""
    most_counted: int | None = None
    """Characters of distinct blocks after which their tokens are scaled from their length; `None` counts all."""

    def __post_init__(self) -> None:
        check_dedupe(self.dedupe)
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidInput("--since must come before --until")


def advise_on(items: Iterable[Item], counter: TokenCounter, book: PriceBook, options: AdviseOptions) -> Advice:
    """Read a log and say what would have been cheaper, each remedy priced on this very traffic.

    Nothing raises for what a log holds: unreadable lines and unknown models are in `skipped` and `unpriced`.
    """
    fold = FoldOptions(options.dedupe, (), options.since, options.until)
    intake = Intake(Sketcher(counter, book, options.as_of, options.most_counted), book, options.as_of, fold)
    intake.take(items)
    work = intake.workload()
    findings, after = _apply(work)
    misses, notices = misses_by_cause(work, book, options.as_of)
    unpriced = intake.unpriced()
    return Advice(
        work.total_usd,
        sum(call.is_request for call in work.calls),
        ranked(findings),
        tuple(not_judged(work)),
        misses,
        tuple(_days(work, after)),
        _period(work, options.zone),
        unpriced,
        intake.left_out(),
        intake.duplicates,
        (*notices, *_notices(work, unpriced_requests=sum(entry.requests for entry in unpriced))),
        tuple(assumptions_of(findings, work)),
    )


def _apply(work: Workload) -> tuple[list[Finding], Workload]:
    original = work
    findings: list[Finding] = []
    for code, remedy in ORDER:
        proposal = remedy(work)
        if proposal is None:
            continue
        saving = max(ZERO, work.saving_of(proposal.after))
        if saving or proposal.tells_anyway:
            at_worst = saving if proposal.worst is None else min(saving, work.saving_of(proposal.worst))
            findings.append(_finding(code, proposal, saving, at_worst, original, len(findings) + 1))
        if saving:
            work = proposal.after
    return findings, work


def _finding(
    code: str, proposal: Proposal, saving: Decimal, at_least: Decimal, original: Workload, order: int
) -> Finding:
    touched = proposal.touched
    places = tuple(dict.fromkeys(original.calls[index].where for index in touched[: 10 * PLACES]))[:PLACES]
    observed = Observed(
        sum(original.calls[index].is_request for index in touched),
        proposal.tokens,
        original.cost_of(touched),
        places,
    )
    return Finding(
        code,
        proposal.title,
        order,
        saving,
        at_least,
        proposal.certainty,
        observed,
        proposal.what,
        proposal.remedy,
        proposal.risk,
        proposal.how,
        proposal.detail,
    )


def _days(before: Workload, after: Workload) -> Iterator[DaySum]:
    """What each UTC day cost, and would have cost."""
    days = before.groups(lambda call: call.day.isoformat() if call.at is not None else None)
    for day, indices in sorted(days.items(), key=lambda entry: str(entry[0])):
        yield DaySum(str(day), before.cost_of(indices), after.cost_of(indices))


def _period(work: Workload, zone: tzinfo) -> Period:
    times = [call.at for call in work.calls if call.at is not None]
    return Period(moment_of(min(times)), moment_of(max(times)), zone) if times else Period(None, None, zone)


def _notices(work: Workload, *, unpriced_requests: int) -> Iterator[Notice]:
    simulated = sum(call.simulated for call in work.calls)
    if simulated:
        message = (
            f"{many(simulated, 'request')} without a response: the input is priced as the cache rules say, the "
            "output is not in this"
        )
        yield Notice("usage-not-logged", message)
    if unpriced_requests:
        yield Notice(
            "unpriced", f"{many(unpriced_requests, 'request')} without a known price, and without a part in this"
        )
    if work.sketcher.scaled:
        message = (
            f"the tokens of {work.sketcher.scaled:,} blocks were scaled from their length, by those that were counted "
            "before: --tokens offline counts every block"
        )
        yield Notice("tokens-scaled", message)
    if not work.calls:
        yield Notice("nothing-to-judge", "no response with a price was found: advise reads what report reads")
