"""A Messages body becomes blocks in cache order; a wrong shape is refused with its place."""

from typing import Any

import pytest

from costkit.core.request import CacheControl, parse_request, text_request
from costkit.errors import InvalidInput

HELLO = {"role": "user", "content": "Hello"}
BODY: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 256,
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image", "source": {}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "find", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}, "and now?"]},
    ],
    "system": [
        {"type": "text", "text": "Rules", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "Style"},
    ],
    "tools": [{"name": "find", "input_schema": {}, "cache_control": {"type": "ephemeral"}}],
}


def test_blocks_come_in_cache_order_whatever_the_order_of_the_keys() -> None:
    request = parse_request(BODY)
    assert [(block.path, block.kind) for block in request.blocks] == [
        ("tools[0]", "tool"),
        ("system[0]", "text"),
        ("system[1]", "text"),
        ("messages[0].content[0]", "text"),
        ("messages[0].content[1]", "image"),
        ("messages[1].content[0]", "tool_use"),
        ("messages[2].content[0]", "tool_result"),
        ("messages[2].content[1]", "text"),
    ]
    assert [block.level for block in request.blocks] == ["tools", "system", "system", *["messages"] * 5]


def test_messages_keep_their_role_and_index() -> None:
    messages = parse_request(BODY).level("messages")
    assert [(block.role, block.message) for block in messages] == [
        ("user", 0), ("user", 0), ("assistant", 1), ("user", 2), ("user", 2),
    ]  # fmt: skip


def test_breakpoints_are_found_with_their_time_to_live() -> None:
    marks = {block.path: block.cache_control for block in parse_request(BODY).blocks if block.cache_control}
    assert marks == {"tools[0]": CacheControl("5m"), "system[0]": CacheControl("1h")}


def test_automatic_caching_is_the_top_level_mark() -> None:
    assert parse_request({"messages": [HELLO], "cache_control": {"type": "ephemeral"}}).cache_control == CacheControl()
    assert parse_request({"messages": [HELLO]}).cache_control is None


def test_model_and_limit_are_read_and_the_body_is_kept_as_it_was() -> None:
    request = parse_request(BODY)
    assert (request.model, request.max_tokens) == ("claude-opus-5-5", 256)
    assert request.body is BODY


def test_a_string_is_a_text_block() -> None:
    request = parse_request({"system": "Be brief", "messages": [HELLO]})
    assert [(block.path, block.value) for block in request.blocks] == [
        ("system", {"type": "text", "text": "Be brief"}),
        ("messages[0].content", {"type": "text", "text": "Hello"}),
    ]


def test_a_bare_prompt_is_one_user_message() -> None:
    (block,) = text_request("Hello").blocks
    assert (block.role, block.value["text"]) == ("user", "Hello")


def test_null_stands_for_absent() -> None:
    request = parse_request({"model": None, "max_tokens": None, "tools": None, "system": None, "messages": [HELLO]})
    assert (request.model, request.max_tokens, len(request.blocks)) == (None, None, 1)


def holding(block: dict[str, object]) -> dict[str, object]:
    """A request whose only message has one block."""
    return {"messages": [{"role": "user", "content": [block]}]}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], "body.json"),
        ("text", "body.json"),
        ({}, "body.json:messages"),
        ({"messages": []}, "body.json:messages"),
        ({"messages": {}}, "body.json:messages"),
        ({"messages": ["Hello"]}, "body.json:messages[0]"),
        ({"messages": [HELLO, {"role": "tool", "content": ""}]}, "body.json:messages[1].role"),
        ({"messages": [{"role": ["user"], "content": ""}]}, "body.json:messages[0].role"),
        ({"messages": [{"role": "user"}]}, "body.json:messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "body.json:messages[0].content"),
        ({"messages": [{"role": "user", "content": [5]}]}, "body.json:messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "body.json:messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "body.json:messages[0].content[0].text"),
        ({"messages": [HELLO], "tools": {}}, "body.json:tools"),
        ({"messages": [HELLO], "tools": [1]}, "body.json:tools[0]"),
        ({"messages": [HELLO], "tools": [{"name": 5}]}, "body.json:tools[0].name"),
        ({"messages": [HELLO], "tools": [{"name": "t", "description": ["d"]}]}, "body.json:tools[0].description"),
        ({"messages": [HELLO], "tools": [{"name": "t", "input_schema": "{}"}]}, "body.json:tools[0].input_schema"),
        ({"messages": [HELLO], "thinking": 5}, "body.json:thinking"),
        ({"messages": [HELLO], "speed": ["fast"]}, "body.json:speed"),
        ({"messages": [HELLO], "inference_geo": 1}, "body.json:inference_geo"),
        ({"messages": [HELLO], "service_tier": 1}, "body.json:service_tier"),
        ({"messages": [HELLO], "model": ""}, "body.json:model"),
        ({"messages": [HELLO], "model": " "}, "body.json:model"),
        (holding({"type": "tool_use", "name": 5}), "body.json:messages[0].content[0].name"),
        (holding({"type": "tool_use", "name": "t", "input": "x"}), "body.json:messages[0].content[0].input"),
        (holding({"type": "thinking", "thinking": 5}), "body.json:messages[0].content[0].thinking"),
        (holding({"type": "image", "source": "x"}), "body.json:messages[0].content[0].source"),
        (holding({"type": "image", "source": {"data": 5}}), "body.json:messages[0].content[0].source.data"),
        (
            holding({"type": "document", "source": {"media_type": 5}}),
            "body.json:messages[0].content[0].source.media_type",
        ),
        (
            holding({"type": "tool_result", "content": [{"type": "image", "source": {"data": 5}}]}),
            "body.json:messages[0].content[0].content[0].source.data",
        ),
        ({"messages": [HELLO], "system": 1}, "body.json:system"),
        ({"messages": [HELLO], "model": 5}, "body.json:model"),
        ({"messages": [HELLO], "max_tokens": "5"}, "body.json:max_tokens"),
        ({"messages": [HELLO], "max_tokens": True}, "body.json:max_tokens"),
        ({"messages": [HELLO], "max_tokens": -1}, "body.json:max_tokens"),
        ({"messages": [HELLO], "cache_control": {}}, "body.json:cache_control"),
        ({"messages": [HELLO], "cache_control": {"type": "ephemeral", "ttl": "2h"}}, "body.json:cache_control.ttl"),
        ({"messages": [HELLO], "tools": [{"cache_control": "5m"}]}, "body.json:tools[0].cache_control"),
        (
            {"messages": [HELLO], "tools": [{"cache_control": {"type": "ephemeral", "ttl": ["1h"]}}]},
            "body.json:tools[0].cache_control.ttl",
        ),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(body: object, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(body, "body.json")
    assert caught.value.where == place
    assert "\n" not in str(caught.value)


def test_without_a_file_the_place_is_inside_the_body() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request({"messages": [HELLO], "tools": 1})
    assert caught.value.where == "tools"
