"""What need not be sent at all: refused requests, requests and tool results that were sent before."""

from __future__ import annotations

from dataclasses import replace

from costkit.advise.call import Call, Sketch
from costkit.advise.replay import dropped, replayed
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload

STUB_TOKENS = 20
"""What stands where a repeated tool result was: a sentence that names the earlier one."""


def refused_requests(work: Workload) -> Proposal | None:
    """Responses that were refused, and those that `max_tokens` cut off before the same request was sent again."""
    refused = [index for index, call in enumerate(work.calls) if call.refused and call.is_request]
    cut = _cut_off(work)
    touched = sorted({*refused, *cut})
    if not touched:
        return None
    again = _repeats(work, refused)
    drops = {index: dropped(work.calls[index]) for index in touched}
    worst = {index: drops[index] for index in {*again, *cut}}
    output = sum(work.calls[index].usage.output_tokens for index in touched)
    return Proposal(
        after=replayed(work, work.changed(drops)),
        worst=replayed(work, work.changed(worst)),
        touched=touched,
        tokens=sum(work.calls[index].usage.prompt_tokens for index in touched) + output,
        title="billed, but refused or cut off",
        what=f"{len(refused):,} refused ({len(again):,} of them sent before), {len(cut):,} cut off and sent again",
        remedy="don't send refused requests again; screen such input; raise max_tokens where answers are cut",
        risk="screening can turn down what would have been answered; a higher max_tokens may let answers grow",
        certainty="candidate",
        how=('if message.stop_reason == "refusal": don\'t retry, and tell the user why',),
    )


def _repeats(work: Workload, refused: list[int]) -> list[int]:
    seen: set[bytes] = set()
    again = []
    for index in refused:
        sketch = work.calls[index].sketch
        if sketch is not None and sketch.digest in seen:
            again.append(index)
        elif sketch is not None:
            seen.add(sketch.digest)
    return again


def _cut_off(work: Workload) -> list[int]:
    """Answers that were cut off, where the same blocks were sent again later."""
    last: dict[tuple[str, bytes], int] = {}
    found = []
    for index in range(len(work.calls) - 1, -1, -1):
        call = work.calls[index]
        if call.replayable is None or call.simulated:
            continue
        key = (call.model.id, bytes(call.replayable.identities))
        if call.stop_reason == "max_tokens" and key in last:
            found.append(index)
        last[key] = index
    return found


def identical_requests(work: Workload) -> Proposal | None:
    """Whole requests that were sent before, to the last byte."""
    first: dict[tuple[str, bytes], int] = {}
    again = []
    for index, call in enumerate(work.calls):
        if call.sketch is None or call.refused or call.stop_reason in ("refusal", "max_tokens", "pause_turn"):
            continue
        key = (call.model.id, call.sketch.digest)
        if first.setdefault(key, index) != index:
            again.append(index)
    if not again:
        return None
    originals = {(call.model.id, call.sketch.digest) for call in (work.calls[i] for i in again) if call.sketch}
    return Proposal(
        after=replayed(work, work.changed({index: dropped(work.calls[index]) for index in again})),
        touched=again,
        tokens=sum(_all_tokens(work.calls[index]) for index in again),
        title="identical requests sent again",
        what=f"{many(len(again), 'request')} the same as one of {len(originals):,} before, in all that the log tells",
        remedy="keep answers by the digest of the request, and answer from there",
        risk="the same answer every time: not for samples drawn on purpose; decide how long one holds",
        certainty="likely",
        worst=work,
        how=("key = sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()  # store the Message under it",),
    )


def _all_tokens(call: Call) -> int:
    return call.usage.prompt_tokens + call.usage.output_tokens


def repeated_tool_calls(work: Workload) -> Proposal | None:
    """The same tool called with the same input and the same result, again within one conversation."""
    changes: dict[int, Call] = {}
    results: set[int] = set()
    tokens = 0
    for index, call in enumerate(work.calls):
        sketch = call.replayable
        if sketch is not None and sketch.has_text:
            shorter, found, saved = _without_repeats(work, sketch)
            if found:
                changes[index] = replace(call, sketch=shorter)
                results |= found
                tokens += saved
    if not changes:
        return None
    return Proposal(
        after=replayed(work, work.changed(changes)),
        touched=sorted(changes),
        tokens=tokens,
        title="the same tool call again, with the same result",
        what=f"{many(len(results), 'result')} the same as an earlier one of its session: {tokens:,} tokens sent again",
        remedy="keep tool results by name and input for the session, and return a reference to the earlier one",
        risk=f"the model must look back for the result; {STUB_TOKENS} tokens are counted for each reference",
        certainty="likely",
        worst=work,
        how=('{"type": "tool_result", "tool_use_id": id, "content": "unchanged: same result as above"}',),
    )


def _without_repeats(work: Workload, sketch: Sketch) -> tuple[Sketch, set[int], int]:
    facts = work.sketcher.facts
    seen: set[tuple[bytes, bytes]] = set()
    stubs: dict[int, tuple[int, int]] = {}
    for position, identity in enumerate(sketch.identities):
        known = facts.get(identity)
        if known is None or known.tool_call is None or known.answer is None:
            continue
        call = (known.tool_call, known.answer)
        less = sketch.sizes[position] - STUB_TOKENS
        if call in seen and less > 0:
            stubs[position] = (work.sketcher.number(("repeated", identity)), -less)
        seen.add(call)
    repeated = {sketch.identities[position] for position in stubs}
    return sketch.with_blocks(stubs), repeated, -sum(more for _, more in stubs.values())
