"""Counting without a network: constants, structure, bands and parts, with the real tokenizer package."""

from __future__ import annotations

import builtins
import importlib.util
import json
import socket
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_requests import (
    BOOK,
    CALL,
    CONVERSATION,
    COUNTERS,
    EVERY_ENGINE,
    EVERY_FAMILY,
    OPUS_47,
    OPUS_48,
    OPUS_55,
    RESULT,
    SONNET_45,
    TOOL,
    count,
    local,
    needs_ctok,
    picture,
    png,
    said,
)

from costkit.adapters.tokens import ctok_engine, make_counter
from costkit.adapters.tokens.overheads import KINDS, load_rules, profile_for
from costkit.core.request import Request, parse_request, text_request
from costkit.core.tokens import TokenCount


@needs_ctok
@pytest.mark.parametrize(("model", "tokens"), [(SONNET_45, 8), (OPUS_47, 12), (OPUS_48, 7), (OPUS_55, 7)])
def test_one_letter_costs_one_token_and_the_frame_of_its_family(model: Any, tokens: int) -> None:
    assert count("a", model).tokens == tokens


@needs_ctok
def test_a_plain_text_is_counted_within_one_token() -> None:
    counted = count("The quick brown fox jumps over the lazy dog, twice.")
    assert counted.method == "offline"
    assert (counted.tokens - counted.low, counted.high - counted.tokens) == (1, 1)


@needs_ctok
def test_models_newer_than_the_measurements_have_a_wider_band() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 40
    measured, newer = count(text, OPUS_48), count(text, OPUS_55)
    assert measured.tokens == newer.tokens
    assert newer.high - newer.low > 2 * (measured.high - measured.low)


@pytest.mark.parametrize(
    ("name", "relaxed", "forced"),
    [
        ("claude-opus-5", 286, 406),
        ("claude-opus-4-8", 290, 410),
        ("claude-opus-4-7", 675, 804),
        ("claude-sonnet-5", 354, 474),
        ("claude-sonnet-4-6", 497, 589),
        ("claude-haiku-4-5", 496, 588),
        ("claude-sonnet-4", 313, 315),
        ("claude-3-5-haiku", 264, 355),
    ],
)
@EVERY_ENGINE
def test_forcing_a_tool_costs_what_the_documentation_says(name: str, relaxed: int, forced: int, engine: str) -> None:
    """https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing"""
    model = BOOK.resolve(name)
    counts = {
        choice: count({**CONVERSATION, "tool_choice": {"type": choice}}, model, engine).tokens
        for choice in ("auto", "none", "any")
    }
    assert counts["any"] - counts["auto"] == forced - relaxed
    assert counts["none"] == counts["auto"]


@needs_ctok
def test_the_first_tool_brings_the_tool_prompt_and_the_next_only_its_definition() -> None:
    none, one, two = (count(said("Hi", tools=[TOOL] * number)).tokens for number in range(3))
    assert one - none > 496
    assert two - one < 60


@needs_ctok
@pytest.mark.parametrize(("model", "pair"), [(SONNET_45, 6), (OPUS_47, 10), (OPUS_48, 4)])
def test_each_further_exchange_costs_its_texts_and_the_marks_of_its_family(model: Any, pair: int) -> None:
    """The marks of 4.7 are those of the older models, whose words take more tokens in its vocabulary."""
    counts = [count(said(*["a"] * number), model).tokens for number in (1, 3, 5)]
    assert [later - earlier for earlier, later in pairwise(counts)] == [pair + 2, pair + 2]


@needs_ctok
def test_every_round_of_a_tool_loop_costs_the_same() -> None:
    loops = [said("Hi", *[[CALL], [RESULT]] * rounds, tools=[TOOL]) for rounds in range(1, 6)]
    counts = [count(body).tokens for body in loops]
    assert len({later - earlier for earlier, later in pairwise(counts)}) == 1


@needs_ctok
def test_results_of_calls_made_together_name_their_tools() -> None:
    def together(name: str) -> int:
        calls = [{**CALL, "id": identifier, "name": name} for identifier in ("t1", "t2")]
        results = [{**RESULT, "tool_use_id": identifier} for identifier in ("t1", "t2")]
        return count(said("Hi", calls, results)).tokens

    def alone(name: str) -> int:
        return count(said("Hi", [{**CALL, "name": name}], [RESULT])).tokens

    long = "find_the_latest_order_of_a_customer"
    name_alone = alone(long) - alone("find")
    assert together(long) - together("find") == 4 * name_alone


@needs_ctok
def test_a_schema_is_counted_with_its_indents() -> None:
    def with_schema(properties: dict[str, Any]) -> int:
        form = {"type": "json_schema", "schema": {"type": "object", "properties": properties}}
        return count(said("Hi", output_config={"format": form})).tokens

    flat = with_schema({"a": {"type": "string"}})
    deep = with_schema({"a": {"type": "object", "properties": {"b": {"type": "string"}}}})
    assert flat > count("Hi").tokens + 100
    assert deep - flat > count(json.dumps({"type": "object", "properties": {"b": {"type": "string"}}})).tokens - 10


@needs_ctok
def test_the_answer_of_a_tool_search_is_the_definitions_that_it_found() -> None:
    deferred = [TOOL, {**TOOL, "name": "cancel_order", "defer_loading": True}]
    search = {"type": "server_tool_use", "id": "s1", "name": "tool_search_tool_bm25", "input": {"query": "cancel"}}
    counts = []
    for found in ([], [{"type": "tool_reference", "tool_name": "cancel_order"}]):
        content = {"type": "tool_search_tool_search_result", "tool_references": found}
        answer = {"type": "tool_search_tool_result", "tool_use_id": "s1", "content": content}
        counts.append(count(said("Hi", [search, answer], "Go on", tools=deferred)).tokens)
    assert 40 < counts[1] - counts[0] < 80


@needs_ctok
def test_a_deferred_tool_is_not_counted_until_a_message_refers_to_it() -> None:
    deferred = [TOOL, {**TOOL, "name": "cancel_order", "defer_loading": True}]
    reference = {"type": "tool_reference", "tool_name": "cancel_order"}
    found = {**RESULT, "content": [reference]}
    one = count(said("Hi", [CALL], [{**RESULT, "content": "x"}], tools=[TOOL])).tokens
    two = count(said("Hi", [CALL], [{**RESULT, "content": "x"}], tools=deferred)).tokens
    loaded = count(said("Hi", [CALL], [found], tools=deferred)).tokens
    assert two == one
    assert loaded > one + 30


@needs_ctok
def test_definitions_are_escaped_up_to_generation_4_5_only() -> None:
    plain, accented = ({**TOOL, "description": text} for text in ("e" * 20, "é" * 20))
    older = count(said("Hi", tools=[accented])).tokens - count(said("Hi", tools=[plain])).tokens
    model = BOOK.resolve("claude-sonnet-4-6")
    newer = count(said("Hi", tools=[accented]), model).tokens - count(said("Hi", tools=[plain]), model).tokens
    assert older > 2 * newer


@needs_ctok
def test_thinking_of_finished_turns_is_forgotten_by_older_models_and_kept_by_newer_ones() -> None:
    thought = {"type": "thinking", "thinking": "Let me think about this for a while. " * 10, "signature": "s"}
    reply = {"type": "text", "text": "Done."}
    with_thought, without = said("Go", [thought, reply], "Next"), said("Go", [reply], "Next")
    assert count(with_thought).tokens == count(without).tokens
    assert count(with_thought, OPUS_48).tokens > count(without, OPUS_48).tokens + 90


@needs_ctok
def test_thinking_within_the_running_tool_loop_counts_on_every_model() -> None:
    thought = {"type": "thinking", "thinking": "Let me think about this for a while. " * 10, "signature": "s"}
    with_thought, without = said("Go", [thought, CALL], [RESULT]), said("Go", [CALL], [RESULT])
    assert count(with_thought).tokens > count(without).tokens + 90


@needs_ctok
def test_what_a_compaction_stands_for_is_not_counted() -> None:
    summary = {"type": "compaction", "content": "They talked about orders."}
    long = said("word " * 5000, [summary], "And now?")
    assert count(long, OPUS_48).tokens < 200


@EVERY_FAMILY
@EVERY_ENGINE
def test_parts_sum_to_the_whole_and_so_do_their_bands(model: Any, engine: str) -> None:
    body = {**CONVERSATION, "tool_choice": {"type": "any"}}
    body["messages"] = [*body["messages"], {"role": "assistant", "content": [picture(png(90, 80))]}]
    request = parse_request(body)
    whole = COUNTERS[engine].count_many([(request, model)])[0]
    parts = COUNTERS[engine].count_parts(request, model)
    assert [part.path for part in parts] == ["", *(block.path for block in request.blocks)]
    assert sum((part.count for part in parts), TokenCount(0, 0, 0, "")) == whole
    assert all(0 <= part.count.low <= part.count.tokens <= part.count.high for part in parts)


_TEXTS = st.text(max_size=60)
_BLOCKS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, _TEXTS),
    st.builds(lambda key, value: {**CALL, "input": {key: value}}, _TEXTS, st.one_of(_TEXTS, st.integers(), st.none())),
    st.builds(lambda text: {**RESULT, "content": text}, st.one_of(_TEXTS, st.none())),
    st.builds(lambda text: {**RESULT, "content": [{"type": "text", "text": text}], "is_error": True}, _TEXTS),
    st.builds(lambda text: {"type": "thinking", "thinking": text}, _TEXTS),
    st.builds(lambda text: {"type": "never_seen_before", "value": [text]}, _TEXTS),
)


@given(st.lists(st.lists(_BLOCKS, min_size=1, max_size=3), min_size=1, max_size=4), st.sampled_from([[], [TOOL]]))
@settings(max_examples=60, deadline=None)
def test_any_conversation_has_a_count_inside_its_band_whose_parts_add_up(
    contents: list[list[dict[str, Any]]], tools: list[dict[str, Any]]
) -> None:
    request = parse_request(said(*contents, tools=tools))
    for counter in COUNTERS.values():
        (whole,) = counter.count_many([(request, SONNET_45)])
        assert 0 <= whole.low <= whole.tokens <= whole.high
        assert whole.tokens >= 7
        assert sum(part.count.tokens for part in counter.count_parts(request, SONNET_45)) == whole.tokens


@EVERY_FAMILY
@EVERY_ENGINE
def test_a_longer_text_never_costs_less(model: Any, engine: str) -> None:
    text = "Prices: $12.50 each, 日本語テキスト, été; def add(a, b):\n    return a + b\n" * 4
    counts = [count(text[:length], model, engine).tokens for length in range(0, len(text), 11)]
    slack = [later - earlier for earlier, later in zip(counts, counts[2:], strict=False)]
    assert min(slack) >= 0
    assert counts[-1] > counts[0] + 40


@needs_ctok
@pytest.mark.parametrize("model", [SONNET_45, OPUS_47, OPUS_48], ids=lambda model: model.tokenizer)
def test_a_long_text_counted_in_parts_costs_the_same(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(f"Line {n} says that {n * 7} apples\n\n\tand (Pears) fell.  Twice, été {n}" for n in range(60))
    whole = count(text, model).tokens
    cut = list(ctok_engine.parts(text, 200))
    assert "".join(cut) == text
    assert len(cut) > 10
    monkeypatch.setattr(ctok_engine, "parts", lambda text: ctok_engine_parts(text, 200))
    assert local().count_many([(text_request(text), model)])[0].tokens == whole


ctok_engine_parts = ctok_engine.parts


def test_a_text_without_a_seam_stays_whole() -> None:
    assert list(ctok_engine.parts("x" * 500, 100)) == ["x" * 500]


@EVERY_ENGINE
def test_half_of_a_surrogate_pair_is_counted_like_any_odd_character(engine: str) -> None:
    assert count(json.loads('"broken \\ud83d emoji"'), SONNET_45, engine).tokens > 8


@EVERY_ENGINE
def test_an_empty_text_costs_the_frame(engine: str) -> None:
    assert count("", SONNET_45, engine).tokens == 7


def test_equal_texts_are_counted_once() -> None:
    class Spy:
        method = "offline"
        counted: list[str] = []  # noqa: RUF012 - one test, one list

        def supports(self, family: str) -> bool:
            return bool(family)

        def count(self, text: str, family: str) -> int:
            self.counted.append(f"{family}: {text}")
            return 1

    from costkit.adapters.tokens.local import LocalCounter

    shared = {"system": "Shared by all.", "messages": [{"role": "user", "content": "Hi"}]}
    jobs: Iterable[tuple[Request, Any]] = [(parse_request(shared), SONNET_45)] * 3
    LocalCounter([Spy()]).count_many(jobs)
    assert Spy.counted == ["v3: Shared by all.", "v3: Hi"]


def test_offline_counting_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "__init__", refuse)
    for mode in ("offline", "fast", "auto"):
        environ = {"ANTHROPIC_API_KEY": "key", "TIKTOKEN_CACHE_DIR": "/nonexistent"}
        counter = make_counter(mode, offline=True, cache_dir=None, environ=environ)
        assert counter.count_many([(parse_request(CONVERSATION), OPUS_55)])[0].tokens > 300


def test_without_ctok_the_next_engine_counts_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Python 3.11, where ctok can't be installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "ctok" else find(name, *rest))
    importing = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "ctok":
            raise ImportError(name)
        return importing(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    counted = local().count_many([(text_request("Hello, how are you today?"), SONNET_45)])[0]
    assert counted.method == "characters"
    assert counted.low < counted.tokens < counted.high


def test_every_model_of_the_price_book_has_a_profile_and_every_kind_a_band() -> None:
    bands = load_rules()["bands"]
    for model in BOOK.models:
        profile = profile_for(model)
        assert profile.family == model.tokenizer
        for engine in ("offline", "tiktoken", "characters"):
            assert set(bands[engine][profile.family]) == set(KINDS)


def test_a_model_nobody_has_measured_gets_its_familys_numbers_and_a_wider_band() -> None:
    from dataclasses import replace

    private = replace(OPUS_48, id="claude-private-9")
    known, unknown = count(CONVERSATION, OPUS_48), count(CONVERSATION, private)
    assert unknown.high - unknown.low > known.high - known.low
    assert unknown.low <= known.tokens <= unknown.high


def test_every_group_of_constants_says_where_it_comes_from_and_when_it_was_checked() -> None:
    groups = load_rules()
    assert all({"source", "checked"} <= set(group) for group in groups.values())
