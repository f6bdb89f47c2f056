"""LiteLLM: rows of its spend log, what it hands to logging callbacks, and its answers in the shape of OpenAI's.

Quirks: `prompt_tokens` includes what was read from and written to the cache, except where an old version left it out
(then there is more in the cache than in the prompt); the whole usage, with TTL split, tier, speed and geography, is
`metadata.usage_object`, which is an object or a text, and for calls of `/v1/messages` may be the API's own; a row
without it has the older `metadata.additional_usage_values`. Model names carry a route (`bedrock/us.anthropic.…`,
`vertex_ai/…@…`) or are the deployment's own name. What LiteLLM answers from its cache was not billed, nor were calls
that failed without tokens. `request_id` of a row and `id` of a callback are the same, so both together count once.
`spend` and `response_cost` are dollars by LiteLLM's prices and margins; the `usage.cost` of an answer is whatever the
provider counts in. Batches are logged as one call that sums up the batch. Written against LiteLLM 1.106
(`SpendLogsPayload`, `StandardLoggingPayload`).
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.charges import charge_of
from costkit.adapters.logs.dialects.counted import (
    FAILED,
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
    whole_number,
)
from costkit.adapters.logs.dialects.dialect import Found, Holder, Unbilled
from costkit.adapters.logs.documents import Document
from costkit.report.charge import Charge

_SOURCE = "litellm"
_COSTS = ("spend", "response_cost")
_BATCH = "retrieve_batch"
_WRAPPERS = ("response", "body", "data", "result")
_KEPT = ("server_tool_use", "service_tier", "speed", "inference_geo", "iterations")


def recognise(document: Document) -> Found | None:
    """Read a row, a callback or an answer."""
    line = document.value
    line = child(line, "standard_logging_object") or line  # whoever logs all arguments of a callback
    if "call_type" in line and "prompt_tokens" in line and "completion_tokens" in line:
        return [_row(document, line)]
    listed = children(line.get("data"))  # a page of the spend log
    if listed and all("call_type" in row and "prompt_tokens" in row and "completion_tokens" in row for row in listed):
        return [_row(document, row) for row in listed]
    answer = _answer(line)
    if answer is None:
        return None
    try:
        usage = usage_of(child(answer, "usage"))
    except ValueError as problem:
        return [skipped(document, problem)]
    time = first_of(line, ("timestamp", "ts", "created_at", "time")) or answer.get("created")
    session = first_of(line, ("session_id", "sessionId", "session"))
    call = Call(usage, model_name(answer.get("model")), answer.get("id"), time=time, session=session)
    return [record(document, call._replace(charge=_charge_of_answer(line, answer)))]


def usage_of(usage: Holder) -> dict[str, object]:
    """The API's terms for a usage of LiteLLM or OpenAI. Raises ValueError for what is no count."""
    if "prompt_tokens" not in usage:
        return dict(usage)
    details = child(usage, "prompt_tokens_details")
    split = child(details, "cache_creation_token_details") or child(usage, "cache_creation")
    read = first_of(usage, ("cache_read_input_tokens",)) or details.get("cached_tokens")
    write = first_of(usage, ("cache_creation_input_tokens",)) or first_of(
        details, ("cache_creation_tokens", "cache_write_tokens")
    )
    found = disjoint(usage["prompt_tokens"], usage.get("completion_tokens"), read, write, includes_cache=True)
    found.update({name: usage[name] for name in _KEPT if usage.get(name)})
    if split:
        found["cache_creation"] = split
    return found


def _row(document: Document, row: Holder) -> Part:
    metadata = child(row, "metadata")
    if str(row.get("cache_hit")).lower() == "true":
        return Unbilled(REPLAYED)
    try:
        usage = usage_of(_whole_usage(row, metadata))
        nothing = not any(whole_number(row.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    except ValueError as problem:
        return skipped(document, problem)
    if nothing and "failure" in (row.get("status"), metadata.get("status")):
        return Unbilled(FAILED)
    if str(row["call_type"]).endswith(_BATCH):
        usage["service_tier"] = "batch"
    known = child(metadata, "model_map_information") or child(row, "model_map_information")
    model = model_name(row.get("model"), known.get("model_map_key"), row.get("model_group"))
    call_id = first_of(row, ("request_id", "id", "litellm_call_id"))
    team = first_of(metadata, ("user_api_key_team_alias", "user_api_key_team_id")) or row.get("team_id")
    session = row.get("session_id") or row.get("trace_id")
    charge = charge_of(_SOURCE, first_of(row, _COSTS), row, metadata)
    call = Call(usage, model, call_id, None, row.get("startTime"), session, team, charge=charge)
    return record(document, call)


def _charge_of_answer(line: Holder, answer: Holder) -> Charge | None:
    hidden, usage = child(answer, "_hidden_params"), child(answer, "usage")
    cost = first_of(hidden, _COSTS)
    charge = charge_of(_SOURCE, first_of(line, _COSTS) if cost is None else cost, hidden, line)
    return charge or charge_of(_SOURCE, usage.get("cost"), usage, in_dollars=False)


def _whole_usage(row: Holder, metadata: Holder) -> Holder:
    """The most that a row says about its tokens."""
    whole = child(metadata, "usage_object") or child(child(row, "response"), "usage")
    if whole:
        return whole
    flat = {name: row[name] for name in ("prompt_tokens", "completion_tokens")}
    return {**child(metadata, "additional_usage_values"), **flat}


def _answer(line: Holder) -> Holder | None:
    for holder in (line, *(child(line, name) for name in _WRAPPERS if isinstance(line.get(name), dict))):
        is_answer = str(holder.get("object")).startswith("chat.completion") and isinstance(holder.get("model"), str)
        if is_answer and "prompt_tokens" in child(holder, "usage"):
            return holder
    return None
