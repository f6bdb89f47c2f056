"""Costs written like invoices: what was used, on which day, and what Anthropic's own pages say it costs.

Each test names its source. `bill` prices one request with the built-in book.
"""

from datetime import date
from decimal import Decimal

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.money import total
from costkit.core.response import read_usage
from costkit.core.usage import Usage
from costkit.errors import InvalidInput

TODAY = date(2026, 11, 21)
MILLION = 1_000_000


def bill(
    model: str, usage: Usage, day: date = TODAY, *, batch: bool = False, fast: bool = False, geo: str | None = None
) -> Decimal:
    return built_in_book().cost(usage, model, day, batch=batch, fast=fast, inference_geo=geo).total_usd


def usd(amount: str) -> Decimal:
    return Decimal(amount)


@pytest.mark.parametrize(
    ("model", "input_usd", "output_usd"),
    [
        ("claude-fable-5-2", "8", "40"),
        ("claude-mythos-5-2", "8", "40"),
        ("claude-fable-5-1", "10", "50"),
        ("claude-fable-5", "10", "50"),
        ("claude-opus-5-5", "4", "20"),
        ("claude-opus-5", "5", "25"),
        ("claude-opus-4-1", "15", "75"),
        ("claude-sonnet-5-5", "2", "10"),
        ("claude-sonnet-4-6", "3", "15"),
        ("claude-haiku-4-5", "1", "5"),
        ("claude-3-5-haiku", "0.80", "4"),
        ("claude-3-haiku", "0.25", "1.25"),
    ],
)
def test_a_million_tokens_in_and_a_million_out(model: str, input_usd: str, output_usd: str) -> None:
    """https://platform.claude.com/docs/en/about-claude/pricing: base input and output prices per million tokens."""
    assert bill(model, Usage(input_tokens=MILLION)) == usd(input_usd)
    assert bill(model, Usage(output_tokens=MILLION)) == usd(output_usd)


def test_haiku_5_5_up_to_100_000_prompt_tokens() -> None:
    """https://platform.claude.com/docs/en/models/haiku-5-5/overview: $0.10 in, $0.50 out up to 100,000 tokens."""
    assert bill("claude-haiku-5-5", Usage(input_tokens=100_000, output_tokens=2_000)) == usd("0.011")


def test_haiku_5_5_one_token_more_costs_five_times_as_much() -> None:
    """https://platform.claude.com/docs/en/models/haiku-5-5/overview: above it, every token at $0.50 and $2.50."""
    assert bill("claude-haiku-5-5", Usage(input_tokens=100_001, output_tokens=2_000)) == usd("0.0550005")


def test_haiku_5_5_counts_cached_tokens_towards_its_tier() -> None:
    """Same page: the prompt is input, cache reads and cache writes together; output does not count."""
    cached = Usage(input_tokens=10_000, cache_read_input_tokens=80_000, ephemeral_5m_input_tokens=10_001)
    assert bill("claude-haiku-5-5", cached) == usd("0.005") + usd("0.004") + usd("0.006250625")
    assert bill("claude-haiku-5-5", Usage(input_tokens=10, output_tokens=128_000)) == usd("0.064001")


def test_haiku_5_5_long_prompts_in_a_batch_and_in_the_us() -> None:
    """Same page: the higher card stacks with batch (0.25 / 1.25) and with inference_geo us (x 1.1)."""
    long = Usage(input_tokens=200_000, output_tokens=10_000)
    assert bill("claude-haiku-5-5", long, batch=True) == usd("0.05") + usd("0.0125")
    assert bill("claude-haiku-5-5", long, batch=True, geo="us") == usd("0.06875")


def test_sonnet_4_5_reads_20_000_cached_tokens() -> None:
    """https://platform.claude.com/docs/en/build-with-claude/prompt-caching: reads cost a tenth of $3."""
    assert bill("claude-sonnet-4-5", Usage(cache_read_input_tokens=20_000)) == usd("0.006")


def test_a_five_minute_write_pays_off_at_the_second_use() -> None:
    """Prompt caching page: one write and one read cost 1.35 x input; without caching it is 2 x."""
    cached = bill("claude-sonnet-4-6", Usage(ephemeral_5m_input_tokens=MILLION)) + bill(
        "claude-sonnet-4-6", Usage(cache_read_input_tokens=MILLION)
    )
    assert cached == usd("3") * usd("1.35") == usd("4.05")
    assert bill("claude-sonnet-4-6", Usage(input_tokens=MILLION)) * 2 == usd("6")


def test_a_one_hour_write_pays_off_at_the_third_use() -> None:
    """Prompt caching page: one 1-hour write and two reads cost 2.2 x input; without caching it is 3 x."""
    cached = Usage(ephemeral_1h_input_tokens=MILLION) + Usage(cache_read_input_tokens=MILLION) * 2
    assert bill("claude-sonnet-4-6", cached) == usd("3") * usd("2.2") == usd("6.6")


def test_opus_5_5_reads_at_a_twentieth_and_fable_5_2_at_a_fortieth() -> None:
    """https://platform.claude.com/docs/en/about-claude/pricing: cache reads of these models are below a tenth."""
    assert bill("claude-opus-5-5", Usage(cache_read_input_tokens=MILLION)) == usd("0.20")
    assert bill("claude-fable-5-2", Usage(cache_read_input_tokens=MILLION)) == usd("0.20")
    assert bill("claude-fable-5-1", Usage(cache_read_input_tokens=MILLION)) == usd("0.25")


def test_sonnet_5_5_cache_reads_were_halved_on_7_october_2026() -> None:
    """https://platform.claude.com/docs/en/release-notes/overview, entry of 7 October 2026."""
    read = Usage(cache_read_input_tokens=MILLION)
    assert bill("claude-sonnet-5-5", read, date(2026, 10, 6)) == usd("0.20")
    assert bill("claude-sonnet-5-5", read, date(2026, 10, 7)) == usd("0.10")


def test_sonnet_5_stayed_at_its_introductory_price() -> None:
    """Pricing page: the rise to 3 / 15 that was announced for 1 September 2026 was cancelled."""
    used = Usage(input_tokens=MILLION, output_tokens=MILLION)
    assert bill("claude-sonnet-5", used, date(2026, 8, 31)) == bill("claude-sonnet-5", used) == usd("12")


def test_a_batch_costs_half() -> None:
    """https://platform.claude.com/docs/en/build-with-claude/batch-processing: half of every token price."""
    used = Usage(MILLION, MILLION, MILLION, MILLION, MILLION)
    assert bill("claude-fable-5-2", used) == usd("8") + usd("0.2") + usd("10") + usd("16") + usd("40")
    assert bill("claude-fable-5-2", used, batch=True) == usd("37.10")


def test_us_only_inference_costs_a_tenth_more_on_4_6_and_later() -> None:
    """https://platform.claude.com/docs/en/about-claude/pricing: inference_geo us, on every token price."""
    used = Usage(input_tokens=MILLION, output_tokens=MILLION)
    assert bill("claude-opus-5-5", used, geo="us") == usd("26.40")
    assert bill("claude-opus-4-6", used, geo="us") == usd("33")
    assert bill("claude-opus-4-5", used, geo="us") == usd("30")


def test_a_thousand_web_searches_cost_ten_dollars_whatever_the_discount() -> None:
    """https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool: $10 per 1,000 searches."""
    searches = Usage(web_search_requests=1_000)
    assert bill("claude-haiku-5-5", searches) == usd("10")
    assert bill("claude-opus-5-5", searches, batch=True, geo="us") == usd("10")


@pytest.mark.parametrize(
    ("model", "in_fast", "out_fast"),
    [("claude-opus-5-5", "8", "40"), ("claude-opus-5", "10", "50"), ("claude-opus-4-8", "10", "50")],
)
def test_fast_mode_costs_twice_as_much(model: str, in_fast: str, out_fast: str) -> None:
    """https://platform.claude.com/docs/en/about-claude/pricing, fast mode, and Claude Code's fast-mode page."""
    used = Usage(MILLION, MILLION, MILLION, MILLION, MILLION)
    assert bill(model, Usage(input_tokens=MILLION), fast=True) == usd(in_fast)
    assert bill(model, Usage(output_tokens=MILLION), fast=True) == usd(out_fast)
    assert bill(model, used, fast=True) == bill(model, used) * 2
    assert bill(model, used, fast=True, geo="us") == bill(model, used) * usd("2.2")


def test_fast_mode_of_opus_4_7_cost_six_times_as_much() -> None:
    """Pricing page of summer 2026: $30 / $150 from 12 May to 23 July 2026."""
    used = Usage(input_tokens=100_000, output_tokens=10_000)
    assert bill("claude-opus-4-7", used, date(2026, 5, 12), fast=True) == usd("4.50")
    assert bill("claude-opus-4-7", used, date(2026, 7, 23), fast=True) == usd("4.50")


def test_a_batch_cannot_be_fast() -> None:
    """Batch processing page: speed is not supported in batches."""
    with pytest.raises(InvalidInput):
        bill("claude-opus-5-5", Usage(1), batch=True, fast=True)


def test_opus_4_6_had_a_long_context_price_until_12_march_2026() -> None:
    """Pricing page of 20 March 2026: above 200,000 tokens, 2 x input and 1.5 x output; flat since 13 March."""
    long = Usage(input_tokens=200_001, output_tokens=1_000)
    assert bill("claude-opus-4-6", long, date(2026, 3, 12)) == usd("2.00001") + usd("0.0375")
    assert bill("claude-opus-4-6", long, date(2026, 3, 13)) == usd("1.000005") + usd("0.025")
    assert bill("claude-opus-4-6", Usage(input_tokens=200_000), date(2026, 3, 12)) == usd("1")


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-sonnet-4"])
def test_sonnet_4_had_a_long_context_price_until_29_april_2026(model: str) -> None:
    """Long-context page of spring 2026: $6 / $22.50 above 200,000 tokens, caching at 7.50, 12 and 0.60."""
    long = Usage(100_000, 50_000, 50_000, 1, 2_000)
    expected = usd("0.6") + usd("0.03") + usd("0.375") + usd("0.000012") + usd("0.045")
    assert bill(model, long, date(2026, 4, 29)) == expected


def test_haiku_3_is_billed_at_its_published_rounded_cache_rates() -> None:
    """Pricing page of 20 March 2026: 0.30, 0.50 and 0.03, although 1.25 x and 0.1 x would give 0.3125 and 0.025."""
    assert bill("claude-3-haiku", Usage(ephemeral_5m_input_tokens=MILLION)) == usd("0.30")
    assert bill("claude-3-haiku", Usage(ephemeral_1h_input_tokens=MILLION)) == usd("0.50")
    assert bill("claude-3-haiku", Usage(cache_read_input_tokens=MILLION)) == usd("0.03")


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        (Usage(10_200, 0, 0, 0, 500), Usage(10_200, 0, 0, 0, 500), "0.508"),
        (Usage(200, 0, 10_000, 0, 500), Usage(200, 10_000, 0, 0, 500), "0.176"),
        (Usage(200, 0, 0, 10_000, 500), Usage(200, 10_000, 0, 0, 500), "0.206"),
        (Usage(200, 0, 10_000, 0, 500), Usage(200, 0, 10_000, 0, 500), "0.608"),
        (Usage(200, 0, 0, 10_000, 500), Usage(200, 0, 0, 10_000, 500), "0.908"),
    ],
    ids=["no caching", "5m, read nine times", "1h, read nine times", "5m, always expired", "1h, always expired"],
)
def test_ten_requests_with_a_prefix_of_10_000_tokens(first: Usage, later: Usage, expected: str) -> None:
    """Worked out by hand from Opus 5.5's card: 4 in, 20 out, 5 and 8 to write, 0.20 to read."""
    assert bill("claude-opus-5-5", first) + total(bill("claude-opus-5-5", later) for _ in range(9)) == usd(expected)


def test_a_usage_object_with_both_times_to_live_and_a_remainder() -> None:
    """https://platform.claude.com/docs/en/build-with-claude/prompt-caching: the split of cache_creation.

    Of 10,000 tokens written 6,000 are for an hour and 3,000 for five minutes; the rest came after the split was
    reported and is a five-minute write too.
    """
    usage = read_usage(
        {
            "input_tokens": 50,
            "cache_creation_input_tokens": 10_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 3_000, "ephemeral_1h_input_tokens": 6_000},
            "cache_read_input_tokens": 100_000,
            "output_tokens": 400,
        }
    )
    expected = usd("0.00015") + usd("0.015") + usd("0.036") + usd("0.03") + usd("0.006")
    assert bill("claude-sonnet-4-6", usage.counts.usage()) == expected


def test_an_advisor_is_billed_at_its_own_model() -> None:
    """https://platform.claude.com/docs/en/api/messages: usage.iterations, each at its model's rates."""
    usage = read_usage(
        {
            "input_tokens": 1_000,
            "output_tokens": 500,
            "iterations": [
                {"type": "message", "input_tokens": 1_000, "output_tokens": 500},
                {"type": "advisor_message", "model": "claude-opus-5-5", "input_tokens": 2_000, "output_tokens": 100},
            ],
        }
    )
    parts = [bill(part.model or "claude-haiku-4-5", part.counts.usage()) for part in usage.bill()]
    assert parts == [usd("0.0035"), usd("0.010")]
