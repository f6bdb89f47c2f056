"""Bodies with new breakpoints: what the plan says, and nothing else, is different."""

from __future__ import annotations

from typing import Any

import pytest
from cache_requests import HOUR, MARK, body, text, tool

from costkit.cache.apply import difference, marked_body
from costkit.cache.breakpoints import breakpoints_of, refusals
from costkit.cache.divergence import divergence_of
from costkit.cache.marks import Mark
from costkit.core.request import parse_request

FULL = {
    **body("question", tools=[tool("a", mark=MARK), tool("b")], system="rules", temperature=None),
    "messages": [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "a", "input": {"cache_control": 1}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [text("in", MARK)]}, "bare"],
        },
    ],
    "cache_control": MARK,
}


@pytest.mark.parametrize(
    "marks",
    [
        (),
        (Mark(1, "1h"), Mark(2, "1h"), Mark(3), Mark(6)),
        (Mark(0), Mark(4)),
        (Mark(5, "1h"),),
    ],
)
def test_a_marked_body_has_the_marks_of_the_plan_and_the_same_content(marks: tuple[Mark, ...]) -> None:
    before = parse_request(FULL)
    after = parse_request(marked_body(before, marks))
    written = breakpoints_of(after)
    assert [(mark.position, mark.ttl) for mark in written] == [(mark.position, mark.ttl) for mark in marks]
    assert list(refusals(written)) == []
    assert divergence_of(parse_request(marked_body(before, ())), after) is None
    assert [block.level for block in after.blocks] == [block.level for block in before.blocks]


def test_json_of_the_callers_own_is_not_touched() -> None:
    marked: Any = marked_body(parse_request(FULL), ())
    assert marked["messages"][1]["content"][0]["input"] == {"cache_control": 1}
    assert marked["temperature"] is None


def test_the_given_body_stays_as_it_is() -> None:
    request = parse_request(FULL)
    marked_body(request, (Mark(2),))
    assert request.body["system"] == "rules"
    assert request.body["cache_control"] == MARK


def test_a_text_becomes_a_block_and_an_hour_is_written_out() -> None:
    marked: Any = marked_body(parse_request(body("question", system="rules")), (Mark(0, "1h"),))
    assert marked["system"] == [{"type": "text", "text": "rules", "cache_control": HOUR}]


def test_the_difference_is_a_unified_diff() -> None:
    before = body("question", system="rules")
    lines = difference(before, marked_body(parse_request(before), (Mark(0),)), "body.json")
    assert lines[:2] == ["--- body.json", "+++ body.json (with breakpoints)"]
    assert '-  "system": "rules",' in lines
    assert '+        "type": "ephemeral"' in lines
    assert difference(before, before, "body.json") == []
