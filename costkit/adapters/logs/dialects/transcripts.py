"""Claude Code transcripts, and the JSON lines that its SDK prints.

Quirks: every content block of a response is a line of its own with the same ids, and the usage grows from line to
line; sub-agents write lines with `isSidechain` into their own files, and again as `agent_progress` lines into the
file of the session that started them (`data.message`); forked and resumed sessions copy lines under a new session
id; `<synthetic>` messages never went to the API; a sub-agent's lines may keep the provisional output count of the
start of the stream (`stop_reason` null, a handful of tokens); a `result` line sums up its whole session; a
`cost-state` line says what the session has cost so far by Claude Code's own prices, calls that have no line included.
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.charges import usd_of
from costkit.adapters.logs.dialects.dialect import SYNTHETIC, Found, Holder, Unbilled, build_record, first_text
from costkit.adapters.logs.documents import Document
from costkit.report.records import RecordedCost

MOST_PROVISIONAL_TOKENS = 8
WITHOUT_BILL = ("user", "system", "summary", "result", "file-history-snapshot")
_MARKS = ("sessionId", "session_id", "parentUuid", "uuid", "leafUuid")


def recognise(document: Document) -> Found | None:
    """Read one line of a transcript."""
    line = document.value
    kind = line.get("type")
    if kind == "progress":
        return _progress(document)
    if kind == "cost-state":
        return _cost_state(document)
    message = line.get("message")
    if isinstance(message, dict) and (kind == "assistant" or (kind is None and _is_marked(line))):
        return _assistant(document, message, (line,), sub_agent=_is_sub_agent(line))
    return [] if kind in WITHOUT_BILL and _is_marked(line) else None


def _progress(document: Document) -> Found | None:
    data = document.value.get("data")
    if not isinstance(data, dict):
        return None
    inner = data.get("message")
    message = inner.get("message") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(message, dict) or data.get("type") != "agent_progress":
        return []
    return _assistant(document, message, (inner, document.value), sub_agent=True)


def _cost_state(document: Document) -> Found:
    line = document.value
    session, cost = first_text((line,), ("sessionId", "session_id")), line.get("totalCostUSD")
    if session is None or cost is None:
        return []
    try:
        usd = usd_of(cost)
    except ValueError as problem:
        raise ValueError(f"totalCostUSD is {problem}") from None
    complete = line.get("hasUnknownModelCost") is not True
    return [RecordedCost(session, usd, document.path, document.line, document.offset, complete)]


def _assistant(document: Document, message: Holder, holders: tuple[Holder, ...], *, sub_agent: bool) -> Found:
    if message.get("usage") is None:
        return []
    if message.get("model") == SYNTHETIC:
        failed = any(holder.get("isApiErrorMessage") for holder in holders)
        return [Unbilled("api-error" if failed else "synthetic")]
    provisional = sub_agent and "stop_reason" in message and message["stop_reason"] is None
    record = build_record(document, message, holders)
    if provisional and record.usage.counts.output_tokens <= MOST_PROVISIONAL_TOKENS:
        record = build_record(document, message, holders, placeholder=True)
    return [record]


def _is_sub_agent(line: Holder) -> bool:
    return bool(line.get("isSidechain") or line.get("agentId") or line.get("parent_tool_use_id"))


def _is_marked(line: Holder) -> bool:
    return any(mark in line for mark in _MARKS)
