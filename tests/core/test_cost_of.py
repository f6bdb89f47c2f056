"""The cost is the dot product of a usage and its rates: linear, and exact."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costkit.core.cost import Cost, cost_of
from costkit.core.rates import Rates
from costkit.core.usage import Usage

COUNTS = st.integers(min_value=0, max_value=10**10)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
AMOUNTS = st.decimals(min_value=0, max_value=1000, places=6)
RATES = st.builds(Rates, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)


@given(USAGES, USAGES, RATES)
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(a: Usage, b: Usage, rates: Rates) -> None:
    assert cost_of(a + b, rates) == cost_of(a, rates) + cost_of(b, rates)


@given(USAGES, st.integers(min_value=0, max_value=1000), RATES)
def test_n_requests_cost_n_times_as_much(usage: Usage, times: int, rates: Rates) -> None:
    assert cost_of(usage * times, rates).total_usd == cost_of(usage, rates).total_usd * times


@given(USAGES, RATES)
def test_the_total_equals_the_formula_in_whole_fractions(usage: Usage, rates: Rates) -> None:
    tokens = (
        usage.input_tokens * Fraction(rates.input)
        + usage.cache_read_input_tokens * Fraction(rates.cache_read)
        + usage.ephemeral_5m_input_tokens * Fraction(rates.cache_write_5m)
        + usage.ephemeral_1h_input_tokens * Fraction(rates.cache_write_1h)
        + usage.output_tokens * Fraction(rates.output)
    )
    assert Fraction(cost_of(usage, rates).total_usd) == tokens / 10**6 + usage.web_search_requests * Fraction(
        rates.web_search
    )


@given(USAGES, RATES, AMOUNTS)
def test_scaled_rates_scale_the_tokens_but_not_the_searches(usage: Usage, rates: Rates, factor: Decimal) -> None:
    full, scaled = cost_of(usage, rates), cost_of(usage, rates.scaled(factor))
    assert scaled.web_search_usd == full.web_search_usd
    assert Fraction(scaled.total_usd - scaled.web_search_usd) == Fraction(factor) * Fraction(
        full.total_usd - full.web_search_usd
    )


@given(USAGES, RATES)
def test_no_cost_changes_nothing(usage: Usage, rates: Rates) -> None:
    cost = cost_of(usage, rates)
    assert cost + Cost() == cost == Cost() + cost


def test_each_bucket_has_its_own_price() -> None:
    rates = Rates(Decimal(1), Decimal(2), Decimal(3), Decimal(4), Decimal(5), Decimal(6))
    million = 10**6
    assert cost_of(Usage(million, 0, 0, 0, 0, 0), rates) == Cost(input_usd=Decimal(1))
    assert cost_of(Usage(0, million, 0, 0, 0, 0), rates) == Cost(cache_read_usd=Decimal(5))
    assert cost_of(Usage(0, 0, million, 0, 0, 0), rates) == Cost(cache_write_5m_usd=Decimal(3))
    assert cost_of(Usage(0, 0, 0, million, 0, 0), rates) == Cost(cache_write_1h_usd=Decimal(4))
    assert cost_of(Usage(0, 0, 0, 0, million, 0), rates) == Cost(output_usd=Decimal(2))
    assert cost_of(Usage(0, 0, 0, 0, 0, 1), rates) == Cost(web_search_usd=Decimal(6))
