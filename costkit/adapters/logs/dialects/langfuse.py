"""Exports of Langfuse: observations one a line, in pages of the public API, or inside their trace.

Quirks: the counts of `usageDetails` are disjoint (`input` leaves out `input_cache_read` and `input_cache_creation`),
under names that each integration chooses; if the total shows that the input includes cached tokens they are taken out.
What Langfuse could not find in the answer it estimates with a tokenizer, and does not say so. Older exports have
`usage` or `promptTokens`. Observations of agents may repeat the sums of those inside: see `traces`. Costs are dollars
by the prices set in Langfuse, or as they were handed to it; the total of a trace repeats them.
Documented at https://langfuse.com/docs/observability/features/token-and-cost-tracking
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from costkit.adapters.logs.dialects.charges import charge_of
from costkit.adapters.logs.dialects.counted import (
    Call,
    Part,
    Parts,
    child,
    children,
    disjoint,
    first_of,
    model_name,
    record,
    skipped,
    whole_number,
)
from costkit.adapters.logs.dialects.dialect import Found, Holder
from costkit.adapters.logs.documents import Document
from costkit.report.charge import Charge

Add = Callable[[str, str, str | None, Part | None], Parts]

_TRACE = ("traceId", "trace_id")
_PARENT = ("parentObservationId", "parent_observation_id")
_MARKS = ("usageDetails", "usage_details", "usage", "promptTokens", "inputUsage")
_MODEL = ("providedModelName", "provided_model_name", "model")
_INPUT = ("input", "input_tokens", "prompt_tokens", "promptTokens", "inputUsage")
_OUTPUT = ("output", "output_tokens", "completion_tokens", "completionTokens", "outputUsage")
_TOTAL = ("total", "total_tokens", "totalTokens", "totalUsage")
_COSTS = ("totalCost", "total_cost", "calculatedTotalCost", "calculated_total_cost")
_READ = ("cache_read_input_tokens", "input_cache_read", "input_cached_tokens", "input_cache_read_tokens")
_WRITE = ("cache_creation_input_tokens", "input_cache_creation", "input_cache_write")
_SHORT, _LONG = (
    ("input_cache_creation_5m", "ephemeral_5m_input_tokens"),
    ("input_cache_creation_1h", "ephemeral_1h_input_tokens"),
)


def recognise(document: Document, add: Add) -> Found | None:
    """Read an observation, a page or a trace; `add` keeps the calls until their trace is complete."""
    observations = list(_observations(document.value))
    if not observations:
        return None
    found: list[Part] = []
    for item in observations:
        trace, name, parent = first_of(item, _TRACE), item.get("id"), first_of(item, _PARENT)
        parent = parent if isinstance(parent, str) else None
        found += add(str(trace), str(name), parent, _part(document, item))
    return found


def _observations(line: Holder) -> Iterator[Holder]:
    if _is_observation(line):
        yield line
        return
    for name in ("data", "observations"):
        listed = children(line.get(name))
        if listed and all(first_of(item, _TRACE) and "type" in item for item in listed):
            yield from listed


def _is_observation(line: Holder) -> bool:
    kind = line.get("type")
    is_known = isinstance(kind, str) and kind.isupper() and "id" in line
    return is_known and first_of(line, _TRACE) is not None and any(mark in line for mark in (*_MARKS, *_PARENT))


def _part(document: Document, item: Holder) -> Part | None:
    usage = child(item, "usageDetails") or child(item, "usage_details") or child(item, "usage")
    if not usage:
        usage = {name: item[name] for name in (*_INPUT[3:], *_OUTPUT[3:], *_TOTAL[2:]) if item.get(name) is not None}
    if first_of(usage, _INPUT) is None and first_of(usage, _OUTPUT) is None:
        return None
    try:
        told = _disjoint(usage)
    except ValueError as problem:
        return skipped(document, problem)
    call = Call(
        told,
        model_name(*(item.get(name) for name in _MODEL)),
        item.get("id"),
        time=first_of(item, ("startTime", "start_time", "timestamp")),
        session=first_of(item, ("sessionId", "session_id")),
        project=first_of(item, ("projectId", "project_id")),
        charge=_charge(item),
    )
    return record(document, call)


def _charge(item: Holder) -> Charge | None:
    details = child(item, "costDetails") or child(item, "cost_details")
    cost = details.get("total")
    if cost is None:
        cost = first_of(item, _COSTS)
    if cost is None:
        cost = first_of(child(item, "usage"), _COSTS[:2])
    return charge_of("langfuse", cost, item)


def _disjoint(usage: Holder) -> dict[str, object]:
    if usage.get("unit") not in (None, "TOKENS"):
        raise ValueError("usage is not counted in tokens")
    given, output = first_of(usage, _INPUT), first_of(usage, _OUTPUT)
    read, write = first_of(usage, _READ), first_of(usage, _WRITE)
    short, long = whole_number(first_of(usage, _SHORT)), whole_number(first_of(usage, _LONG))
    created = max(whole_number(write), short + long)
    cached = whole_number(read) + created
    together = whole_number(given) + whole_number(output)
    includes = cached > 0 and whole_number(first_of(usage, _TOTAL)) == together
    found = disjoint(given, output, read, created, includes_cache=includes)
    if short or long:
        found["cache_creation"] = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    return found
