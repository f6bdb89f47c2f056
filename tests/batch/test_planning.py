"""The cuts of a job: all items, in order, within the limits, as few as possible, told apart by their counts."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costkit.batch.plan import MOST_BYTES, MOST_REQUESTS, Cut, body_size, plan_cuts

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=14)


def body(lengths: list[int]) -> bytes:
    return b'{"requests":[' + b",".join(b"x" * length for length in lengths) + b"]}"


def cut(lengths: list[int], most_requests: int, most_bytes: int) -> tuple[Cut, ...]:
    return plan_cuts(lengths, most_requests=most_requests, most_bytes=most_bytes)


@given(LENGTHS, st.integers(1, 6), st.integers(100, 250))
def test_cuts_cover_all_items_in_order_within_both_limits(lengths: list[int], requests: int, size: int) -> None:
    cuts = cut(lengths, requests, size)
    assert cuts[0].first == 0
    assert all(left.first + left.requests == right.first for left, right in pairwise(cuts))
    assert cuts[-1].first + cuts[-1].requests == len(lengths)
    for own in cuts:
        exact = len(body(lengths[own.first : own.first + own.requests]))
        assert own.bytes == exact <= size
        assert 1 <= own.requests <= requests


def all_cuts(lengths: list[int], batches: int, requests: int, size: int) -> list[list[int]]:
    """Every way to cut into so many batches that keeps the limits, by brute force."""
    found = []
    for inner in combinations(range(1, len(lengths)), batches - 1) if batches else ():
        edges = [0, *inner, len(lengths)]
        pieces = [lengths[start:end] for start, end in pairwise(edges)]
        if all(len(piece) <= requests and len(body(piece)) <= size for piece in pieces):
            found.append([len(piece) for piece in pieces])
    return found


@given(LENGTHS, st.integers(1, 6), st.integers(100, 250))
@example([10] * 12, 5, 250)
def test_no_cut_has_fewer_batches_and_counts_differ_wherever_that_is_possible(
    lengths: list[int], requests: int, size: int
) -> None:
    counts = [own.requests for own in cut(lengths, requests, size)]
    assert all_cuts(lengths, len(counts) - 1, requests, size) == []
    can_differ = any(len(set(other)) == len(other) for other in all_cuts(lengths, len(counts), requests, size))
    assert (len(set(counts)) == len(counts)) is can_differ


def test_the_limits_of_the_api_are_kept_with_a_margin() -> None:
    assert (MOST_REQUESTS, MOST_BYTES) == (100_000, 250_880_000)


def test_a_quarter_of_a_million_requests_take_three_batches_with_different_counts() -> None:
    assert [own.requests for own in plan_cuts([100] * 250_000)] == [100_000, 99_999, 50_001]


def test_counts_differ_though_the_last_batch_would_be_as_full_as_the_first() -> None:
    assert [own.requests for own in cut([10] * 9, 5, 10_000)] == [5, 4]
    assert [own.requests for own in cut([10] * 8, 5, 10_000)] == [5, 3]
    assert sorted(own.requests for own in cut([10] * 12, 5, 10_000)) == [3, 4, 5]


def test_full_batches_may_be_alike_where_a_further_one_would_be_needed() -> None:
    assert [own.requests for own in cut([10] * 1_000, 100, 10**6)] == [100] * 10


def test_large_items_are_cut_by_bytes() -> None:
    assert [own.requests for own in plan_cuts([30_000_000] * 20)] == [8, 7, 5]


def test_no_items_need_no_batch() -> None:
    assert plan_cuts([]) == ()


def test_an_item_that_fits_no_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="doesn't fit"):
        cut([100], 5, 100)


def test_the_size_of_a_body_is_exact() -> None:
    assert body_size([3, 4, 5]) == len(body([3, 4, 5]))
