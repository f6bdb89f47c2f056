"""What could be said in fewer tokens: indented JSON, and prompts just above a price tier."""

from __future__ import annotations

from dataclasses import replace

from costkit.advise.call import Call, Sketch
from costkit.advise.replay import replayed
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload
from costkit.core.usage import Usage

_NEAR_NUMERATOR, _NEAR_DENOMINATOR = 11, 10
"""How far above a tier's end a prompt is still just over it: a tenth."""


def indented_json(work: Workload) -> Proposal | None:
    """JSON that is sent with line breaks and indentation."""
    changes: dict[int, Call] = {}
    blocks: set[int] = set()
    saved = 0
    for index, call in enumerate(work.calls):
        sketch = call.replayable
        if sketch is None or not sketch.has_text:
            continue
        found = {i for i in sketch.identities if (known := work.sketcher.facts.get(i)) and known.indentation}
        if found:
            shorter = _compacted(work, sketch, found)
            saved += sketch.tokens - shorter.tokens
            blocks |= found
            changes[index] = replace(call, sketch=shorter)
    if not changes:
        return None
    return Proposal(
        after=replayed(work, work.changed(changes)),
        touched=sorted(changes),
        tokens=saved,
        title="indented JSON in prompts",
        what=f"{saved:,} tokens of white space between JSON values, in {many(len(blocks), 'distinct block')}",
        remedy="write JSON without white space before it goes into a prompt",
        risk="none known for reading it; check that examples of the output you want keep their layout",
        certainty="computed",
        how=('json.dumps(value, ensure_ascii=False, separators=(",", ":"))',),
    )


def _compacted(work: Workload, sketch: Sketch, found: set[int]) -> Sketch:
    return sketch.with_blocks(
        {
            position: (work.sketcher.number(("compact", identity)), -work.sketcher.facts[identity].indentation)
            for position, identity in enumerate(sketch.identities)
            if identity in found
        }
    )


def tier_cliff(work: Workload) -> Proposal | None:
    """Prompts that are just too long for the cheaper rates, which would hold for all of their tokens."""
    changes: dict[int, Call] = {}
    excess = 0
    models: set[str] = set()
    for index, call in enumerate(work.calls):
        end = _tier_end(call)
        if end is not None:
            excess += call.usage.prompt_tokens - end
            changes[index] = replace(call, usage=_trimmed(call.usage, call.usage.prompt_tokens - end))
            models.add(f"{call.model.id} up to {end:,} tokens")
    if not changes:
        return None
    return Proposal(
        after=work.changed(changes),
        touched=sorted(changes),
        tokens=excess,
        title="prompts just over a price tier",
        what=f"{many(len(changes), 'prompt')} up to a tenth too long for a cheaper tier ({', '.join(sorted(models))})",
        remedy=f"shorten them: {many(excess, 'token')} in all cost the cheaper price of all the others",
        risk="what is left out is not read",
        certainty="candidate",
        worst=work,
        how=("costkit estimate PROMPT --tree   shows which block is long",),
    )


def _tier_end(call: Call) -> int | None:
    """Where the tier ends that a call only just misses."""
    period = call.model.fast_period(call.day) if call.fast else call.model.period(call.day)
    for tier in period.tiers if period is not None and call.is_request else ():
        if tier.up_to is None:
            return None
        if call.usage.prompt_tokens * _NEAR_DENOMINATOR <= tier.up_to * _NEAR_NUMERATOR:
            return tier.up_to if call.usage.prompt_tokens > tier.up_to else None
    return None


def _trimmed(usage: Usage, excess: int) -> Usage:
    """The usage without so many prompt tokens: the cheapest to send go first, so that too much is never promised."""
    counts = [usage.cache_read_input_tokens, usage.input_tokens]
    counts += [usage.ephemeral_5m_input_tokens, usage.ephemeral_1h_input_tokens]
    for bucket, count in enumerate(counts):
        gone = min(count, excess)
        counts[bucket] -= gone
        excess -= gone
    read, plain, short, long = counts
    return Usage(plain, read, short, long, usage.output_tokens, usage.web_search_requests)
