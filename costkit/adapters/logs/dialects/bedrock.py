"""Model invocation logs of Amazon Bedrock, as they lie in S3 or come from CloudWatch.

Quirks: `inputTokenCount` leaves cached tokens out, as the API does; the body of an `InvokeModel` answer is the API's
Message, of a streamed one the list of its events (the last of which repeats the counts as Bedrock's metrics), of a
`Converse` answer one with Bedrock's names; bodies above 100 KB are elsewhere, then only the counts are here. `modelId`
is a name, an inference profile with a region before the name, or an ARN of either; an application profile's ARN says
nothing, then the answer does. Prices are those of the Claude API: Amazon's own may differ by region.
Documented at https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.counted import Call, child, children, model_name, record
from costkit.adapters.logs.dialects.dialect import Found, Holder
from costkit.adapters.logs.documents import Document

_METRICS = "amazon-bedrock-invocationMetrics"
_FINAL = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens", "server_tool_use")


def recognise(document: Document) -> Found | None:
    """Read one invocation."""
    line = document.value
    if line.get("schemaType") != "ModelInvocationLog":
        line = child(line, "message")  # an event of CloudWatch, exported with its text
        if line.get("schemaType") != "ModelInvocationLog":
            return None
    given, answer = child(line, "input"), child(line, "output")
    body = answer.get("outputBodyJson")
    message = _message(body)
    usage = _usage(message, given, answer)
    if not any(count is not None for count in usage.values()):
        return []
    model = model_name(line.get("modelId"), message.get("model"))
    call = Call(
        usage,
        model,
        message.get("id"),
        line.get("requestId"),
        line.get("timestamp"),
        None,
        line.get("accountId"),
        message.get("stop_reason"),
    )
    return [record(document, call if call.id else call._replace(id=line.get("requestId"), request_id=None))]


def _message(body: object) -> Holder:
    """The answer, put together from its events where it was streamed."""
    if isinstance(body, dict):
        return body
    message: dict[str, object] = {}
    usage: dict[str, object] = {}
    for event in children(body):
        if event.get("type") == "message_start":
            message = child(event, "message")
            usage = dict(child(message, "usage"))
        elif event.get("type") == "message_delta":
            final = child(event, "usage")
            usage.update({name: final[name] for name in _FINAL if final.get(name) is not None})
            message = {**message, "stop_reason": child(event, "delta").get("stop_reason")}
        elif "metadata" in event:
            usage = child(child(event, "metadata"), "usage")
        if _METRICS in event and not usage:
            usage = _counted(child(event, _METRICS), child(event, _METRICS))
    return {**message, "usage": usage}


def _usage(message: Holder, given: Holder, answer: Holder) -> dict[str, object]:
    usage = child(message, "usage")
    if "inputTokens" in usage:
        return {
            "input_tokens": usage["inputTokens"],
            "output_tokens": usage.get("outputTokens"),
            "cache_read_input_tokens": usage.get("cacheReadInputTokens"),
            "cache_creation_input_tokens": usage.get("cacheWriteInputTokens"),
        }
    return usage if "output_tokens" in usage else _counted(given, answer)


def _counted(given: Holder, answer: Holder) -> dict[str, object]:
    return {
        "input_tokens": given.get("inputTokenCount"),
        "output_tokens": answer.get("outputTokenCount"),
        "cache_read_input_tokens": given.get("cacheReadInputTokenCount"),
        "cache_creation_input_tokens": given.get("cacheWriteInputTokenCount"),
    }
