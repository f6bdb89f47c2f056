"""What an estimate warns of, exactly where it begins and where it ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.request import parse_request
from costkit.estimate import EstimateOptions, Prompt, estimate_requests

DAY = date(2026, 11, 21)


def notices(counter: Any, body: dict[str, Any], model: str = "claude-opus-5-5", **options: Any) -> dict[str, str]:
    """The notices of one request by code, as `where message`."""
    prompt = Prompt("p.json", 0, parse_request(body))
    chosen: dict[str, Any] = {"as_of": DAY, "models": (model,), "output_tokens": 1, "max_tokens": 10} | options
    estimate = estimate_requests([prompt], counter, built_in_book(), EstimateOptions(**chosen))
    return {notice.code: f"{notice.where} {notice.message}" for notice in estimate.notices}


def asking(tokens: int, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": f"{tokens} tokens"}]} | more


def marked(tokens: int, *levels: int) -> dict[str, Any]:
    """A request with a mark after each system block."""
    mark = {"type": "ephemeral"}
    blocks = [{"type": "text", "text": f"{level} tokens", "cache_control": mark} for level in levels]
    return asking(tokens, system=blocks)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (90_001, "90,001 tokens are 9,999 below claude-haiku-5-5's price step at 100,000"),
        (100_000, "100,000 tokens are 0 below claude-haiku-5-5's price step"),
        (100_001, "trim 1 token: at 100,000 and below, claude-haiku-5-5 costs $0.10 instead of $0.50"),
        (110_000, "trim 10,000 tokens: at 100,000 and below"),
    ],
)
def test_a_prompt_within_a_tenth_of_a_price_step_is_pointed_at(stated: Any, tokens: int, message: str) -> None:
    assert message in notices(stated(), asking(tokens), "claude-haiku-5-5")["near-price-step"]


@pytest.mark.parametrize(("tokens", "model"), [(90_000, "claude-haiku-5-5"), (110_001, "claude-haiku-5-5")])
def test_a_prompt_further_from_a_price_step_is_not(stated: Any, tokens: int, model: str) -> None:
    assert notices(stated(), asking(tokens), model) == {}


def test_a_model_without_a_price_step_has_nothing_to_warn_of(stated: Any) -> None:
    assert notices(stated(), asking(100_001), "claude-opus-5-5") == {}


@pytest.mark.parametrize(
    ("model", "day", "code", "message"),
    [
        ("claude-opus-4-1", DAY, "model-retired", "is retired since 2026-08-05: requests to it fail"),
        ("claude-opus-4-1", date(2026, 8, 4), "model-deprecated", "is deprecated, retires on 2026-08-05"),
        ("claude-mythos-preview", DAY, "model-deprecated", "claude-mythos-preview is deprecated"),
    ],
)
def test_models_at_the_end_of_their_life_are_priced_with_a_warning(
    stated: Any, model: str, day: date, code: str, message: str
) -> None:
    assert message in notices(stated(), asking(10), model, as_of=day)[code]


def test_a_model_that_was_active_on_the_day_is_priced_without(stated: Any) -> None:
    assert notices(stated(), asking(10), "claude-opus-4-1", as_of=date(2025, 9, 1)) == {}


@pytest.mark.parametrize(
    ("options", "limit", "code"),
    [
        ({"max_tokens": 128_001}, None, "max-tokens-above-maximum"),
        ({"max_tokens": None}, 128_001, "max-tokens-above-maximum"),
        ({"max_tokens": 300_001, "batch": True}, None, "max-tokens-above-maximum"),
        ({"max_tokens": 10, "output_tokens": 11}, None, "output-above-max-tokens"),
    ],
)
def test_output_limits_that_cannot_hold(stated: Any, options: dict[str, Any], limit: int | None, code: str) -> None:
    found = notices(stated(), asking(10, max_tokens=limit), "claude-haiku-5-5", **options)
    assert list(found) == [code]
    assert found[code].startswith("p.json ")


@pytest.mark.parametrize(
    "options",
    [{"max_tokens": 128_000}, {"max_tokens": 300_000, "batch": True}, {"max_tokens": 10, "output_tokens": 10}],
)
def test_output_limits_that_can(stated: Any, options: dict[str, Any]) -> None:
    assert notices(stated(), asking(10), "claude-haiku-5-5", **options) == {}


@pytest.mark.parametrize(("tokens", "codes"), [(200_000, []), (200_001, ["context-window-exceeded"])])
def test_a_prompt_that_does_not_fit_the_context_window(stated: Any, tokens: int, codes: list[str]) -> None:
    assert list(notices(stated(), asking(tokens), "claude-haiku-4-5", as_of=date(2026, 1, 1))) == codes


@pytest.mark.parametrize("options", [{}, {"cache": "as-written"}, {"cache": "5m"}, {"requests": 5}])
def test_a_mark_below_the_minimum_is_named_with_what_is_missing(stated: Any, options: dict[str, Any]) -> None:
    """claude-haiku-5-5 caches from 512 tokens."""
    found = notices(stated(), marked(5_000, 511), "claude-haiku-5-5", **options)
    assert found == {
        "below-cache-minimum": "p.json:system[0] the prefix up to here has 511 tokens, 1 short of claude-haiku-5-5's "
        "minimum of 512: it won't be cached"
    }


def test_a_mark_is_measured_by_its_whole_prefix(stated: Any) -> None:
    """The first of two marks is too early, the second is not: 256 + 256 tokens are enough."""
    found = notices(stated(), marked(5_000, 256, 256), "claude-haiku-5-5")
    assert found["below-cache-minimum"].startswith("p.json:system[0] ")


@pytest.mark.parametrize(
    ("extra", "options", "where"),
    [
        ({"temperature": 0.5}, {}, "p.json:temperature "),
        ({"top_p": 1}, {}, "p.json:top_p "),
        ({"tool_choice": {"type": "any"}}, {}, "p.json:tool_choice "),
        ({"stream": True}, {"batch": True}, "p.json:stream "),
        ({"speed": "fast"}, {"batch": True}, "p.json:speed "),
        ({"inference_geo": "us"}, {"models": ("claude-sonnet-4-5",)}, "p.json "),
    ],
)
def test_parameters_that_the_api_refuses_are_named(
    stated: Any, extra: dict[str, Any], options: dict[str, Any], where: str
) -> None:
    assert notices(stated(), asking(10, **extra), **options)["refused-parameter"].startswith(where)


def test_parameters_that_it_takes_are_not(stated: Any) -> None:
    fine = {"stream": True, "tool_choice": {"type": "auto"}, "inference_geo": "us", "metadata": {"user_id": "u"}}
    assert notices(stated(), asking(10, **fine)) == {}


def test_a_block_that_makes_up_most_of_the_prompt_is_pointed_at(stated: Any) -> None:
    body = {**marked(100, 100), "tools": [{"name": "t", "description": "800 tokens", "input_schema": {}}]}
    found = notices(stated(), body, requests=2)
    assert found["dominant-block"] == "p.json tools[0] alone is 80 % of the prompt: costkit estimate --tree"
    assert "dominant-block" not in notices(stated(), body, requests=2, tree=True)


def test_a_price_that_is_not_sure_says_so(stated: Any) -> None:
    assert (
        "check it against your invoice"
        in notices(stated(), asking(10), "claude-fable-5-2", fast=True)["price-confidence"]
    )


def test_the_same_is_said_once_for_a_whole_file(stated: Any) -> None:
    """What concerns the model and not the request is not repeated for each request."""
    prompts = [Prompt("p.jsonl", index, parse_request(asking(10))) for index in range(3)]
    options = EstimateOptions(as_of=DAY, models=("claude-opus-4-1",), output_tokens=1, max_tokens=1)
    found = estimate_requests(prompts, stated(), built_in_book(), options).notices
    assert [notice.code for notice in found] == ["model-retired"]
