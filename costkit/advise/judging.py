"""What a log can't show, and what to log so that it can."""

from __future__ import annotations

from collections.abc import Iterator

from costkit.advise.result import NotJudged
from costkit.advise.workload import Workload

_TRACK = 'client = costkit.track(client, "usage.jsonl") logs the outline of every request, without its text'
_CONTENT = 'client = costkit.track(client, "usage.jsonl", content=True) logs whole requests'
_SESSIONS = 'give each conversation a tag: with costkit.tags(session="…"): …'
_NO_REQUEST = "the log has responses without their requests"
_NO_TEXT = "the log has requests without their text"

_FROM_REQUESTS = (
    ("uncached-prefixes", "repeated prefixes sent uncached"),
    ("identical-requests", "identical requests sent again"),
    ("lost-breakpoints", "breakpoints lost to more than 20 new blocks"),
    ("simultaneous-requests", "requests sent at the same instant"),
    ("small-prefixes", "prefixes below the model's minimum"),
    ("cache-misses", "cache misses by cause"),
    ("generous-limits", "max_tokens far above what is used"),
)
_FROM_TEXT = (
    ("indented-json", "indented JSON in prompts"),
    ("repeated-tool-calls", "the same tool call again, with the same result"),
    ("volatile-prefixes", "values that change, inside of the prefix"),
)


def not_judged(work: Workload) -> Iterator[NotJudged]:
    """Everything that could not be looked at for some of the calls, the most common reason first."""
    calls = [call for call in work.calls if call.is_request]
    bare = sum(call.sketch is None for call in calls)
    outlined = sum(call.sketch is not None and not call.sketch.has_text for call in calls)
    untimed = sum(call.at is None for call in calls)
    if bare:
        for code, title in _FROM_REQUESTS:
            yield NotJudged(code, title, bare, _NO_REQUEST, _TRACK)
    if bare or outlined:
        reason = _NO_REQUEST if bare else _NO_TEXT
        for code, title in _FROM_TEXT:
            yield NotJudged(code, title, bare + outlined, reason, _CONTENT)
    if untimed:
        title = "5-minute entries that expire, hours that are not needed"
        reason = "the responses don't say when they were made"
        yield NotJudged("lifetimes", title, untimed, reason, 'add "ts" to every line, RFC 3339')
        yield NotJudged(
            "batch-candidates", "candidates for batches", untimed, reason, 'add "ts" to every line, RFC 3339'
        )
    alone = sum(call.sketch is None and call.session is None and call.at is not None for call in calls)
    untagged = sum(call.sketch is None and not call.session and not call.tags and call.at is not None for call in calls)
    reason = "neither a session nor a request says which responses belong together"
    if untagged:
        title = "5-minute entries that expire, hours that are not needed"
        yield NotJudged("lifetimes", title, untagged, reason, _SESSIONS)
    if alone:
        yield NotJudged("growing-contexts", "contexts that only grow", alone, reason, _SESSIONS)
    unended = sum(call.stop_reason is None and not call.simulated for call in calls)
    if unended:
        title = "answers cut off by max_tokens; which requests were simple"
        reason = "the responses don't say why they ended"
        yield NotJudged("stop-reasons", title, unended, reason, 'keep "stop_reason" of every Message')
    simulated = sum(call.simulated for call in calls)
    if simulated:
        reason = "the log has requests without their responses"
        yield NotJudged("output", "what the answers cost", simulated, reason, 'log "response": message.to_dict() too')
