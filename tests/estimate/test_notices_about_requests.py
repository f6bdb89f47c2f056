"""What an estimate warns of, exactly where it begins and where it ends."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date
from decimal import Decimal
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
        ({"max_tokens": None, "output_tokens": 128_001}, None, "output-above-maximum"),
        ({"max_tokens": None, "output_tokens": 300_001, "batch": True}, None, "output-above-maximum"),
    ],
)
def test_output_limits_that_cannot_hold(stated: Any, options: dict[str, Any], limit: int | None, code: str) -> None:
    found = notices(stated(), asking(10, max_tokens=limit), "claude-haiku-5-5", **options)
    assert [each for each in found if each != "no-ceiling"] == [code]
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


def test_more_breakpoints_than_the_api_takes(stated: Any) -> None:
    found = notices(stated(), marked(10, *[1_000] * 5))
    message = "p.json:system[4] 5 cache breakpoints: the API takes 4 at most"
    assert found == {"too-many-breakpoints": message}
    assert notices(stated(), marked(10, *[1_000] * 4)) == {}


def test_automatic_caching_takes_a_breakpoint_too(stated: Any) -> None:
    body = marked(10, *[1_000] * 4) | {"cache_control": {"type": "ephemeral"}}
    assert notices(stated(), body)["too-many-breakpoints"].startswith("p.json:cache_control 5 ")


def test_a_longer_life_after_a_shorter_one_is_refused_by_the_api(stated: Any) -> None:
    body = marked(1_000, 1_000, 1_000)
    body["system"][1]["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
    assert notices(stated(), body) == {
        "breakpoint-order": "p.json:system[1] the API refuses a 1h breakpoint after one of 5m (system[0])"
    }
    body["system"].reverse()
    assert notices(stated(), body) == {}


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ({"speed": "turbo"}, "unknown-speed"),
        ({"service_tier": "flex"}, "unknown-service-tier"),
    ],
)
def test_a_value_without_a_price_is_not_passed_over(stated: Any, extra: dict[str, str], code: str) -> None:
    ((name, value),) = extra.items()
    message = f"p.json:{name} {name} '{value}' is unknown: priced as standard"
    assert notices(stated(), asking(10, **extra)) == {code: message}


def test_values_with_a_price_are_fine(stated: Any) -> None:
    assert notices(stated(), asking(10, speed="standard", service_tier="auto")) == {}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search", "description": "5"}]},
            "the fees of searches",
        ),
        ({"tools": [{"type": "code_execution_20250825", "name": "x", "description": "5"}]}, "what they read cannot be"),
        ({"mcp_servers": [{"type": "url", "url": "https://example.com"}]}, "mcp_servers: what they read cannot be"),
    ],
)
def test_tools_that_the_api_runs_may_cost_more_than_anything_here(
    stated: Any, extra: dict[str, Any], message: str
) -> None:
    found = notices(stated(), asking(10, **extra))
    assert message in found["server-tools"]
    assert found["server-tools"].endswith("even the ceiling may be passed")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


WHOLE_PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
WHOLE_PDF = b"%PDF-1.7\n" + bytes(5_000) + b"\n%%EOF\n"


@pytest.mark.parametrize(
    ("kind", "media_type", "data", "reason"),
    [
        ("image", "image/png", encoded(WHOLE_PNG[:8]), "this is not a picture of the type image/png"),
        ("image", "image/jpeg", encoded(WHOLE_PNG), "this is not a picture of the type image/jpeg"),
        ("image", "image/png", "", "the data are not base64"),
        ("image", "image/png", "?" * 40, "the data are not base64"),
        ("document", "application/pdf", encoded(WHOLE_PDF[:-8]), "this is not a whole PDF"),
        ("document", "application/pdf", encoded(b"hello"), "this is not a whole PDF"),
        ("document", "application/pdf", encoded(WHOLE_PDF[:-7] + b"/Encrypt 9 0 R\n%%EOF"), "this PDF is encrypted"),
    ],
)
def test_media_that_cannot_be_read_are_named(stated: Any, kind: str, media_type: str, data: str, reason: str) -> None:
    block = {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}, "text": "5"}
    found = notices(stated(), {"messages": [{"role": "user", "content": [block]}]})
    message = f"{reason}: the API will refuse it, and its tokens are a guess"
    assert found == {"unreadable-media": f"p.json:messages[0].content[0] {message}"}


@pytest.mark.parametrize(
    ("media_type", "data"),
    [("image/png", encoded(WHOLE_PNG)), ("application/pdf", encoded(WHOLE_PDF)), ("image/heic", encoded(b"x"))],
)
def test_media_that_may_be_read_are_not(stated: Any, media_type: str, data: str) -> None:
    source = {"type": "base64", "media_type": media_type, "data": data}
    block = {"type": "image", "source": source, "text": "5"}
    assert notices(stated(), {"messages": [{"role": "user", "content": [block]}]}) == {}


@pytest.mark.parametrize(
    "source", [{"type": "url", "url": "https://example.com/a.pdf"}, {"type": "file", "file_id": "f"}]
)
def test_media_that_are_elsewhere_are_named_as_guesses(stated: Any, source: dict[str, str]) -> None:
    block = {"type": "document", "source": source, "text": "5"}
    found = notices(stated(), {"messages": [{"role": "user", "content": [block]}]})
    assert list(found) == ["media-elsewhere"]
    assert "a guess within a wide band" in found["media-elsewhere"]


def test_media_in_the_result_of_a_tool_are_looked_at_too(stated: Any) -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    block = {"type": "tool_result", "tool_use_id": "t", "content": [picture], "text": "5"}
    found = notices(stated(), {"messages": [{"role": "user", "content": [block]}]})
    assert found["unreadable-media"].startswith("p.json:messages[0].content[0].content[0] ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"requests": 1}, "a hit rate of 0.8 means 0 of 1 request read from the cache: add -n N"),
        ({"requests": 9}, "a hit rate of 0.8 means 7 of 9 requests read from the cache: the rest write"),
    ],
)
def test_a_hit_rate_that_requests_cannot_have(stated: Any, options: dict[str, Any], message: str) -> None:
    found = notices(stated(), marked(10, 1_000), cache="5m", hit_rate=Decimal("0.8"), **options)
    assert found["hit-rate-rounded"] == f"None {message}"


def test_a_hit_rate_that_requests_can_have_needs_no_word(stated: Any) -> None:
    assert notices(stated(), marked(10, 1_000), cache="5m", hit_rate=Decimal("0.8"), requests=10) == {}


def test_a_tree_says_what_it_leaves_out(stated: Any) -> None:
    found = notices(stated(), marked(10, 1_000), cache="5m", requests=10, tree=True)
    assert found == {"tree-uncached": "None the tree prices every block as plain input, without caching"}
    assert notices(stated(), marked(10, 1_000), requests=10, tree=True) == {}


def test_a_tree_of_several_requests_is_asked_for_in_another_way(stated: Any) -> None:
    prompts = [Prompt("p.jsonl", index, parse_request(asking(10))) for index in range(3)]
    options = EstimateOptions(as_of=DAY, models=("claude-opus-5-5",), output_tokens=1, max_tokens=1, tree=True)
    (notice,) = estimate_requests(prompts, stated(), built_in_book(), options).notices
    assert (notice.code, notice.where) == ("no-tree", "p.jsonl")
    apart = estimate_requests(prompts, stated(), built_in_book(), replace(options, per_request=True))
    assert [len(item.tree or ()) for item in apart.items] == [1, 1, 1]
    assert apart.notices == ()
