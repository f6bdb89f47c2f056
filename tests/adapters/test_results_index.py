"""The index of results: what it joins, what it finds missing or strange, and that its work grows with its content."""

from __future__ import annotations

import random

import pytest

from costkit.adapters.batches.results_index import SqliteResultsIndex
from costkit.batch.outcome import Outcome, outcomes
from costkit.batch.results import Asked, Found, Place


def asked(count: int, absence: str = "missing") -> list[Asked]:
    return [Asked(number, number + 1, f"id-{number}", absence) for number in range(count)]


def found(*results: tuple[int, str]) -> list[Found]:
    return [Found(f"id-{number}", category, 100 * place, 10) for place, (number, category) in enumerate(results)]


def settled(index: SqliteResultsIndex) -> list[Outcome]:
    return list(outcomes(index.items()))


def test_results_are_joined_by_custom_id_in_the_order_of_the_input() -> None:
    with SqliteResultsIndex() as index:
        index.ask(0, asked(3))
        assert index.add(0, "b", found((2, "succeeded"), (0, "expired"), (1, "server"))) == 3
        rows = settled(index)
    assert [(row.custom_id, row.category, row.place) for row in rows] == [
        ("id-0", "expired", Place("b", 100, 10)),
        ("id-1", "server", Place("b", 200, 10)),
        ("id-2", "succeeded", Place("b", 0, 10)),
    ]


def test_of_two_results_for_one_item_the_success_counts() -> None:
    with SqliteResultsIndex() as index:
        index.ask(0, asked(2))
        assert index.add(0, "b", found((0, "expired"), (0, "succeeded"), (1, "server"), (1, "expired"))) == 2
        rows = settled(index)
    assert [(row.category, row.copies) for row in rows] == [("succeeded", 2), ("server", 2)]


@pytest.mark.parametrize(
    ("first", "second", "category", "attempts", "superseded"),
    [
        ("expired", "succeeded", "succeeded", 2, 0),
        ("expired", "invalid", "invalid", 2, 0),
        ("truncated", "succeeded", "succeeded", 2, 1),
        ("truncated", "refused", "refused", 2, 1),
        ("truncated", "expired", "truncated", 2, 0),
        ("expired", None, "missing", 2, 0),
        ("truncated", None, "truncated", 2, 0),
    ],
)
def test_the_newest_success_counts_else_the_newest_attempt(
    first: str, second: str | None, category: str, attempts: int, superseded: int
) -> None:
    with SqliteResultsIndex() as index:
        index.ask(0, asked(1))
        index.ask(1, asked(1))
        index.add(0, "old", found((0, first)))
        index.add(1, "new", found(*[(0, code) for code in [second] if code]))
        (row,) = settled(index)
    assert (row.category, row.attempts, len(row.superseded)) == (category, attempts, superseded)


@pytest.mark.parametrize("absence", ["unsent", "sending", "rejected"])
def test_what_was_not_sent_is_no_attempt(absence: str) -> None:
    with SqliteResultsIndex() as index:
        index.ask(0, asked(1))
        index.ask(1, asked(1, absence))
        index.add(0, "old", found((0, "expired")))
        (row,) = settled(index)
    assert (row.category, row.attempts) == ("expired", 1)


def test_an_item_without_any_result_has_the_class_of_its_batch() -> None:
    with SqliteResultsIndex() as index:
        index.ask(0, asked(3))
        index.mark(0, 1, 2, "released")
        rows = settled(index)
    assert [(row.category, row.place, row.type) for row in rows] == [
        ("missing", None, None),
        ("released", None, None),
        ("released", None, None),
    ]


def test_a_retry_s_results_count_for_what_it_asked_only() -> None:
    """A batch that was adopted for a retry may hold ids of the job that the retry did not ask for."""
    with SqliteResultsIndex() as index:
        index.ask(0, asked(3))
        index.ask(1, asked(1))
        index.add(0, "old", found((0, "expired"), (1, "expired"), (2, "succeeded")))
        index.add(1, "new", found((1, "succeeded")))
        rows = settled(index)
        assert list(index.unknown()) == ["id-1"]
        assert index.strangers(1, "new", 0, 1) == (1, 1)
    assert [row.category for row in rows] == ["missing", "expired", "succeeded"]


def test_strangers_are_counted_within_the_run_of_items_of_the_batch() -> None:
    with SqliteResultsIndex() as index:
        index.ask(0, asked(6))
        index.add(0, "a", found((0, "expired"), (1, "expired"), (2, "expired")))
        index.add(0, "b", found((3, "expired"), (1, "expired"), (9, "expired")))
        assert index.strangers(0, "a", 0, 3) == (0, 0)
        assert index.strangers(0, "b", 3, 3) == (2, 2)
        index.drop("b")
        assert index.strangers(0, "b", 3, 3) == (0, 3)


def test_a_batch_that_can_t_be_read_to_its_end_adds_nothing() -> None:
    def broken() -> object:
        yield from found((0, "succeeded"))
        raise ValueError("cut")

    with SqliteResultsIndex() as index:
        index.ask(0, asked(1))
        with pytest.raises(ValueError, match="cut"):
            index.add(0, "b", broken())  # type: ignore[arg-type]
        assert [row.category for row in settled(index)] == ["missing"]
        assert index.add(0, "b", found((0, "succeeded"))) == 1


def test_the_order_of_arrival_puts_rows_without_a_result_last() -> None:
    with SqliteResultsIndex() as index:
        index.ask(0, asked(4))
        index.add(0, "b", found((2, "expired"), (0, "expired"), (3, "expired")))
        index.by_arrival()
        assert [item.custom_id for item in index.items()] == ["id-2", "id-0", "id-3", "id-1"]


def test_results_without_an_input_are_their_own_items() -> None:
    with SqliteResultsIndex() as index:
        index.add(0, "b", found((2, "expired"), (0, "succeeded"), (2, "succeeded")))
        index.ask_for_what_is_there()
        rows = settled(index)
        assert list(index.unknown()) == []
    assert [(row.custom_id, row.category, row.copies) for row in rows] == [
        ("id-2", "succeeded", 2),
        ("id-0", "succeeded", 1),
    ]


def steps(count: int) -> int:
    """How many instructions of SQLite's virtual machine a whole collection takes, in thousands."""
    order = list(range(count))
    random.Random(0).shuffle(order)  # noqa: S311 - repeatable on purpose
    taken = 0

    def tick() -> int:
        nonlocal taken
        taken += 1
        return 0

    with SqliteResultsIndex() as index:
        index._connection.set_progress_handler(tick, 1000)
        index.ask(0, asked(count))
        index.add(0, "a", found(*[(number, "succeeded") for number in order]))
        index.strangers(0, "a", 0, count)
        index.by_arrival()
        assert len(settled(index)) == count
        assert list(index.unknown()) == []
        index.mark(0, 0, count, "released")
        index.drop("a")
    return taken


def test_twice_the_results_are_twice_the_work() -> None:
    """A query that goes through all results for each item would take hours for a large batch."""
    assert steps(4000) < 2.5 * steps(2000)
