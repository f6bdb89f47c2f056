"""What looks as if it changed with every request, and what does not."""

from __future__ import annotations

import pytest

from costkit.cache.volatile import volatile_values, without_values


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Current time: 2026-11-21T10:00:03Z.", "timestamp", "2026-11-21T10:00:03Z"),
        ("Logged at 2026-11-21 10:00:03.120+01:00 sharp", "timestamp", "2026-11-21 10:00:03.120+01:00"),
        ("It is now 14:05 in Lyon", "timestamp", "14:05"),
        ("ts: 1763719203", "timestamp", "1763719203"),
        ("Today is 2026-11-21.", "date", "2026-11-21"),
        ("Today's date: Friday, November 21, 2026", "date", "November 21, 2026"),
        ("Hello.\nDate: 21 November 2026", "date", "21 November 2026"),
        ("run 123e4567-e89b-12d3-a456-426614174000 of many", "uuid", "123e4567-e89b-12d3-a456-426614174000"),
        ("request id: req_011CK6YzxuySxx", "request id", "req_011CK6YzxuySxx"),
        ('{"session_id": "abc123"}', "request id", "abc123"),
        ("see req_011CK6YzxuySxxaXJLpw", "request id", "req_011CK6YzxuySxxaXJLpw"),
        ("Request #4711", "counter", "4711"),
        ("turn number 12", "counter", "12"),
        ("nonce: 99", "counter", "99"),
    ],
)
def test_a_value_of_the_moment_is_found(text: str, kind: str, value: str) -> None:
    (found,) = volatile_values(text)
    assert (found.kind, found.value, text[found.start : found.end]) == (kind, value, value)


@pytest.mark.parametrize(
    "text",
    [
        "The policy of 2024-03-01 holds.",
        "Knowledge cutoff: 2025-01-01",
        "Step 3: call the tool at most 5 times",
        "Opening hours 9:00 to 17:30",
        "Send the request id with every complaint",
        "Use claude-opus-5-5 and port 8080",
        "Call number two is free",
    ],
)
def test_what_stays_the_same_is_left_alone(text: str) -> None:
    assert volatile_values(text) == []


def test_a_value_inside_of_another_is_found_once_and_keeps_its_label() -> None:
    (found,) = volatile_values("The current time is 2026-11-21T10:00:03Z")
    assert (found.value, found.labelled) == ("2026-11-21T10:00:03Z", True)


def test_texts_that_differ_in_such_values_only_are_one_template() -> None:
    one, other = ("Today is 2026-11-21, turn number 3.", "Today is 2026-11-22, turn number 14.")
    assert without_values(one, volatile_values(one)) == without_values(other, volatile_values(other))
