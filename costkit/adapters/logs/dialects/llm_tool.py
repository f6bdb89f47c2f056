"""The `llm` tool: the rows of its SQLite log, and the same as `llm logs --json` prints them.

Quirks: `input_tokens` is the API's, without cached tokens; those are in `token_details`, a text of JSON, which the
plugin for Claude fills only where caching was asked for or a web search was made; times are UTC without saying so;
version 0.32 moved the log from the table `responses` to `turns` and left old rows where they were.
Written against llm 0.32 and llm-anthropic 0.26.
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.counted import Call, child, model_name, record
from costkit.adapters.logs.dialects.dialect import Found
from costkit.adapters.logs.documents import Document

TABLES = ("turns", "responses")
COLUMNS = ("id", "model", "resolved_model", "input_tokens", "output_tokens", "token_details", "datetime_utc")
CONVERSATIONS = ("conversation_id", "thread_id")


def recognise(document: Document) -> Found | None:
    """Read one row."""
    row = document.value
    if "datetime_utc" not in row or "input_tokens" not in row or "model" not in row:
        return None
    if row["input_tokens"] is None and row.get("output_tokens") is None:
        return []
    usage = {
        **child(row, "token_details"),
        "input_tokens": row["input_tokens"],
        "output_tokens": row.get("output_tokens"),
    }
    model = model_name(row.get("resolved_model"), row["model"])
    session = row.get("conversation_id") or row.get("thread_id")
    return [record(document, Call(usage, model, row.get("id"), time=row["datetime_utc"], session=session))]
