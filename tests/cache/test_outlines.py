"""A request without its text is as good as the request: same entries, same misses, same plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.request_log import read_traffic
from costkit.adapters.tokens import make_counter
from costkit.cache.breakpoints import breakpoints_of, end_of_previous_turn
from costkit.cache.content import digest_of, prompt_settings
from costkit.cache.outline import outline_of, read_outline, shared_tokens
from costkit.cache.places import candidates
from costkit.cache.sent import Layout
from costkit.cache.traffic import LoggedRequest
from costkit.cache.why import explain_misses
from costkit.core.request import parse_request
from costkit.core.response import read_usage
from costkit.errors import InvalidInput

MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
BODY: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 300,
    "tools": [
        {"name": "tide", "description": "The tide. " * 40, "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "system": [{"type": "text", "text": "You know the sea. " * 300, "cache_control": HOUR}],
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "messages": [
        {"role": "user", "content": "Wann ist Flut? \N{WATER WAVE}"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "tool_use", "id": "t1", "name": "tide", "input": {"at": "noon"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "3 m"}]},
                {"type": "document", "source": {"type": "text", "data": "Log"}, "citations": {"enabled": True}},
                {"type": "text", "text": "   "},
                {"type": "text", "text": "And tomorrow?", "cache_control": MARK},
            ],
        },
    ],
}


def line_of(body: Mapping[str, Any], **usage: int) -> dict[str, Any]:
    billed = {"input_tokens": 10, "output_tokens": 5, **usage}
    line = {"ts": "2026-11-21T09:00:00Z", "model": body.get("model"), "usage": billed}
    outline = outline_of(parse_request(body)).as_json(read_usage(billed))
    return json.loads(json.dumps(line | outline))  # type: ignore[no-any-return]


def test_what_the_cache_depends_on_survives() -> None:
    request, (read, digests, _) = parse_request(BODY), read_outline(line_of(BODY), "log:1")
    assert digests == tuple(digest_of(block) for block in request.blocks)
    assert [(b.level, b.kind, b.role, b.message) for b in read.blocks] == [
        (b.level, b.kind, b.role, b.message) for b in request.blocks
    ]
    assert [(m.position, m.ttl) for m in breakpoints_of(read)] == [(m.position, m.ttl) for m in breakpoints_of(request)]
    assert end_of_previous_turn(read) == end_of_previous_turn(request)
    assert (read.model, read.max_tokens) == (request.model, request.max_tokens)


def test_settings_survive_and_a_schema_becomes_its_digest() -> None:
    given_, read = prompt_settings(parse_request(BODY)), prompt_settings(read_outline(line_of(BODY), "log:1").request)
    assert {name: value for name, value in read.items() if name != "output_config.format"} == {
        name: value for name, value in given_.items() if name != "output_config.format"
    }
    other = {**BODY, "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}}}
    changed = prompt_settings(read_outline(line_of(other), "log:1").request)
    assert changed["output_config.format"] != read["output_config.format"]


def test_no_word_of_the_request_is_in_its_outline() -> None:
    text = json.dumps(line_of(BODY), ensure_ascii=False)
    for word in ("You know", "Flut", "noon", "3 m", "tomorrow", "The tide"):
        assert word not in text


def test_automatic_caching_is_told_apart_from_marks() -> None:
    body = {"model": "m", "cache_control": HOUR, "messages": [{"role": "user", "content": "Hello"}]}
    read = read_outline(line_of(body), "log:1").request
    assert read.cache_control is not None
    assert read.cache_control.ttl == "1h"
    assert read.blocks[0].cache_control is None


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30),
    st.integers(-1, 29),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_shares_add_up_to_what_was_billed(lengths: list[int], last: int, plain: int, read: int, written: int) -> None:
    lengths = [length + 1 for length in lengths]
    last = min(last, len(lengths) - 1)
    read, written = (read, written) if last >= 0 else (0, 0)
    counts = {"input_tokens": plain, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    tokens = shared_tokens(lengths, last, read_usage({**counts, "output_tokens": 1}))
    assert sum(tokens) == plain + read + written
    assert min(tokens) >= 0


def test_what_was_cached_is_shared_among_the_blocks_up_to_the_last_mark() -> None:
    usage = read_usage({"input_tokens": 10, "cache_read_input_tokens": 900, "output_tokens": 1})
    assert shared_tokens([100, 200, 50, 50], 1, usage) == [300, 600, 5, 5]


def test_a_sum_over_several_samplings_is_no_prompt() -> None:
    usage = {"input_tokens": 9_000, "output_tokens": 1, "server_tool_use": {"web_search_requests": 2}}
    assert shared_tokens([100, 201], -1, read_usage(usage)) == [25, 51]
    assert shared_tokens([100, 201], -1, None) == [25, 51]


def conversation(turns: int) -> list[dict[str, Any]]:
    """Each request ends where the last one did, and one question more; one of them has another system prompt."""
    bodies = []
    messages: list[Any] = []
    for turn in range(turns):
        messages = [*messages, {"role": "user", "content": [{"type": "text", "text": f"Question {turn}. " * 60}]}]
        last = {**messages[-1]["content"][0], "cache_control": MARK}
        shown = [*messages[:-1], {"role": "user", "content": [last]}]
        text = ("You know the sea. " if turn != 3 else "You know the land. ") * 200
        bodies.append({"model": "claude-haiku-5-5", "max_tokens": 9, "system": text, "messages": shown})
        messages = [*messages, {"role": "assistant", "content": [{"type": "text", "text": f"Answer {turn}. " * 40}]}]
    return bodies


def _misses(logged: list[LoggedRequest]) -> Any:
    counter = make_counter("offline", offline=True, cache_dir=None, environ={})
    layout = Layout(counter, built_in_book(), date(2026, 11, 21))
    starts = [index * 30_000_000 for index in range(len(logged))]
    return explain_misses(logged, layout, starts=starts), [layout.lay_out(item, 0) for item in logged]


def test_misses_are_explained_alike_with_and_without_text(tmp_path: Path) -> None:
    bodies = conversation(6)
    with_text = [LoggedRequest(f"log:{at + 1}", parse_request(body)) for at, body in enumerate(bodies)]
    _, sent = _misses(with_text)
    path = tmp_path / "log.jsonl"
    path.write_text(
        "".join(json.dumps(line_of(b, input_tokens=s.prompt.tokens)) + "\n" for b, s in zip(bodies, sent, strict=True))
    )
    read = [item for item in read_traffic([str(path)]) if isinstance(item, LoggedRequest)]
    without = [replace(item, usage=None) for item in read]  # the bills were made up, and would be believed
    full, _ = _misses(with_text)
    bare, laid = _misses(without)
    assert [miss.cause for miss in full.misses] == ["changed-prefix"] * 2
    assert [_shape(miss) for miss in bare.misses] == [_shape(miss) for miss in full.misses]
    assert {(m.divergence.before, m.divergence.after, m.divergence.byte_offset) for m in bare.misses} == {(None,) * 3}
    assert (full.hits, full.first) == (bare.hits, bare.first)
    assert [s.prompt.tokens for s in laid] == [s.prompt.tokens for s in sent]
    assert candidates(laid) == candidates(sent)


def _shape(miss: Any) -> tuple[Any, ...]:
    """A cause with the block that it is in."""
    place = miss.divergence.path.partition(".text")[0].removesuffix("[0]")
    return (miss.where.rpartition(":")[2], miss.cause, place, miss.divergence.level)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks": []}, "must be a list"),
        ({"blocks": ["nonsense"]}, "digest:tokens"),
        ({"blocks": ["ab:-1"]}, "digest:tokens"),
        ({"blocks": ["ab:1"]}, "does not fit"),
        ({"prompt": {"tools": -1}}, "does not fit"),
        ({"prompt": {"tools": 0, "system": 0, "turns": ["nobody:1"]}}, "names no role"),
        ({"prompt": {"tools": 0, "system": 0, "turns": ["user:x"]}}, "does not fit"),
        ({"prompt": 3}, "an object"),
    ],
)
def test_an_outline_that_does_not_fit_is_refused_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        read_outline(line_of(BODY) | change, "log:7")
    assert str(refused.value).startswith("log:7:")
