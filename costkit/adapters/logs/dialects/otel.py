"""GenAI attributes of OpenTelemetry spans: `gen_ai.usage.…`, under the names of all versions.

Quirks: whether `input_tokens` includes cached tokens differs. The conventions say that it should; OpenLLMetry, the
instrumentation of OpenTelemetry's own contributors (scope `opentelemetry.instrumentation.anthropic` for both) and
Pydantic AI do so. OpenLLMetry's instrumentation of Bedrock (0.62) and version 5 of the AI SDK (scope `ai`) hand on the
API's number, which does not; version 6 has `ai.usage.inputTokenDetails` and includes them. Where more was cached than
put in, or the total is the sum of all, the input can't include it, whoever wrote it. No attribute tells the TTL of
cache writes, the tier or the geography. Costs are no part of the conventions: OpenLIT and Pydantic AI write them in
dollars, of others only a unit in the name of the attribute tells.
Documented at https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.charges import charge_of
from costkit.adapters.logs.dialects.counted import Call, disjoint, first_of, model_name, whole_number
from costkit.adapters.logs.dialects.spans import Span

_INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "ai.usage.inputTokens", "llm.usage.prompt_tokens")
_OUTPUT = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "ai.usage.outputTokens",
    "llm.usage.completion_tokens",
)
_TOTAL = ("gen_ai.usage.total_tokens", "ai.usage.totalTokens", "llm.usage.total_tokens")
_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.details.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens",
)
_WRITE = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.details.cache_creation_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
)
_SINCE_AI_6 = "ai.usage.inputTokenDetails."
_UNCACHED = f"{_SINCE_AI_6}noCacheTokens"
_MODEL = ("gen_ai.response.model", "ai.response.model", "gen_ai.request.model", "ai.model.id", "llm.request.model")
_ID = ("gen_ai.response.id", "ai.response.id")
_SESSION = ("gen_ai.conversation.id", "session.id", "ai.telemetry.metadata.sessionId")
_COSTS = ("gen_ai.usage.cost", "operation.cost", "llm.usage.cost")
_IN_DOLLARS = ("openlit", "pydantic-ai")
"""Instrumentation scopes, or what they begin with, that are documented to write dollars."""
_WITHOUT_CACHED = ("ai", "opentelemetry.instrumentation.bedrock")
"""Instrumentation scopes whose input leaves cached tokens out."""


def call_of(span: Span) -> Call | None:
    """What a span bills; `None` for one without usage. Raises ValueError for counts that can't be believed."""
    attributes = span.attributes
    given, output = first_of(attributes, _INPUT), first_of(attributes, _OUTPUT)
    if given is None and output is None:
        return None
    read, write = first_of(attributes, _READ), first_of(attributes, _WRITE)
    uncached = attributes.get(_UNCACHED)
    if uncached is not None:
        usage = disjoint(uncached, output, read, write, includes_cache=False)
    else:
        cached = whole_number(read) + whole_number(write)
        everything = whole_number(given) + whole_number(output) + cached
        apart = cached and whole_number(first_of(attributes, _TOTAL)) == everything
        known_apart = span.scope in _WITHOUT_CACHED and not any(name.startswith(_SINCE_AI_6) for name in attributes)
        includes = not known_apart and not apart
        usage = disjoint(given, output, read, write, includes_cache=includes)
    return Call(
        usage,
        model_name(*(attributes.get(name) for name in _MODEL)),
        first_of(attributes, _ID),
        time=span.start,
        session=first_of(attributes, _SESSION),
        project=span.service,
        charge=charge_of("otel", first_of(attributes, _COSTS), attributes, in_dollars=_is_in_dollars(span)),
    )


def _is_in_dollars(span: Span) -> bool:
    return span.scope.startswith(_IN_DOLLARS)
