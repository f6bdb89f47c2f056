"""Where two requests stop being the same for the cache."""

from __future__ import annotations

from typing import Any

import pytest
from cache_requests import HOUR, MARK, body, talk, text, tool

from costkit.cache.content import content_bytes
from costkit.cache.divergence import Divergence, divergence_of
from costkit.core.request import parse_request

TOOLS = [tool("a"), tool("b"), tool("c"), tool("d", required=["x"])]
SYSTEM = [text("Be brief."), text("Be kind.")]


def between(earlier: dict[str, Any], later: dict[str, Any]) -> Divergence | None:
    return divergence_of(parse_request(earlier), parse_request(later))


@pytest.mark.parametrize(
    ("change", "path", "what", "level"),
    [
        ({"tools": [*TOOLS[:3], tool("d", required=["x", "y"])]}, "tools[3].input_schema.required", "changed", "tools"),
        ({"tools": [tool("a", "new"), *TOOLS[1:]]}, "tools[0].description", "changed", "tools"),
        ({"tools": [TOOLS[1], TOOLS[0], *TOOLS[2:]]}, "tools[0]", "reordered", "tools"),
        ({"tools": TOOLS[:3]}, "tools[3]", "removed", "tools"),
        ({"tools": [*TOOLS, tool("e")]}, "tools[4]", "added", "tools"),
        ({"tools": [*TOOLS, {"type": "web_search_20250305", "name": "web_search"}]}, "tools[4]", "added", "system"),
        ({"system": [text("Be brief."), text("Be bold.")]}, "system[1].text", "changed", "system"),
        ({"system": [text("Be brief.")]}, "system[1]", "removed", "system"),
        ({"system": "Be short."}, "system", "changed", "system"),
        ({"thinking": {"type": "adaptive"}}, "thinking", "changed", "messages"),
        ({"tool_choice": {"type": "any"}}, "tool_choice", "changed", "messages"),
        ({"output_config": {"effort": "low"}}, "output_config.effort", "changed", "messages"),
    ],
)
def test_the_first_difference_in_cache_order_and_what_it_invalidates(
    change: dict[str, Any], path: str, what: str, level: str
) -> None:
    earlier = body("Hello", tools=TOOLS, system=SYSTEM)
    divergence = between(earlier, {**earlier, **change})
    assert divergence is not None
    assert (divergence.path, divergence.what, divergence.level) == (path, what, level)


def test_a_level_takes_those_behind_it_along() -> None:
    divergence = between(body("Hello", system="One"), body("Hello", system="Two"))
    assert divergence is not None
    assert divergence.invalidates == ("system", "messages")


def test_the_offset_counts_the_bytes_that_are_the_same() -> None:
    earlier, later = body("Grüße", "Ärger im Büro"), body("Grüße", "Ärger im Haus")
    divergence = between(earlier, later)
    assert divergence is not None
    first, second = parse_request(later).blocks
    same = content_bytes(second).index(b"Haus")
    assert (divergence.position, divergence.byte_offset) == (1, len(content_bytes(first)) + same)
    assert (divergence.before, divergence.after) == ("Ärger im Büro", "Ärger im Haus")


def test_an_excerpt_shows_forty_characters_on_each_side() -> None:
    divergence = between(body("a" * 100 + "1" + "b" * 100), body("a" * 100 + "2" + "b" * 100))
    assert divergence is not None
    assert (divergence.before, divergence.after) == (
        f"…{'a' * 40}1{'b' * 39}…",
        f"…{'a' * 40}2{'b' * 39}…",
    )
    assert (divergence.without_text().before, divergence.without_text().after) == (None, None)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (body("Hello"), body("Hello")),
        (body(text("Hello", MARK)), body(text("Hello", HOUR))),
        (body("Hello", system="Be brief."), body("Hello", system=[text("Be brief.")])),
        (body("Hello", system="Be brief."), body(text("Hello"), system=[text("Be brief.")], cache_control=MARK)),
        (talk("One", "Two", "Three"), talk("One", "Two", "Three", "Four", "Five")),
        (body("Hello"), {**body("Hello"), "messages": [{"role": "user", "content": "Hello"}]}),
        (body("Hello", tool_choice={"type": "auto"}), body("Hello")),
    ],
)
def test_marks_spellings_and_what_is_only_longer_are_no_difference(
    earlier: dict[str, Any], later: dict[str, Any]
) -> None:
    assert between(earlier, later) is None


def test_keys_in_another_order_are_a_difference_where_the_json_is_the_callers_own() -> None:
    one = body("Hello", tools=[tool("a", properties={"x": {}, "y": {}})])
    other = body("Hello", tools=[tool("a", properties={"y": {}, "x": {}})])
    divergence = between(one, other)
    assert divergence is not None
    assert (divergence.path, divergence.what) == ("tools[0].input_schema.properties", "reordered")


def test_keys_of_typed_objects_may_stand_in_any_order() -> None:
    assert between(body({"type": "text", "text": "Hi"}), body({"text": "Hi", "type": "text"})) is None


def test_the_same_text_from_another_role_is_another_text() -> None:
    divergence = between(talk("One", "Two", "Three"), {**talk("One"), "messages": [
        {"role": "user", "content": "One"}, {"role": "user", "content": "Two"}, {"role": "user", "content": "Three"},
    ]})  # fmt: skip
    assert divergence is not None
    assert divergence.position == 1


def test_an_image_that_joins_the_conversation_invalidates_the_messages() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    divergence = between(body("Hello", system="Be brief."), body("Hello", image, system="Be brief."))
    assert divergence is not None
    assert (divergence.path, divergence.level, divergence.byte_offset) == ("images", "messages", None)


def test_true_is_not_one() -> None:
    one, other = tool("a", strict=True), tool("a", strict=1)
    divergence = between(body("Hi", tools=[one]), body("Hi", tools=[other]))
    assert divergence is not None
    assert divergence.path == "tools[0].input_schema.strict"
