"""Turns of a conversation: several messages of one role in a row are one to the model."""

from __future__ import annotations

from typing import Any

from token_requests import CALL, RESULT, TOOL, count, needs_ctok


@needs_ctok
def test_messages_of_one_role_in_a_row_are_one_message() -> None:
    """The API makes one of them: calls in both are parallel calls, and text behind a result is text behind a result."""
    second = {**CALL, "id": "t2", "input": {"number": "B-4"}}
    results: list[Any] = [RESULT, {**RESULT, "tool_use_id": "t2"}]
    more = {"type": "text", "text": "Well?"}

    def counted(*messages: tuple[str, list[Any]]) -> int:
        body = {"messages": [{"role": role, "content": content} for role, content in messages], "tools": [TOOL]}
        return count(body).tokens

    asked: tuple[str, list[Any]] = ("user", [{"type": "text", "text": "Where are A-17 and B-4?"}])
    assert counted(asked, ("assistant", [CALL]), ("assistant", [second]), ("user", results)) == counted(
        asked, ("assistant", [CALL, second]), ("user", results)
    )
    assert counted(asked, ("assistant", [CALL]), ("user", [RESULT]), ("user", [more])) == counted(
        asked, ("assistant", [CALL]), ("user", [RESULT, more])
    )
