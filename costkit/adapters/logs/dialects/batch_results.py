"""Results of Message Batches: `{"custom_id": …, "result": {"type": …}}`, one a line.

Quirks: only `succeeded` results are billed, the others carry no usage; nothing says when a result was made; every
result has the batch price, also where a log lacks `service_tier` or says another.
Documented at https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.dialect import Found, Unbilled, build_record
from costkit.adapters.logs.documents import Document

_UNBILLED = ("errored", "canceled", "expired")


def recognise(document: Document) -> Found | None:
    """Read one result."""
    result = document.value.get("result")
    if "custom_id" not in document.value or not isinstance(result, dict):
        return None
    kind = result.get("type")
    if kind in _UNBILLED:
        return [Unbilled(f"batch-{kind}")]
    message = result.get("message")
    if not isinstance(message, dict) or message.get("usage") is None:
        return None
    usage = message["usage"]
    if isinstance(usage, dict):
        usage = {**usage, "service_tier": "batch"}
    return [build_record(document, message, (document.value,), usage=usage)]
