"""The page of `costkit advise`: spent and what could be saved, then each finding, then what could not be judged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from costkit.advise import Advice, Finding, NotJudged
from costkit.core.money import display
from costkit.render.harmless import harmless
from costkit.render.text import percent, plural
from costkit.render.view import Column, Kind, Table, View
from costkit.report.quality import SkippedReason

_FEW = 2
SPOKEN = {
    "computed": "computed: the same answers for less",
    "likely": "likely: rests on an assumption that is named",
    "candidate": "candidate: only you know whether it can be done",
}


def advise_view(advice: Advice, footer: str, top: int | None = None) -> View:
    """What was spent, what all remedies together save, the findings that save most first."""
    shown = advice.findings[:top]
    tables = [_findings(advice, shown)] if shown else []
    if advice.misses:
        tables.append(misses_table(advice))
    facts = [line for finding in shown for line in told(finding)]
    hidden = len(advice.findings) - len(shown)
    if hidden:
        facts.append(f"{hidden:,} more: a larger --top shows them, --json has all")
    facts += [*summing_up(advice), *unjudged(advice), *_quality(advice), footer]
    return View(headline(advice), tuple(tables), tuple(facts), _next(advice))


def headline(advice: Advice) -> str:
    """The two amounts that matter, and what they are about."""
    at_least = "" if not advice.unpriced else "at least "
    parts = [f"{at_least}{display(advice.spent_usd)} spent", plural(advice.requests, "request")]
    if not advice.requests:
        return " · ".join([*parts, "nothing to judge"])
    if not advice.saving_usd:
        return " · ".join([*parts, "nothing found that would have cost less"])
    share = f" ({percent(advice.saving_usd / advice.spent_usd)})" if advice.spent_usd else ""
    parts.append(f"{display(advice.saving_usd)}{share} could be saved")
    sure = advice.saving_of("computed")
    if sure:
        parts.append(f"{display(sure)} of it with the same answers")
    return " · ".join(parts)


def _findings(advice: Advice, shown: tuple[Finding, ...]) -> Table:
    columns = (
        Column("finding", "title"),
        Column("", "code", for_people=False),
        Column("saves", "saving_usd", Kind.USD),
        Column("share", "share", Kind.SHARE, rank=4),
        Column("at least", "at_least_usd", Kind.USD, rank=3),
        Column("", "order", Kind.COUNT, for_people=False),
        Column("how sure", "certainty", rank=1),
        Column("requests", "requests", Kind.COUNT, rank=2),
        Column("tokens", "tokens", Kind.TOKENS, rank=5),
        Column("they cost", "cost_usd", Kind.USD, rank=6),
        Column("", "what", for_people=False),
        Column("", "remedy", for_people=False),
        Column("", "risk", for_people=False),
        Column("first place", "place", rank=7),
    )
    rows = tuple(
        (
            finding.title,
            finding.code,
            finding.saving_usd,
            finding.saving_usd / advice.spent_usd if advice.spent_usd else None,
            finding.at_least_usd,
            finding.order,
            finding.certainty,
            finding.observed.requests,
            finding.observed.tokens,
            finding.observed.cost_usd,
            finding.what,
            finding.remedy,
            finding.risk,
            next(iter(finding.observed.places), None),
        )
        for finding in shown
    )
    return Table(columns, rows)


def told(finding: Finding) -> Iterator[str]:
    """A finding in full: what was seen, what to do, what that risks, and the lines that do it."""
    yield f"{finding.title}"
    yield f"  seen    {finding.what}"
    for name, value in finding.detail:
        yield f"          {name}: {value}"
    yield f"  remedy  {finding.remedy}"
    yield f"  risk    {finding.risk}"
    for number, line in enumerate(finding.how):
        yield f"  {'' if number else 'how':<8}{line}"


def misses_table(advice: Advice) -> Table:
    """The missed reads by cause, and what they cost."""
    columns = (
        Column("cause", "cause"),
        Column("requests", "requests", Kind.COUNT),
        Column("tokens lost", "lost_tokens", Kind.TOKENS),
        Column("cost", "cost_usd", Kind.USD),
    )
    rows = tuple((miss.cause, miss.requests, miss.lost_tokens, miss.cost_usd) for miss in advice.misses)
    return Table(columns, rows, title="cache misses by cause, as the requests are written")


def summing_up(advice: Advice) -> Iterator[str]:
    """How the savings relate: in which order they were taken."""
    count = sum(finding.saving_usd > 0 for finding in advice.findings)
    if count > 1:
        order = " → ".join(
            finding.title for finding in sorted(advice.findings, key=lambda f: f.order) if finding.saving_usd > 0
        )
        yield f"savings add up: each is what is left after those before it, in the order {order}"


def unjudged(advice: Advice) -> Iterator[str]:
    """What could not be looked at, one line for each reason."""

    def why(entry: NotJudged) -> tuple[str, str, int]:
        return (entry.reason, entry.log, entry.requests)

    for (reason, log, requests), entries in groupby(advice.not_judged, key=why):
        titles = ", ".join(entry.title for entry in entries)
        yield f"not judged for {plural(requests, 'request')}, because {reason}: {titles}"
        yield f"  to see it: {log}"


def _quality(advice: Advice) -> Iterator[str]:
    parts = []
    if advice.duplicates:
        parts.append(f"{plural(advice.duplicates, 'duplicate line')} counted once")
    parts += [_skipped(skipped) for skipped in advice.skipped]
    parts += [
        f"{plural(entry.requests, 'request')} of {entry.model or 'no model'} unpriced ({entry.reason})"
        for entry in advice.unpriced
    ]
    if parts:
        yield " · ".join(parts)


def _skipped(skipped: SkippedReason) -> str:
    places = ", ".join(harmless(place) for place in skipped.examples[:_FEW])
    what = "file" if skipped.whole_files else "line"
    return f"{plural(skipped.count, what)} skipped ({skipped.reason}: {places}{', …' * (skipped.count > _FEW)})"


def _next(advice: Advice) -> str | None:
    codes = {finding.code for finding in advice.findings}
    if codes & {"uncached-prefixes", "idle-breakpoints", "volatile-prefixes"}:
        return "costkit cache plan LOG --apply DIR   writes the requests with better breakpoints"
    return "costkit report LOG --by day,model   shows where the money went" if advice.requests else None
