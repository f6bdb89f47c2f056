"""What holds for every simulation, whatever is repeated and whenever it arrives."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.cache.gaps import class_table, gap_rows, tally_gaps
from costkit.cache.marks import SECOND, Mark
from costkit.cache.prompt import Prefixes
from costkit.cache.shape import Part, Shape, lay_out
from costkit.cache.store import serve_all, step_of
from costkit.cache.strategy import steps_of_strategy, strategies_for
from costkit.cache.tally import serve_run, tally_events, tally_run
from costkit.cache.tariff import Tariff

DAY = date(2026, 11, 21)
GAPS = st.one_of(st.integers(1, 10 * SECOND), st.sampled_from([299, 300, 301, 3599, 3600, 3601]).map(SECOND.__mul__))


@st.composite
def marks_for(draw: st.DrawFn, blocks: int) -> tuple[Mark, ...]:
    """Breakpoints that the API would take."""
    places = sorted(draw(st.sets(st.integers(0, blocks - 1), max_size=4)))
    hours = draw(st.integers(0, len(places)))
    return tuple(Mark(place, "1h" if number < hours else "5m") for number, place in enumerate(places))


@st.composite
def timelines(draw: st.DrawFn) -> list[Any]:
    """Requests of a few shared blocks with any breakpoints, in the order of time."""
    prefixes, at, timeline = Prefixes(), 0, []
    for _ in range(draw(st.integers(1, 12))):
        words = draw(st.lists(st.integers(0, 2), min_size=1, max_size=30))
        prompt = prefixes.prompt(draw(st.sampled_from(["opus", "sonnet"])), [(word, 100 * word) for word in words])
        at += draw(st.one_of(st.just(0), GAPS))
        timeline.append((at, prompt, draw(marks_for(len(words)))))
    return timeline


@given(timelines(), st.sampled_from([0, 2 * SECOND]), st.sampled_from([0, 512, 4096]))
def test_no_token_is_lost_or_billed_twice(timeline: list[Any], first_byte: int, minimum: int) -> None:
    steps = [(at, step_of(prompt, marks, minimum)) for at, prompt, marks in timeline]
    for served, (_, prompt, _) in zip(serve_all(steps, first_byte), timeline, strict=True):
        assert min(served[:4]) >= 0
        assert sum(served[:4]) == prompt.tokens


@given(timelines(), st.sampled_from([0, 2 * SECOND]))
def test_looking_only_at_what_anybody_marks_changes_nothing(timeline: list[Any], first_byte: int) -> None:
    known = {prompt.keys[mark.position] for _, prompt, marks in timeline for mark in marks}
    everywhere = [(at, step_of(prompt, marks, 512)) for at, prompt, marks in timeline]
    known_only = [(at, step_of(prompt, marks, 512, known)) for at, prompt, marks in timeline]
    assert list(serve_all(everywhere, first_byte)) == list(serve_all(known_only, first_byte))


@given(timelines())
def test_nothing_can_be_read_that_was_never_written(timeline: list[Any]) -> None:
    steps = [(at, step_of(prompt, marks, 0)) for at, prompt, marks in timeline]
    written = 0
    for served in serve_all(steps):
        assert served.read_tokens <= written
        written += served.write_tokens


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    levels = sorted(draw(st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=5)))
    parts = [
        Part(draw(st.integers(0, 3000)), ("tools", "system", "messages")[level], draw(st.integers(0, 9)) > 0)
        for level in levels
    ]
    growth = draw(st.sampled_from([0, 0, 300, 5000]))
    fresh = draw(st.lists(st.integers(1, 2000), max_size=1 if growth else 3))
    stable = len(parts)
    markable = [number for number in range(stable) if parts[number].markable]
    places = sorted(draw(st.sets(st.sampled_from(markable), max_size=3))) if markable else []
    hours = draw(st.integers(0, len(places)))
    written = tuple(Mark(place, "1h" if number < hours else "5m") for number, place in enumerate(places))
    return Shape((*parts, *(Part(tokens, "messages") for tokens in fresh)), stable, growth, written)


TARIFF = Tariff(built_in_book(), built_in_book().resolve("claude-opus-5-5"), DAY, output_tokens=100)


@settings(max_examples=150)
@given(shapes(), st.lists(GAPS, min_size=0, max_size=30), st.integers(1, 3))
def test_gap_classes_give_what_the_events_give(shape: Shape, gaps: list[int], burst: int) -> None:
    """The fast way may only be taken because it is the same, for every strategy and every shape."""
    laid = lay_out(shape, [burst] * len(gaps) + [1], TARIFF.pool)
    starts = [sum(gaps[:number]) for number in range(len(gaps) + 1)]
    for name in strategies_for(shape):
        groups = steps_of_strategy(name, shape, laid, 512)
        table = class_table(groups, TARIFF, uniform=not shape.growth)
        fast = tally_gaps(table, gap_rows([gaps]))
        slow = tally_run(groups, starts, TARIFF)
        many = tally_events(groups, lambda: starts, 2, TARIFF, 0)
        assert fast.usage == slow.usage == many.usage
        assert fast.cost_usd == slow.cost_usd == many.cost_usd
        assert fast.each_usd == slow.each_usd == many.each_usd
        assert (fast.reads, fast.writes, fast.expiries) == (slow.reads, slow.writes, slow.expiries)
        assert fast.interval_usd == (slow.cost_usd, slow.cost_usd)


@settings(max_examples=50)
@given(shapes(), st.lists(GAPS, min_size=1, max_size=20))
def test_every_strategy_bills_the_same_prompts(shape: Shape, gaps: list[int]) -> None:
    laid = lay_out(shape, [1] * (len(gaps) + 1), TARIFF.pool)
    starts = [sum(gaps[:number]) for number in range(len(gaps) + 1)]
    prompts = [group[0].prompt.tokens for group in laid]
    for name in strategies_for(shape):
        groups = steps_of_strategy(name, shape, laid, 512)
        assert [sum(served[:4]) for served in serve_run(groups, starts)] == prompts


@pytest.mark.parametrize(("first", "repeats"), [("5m", 2), ("1h", 3)])
def test_break_even_is_where_the_formula_says_for_every_active_model(first: str, repeats: int) -> None:
    book = built_in_book()
    for model in book.active_models(DAY):
        tariff = Tariff(book, model, DAY)
        shape = Shape((Part(5000, "system"),), 1)
        laid = lay_out(shape, [1] * 4, tariff.pool)
        plain, cached = (
            tally_run(steps_of_strategy(name, shape, laid, model.min_cacheable_tokens), [0, 1, 2, 3], tariff).each_usd
            for name in ("none", first)
        )
        ahead = [sum(cached[:n], Decimal(0)) < sum(plain[:n], Decimal(0)) for n in range(1, 5)]
        assert ahead.index(True) + 1 == repeats
