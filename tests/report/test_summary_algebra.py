"""A summary is a commutative monoid: a log may be split anywhere and folded in any order."""

from __future__ import annotations

import pickle
import random
from datetime import UTC, date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.core.pricebook import PriceBook
from costkit.core.response import BilledUsage, Counts, Iteration
from costkit.report import (
    Charge,
    FileRead,
    FoldOptions,
    Item,
    Record,
    RecordedCost,
    Remark,
    ReportOptions,
    Skipped,
    merge,
    settle,
    summarize,
)
from costkit.report.attributes import Attributes
from costkit.report.table import Response, ResponseTable

BRACKETS = (100_000,)
MODELS = st.sampled_from(["claude-lark-1", "claude-lark-1-20260101", "claude-wren-2", "claude-unknown", None])
COUNT = st.one_of(st.integers(0, 3), st.integers(0, 10**10))
COUNTS = st.builds(Counts, *[COUNT] * 6, st.integers(0, 5))
ITERATIONS = st.lists(st.builds(Iteration, MODELS, COUNTS), max_size=2).map(tuple)
TEXT = st.sampled_from([None, "a", "b"])
USAGES = st.builds(
    BilledUsage,
    COUNTS,
    st.sampled_from([None, "standard", "batch", "priority"]),
    st.sampled_from([None, "fast"]),
    st.sampled_from([None, "us", "mars"]),
    ITERATIONS,
)
AMOUNTS = st.sampled_from([None, Decimal(0), Decimal("0.1"), Decimal("0.10"), Decimal("1e-20"), Decimal(7)])
CHARGES = st.builds(Charge, st.sampled_from(["litellm", "otel"]), AMOUNTS, st.sampled_from(["", "EUR"]))
RECORDS = st.builds(
    Record,
    USAGES,
    st.sampled_from(["x.jsonl", "y.jsonl"]),
    st.integers(1, 3),
    st.integers(0, 3),
    MODELS,
    st.sampled_from([None, "m1", "m2", "m3"]),
    st.sampled_from([None, "", "r1"]),
    st.one_of(st.none(), st.sampled_from([1_780_000_000_000_000, 1_780_099_999_999_999]), st.integers(0, 2 * 10**15)),
    TEXT,
    TEXT,
    st.tuples(TEXT),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), CHARGES),
)
SKIPS = st.builds(Skipped, st.sampled_from(["torn-json", "invalid-json"]), st.just("x.jsonl"), st.integers(1, 20))
READS = st.builds(FileRead, st.just("x.jsonl"), st.integers(0, 9), st.integers(0, 9), st.just((("synthetic", 1),)))
REMARKS = st.builds(Remark, st.just("glued"), st.just("x.jsonl"), st.integers(1, 20))
COSTS = st.builds(
    RecordedCost,
    st.sampled_from(["a", "b"]),
    st.integers(0, 3).map(Decimal),
    st.sampled_from(["x.jsonl", "y.jsonl"]),
    st.integers(1, 3),
    st.integers(0, 3),
    st.booleans(),
)
ITEMS: st.SearchStrategy[list[Item]] = st.lists(
    st.one_of(RECORDS, RECORDS, RECORDS, SKIPS, READS, REMARKS, COSTS), max_size=12
)
DEDUPE = st.sampled_from(["auto", "id", "none"])
CUT = ("model", "hour", "day", "week", "month", "project", "session", "tier", "speed", "file", "tag:team")


def _options(dedupe: str) -> FoldOptions:
    return FoldOptions(dedupe, ("tag:team",), brackets=BRACKETS)


@given(ITEMS, DEDUPE, st.integers(1, 4), st.randoms(use_true_random=False))
def test_folding_any_split_in_any_order_equals_folding_the_whole(
    items: list[Item], dedupe: str, parts: int, chance: random.Random
) -> None:
    options = _options(dedupe)
    chunks: list[list[Item]] = [[] for _ in range(parts)]
    for item in items:
        chunks[chance.randrange(parts)].append(item)
    chance.shuffle(chunks)

    assert merge([summarize(chunk, options) for chunk in chunks], options) == summarize(items, options)


@given(ITEMS, ITEMS, ITEMS, DEDUPE)
def test_merging_is_associative_commutative_and_has_a_neutral_element(
    first: list[Item], second: list[Item], third: list[Item], dedupe: str
) -> None:
    options = _options(dedupe)
    a, b, c = (summarize(items, options) for items in (first, second, third))

    assert merge([merge([a, b], options), c], options) == merge([a, merge([b, c], options)], options)
    assert merge([a, b], options) == merge([b, a], options)
    assert merge([a, merge([], options)], options) == a


@given(ITEMS)
def test_the_table_of_responses_is_idempotent(items: list[Item]) -> None:
    table = summarize(items, _options("auto")).responses
    twice = ResponseTable()
    twice.absorb(table)
    twice.absorb(table)

    assert twice == table


@given(ITEMS, DEDUPE)
def test_a_summary_survives_the_way_between_processes(items: list[Item], dedupe: str) -> None:
    summary = summarize(items, _options(dedupe))

    assert pickle.loads(pickle.dumps(summary)) == summary  # noqa: S301  # our own bytes


@given(ITEMS, st.sampled_from(["auto", "id", "file", "none"]), st.randoms(use_true_random=False))
def test_every_grouping_has_the_same_tokens_and_dollars_to_the_last_digit(
    book: PriceBook, items: list[Item], dedupe: str, chance: random.Random
) -> None:
    totals = []
    for by in [*[(name,) for name in CUT], tuple(chance.sample(CUT, 3))]:
        options = ReportOptions(date(2026, 11, 21), (*by, "tag:team"), UTC, dedupe=dedupe)
        report = settle(summarize(items, options.fold(book)), book, options)
        rows = [row.figures for row in report.rows]
        assert sum((row.cost_usd for row in rows), Decimal(0)) == report.total.cost_usd
        assert sum(row.requests for row in rows) == report.total.requests
        totals.append((report.total, report.unpriced, report.quality, report.period))

    assert all(total == totals[0] for total in totals)


@given(ITEMS, st.integers(1, 3))
def test_folding_the_rest_into_one_row_changes_no_total(book: PriceBook, items: list[Item], top: int) -> None:
    options = ReportOptions(date(2026, 11, 21), ("model", "day", "tag:team"), top=top, dedupe="none")
    report = settle(summarize(items, options.fold(book)), book, options)

    assert sum((row.figures.cost_usd for row in report.rows), Decimal(0)) == report.total.cost_usd
    assert len(report.rows) <= top + 1


def test_summaries_of_different_questions_are_not_merged() -> None:
    with pytest.raises(ValueError, match="different options"):
        merge([summarize([], _options("id"))], _options("auto"))


def test_a_summary_made_for_other_price_tiers_is_not_priced(book: PriceBook) -> None:
    with pytest.raises(ValueError, match="other price tiers"):
        settle(summarize([], FoldOptions(brackets=(7,))), book, ReportOptions(date(2026, 11, 21)))


def test_counts_beyond_four_billion_are_kept_exactly() -> None:
    table = ResponseTable()
    attributes = Attributes(None, None, None, None, None, None, "x", ())
    small, large = Counts(1, 2, 3, 4, 5, 6, 7), Counts(input_tokens=2**33 + 1)
    for key, counts in ((b"1", small), (b"2", large), (b"1", large)):
        table.put(key, Response(counts, 0, attributes, 0, 1, 0, ()))

    assert {key: response.counts for key, response in table.items()} == {b"1": small.largest(large), b"2": large}


def test_a_response_takes_less_than_two_hundred_bytes() -> None:
    """The promise is about the growth: the same attributes are stored once."""
    import tracemalloc

    table, attributes = ResponseTable(), Attributes("m", "standard", None, None, "s", "p", "x.jsonl", ())
    tracemalloc.start()
    for number in range(20_000):
        counts = Counts(*[number] * 7)
        table.put(
            number.to_bytes(12, "little"),
            Response(counts, 1_780_000_000_000_000 + number, attributes, number, number, 0, ()),
        )
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert size / len(table) < 200
