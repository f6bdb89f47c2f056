"""Logs of Inspect: an evaluation as JSON, or the samples of an `.eval` archive, which `containers` opens.

Quirks: the same tokens stand there three times, in `stats` for the evaluation, in `model_usage` for each sample and in
the events for each call. Counted are the calls; a sample without them counts by its own sums, an evaluation without
samples by its statistics, and then a sum stands for many requests. `input_tokens` leaves cached tokens out, as the API
does; where the API's answer was logged too it is read instead, because it knows the TTL of cache writes and the tier.
Calls answered from Inspect's own cache were not billed. `total_cost` is in dollars, by prices that were given to it.
Written against inspect-ai 0.3.285.
"""

from __future__ import annotations

from collections.abc import Iterator

from costkit.adapters.logs.dialects.charges import charge_of
from costkit.adapters.logs.dialects.counted import REPLAYED, Call, Part, child, children, first_of, model_name, record
from costkit.adapters.logs.dialects.dialect import Found, Holder, Unbilled
from costkit.adapters.logs.documents import Document

_SOURCE, _COST = "inspect", "total_cost"


def recognise(document: Document) -> Found | None:
    """Read an evaluation or one of its samples."""
    line = document.value
    if "epoch" in line and ("events" in line or "model_usage" in line):
        return list(_sample(document, line, None))
    evaluation = child(line, "eval")
    if "eval_id" not in evaluation and "run_id" not in evaluation:
        return None
    samples = children(line.get("samples"))
    if samples:
        return [part for sample in samples for part in _sample(document, sample, evaluation.get("task"))]
    stats = child(line, "stats")
    time = first_of(stats, ("completed_at", "started_at")) or evaluation.get("created")
    return list(_sums(document, stats, evaluation.get("eval_id"), time, evaluation.get("task")))


def _sample(document: Document, sample: Holder, task: object) -> Iterator[Part]:
    calls = [event for event in children(sample.get("events")) if event.get("event") == "model"]
    parts = [part for event in calls for part in _call(document, event, sample, task)]
    if parts:
        yield from parts
        return
    time = first_of(sample, ("completed_at", "started_at"))
    yield from _sums(document, sample, sample.get("uuid"), time, task)


def _call(document: Document, event: Holder, sample: Holder, task: object) -> Iterator[Part]:
    output = child(event, "output")
    usage = child(output, "usage")
    if event.get("cache") == "read":
        yield Unbilled(REPLAYED)
        return
    if not usage:
        return
    answer = child(child(event, "call"), "response")
    told = child(answer, "usage") if answer.get("type") == "message" else {}
    requests = children(event.get("request_ids"))
    yield record(
        document,
        Call(
            told or _usage(usage),
            model_name(output.get("model"), event.get("model")),
            first_of(output, ("response_id",)) or answer.get("id") or event.get("uuid"),
            requests[-1].get("id") if requests else None,
            first_of(event, ("timestamp", "completed")),
            sample.get("uuid"),
            task,
            answer.get("stop_reason"),
            charge_of(_SOURCE, usage.get(_COST)),
        ),
    )


def _sums(document: Document, holder: Holder, name: object, time: object, task: object) -> Iterator[Part]:
    for model, usage in child(holder, "model_usage").items():
        if isinstance(usage, dict):
            key = None if name is None else f"{name}:{model}"
            charge = charge_of(_SOURCE, usage.get(_COST))
            call = Call(_usage(usage), model_name(model), key, time=time, project=task, charge=charge)
            yield record(document, call)


def _usage(usage: Holder) -> dict[str, object]:
    return {
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "cache_read_input_tokens": usage.get("input_tokens_cache_read"),
        "cache_creation_input_tokens": usage.get("input_tokens_cache_write"),
    }
