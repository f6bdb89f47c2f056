"""Dollars of an estimate, each computed by hand from the published rates.

US dollars per million tokens, https://platform.claude.com/docs/en/about-claude/pricing:

    model              input   write 5m   write 1h   read   output
    claude-opus-5-5     4.00       5.00       8.00   0.20    20.00   (fast mode: twice that)
    claude-haiku-4-5    1.00       1.25       2.00   0.10     5.00
    claude-haiku-5-5    0.10      0.125       0.20   0.01     0.50   (above 100,000 tokens: five times that)
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.request import parse_request
from costkit.errors import InvalidInput, Undecidable, UnknownModel
from costkit.estimate import Estimate, EstimateOptions, Prompt, estimate_requests

DAY = date(2026, 11, 21)
MARK_5M = {"type": "ephemeral"}
MARK_1H = {"type": "ephemeral", "ttl": "1h"}


def body(fresh: int, *, system: int = 0, tool: int = 0, **more: Any) -> dict[str, Any]:
    """A request whose blocks have these numbers of tokens."""
    parts: dict[str, Any] = {"messages": [{"role": "user", "content": f"{fresh} tokens"}]}
    parts |= {"system": [{"type": "text", "text": f"{system} tokens"}]} if system else {}
    parts |= {"tools": [{"name": "t", "description": f"{tool} tokens", "input_schema": {}}]} if tool else {}
    return parts | more


def marked(block: dict[str, Any], mark: dict[str, str]) -> dict[str, Any]:
    return block | {"cache_control": mark}


def run(counter: Any, *bodies: dict[str, Any], model: str | None = "claude-opus-5-5", **options: Any) -> Estimate:
    prompts = [Prompt("p.json", index, parse_request(each)) for index, each in enumerate(bodies)]
    models = () if model is None else (model,)
    return estimate_requests(
        prompts, counter, built_in_book(), EstimateOptions(**({"as_of": DAY, "models": models} | options))
    )


def expected(estimate: Estimate) -> str:
    """The expected dollars of the only item."""
    (item,) = estimate.items
    assert item.cost_usd is not None
    return format(item.cost_usd.expected.normalize(), "f")


@pytest.mark.parametrize(
    ("options", "dollars"),
    [
        ({}, "0.508"),  # 10 x (10,200 x $4 + 500 x $20)
        ({"cache": "5m"}, "0.176"),  # 10,000 x $5 once, 10,000 x $0.20 nine times, 10 x (200 x $4 + 500 x $20)
        ({"cache": "1h"}, "0.206"),  # 10,000 x $8 once, the rest as above
        ({"cache": "5m", "hit_rate": Decimal("0.8")}, "0.224"),  # 2 writes, 8 reads
        ({"cache": "5m", "hit_rate": Decimal("0.89")}, "0.224"),  # 8.9 reads are 8
        ({"cache": "5m", "hit_rate": Decimal(0)}, "0.608"),  # 10 writes
        ({"cache": "5m", "hit_rate": Decimal(1)}, "0.128"),  # 10 reads
        ({"batch": True}, "0.254"),
        ({"cache": "5m", "batch": True}, "0.088"),
        ({"inference_geo": "us"}, "0.5588"),  # x 1.1
        ({"inference_geo": "us", "cache": "5m", "batch": True}, "0.0968"),
        ({"fast": True}, "1.016"),
        ({"requests": 1}, "0.0508"),
        ({"requests": 1, "cache": "5m"}, "0.0608"),  # one write
        ({"output_tokens": None}, "0.408"),
    ],
)
def test_ten_requests_with_a_prefix_cost(stated: Any, options: dict[str, Any], dollars: str) -> None:
    """10,000 tokens of system prompt, 200 of message, 500 of output on claude-opus-5-5."""
    question = body(200, system=10_000)
    assert expected(run(stated(), question, **({"requests": 10, "output_tokens": 500} | options))) == dollars


def test_the_usage_says_what_is_written_and_what_is_read(stated: Any) -> None:
    (item,) = run(stated(), body(200, system=10_000), requests=10, output_tokens=500, cache="5m").items
    assert item.usage.as_json() == {
        "input_tokens": 2_000,
        "cache_read_input_tokens": 90_000,
        "cache_creation_input_tokens": 10_000,
        "ephemeral_5m_input_tokens": 10_000,
        "ephemeral_1h_input_tokens": 0,
        "output_tokens": 5_000,
        "web_search_requests": 0,
    }


def test_marks_as_written_keep_their_ttls(stated: Any) -> None:
    """4,000 x $8 and 6,000 x $5 once, 10,000 x $0.20 nine times, 10 x (200 x $4 + 500 x $20)."""
    question = body(200, system=6_000, tool=4_000)
    question["tools"] = [marked(question["tools"][0], MARK_1H)]
    question["system"] = [marked(question["system"][0], MARK_5M)]
    assert expected(run(stated(), question, requests=10, output_tokens=500, cache="as-written")) == "0.188"


def test_as_written_without_marks_caches_nothing(stated: Any) -> None:
    question = body(200, system=10_000)
    assert expected(run(stated(), question, requests=10, output_tokens=500, cache="as-written")) == "0.508"


def test_a_prefix_below_the_minimum_costs_what_it_costs_uncached(stated: Any) -> None:
    """claude-haiku-4-5 caches from 4,096 tokens: 10 x (3,200 x $1 + 500 x $5), with or without marks."""
    question = body(200, system=3_000)
    costs = [
        run(stated(), question, model="claude-haiku-4-5", requests=10, output_tokens=500, cache=mode)
        for mode in ("none", "5m", "1h")
    ]
    assert [expected(cost) for cost in costs] == ["0.057"] * 3
    assert [[notice.code for notice in cost.notices] for cost in costs[1:]] == [
        ["no-ceiling", "below-cache-minimum"]
    ] * 2


@pytest.mark.parametrize(("prefix", "dollars"), [(4_095, "0.00859"), (4_096, "0.0059296")])
def test_a_prefix_of_exactly_the_minimum_is_cached(stated: Any, prefix: int, dollars: str) -> None:
    """Twice 4,295 x $1; or 4,096 x $1.25 written, 4,096 x $0.10 read, twice 200 x $1."""
    question = body(200, system=prefix)
    assert expected(run(stated(), question, model="claude-haiku-4-5", requests=2, cache="5m")) == dollars


@pytest.mark.parametrize(("tokens", "dollars"), [(100_000, "0.011"), (100_001, "0.0550005")])
def test_the_price_step_is_for_the_whole_request(stated: Any, tokens: int, dollars: str) -> None:
    estimate = run(stated(), body(tokens), model="claude-haiku-5-5", output_tokens=2_000)
    assert expected(estimate) == dollars


def test_cached_tokens_count_towards_the_price_step(stated: Any) -> None:
    """100,001 tokens, nearly all cached, are above it: 100,000 x $0.625 written, then read at $0.05, 1 x $0.50."""
    estimate = run(stated(), body(1, system=100_000), model="claude-haiku-5-5", requests=2, cache="5m")
    assert expected(estimate) == "0.067501"


def test_the_ceiling_is_the_high_end_of_the_band_with_every_max_token(stated: Any) -> None:
    """The band of 100,000 ± 1 crosses the step: the ceiling pays the higher price for all of it."""
    (item,) = run(stated(1), body(100_000, max_tokens=2_000), model="claude-haiku-5-5", output_tokens=1_000).items
    assert item.cost_usd is not None
    assert (item.cost_usd.low, item.cost_usd.expected, item.cost_usd.ceiling) == (
        Decimal("0.0104999"),
        Decimal("0.0105"),
        Decimal("0.0550005"),
    )


def test_without_max_tokens_there_is_no_ceiling(stated: Any) -> None:
    estimate = run(stated(), body(10), output_tokens=5)
    assert estimate.items[0].cost_usd is not None
    assert estimate.items[0].cost_usd.ceiling is None
    assert "no-ceiling" in [notice.code for notice in estimate.notices]


def test_one_request_without_max_tokens_leaves_the_file_without_a_ceiling(stated: Any) -> None:
    (item,) = run(stated(), body(10, max_tokens=5), body(10)).items
    assert item.cost_usd is not None
    assert (item.cost_usd.ceiling, item.output_tokens.max) == (None, None)


def test_the_option_for_max_tokens_stands_above_the_body(stated: Any) -> None:
    (item,) = run(stated(), body(0, max_tokens=5), max_tokens=1_000_000, requests=3).items
    assert item.cost_usd is not None
    assert (item.cost_usd.ceiling, item.output_tokens.max) == (Decimal(60), 3_000_000)


def test_output_that_was_not_given_is_said_to_be_missing(stated: Any) -> None:
    estimate = run(stated(), body(10))
    assert (estimate.items[0].output_usd, estimate.items[0].output_tokens.expected) == (None, None)
    assert [notice.code for notice in estimate.notices] == ["output-not-estimated"]


def test_no_output_at_all_can_be_expected_too(stated: Any) -> None:
    estimate = run(stated(), body(10, max_tokens=5), output_tokens=0)
    assert (estimate.items[0].output_usd, estimate.notices) == (Decimal(0), ())


def test_the_other_columns_show_what_caching_and_batching_would_change(stated: Any) -> None:
    (item,) = run(stated(), body(200, system=10_000), requests=10, output_tokens=500).items
    assert (item.cached_5m_usd, item.batch_usd) == (Decimal("0.176"), Decimal("0.254"))
    assert (item.input_usd, item.output_usd) == (Decimal("0.408"), Decimal("0.1"))


def test_a_file_of_many_requests_is_one_item_or_one_for_each(stated: Any) -> None:
    together = run(stated(), body(1), body(2), body(3), requests=2)
    apart = run(stated(), body(1), body(2), body(3), requests=2, per_request=True)
    assert [(item.index, item.requests, item.input_tokens.tokens) for item in together.items] == [(None, 6, 12)]
    assert [(item.index, item.requests, item.input_tokens.tokens) for item in apart.items] == [
        (0, 2, 2),
        (1, 2, 4),
        (2, 2, 6),
    ]
    assert together.totals == apart.totals


def test_each_request_of_a_file_keeps_its_own_price_step(stated: Any) -> None:
    """100,000 x $0.10 and 100,001 x $0.50, not 200,001 at one price."""
    assert expected(run(stated(), body(100_000), body(100_001), model="claude-haiku-5-5")) == "0.0600005"


@pytest.mark.parametrize("names", [("claude-opus-5-5",) * 2, ("claude-opus-5-5", "claude-opus-5.5"), ("nope", "nope")])
def test_a_model_that_is_named_twice_is_priced_once(stated: Any, names: tuple[str, ...]) -> None:
    estimate = run(stated(), body(100), models=("claude-haiku-5-5", *names))
    assert [(item.requests, item.input_tokens.tokens) for item in estimate.items] == [(1, 100)] * 2


def test_all_stands_for_every_active_model_once(stated: Any) -> None:
    estimate = run(stated(), body(100), models=("claude-opus-5-5", "all"))
    names = [item.model for item in estimate.items]
    assert names[0] == "claude-opus-5-5"
    assert sorted(names) == sorted(model.id for model in built_in_book().active_models(DAY))
    assert len(names) == len(set(names)) > 10


def test_a_day_without_active_models_has_no_estimate(stated: Any) -> None:
    with pytest.raises(Undecidable, match="no model was active on 2001-01-01"):
        run(stated(), body(100), models=("all",), as_of=date(2001, 1, 1))


def test_the_model_of_the_option_stands_above_that_of_the_body_and_that_above_the_default(stated: Any) -> None:
    own = body(10, model="claude-opus-5-5")
    defaults = {"default_models": ("claude-haiku-5-5",)}
    assert run(stated(), own, model="claude-sonnet-5-5", **defaults).items[0].model == "claude-sonnet-5-5"
    assert run(stated(), own, model=None, **defaults).items[0].model == "claude-opus-5-5"
    assert run(stated(), body(10), model=None, **defaults).items[0].model == "claude-haiku-5-5"


def test_an_unknown_model_among_known_ones_keeps_its_tokens_and_has_no_cost(stated: Any) -> None:
    estimate = run(stated(), body(100), models=("claude-opus-5-5", "gpt-x"))
    known, unknown = estimate.items
    assert (known.cost_usd is None, unknown.cost_usd, unknown.batch_usd) == (False, None, None)
    assert unknown.input_tokens.tokens == 100
    assert not estimate.complete


def test_unknown_models_alone_are_an_error_with_close_names(stated: Any) -> None:
    with pytest.raises(UnknownModel) as problem:
        run(stated(), body(100), model="claude-opus-5-55")
    assert "claude-opus-5-5" in problem.value.candidates


def test_one_unknown_request_leaves_its_whole_item_without_a_cost(stated: Any) -> None:
    """A sum that silently left something out would pass for the cost of all."""
    estimate = run(stated(), body(10, model="claude-opus-5-5"), body(10, model="gpt-x"), model=None)
    assert [(item.model, item.cost_usd is None) for item in estimate.items] == [
        ("claude-opus-5-5", False),
        ("gpt-x", True),
    ]


@pytest.mark.parametrize(
    ("own", "options", "dollars"),
    [
        ({"speed": "fast"}, {}, "0.008"),
        ({"speed": "fast"}, {"fast": False}, "0.004"),
        ({}, {"fast": True}, "0.008"),
        ({"speed": "fast"}, {"batch": True}, "0.002"),
        ({"inference_geo": "us"}, {}, "0.0044"),
        ({"inference_geo": "us"}, {"inference_geo": "global"}, "0.004"),
        ({"inference_geo": "global"}, {"inference_geo": "us"}, "0.0044"),
    ],
)
def test_what_the_body_asks_for_holds_unless_an_option_says_otherwise(
    stated: Any, own: dict[str, Any], options: dict[str, Any], dollars: str
) -> None:
    assert expected(run(stated(), body(1_000, **own), **options)) == dollars


def test_fast_mode_where_it_is_not_offered_has_no_price(stated: Any) -> None:
    with pytest.raises(Undecidable, match="no fast-mode price of claude-haiku-4-5"):
        run(stated(), body(10), model="claude-haiku-4-5", fast=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": True, "fast": True}, "fast mode can't be combined with a batch"),
        ({"requests": 0}, "the number of requests must be a whole number from 1"),
        ({"output_tokens": -1}, "output_tokens must be a whole number from 0"),
        ({"output_tokens": 1.5}, "output_tokens must be a whole number from 0"),
        ({"max_tokens": True}, "max_tokens must be a whole number from 0"),
        ({"cache": "5m", "hit_rate": Decimal("1.01")}, "between 0 and 1"),
        ({"hit_rate": Decimal("0.5")}, "needs a cache mode"),
    ],
)
def test_options_that_contradict_each_other_are_refused(stated: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        run(stated(), body(10), **options)


def test_the_tree_has_one_branch_for_each_block_and_adds_up_to_the_input(stated: Any) -> None:
    (item,) = run(stated(), body(200, system=600, tool=200), requests=2, tree=True).items
    assert item.tree is not None
    assert [(branch.path, branch.input_tokens.tokens, branch.share) for branch in item.tree] == [
        ("tools[0]", 400, Decimal("0.2")),
        ("system[0]", 1_200, Decimal("0.6")),
        ("messages[0].content", 400, Decimal("0.2")),
    ]
    assert sum(branch.cost_usd or 0 for branch in item.tree) == item.input_usd
