"""A first look accepts only what a careful reading accepts, and says the same of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.glimpse import Glimpse, glimpse
from costkit.adapters.prompts import requests_in_value
from costkit.estimate.sample import text_size

TEXT = {"type": "text", "text": "Hi"}
MARK = {"type": "ephemeral"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 99}}
CONTENT: st.SearchStrategy[Any] = st.sampled_from(
    ("Hi", "", [], [TEXT], ["Hi"], [{**TEXT, "cache_control": MARK}], [IMAGE], [{"type": "text"}], None, 5, {}, [None])
)
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"role": st.sampled_from(("user", "assistant", "system", "tool", None)), "content": CONTENT}
        ),
        st.sampled_from((None, "Hi", {}, {"role": "user"}, {"role": "user", "content": "Hi", "cache_control": MARK})),
    ),
    max_size=3,
)
TOOL = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
FIELDS = {
    "model": st.sampled_from(("claude-opus-5-5", "", " ", None, 5, True)),
    "max_tokens": st.sampled_from((0, 50, -1, 10**11, True, None, "5", 5.0)),
    "system": st.one_of(CONTENT, st.just("You help.")),
    "tools": st.sampled_from(([], [TOOL], [{**TOOL, "cache_control": MARK}], [{**TOOL, "name": 5}], [None], {}, None)),
    "speed": st.sampled_from(("fast", 5)),
    "thinking": st.just({"type": "adaptive"}),
    "cache_control": st.just(MARK),
    "temperature": st.just(0.5),
    "role": st.just("user"),
    "content": st.just("Hi"),
    "params": st.just({}),
    "requests": st.just([]),
}
BODIES = st.fixed_dictionaries({"messages": st.one_of(MESSAGES, st.none())}, optional=FIELDS)
VALUES: st.SearchStrategy[Any] = st.one_of(
    BODIES,
    BODIES.map(lambda body: {"custom_id": "a", "params": body}),
    BODIES.map(lambda body: {"custom_id": "a", "params": body, "messages": []}),
    BODIES.map(lambda body: {"custom_id": "a", "params": body, "requests": [{"params": body}] * 2}),
    st.sampled_from((None, [], {}, "text", {"params": None}, {"params": {}})),
)


@given(VALUES, st.sampled_from((None, "batch")))
def test_what_is_accepted_is_read_the_same_way_with_care(value: Any, kind: str | None) -> None:
    seen = glimpse(json.dumps(value).encode(), kind, shares=False)
    for accepted in [seen] if seen else []:
        (request,) = requests_in_value(value, "in.jsonl", 1, kind)
        assert accepted == Glimpse(request.model, request.max_tokens)
        assert text_size(request, 1_000) == 1_000
        assert all(block.cache_control is None for block in request.blocks)
        assert not {"speed", "inference_geo"} & set(request.body)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"model": "claude-opus-5-5", "max_tokens": 5, "messages": [{"role": "user", "content": [TEXT]}]},
        {"system": [TEXT], "tools": [TOOL], "messages": [{"role": "assistant", "content": ""}], "temperature": 1},
    ],
)
def test_the_usual_shapes_are_accepted(body: dict[str, object]) -> None:
    expected = Glimpse(body.get("model"), body.get("max_tokens"))  # type: ignore[arg-type]
    assert glimpse(json.dumps(body).encode(), None, shares=False) == expected
    assert glimpse(json.dumps({"custom_id": "a", "params": body}).encode(), "batch", shares=False) == expected


def test_a_request_with_a_system_prompt_of_its_own_is_left_to_the_careful_reading_where_one_is_added() -> None:
    own = {"system": "You help.", "messages": [{"role": "user", "content": "Hi"}]}
    assert glimpse(json.dumps(own).encode(), None, shares=False) is not None
    assert glimpse(json.dumps(own).encode(), None, shares=True) is None


def test_other_kinds_of_files_are_left_to_the_careful_reading() -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    assert [glimpse(json.dumps(body).encode(), kind, shares=False) for kind in ("text", "messages", "request")] == [
        None
    ] * 3


@pytest.mark.parametrize(
    "line",
    [
        b'{"messages": [{"role": "user", "content": "Hi"}]',
        b'{"messages": [{"role": "user", "content": "\xff"}]}',
        b'{"messages": [{"role": "user", "content": "Hi"}], "metadata": {"at": NaN}}',
        b'{"messages": [{"role": "user", "content": "Hi"}]} {}',
        b"[" * 5_000,
        b"",
    ],
)
def test_what_is_no_json_is_left_to_the_careful_reading(line: bytes) -> None:
    assert glimpse(line, None, shares=False) is None
