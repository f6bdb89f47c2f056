"""`max_tokens` far above what is ever used: no dollars, but the worst case and the rate limits count with it."""

from __future__ import annotations

from dataclasses import replace

from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload
from costkit.core.money import display, minus, total

_TIMES = 4
_ROOM = 1_000


def generous_limits(work: Workload) -> Proposal | None:
    """Requests that may answer many times longer than any answer of their model in this log."""
    longest: dict[str, int] = {}
    for call in work.calls:
        if not call.simulated:
            longest[call.model.id] = max(longest.get(call.model.id, 0), call.usage.output_tokens)
    found = [
        index
        for index, call in enumerate(work.calls)
        if call.sketch is not None
        and not call.simulated
        and (call.sketch.max_tokens or 0) > _TIMES * longest[call.model.id] + _ROOM
    ]
    if not found:
        return None
    worst = {
        index: replace(work.calls[index], usage=replace(work.calls[index].usage, output_tokens=sketch.max_tokens or 0))
        for index in found
        if (sketch := work.calls[index].sketch) is not None
    }
    most = max(longest[work.calls[index].model.id] for index in found)
    above = minus(total(map(work.pricer.cost, worst.values())), work.cost_of(found))
    return Proposal(
        after=work,
        touched=found,
        tokens=sum(call.usage.output_tokens for call in worst.values()),
        title="max_tokens far above what is used",
        what=f"{many(len(found), 'request')} with room for {_TIMES} times the longest answer ({most:,} tokens)",
        remedy=f"set max_tokens to about {2 * most:,}",
        risk=(
            "saves nothing by itself: only what is generated is billed. It lowers the worst case "
            f"(by up to {display(above)} here) and what a budget has to reserve; too low a limit cuts answers off"
        ),
        certainty="computed",
        how=(f"max_tokens={2 * most}",),
        tells_anyway=True,
    )
