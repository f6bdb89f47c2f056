"""What a careful colleague would point out about a request before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice
from costkit.core.tokens import PartCount, TokenCount
from costkit.estimate.media import media_notices
from costkit.estimate.price import Mark
from costkit.estimate.result import EstimateOptions, Prompt

_CLIFF_NEAR_PERCENT = 10
_DOMINANT_PERCENT = 40
_BLOCKS_WORTH_A_LOOK = 3
_TOKENS_WORTH_A_LOOK = 500
_SAMPLING_PARAMETERS = ("temperature", "top_p", "top_k")
_SPEEDS = ("standard", "fast")
_SERVICE_TIERS = ("auto", "standard_only")
_SERVER_TOOLS = ("web_search_", "web_fetch_", "code_execution_", "tool_search_tool_")
"""Starts of the types of tools that the API runs itself."""
_MOST_MARKS = 4
_REFUSED_IN_BATCHES = ("stream", "speed", "store")
_NO_FORCED_TOOLS = frozenset(
    {
        "claude-fable-5-1",
        "claude-fable-5-2",
        "claude-mythos-5-1",
        "claude-mythos-5-2",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
    }
)
"""Models that answer 400 to `tool_choice` any or tool (their pages under /docs/en/models)."""


def request_notices(
    prompt: Prompt, model: ModelPrice, count: TokenCount, marks: Sequence[Mark], options: EstimateOptions
) -> Iterator[Notice]:
    """Everything about one request on one model that will cost more, fail, or do nothing."""
    yield from _rough(count)
    yield from _cliff(prompt, model, count, options.as_of)
    yield from _limits(prompt, model, count, options)
    yield from _marks(prompt, model, marks)
    yield from _mark_rules(prompt)
    yield from _parameters(prompt, model, options)
    yield from _unpriced_values(prompt)
    yield from _server_tools(prompt)
    yield from media_notices(prompt)


def _rough(count: TokenCount) -> Iterator[Notice]:
    if count.method == "characters":
        message = (
            "tokens are estimated from characters: tiktoken's vocabulary is neither in its cache (TIKTOKEN_CACHE_DIR) "
            "nor to be had, and ctok isn't used or needs Python 3.12"
        )
        yield Notice("vocabulary-missing", message)


def dominant_block(prompt: Prompt, parts: Sequence[PartCount]) -> Iterator[Notice]:
    """Point at a block that makes up most of a prompt, where there is a choice about it."""
    whole = sum(part.count.tokens for part in parts)
    blocks = [part for part in parts if part.block is not None]
    if len(blocks) < _BLOCKS_WORTH_A_LOOK or whole < _TOKENS_WORTH_A_LOOK:
        return
    largest = max(blocks, key=lambda part: part.count.tokens)
    percent = largest.count.tokens * 100 // whole
    if percent >= _DOMINANT_PERCENT:
        message = f"{largest.path} alone is {percent} % of the prompt: costkit estimate --tree"
        yield Notice("dominant-block", message, prompt.where)


def _cliff(prompt: Prompt, model: ModelPrice, count: TokenCount, day: date) -> Iterator[Notice]:
    tiers = model.period(day).tiers
    for lower, higher in pairwise(tiers):
        if lower.up_to is None:
            continue
        near = lower.up_to * _CLIFF_NEAR_PERCENT // 100
        if lower.up_to - near < count.tokens <= lower.up_to:
            message = (
                f"{count.tokens:,} tokens are {lower.up_to - count.tokens:,} below {model.id}'s price step at "
                f"{lower.up_to:,}: above it the whole request costs ${higher.rates.input} instead of "
                f"${lower.rates.input} per million input tokens"
            )
            yield Notice("near-price-step", message, prompt.where)
        elif lower.up_to < count.tokens <= lower.up_to + near:
            over = count.tokens - lower.up_to
            message = (
                f"trim {over:,} token{'s' if over > 1 else ''}: at {lower.up_to:,} and below, {model.id} costs "
                f"${lower.rates.input} instead of ${higher.rates.input} per million input tokens"
            )
            yield Notice("near-price-step", message, prompt.where)


def _limits(prompt: Prompt, model: ModelPrice, count: TokenCount, options: EstimateOptions) -> Iterator[Notice]:
    limit = options.max_tokens if options.max_tokens is not None else prompt.request.max_tokens
    most = (options.batch and model.batch_max_output_tokens) or model.max_output_tokens
    if limit is not None and limit > most:
        yield Notice("max-tokens-above-maximum", f"max_tokens {limit:,} is above {model.id}'s {most:,}", prompt.where)
    if options.output_tokens is not None and options.output_tokens > most:
        message = f"the expected output of {options.output_tokens:,} tokens is more than {model.id} can write: {most:,}"
        yield Notice("output-above-maximum", message, prompt.where)
    if options.output_tokens is not None and limit is not None and options.output_tokens > limit:
        message = f"the expected output of {options.output_tokens:,} tokens is above max_tokens {limit:,}"
        yield Notice("output-above-max-tokens", message, prompt.where)
    if count.tokens > model.context_window:
        message = f"{count.tokens:,} tokens don't fit {model.id}'s context window of {model.context_window:,}"
        yield Notice("context-window-exceeded", message, prompt.where)


def _marks(prompt: Prompt, model: ModelPrice, marks: Sequence[Mark]) -> Iterator[Notice]:
    for mark in marks:
        missing = model.min_cacheable_tokens - mark.prefix.tokens
        if missing > 0:
            message = (
                f"the prefix up to here has {mark.prefix.tokens:,} tokens, {missing:,} short of {model.id}'s minimum "
                f"of {model.min_cacheable_tokens:,}: it won't be cached"
            )
            yield Notice("below-cache-minimum", message, f"{prompt.where}:{mark.path}")


def _mark_rules(prompt: Prompt) -> Iterator[Notice]:
    """What the API refuses about breakpoints: too many, or a longer life after a shorter one.

    https://platform.claude.com/docs/en/build-with-claude/prompt-caching
    """
    marks = [(block.path, block.cache_control.ttl) for block in prompt.request.blocks if block.cache_control]
    automatic = prompt.request.cache_control
    if automatic is not None and not prompt.request.blocks[-1].cache_control:
        marks.append(("cache_control", automatic.ttl))
    if len(marks) > _MOST_MARKS:
        message = f"{len(marks)} cache breakpoints: the API takes {_MOST_MARKS} at most"
        yield Notice("too-many-breakpoints", message, f"{prompt.where}:{marks[_MOST_MARKS][0]}")
    for (before, first), (path, second) in pairwise(marks):
        if (first, second) == ("5m", "1h"):
            message = f"the API refuses a 1h breakpoint after one of 5m ({before})"
            yield Notice("breakpoint-order", message, f"{prompt.where}:{path}")


def _unpriced_values(prompt: Prompt) -> Iterator[Notice]:
    """A value that no price is known for is never passed over in silence."""
    for name, known in (("speed", _SPEEDS), ("service_tier", _SERVICE_TIERS)):
        value = prompt.request.body.get(name)
        if value is not None and value not in known:
            code = f"unknown-{name.replace('_', '-')}"
            yield Notice(code, f"{name} {value!r} is unknown: priced as standard", f"{prompt.where}:{name}")


def _server_tools(prompt: Prompt) -> Iterator[Notice]:
    kinds = [str(block.value.get("type")) for block in prompt.request.level("tools")]
    names = [kind for kind in dict.fromkeys(kinds) if kind.startswith(_SERVER_TOOLS)]
    if prompt.request.body.get("mcp_servers"):
        names.append("mcp_servers")
    if names:
        searching = any(name.startswith("web_search_") for name in names)
        unknown = "neither the fees of searches nor what they bring back as input" if searching else "what they read"
        message = (
            f"{', '.join(names)}: {unknown} can{'' if searching else 'not'} be known before, so the band is wide and "
            "even the ceiling may be passed"
        )
        yield Notice("server-tools", message, prompt.where)


def _parameters(prompt: Prompt, model: ModelPrice, options: EstimateOptions) -> Iterator[Notice]:
    body = prompt.request.body
    for name in _SAMPLING_PARAMETERS:
        if name in body:
            message = f"{name} is refused by API version 2026-10-21"
            yield Notice("refused-parameter", message, f"{prompt.where}:{name}")
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in ("any", "tool") and model.id in _NO_FORCED_TOOLS:
        message = f"{model.id} refuses tool_choice {choice['type']!r}"
        yield Notice("refused-parameter", message, f"{prompt.where}:tool_choice")
    if options.batch:
        for name in _REFUSED_IN_BATCHES:
            if body.get(name):
                yield Notice("refused-parameter", f"batches refuse {name}", f"{prompt.where}:{name}")
    geo = options.inference_geo
    if geo is not None and geo != "global" and not model.geo_multipliers:
        yield Notice("refused-parameter", f"{model.id} refuses inference_geo", prompt.where)
