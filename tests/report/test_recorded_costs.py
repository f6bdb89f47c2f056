"""What a client wrote down as the cost of its sessions stands beside the calculated cost and never changes it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from costkit.report import Record, RecordedCost, Remark, Report, Skipped

Make = Callable[..., Record]
Ask = Callable[..., Report]
MILLION = 1_000_000


def _cost(session: str, usd: str, offset: int = 0, path: str = "a.jsonl", *, complete: bool = True) -> RecordedCost:
    return RecordedCost(session, Decimal(usd), path, offset + 1, offset, complete)


def test_recorded_and_calculated_stand_side_by_side(record: Make, ask: Ask) -> None:
    mine = record(session="s1", input_tokens=MILLION)
    others = record(session="s2", input_tokens=5 * MILLION)

    report = ask([mine, others, _cost("s1", "1.25")])

    assert report.total.cost_usd == 6
    assert report.quality.as_json()["recorded"] == {
        "sessions": 1,
        "recorded_usd": "1.25",
        "calculated_usd": "1",
        "difference_usd": "0.25",
        "complete": True,
        "largest": [{"session": "s1", "recorded_usd": "1.25", "calculated_usd": "1", "difference_usd": "0.25"}],
    }


def test_the_last_cost_of_a_session_in_a_file_stands_for_all(ask: Ask) -> None:
    """Even where it is smaller: the client started to count anew."""
    costs = [_cost("s1", "3", 10), _cost("s1", "2", 20), _cost("s1", "1", 0)]

    for order in (costs, costs[::-1]):
        recorded = ask(order).quality.recorded
        assert recorded is not None
        assert recorded.recorded_usd == 2


def test_of_several_files_of_a_session_the_largest_cost_counts(ask: Ask) -> None:
    recorded = ask([_cost("s1", "3", path="b.jsonl"), _cost("s1", "1"), _cost("s2", "1")]).quality.recorded

    assert recorded is not None
    assert (recorded.sessions, recorded.recorded_usd) == (2, Decimal(4))
    assert [session.session for session in recorded.largest] == ["s1", "s2"]


@pytest.mark.parametrize("part", [{"since": 1}, {"until": 2**60}, {"model_glob": "*"}], ids=["since", "until", "model"])
def test_a_part_of_a_log_is_not_compared_with_whole_sessions(record: Make, ask: Ask, part: dict[str, Any]) -> None:
    assert ask([record(session="s1"), _cost("s1", "1")], **part).quality.recorded is None


@pytest.mark.parametrize(
    ("known", "model", "complete"),
    [(True, "claude-lark-1", True), (False, "claude-lark-1", False), (True, "claude-gone-9", False)],
)
def test_a_price_that_either_side_lacks_is_said(
    record: Make, ask: Ask, model: str, *, known: bool, complete: bool
) -> None:
    items = [record(model, session="s1"), record("claude-gone-9", session="s2"), _cost("s1", "1", complete=known)]

    recorded = ask(items).quality.recorded

    assert recorded is not None
    assert recorded.complete is complete


def test_many_sessions_are_added_up_and_the_largest_differences_are_listed(ask: Ask) -> None:
    recorded = ask([_cost(f"s{number}", str(number), number) for number in range(9)]).quality.recorded

    assert recorded is not None
    assert (recorded.sessions, recorded.recorded_usd) == (9, Decimal(36))
    assert [session.session for session in recorded.largest] == ["s8", "s7", "s6", "s5", "s4"]


def test_the_quality_knows_what_was_odd_and_where(record: Make, ask: Ask) -> None:
    items = [
        record("claude-lark-1", "m1", input_tokens=300, cache_creation_input_tokens=100),
        record("claude-lark-1", "m1", placeholder=True),
        record(at=None),
        record("claude-gone-9", "m2", output_tokens=100, placeholder=True, incomplete=True, refused=True),
        Remark("glued", "a.jsonl", 7),
        Skipped("torn-json", "a.jsonl", 9),
        Skipped("torn-last-line", "b.jsonl", 2),
        Skipped("invalid-json", "b.jsonl", 1),
    ]

    quality = ask(items).quality.as_json()

    assert quality["glued"] == {"count": 1, "examples": ["a.jsonl:7"]}
    assert quality["torn"] == {"count": 2, "examples": ["a.jsonl:9", "b.jsonl:2"]}
    assert quality["unpriced"] == {"requests": 1, "tokens": 100, "token_share": 0.2}
    names = ("duplicates", "without_time", "placeholders", "incomplete_streams", "refusals", "assumed_5m_tokens")
    assert [quality[name] for name in names] == [1, 1, 1, 1, 1, 100]
    assert [entry["reason"] for entry in quality["skipped"]] == ["invalid-json", "torn-json", "torn-last-line"]  # type: ignore[attr-defined]
