"""Responses shared out by identity: every copy meets every other, and nothing is lost or counted twice."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costkit.core.response import BilledUsage, Counts, Iteration
from costkit.report import Charge, FoldOptions, Record, UsageSummary, summarize
from costkit.report.fold import close
from costkit.report.partition import join, settle_part, size_of, split
from costkit.report.table import Columns, ResponseTable

OPTIONS = FoldOptions(brackets=(500,))
SMALL = st.integers(0, 900)
WIDE = st.sampled_from([0, 1, 2**33])
COUNTS = st.builds(Counts, SMALL, SMALL, SMALL, SMALL, SMALL, WIDE, SMALL)
ITERATIONS = st.lists(st.builds(Iteration, st.sampled_from([None, "m"]), COUNTS), max_size=2).map(tuple)
AMOUNTS = st.sampled_from([None, Decimal(0), Decimal("0.1"), Decimal("1e-20"), Decimal(7)])
CHARGES = st.builds(Charge, st.sampled_from(["litellm", "otel"]), AMOUNTS, st.sampled_from(["", "EUR"]))
RECORDS = st.builds(
    Record,
    usage=st.builds(BilledUsage, COUNTS, iterations=ITERATIONS),
    path=st.sampled_from(["a", "b"]),
    line=st.integers(1, 9),
    offset=st.integers(0, 9),
    model=st.sampled_from(["m", "n", None]),
    message_id=st.integers(0, 12).map(str),
    timestamp=st.sampled_from([None, 0, 10**15]),
    session=st.sampled_from([None, "s", "t"]),
    labels=st.just(()),
    charge=st.one_of(st.none(), CHARGES),
)
LOADS = st.lists(st.lists(RECORDS, max_size=12), min_size=1, max_size=4)
PARTS = st.integers(1, 4)


@given(LOADS, PARTS, PARTS)
def test_settling_parts_of_loads_comes_to_what_closing_the_whole_does(
    loads: list[list[Record]], first: int, second: int
) -> None:
    whole = summarize([record for load in loads for record in load], OPTIONS)
    close(whole, (), frozenset("s"))
    parted, buckets = UsageSummary(OPTIONS), list[list[list[Columns]]]()
    for load in loads:
        summary = summarize(load, OPTIONS)
        columns, summary.responses = summary.responses.columns(), ResponseTable()
        parted.absorb(summary)
        buckets.append([split(part, second, digit=1) for part in split(columns, first)])
    for number in range(first):
        for finer in range(second):
            shares = [bucket[number][finer] for bucket in buckets]
            parted.absorb(settle_part(shares, OPTIONS, frozenset("s")))
    close(parted, (), frozenset("s"))
    assert parted == whole


@given(st.lists(RECORDS, max_size=20), PARTS, st.sampled_from([0, 1]))
def test_parts_hold_what_the_whole_holds(records: list[Record], parts: int, digit: int) -> None:
    columns = summarize(records, OPTIONS).responses.columns()
    shares = split(columns, parts, digit)
    assert ResponseTable.of(join(shares)) == ResponseTable.of(columns)
    assert sum(map(size_of, shares)) == size_of(columns)


@given(st.lists(RECORDS, max_size=20))
def test_copies_of_columns_are_one(records: list[Record]) -> None:
    columns = summarize(records, OPTIONS).responses.columns()
    assert ResponseTable.of(join([columns, columns])) == ResponseTable.of(columns)
