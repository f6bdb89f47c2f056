"""OpenInference attributes of spans: `llm.token_count.…`, as Phoenix and Arize take them.

Quirks: `prompt` always includes what was read from and written to the cache; `prompt_details.cache_write` doesn't say
for how long. The instrumentation of Anthropic's SDK keeps the whole answer in `output.value`, unless contents are
hidden: if it agrees with the counts it is read instead, because it knows TTL, tier, geography and the message id.
`llm.cost.total` is in dollars by the convention, by whose prices nobody says.
Documented at https://arize-ai.github.io/openinference/spec/semantic_conventions.html
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.charges import charge_of
from costkit.adapters.logs.dialects.counted import Call, child, disjoint, first_of, model_name, whole_number
from costkit.adapters.logs.dialects.dialect import Holder
from costkit.adapters.logs.dialects.spans import Span

PROMPT = "llm.token_count.prompt"
_OUTPUT = "llm.token_count.completion"
_READ = ("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input")
_WRITE = "llm.token_count.prompt_details.cache_write"
_COST = "llm.cost.total"
_INPUTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def call_of(span: Span) -> Call | None:
    """What a span bills; `None` for one without usage. Raises ValueError for counts that can't be believed."""
    attributes = span.attributes
    prompt, output = attributes.get(PROMPT), attributes.get(_OUTPUT)
    if prompt is None and output is None:
        return None
    usage = disjoint(prompt, output, first_of(attributes, _READ), attributes.get(_WRITE), includes_cache=True)
    answer = _answer(attributes)
    told = child(answer, "usage")
    agrees = bool(told) and (_prompt(told), told.get("output_tokens")) == (whole_number(prompt), output)
    return Call(
        told if agrees else usage,
        model_name(first_of(attributes, ("llm.response.model_name",)), attributes.get("llm.model_name")),
        answer.get("id") if agrees else None,
        time=span.start,
        session=attributes.get("session.id"),
        project=span.service,
        stop_reason=answer.get("stop_reason"),
        charge=charge_of("openinference", attributes.get(_COST), attributes),
    )


def _answer(attributes: Holder) -> Holder:
    answer = child(attributes, "output.value")
    return answer if answer.get("type") == "message" else {}


def _prompt(usage: Holder) -> int | None:
    try:
        return sum(whole_number(usage.get(name)) for name in _INPUTS)
    except ValueError:
        return None
