"""Requests that nobody seems to have waited for: candidates for Message Batches at half price."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from costkit.advise.call import Call
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload
from costkit.cache.marks import SECOND
from costkit.core.usage import Usage

_WORDS = re.compile(
    r"(?:^|[^a-z])(batch|nightly|eval|evals|offline|backfill|cron|bulk|enrich|enrichment|embed|index|indexing|export|"
    r"digest|ingest|migration|classification|labelling|labeling|report|reports|job|pipeline)(?:[^a-z]|$)",
    re.IGNORECASE,
)
"""What people call work that runs by itself."""
_FEWEST = 10
_BURST_GAP = 2 * SECOND
_BURST_NUMERATOR, _BURST_DENOMINATOR = 4, 5
_FEWEST_DAYS = 3
_HOUR = 3600 * SECOND
_DAY_HOURS = 24


def batch_candidates(work: Workload) -> Proposal | None:
    """Groups of requests whose tags, rhythm or hour say that nobody sat in front of them."""
    changes: dict[int, Call] = {}
    lines: list[tuple[str, str]] = []
    for name, indices in work.groups(_group).items():
        usable = [index for index in indices if _could_wait(work.calls[index])]
        sign = _sign([work.calls[index] for index in usable])
        if sign is None:
            continue
        moved = {index: _in_batch(work.calls[index]) for index in usable}
        cheaper = {index: call for index, call in moved.items() if work.saves(index, call) > 0}
        if cheaper:
            changes |= cheaper
            lines.append((str(name), f"{many(len(cheaper), 'request')}: {sign}"))
    if not changes:
        return None
    return Proposal(
        after=work.changed(changes),
        worst=work,
        touched=sorted(changes),
        tokens=sum(call.usage.prompt_tokens + call.usage.output_tokens for call in changes.values()),
        title="candidates for batches",
        what=f"{many(len(changes), 'request')} that nobody seems to have waited for: {_signs(lines)}",
        remedy="send them as a Message Batch: half the price for every token",
        risk="answers within 24 hours, mostly within one; cache reads in batches are best effort, so none are counted",
        certainty="candidate",
        how=("costkit batch submit REQUESTS.jsonl", "costkit batch collect JOB --wait"),
        detail=tuple(lines),
    )


def _group(call: Call) -> str | None:
    if call.batch or call.fast or not call.is_request:
        return None
    if call.tags:
        return ", ".join(f"{name}={value}" for name, value in call.tags)
    return call.project or call.where.rpartition(":")[0]


def _could_wait(call: Call) -> bool:
    """A turn that a tool has to answer is part of a loop, and each round of a batch takes its time."""
    return call.stop_reason not in ("tool_use", "pause_turn")


def _in_batch(call: Call) -> Call:
    """The same request in a batch where nothing is found in the cache, and nothing written to it."""
    usage = call.usage
    plain = Usage(usage.prompt_tokens, 0, 0, 0, usage.output_tokens, usage.web_search_requests)
    return replace(call, batch=True, sketch=None, usage=plain)


def _sign(calls: Sequence[Call]) -> str | None:
    """What says that nobody waited; `None` where nothing does."""
    words = (_WORDS.search(value) for call in calls[:1] for _, value in call.tags)
    word = next((word for word in words if word is not None), None)
    if word is not None:
        return f"the tag says {word.group(1).lower()!r}"
    starts = sorted(call.at for call in calls if call.at is not None)
    if len(starts) < _FEWEST:
        return None
    quick = sum(later - earlier <= _BURST_GAP for earlier, later in pairwise(starts))
    if quick * _BURST_DENOMINATOR >= (len(starts) - 1) * _BURST_NUMERATOR:
        return f"bursts, {quick:,} of {len(starts) - 1:,} within two seconds of the one before"
    return _by_the_clock(starts)


def _by_the_clock(starts: Sequence[int]) -> str | None:
    """Requests of several days that all fall into one hour of the day."""
    days = {start // (_DAY_HOURS * _HOUR) for start in starts}
    hours = Counter(start // _HOUR % _DAY_HOURS for start in starts)
    hour, _ = hours.most_common(1)[0]
    if len(days) >= _FEWEST_DAYS and len(hours) == 1:
        return f"always in the hour from {hour:02}:00 UTC, on {len(days)} days"
    return None


def _signs(lines: Sequence[tuple[str, str]]) -> str:
    shown = "; ".join(f"{name}: {sign.partition(': ')[2]}" for name, sign in lines[:3])
    return shown + (f"; and {len(lines) - 3} more groups" if len(lines) > 3 else "")  # noqa: PLR2004  three are shown
