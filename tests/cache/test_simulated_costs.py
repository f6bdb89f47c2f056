"""What repeats cost under each strategy: the golden values, to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from costkit.cache import Every, ModelSimulation, Poisson, Recorded
from costkit.cache.marks import SECOND
from costkit.errors import InvalidInput

Simulate = Callable[..., ModelSimulation]
MINUTE = 60 * SECOND
GOLDEN = [
    ("claude-opus-5-5", 10_000, 60, {"none": "0.508", "5m": "0.176", "1h": "0.206"}, "5m"),
    ("claude-opus-5-5", 10_000, 400, {"none": "0.508", "5m": "0.608", "1h": "0.206"}, "1h"),
    ("claude-opus-5-5", 10_000, 4000, {"none": "0.508", "1h": "0.908"}, "none"),
    ("claude-sonnet-5-5", 10_000, 60, {"none": "0.254", "5m": "0.088"}, "5m"),
    ("claude-sonnet-5-5", 10_000, 400, {"none": "0.254", "5m": "0.304", "1h": "0.103"}, "1h"),
    ("claude-fable-5-2", 10_000, 60, {"none": "1.016", "5m": "0.334"}, "5m"),
    ("claude-fable-5-2", 10_000, 400, {"none": "1.016", "5m": "1.216", "1h": "0.394"}, "1h"),
    ("claude-haiku-4-5", 3_000, 60, {"none": "0.057", "5m": "0.057", "1h": "0.057"}, "none"),
]


@pytest.mark.parametrize(("model", "prefix", "seconds", "costs", "best"), GOLDEN)
def test_golden_values(
    simulate: Simulate, model: str, prefix: int, seconds: int, costs: dict[str, str], best: str
) -> None:
    found = simulate(prefix, 200, model, arrivals=Every(seconds * SECOND))
    assert {name: found.strategy(name).cost_usd for name in costs} == {name: Decimal(c) for name, c in costs.items()}
    assert found.best.name == best


@pytest.mark.parametrize(
    ("seconds", "name", "reads", "writes", "expiries"),
    [(60, "5m", 9, 1, 0), (400, "5m", 0, 10, 9), (400, "1h", 9, 1, 0), (4000, "1h", 0, 10, 9), (60, "none", 0, 0, 0)],
)
def test_requests_that_read_write_and_come_too_late_are_counted(
    simulate: Simulate, seconds: int, name: str, reads: int, writes: int, expiries: int
) -> None:
    found = simulate(arrivals=Every(seconds * SECOND)).strategy(name)
    assert (found.reads, found.writes, found.expiries) == (reads, writes, expiries)


def test_caching_pays_from_the_second_request_for_five_minutes_and_from_the_third_for_an_hour(
    simulate: Simulate,
) -> None:
    found = simulate()
    assert found.strategy("5m").break_even_repeat == 2
    assert found.strategy("1h").break_even_repeat == 3
    assert found.strategy("none").break_even_repeat is None


def test_a_lead_that_is_lost_again_is_no_break_even(simulate: Simulate) -> None:
    """Cheaper after the second request, but then every entry has expired."""
    starts = (0, MINUTE, *(hours * 60 * MINUTE for hours in range(1, 9)))
    found = simulate(arrivals=Recorded(starts)).strategy("5m")
    assert found.cumulative_usd[1] < simulate().strategy("none").cumulative_usd[1]
    assert found.break_even_repeat is None


def test_the_margin_is_what_the_best_saves_against_no_caching(simulate: Simulate) -> None:
    assert simulate().margin_usd == Decimal("0.332")
    assert simulate(arrivals=Every(4000 * SECOND)).margin_usd == 0


def test_a_burst_pays_one_write_for_each_of_its_requests(simulate: Simulate) -> None:
    """Nobody sees an entry before the first byte of the answer that writes it."""
    found = simulate(concurrency=5).strategy("5m")
    assert (found.writes, found.reads) == (5, 5)


def test_all_at_once_is_one_burst(simulate: Simulate) -> None:
    found = simulate(arrivals=Every(0))
    assert found.strategy("5m").writes == 10
    assert found.best.name == "none"


def test_a_late_first_byte_costs_more_writes(simulate: Simulate) -> None:
    """With an answer after 3 s and a request each second the first three all write."""
    found = simulate(arrivals=Every(SECOND), first_byte=3 * SECOND).strategy("5m")
    assert (found.writes, found.reads) == (3, 7)


def test_automatic_caching_of_a_question_that_is_new_every_time_costs_more_than_none(simulate: Simulate) -> None:
    found = simulate()
    assert found.strategy("automatic").cost_usd == Decimal("0.610")  # 10,200 tokens written ten times
    assert found.strategy("automatic").reads == 0


def test_in_a_growing_conversation_each_request_reads_the_last_one_and_writes_one_turn(simulate: Simulate) -> None:
    """200 new tokens that stay as the question, and 500 of an answer."""
    found = simulate(growth=700)
    usage = found.strategy("5m").usage
    history = sum(10_000 + 700 * turn for turn in range(9))
    assert usage.cache_read_input_tokens == history
    assert usage.ephemeral_5m_input_tokens == 10_000 + 9 * 700
    assert usage.input_tokens == 10 * 200
    automatic = found.strategy("automatic").usage
    assert automatic.cache_read_input_tokens == history + 9 * 200
    assert automatic.input_tokens == 0


def test_a_mixed_strategy_keeps_the_start_for_an_hour_and_the_conversation_for_five_minutes(simulate: Simulate) -> None:
    usage = simulate(growth=700, arrivals=Every(400 * SECOND)).strategy("mixed").usage
    assert usage.ephemeral_1h_input_tokens == 10_000
    assert usage.cache_read_input_tokens == 9 * 10_000
    assert usage.ephemeral_5m_input_tokens == sum(700 * turn for turn in range(10))


def test_a_long_conversation_is_laid_out_only_as_far_as_a_breakpoint_can_see(simulate: Simulate) -> None:
    """Reading on and on over 300 turns comes to the same as the sum of the series."""
    usage = simulate(growth=700, repeats=300).strategy("5m").usage
    assert usage.cache_read_input_tokens == sum(10_000 + 700 * turn for turn in range(299))


def test_the_tier_of_each_request_is_chosen_by_its_own_prompt(simulate: Simulate) -> None:
    """Haiku 5.5 costs five times as much above 100,000 tokens, output included; the last request crosses the step."""
    found = simulate(99_000, 200, "claude-haiku-5-5", growth=801, repeats=2).strategy("none")
    below = Decimal("0.0099200") + Decimal("0.00025")  # 99,200 in at 0.10, 500 out at 0.50
    above = Decimal("0.0500005") + Decimal("0.00125")  # 100,001 in at 0.50, 500 out at 2.50
    assert found.each_usd == (below, above)


def test_batches_cost_half_whatever_is_read_or_written(simulate: Simulate) -> None:
    assert simulate(batch=True).strategy("5m").cost_usd == Decimal("0.088")


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(simulate: Simulate) -> None:
    def costs(seed: int) -> list[Decimal]:
        found = simulate(arrivals=Poisson(200.0), runs=50, seed=seed)
        return [strategy.cost_usd for strategy in found.strategies]

    assert costs(7) == costs(7)
    assert costs(7) != costs(8)


def test_random_arrivals_have_a_mean_inside_its_interval(simulate: Simulate) -> None:
    found = simulate(arrivals=Poisson(200.0), runs=200).strategy("5m")
    assert found.interval_usd is not None
    low, high = found.interval_usd
    assert low < found.cost_usd < high
    assert simulate().strategy("5m").interval_usd is None


def test_mean_usage_is_whole_tokens_that_add_up_to_all_prompts(simulate: Simulate) -> None:
    for strategy in simulate(arrivals=Poisson(250.0), runs=77).strategies:
        assert strategy.usage.prompt_tokens == 10 * 10_200
        assert strategy.usage.output_tokens == 10 * 500


def test_one_request_alone_is_cheapest_without_caching(simulate: Simulate) -> None:
    found = simulate(repeats=1)
    assert (found.best.name, found.flip_points) == ("none", ())
    assert simulate(repeats=1, arrivals=Poisson(60.0)).best.name == "none"


def test_a_single_strategy_is_compared_with_none(simulate: Simulate) -> None:
    assert [strategy.name for strategy in simulate(strategy="1h").strategies] == ["1h", "none"]


def test_the_repeats_can_be_followed_one_by_one(simulate: Simulate) -> None:
    table = simulate(per_repeat=True, arrivals=Every(2 * MINUTE)).per_repeat
    assert table is not None
    first, second, *_, last = table.rows
    assert (first.write_5m_tokens, first.read_tokens, first.saved_usd) == (10_000, 0, Decimal("-0.01"))
    assert (second.write_5m_tokens, second.read_tokens, second.saved_usd) == (0, 10_000, Decimal("0.028"))
    assert (last.repeat, last.at_seconds, last.saved_usd) == (10, 1080.0, Decimal("0.332"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"repeats": 0}, "between 1 and"),
        ({"repeats": 100_001}, "between 1 and"),
        ({"arrivals": Recorded((0, SECOND))}, "10 repeats, but only 2 arrivals"),
        ({"repeats": 100_000, "arrivals": Poisson(1.0)}, "more than"),
        ({"strategy": "2h"}, "no strategy '2h'"),
        ({"strategy": "mixed"}, "needs two places"),
        ({"strategy": "as-written"}, "no breakpoints of its own"),
        ({"first_byte": 300 * SECOND}, "within 5 minutes"),
        ({"concurrency": 0}, "at least 1"),
        ({"growth": -1}, "not be negative"),
        ({"prefix": 0, "fresh": 0}, "no tokens"),
        ({"prefix": -5}, "no tokens"),
    ],
)
def test_options_that_mean_nothing_are_refused(simulate: Simulate, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        simulate(**options)


def test_arrivals_that_go_back_in_time_are_refused() -> None:
    with pytest.raises(InvalidInput, match="arrival 3 is before arrival 2"):
        Recorded((0, 20, 10))
