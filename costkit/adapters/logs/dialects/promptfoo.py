"""Results of promptfoo: a whole evaluation as JSON, or one result a line.

Quirks: `tokenUsage.prompt` includes cached tokens, `completionDetails` says how many; an answer out of promptfoo's own
cache counts its tokens as `cached` only and was not billed; the totals in `stats` repeat the results; what the graders
used is known without their model, so it is counted and has no price; a result has no time of its own, the evaluation
has one. `cost` is in dollars by promptfoo's prices, but anything where the provider is a gateway or a program of one's
own. Written against promptfoo 0.121.
"""

from __future__ import annotations

from collections.abc import Iterator

from costkit.adapters.logs.dialects.charges import charge_of
from costkit.adapters.logs.dialects.counted import (
    REPLAYED,
    Call,
    Part,
    child,
    children,
    disjoint,
    first_of,
    model_name,
    record,
    skipped,
)
from costkit.adapters.logs.dialects.dialect import Found, Holder, Unbilled
from costkit.adapters.logs.documents import Document

_PRICED = ("anthropic:", "bedrock:", "vertex:", "openai:", "azure:", "google:")
"""The providers whose answers promptfoo prices itself, in dollars."""


def recognise(document: Document) -> Found | None:
    """Read an evaluation or one of its results."""
    line = document.value
    if "promptIdx" in line and "provider" in line:
        return list(_result(document, line, None, line.get("evalId")))
    results = line.get("results")
    inner = child(line, "results")
    listed = children(inner.get("results") if inner else results)
    if not listed or "promptIdx" not in listed[0]:
        return [] if "evalId" in line and (inner or isinstance(results, list)) else None
    time = first_of(inner, ("timestamp",)) or first_of(line, ("timestamp", "createdAt"))
    return [part for result in listed for part in _result(document, result, time, line.get("evalId"))]


def _result(document: Document, result: Holder, time: object, evaluation: object) -> Iterator[Part]:
    response = child(result, "response")
    usage = child(response, "tokenUsage")
    provider = child(result, "provider") or {"id": result.get("provider")}
    name = result.get("id")
    if name is None and evaluation is not None:
        name = f"{evaluation}:{result.get('testIdx')}:{result.get('promptIdx')}"
    provided = provider.get("id")
    priced = isinstance(provided, str) and provided.startswith(_PRICED)
    cost = first_of(response, ("cost",))
    charge = charge_of("promptfoo", result.get("cost") if cost is None else cost, response, in_dollars=priced)
    yield from _call(document, usage, response, Call({}, model_name(provided), name, time=time, charge=charge))
    graded = child(child(result, "gradingResult"), "tokensUsed")
    grading = None if name is None else f"{name}:grading"
    yield from _call(document, graded, {}, Call({}, None, grading, time=time))


def _call(document: Document, usage: Holder, response: Holder, call: Call) -> Iterator[Part]:
    tokens, output = usage.get("prompt"), usage.get("completion")
    if not tokens and not output:
        if response.get("cached") or usage.get("cached"):
            yield Unbilled(REPLAYED)
        return
    if response.get("cached"):
        yield Unbilled(REPLAYED)
        return
    details = child(usage, "completionDetails")
    read, write = details.get("cacheReadInputTokens"), details.get("cacheCreationInputTokens")
    try:
        counts = disjoint(tokens, output, read, write, includes_cache=True)
    except ValueError as problem:
        yield skipped(document, problem)
        return
    yield record(document, call._replace(usage=counts))
