"""Whatever happened to a line of a log, reading goes on, and the line is accounted for as read or as skipped.

`make fuzz N=1000000 LOGS=FOLDER` does this at length, with damaged copies of the lines of real logs among the others.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from fuzzing import damaged_lines, lines_of, problem_with
from hypothesis import given
from hypothesis import strategies as st

COUNT = int(os.environ.get("COSTKIT_FUZZ_LINES", "4000"))
SEED = int(os.environ.get("COSTKIT_FUZZ_SEED", "7"))
LOGS = os.environ.get("COSTKIT_FUZZ_LOGS", "")

KEYS = (
    "usage", "message", "model", "id", "type", "response", "result", "body", "data", "event", "custom_id", "ts", "tags",
    "timestamp", "requestId", "sessionId", "uuid", "isSidechain", "isApiErrorMessage", "stop_reason", "delta", "cwd",
    "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
    "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "server_tool_use", "web_search_requests", "iterations",
    "service_tier", "speed", "inference_geo", "totalCostUSD", "hasUnknownModelCost", "__proto__", "content", "\ud800",
)  # fmt: skip
WORDS = (
    "assistant", "message", "progress", "agent_progress", "cost-state", "message_start", "message_delta",
    "message_stop", "succeeded", "errored", "user", "result", "<synthetic>", "claude-opus-5-5",
    "2026-11-01T10:00:00Z", "batch", "fast",
    "us", "refusal", "s1", "", "\udfff",
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**12),
    st.floats(),
    st.sampled_from([10**30, 7.0]),
    st.sampled_from(WORDS),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)


def test_no_damage_to_a_line_loses_it_or_its_neighbours() -> None:
    real = list(lines_of(Path(LOGS))) if LOGS else []
    problems = Counter[str]()
    examples: dict[str, bytes] = {}
    for text in damaged_lines(SEED, COUNT, real):
        problem = problem_with(text)
        problems.update([problem] if problem else [])
        examples.setdefault(problem or "", text[:2000])

    assert problems == Counter(), examples


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8))
def test_no_value_in_any_place_stops_the_reading(document: dict[str, Any]) -> None:
    assert problem_with(json.dumps({**document, "about": "usage"}).encode()) is None


@given(
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), st.sampled_from(("usage", "message", "data", "event"))
)
def test_no_odd_part_of_a_response_stops_the_reading(part: dict[str, Any], place: str) -> None:
    usage = {"input_tokens": 1, "output_tokens": 2}
    message = {"type": "message", "id": "m", "model": "claude-opus-5-5", "usage": usage}
    line = {"type": "assistant", "message": message, "sessionId": "s"}
    whole = {"usage": {**message, "usage": part}, "message": {**line, "message": part}}.get(
        place, {**line, place: part}
    )

    assert problem_with(json.dumps(whole).encode()) is None
