"""costkit's own usage log: one line per response, without its content.

`{"ts", "model", "id", "request_id", "usage", "stop_reason", "duration_ms", "tags", "blocks"}`; `usage` is the API's
object. A line of a stream that was given up has `incomplete`; its output count is not final. Quirk: `session` and
`project` are tags like any other, and group as such when they have these names.
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.dialect import Found, build_record
from costkit.adapters.logs.documents import Document


def recognise(document: Document) -> Found | None:
    """Read one line of the usage log."""
    line = document.value
    if "ts" not in line or "usage" not in line or "model" not in line or "content" in line:
        return None
    tags = line.get("tags")
    holders = (line, tags) if isinstance(tags, dict) else (line,)
    return [build_record(document, line, holders, incomplete=bool(line.get("incomplete")))]
