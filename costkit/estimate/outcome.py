"""What becomes of each prompt on each model, and how outcomes add up to items and totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costkit.core.cost import Cost
from costkit.core.money import EXACT
from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice
from costkit.core.rates import RateKey
from costkit.core.tokens import NO_TOKENS, TokenCount
from costkit.core.usage import Usage
from costkit.estimate.price import Priced
from costkit.estimate.result import Branch, CostRange, EstimateOptions, Item, OutputTokens, Prompt, RatedUsage, Total


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt on one model."""

    prompt: Prompt
    name: str
    """The model as it was named."""
    model: ModelPrice | None
    """`None` where the price book doesn't know it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job; every number covers all its requests but those of `priced.max_output`."""

    job: Job
    count: TokenCount
    requests: int
    priced: Priced | None
    """`None` where the price is unknown."""
    cached_5m_usd: Decimal | None
    batch_usd: Decimal | None
    tree: tuple[Branch, ...] | None
    notices: tuple[Notice, ...]


def items_of(outcomes: Sequence[Outcome], options: EstimateOptions) -> tuple[Item, ...]:
    """Add up outcomes: one item per file and model, or per request and model."""
    groups: dict[tuple[str, int | None, str], list[Outcome]] = {}
    for outcome in outcomes:
        prompt = outcome.job.prompt
        model = outcome.job.model.id if outcome.job.model else outcome.job.name
        groups.setdefault((prompt.path, prompt.index if options.per_request else None, model), []).append(outcome)
    return tuple(_item(path, index, model, group, options) for (path, index, model), group in groups.items())


def _item(path: str, index: int | None, model: str, group: Sequence[Outcome], options: EstimateOptions) -> Item:
    requests = sum(outcome.requests for outcome in group)
    count = sum((outcome.count for outcome in group), NO_TOKENS)
    priced = [outcome.priced for outcome in group if outcome.priced]
    whole = len(priced) == len(group)
    cost = sum((one.cost for one in priced), Cost())
    limits = [one.max_output for one in priced]
    output = OutputTokens(
        None if options.output_tokens is None else options.output_tokens * requests,
        None if None in limits or not whole else sum(limit or 0 for limit in limits) * options.requests,
    )
    usage = sum((one.usage for one in priced), Usage()) if whole else _plain_usage(count, output)
    return Item(
        path,
        index,
        model,
        requests,
        count,
        output,
        usage,
        _by_rate(group) if whole else (),
        _sum_ranges([one.range for one in priced]) if whole else None,
        EXACT.subtract(cost.total_usd, cost.output_usd) if whole else None,
        cost.output_usd if whole and options.output_tokens is not None else None,
        _sum_known([outcome.cached_5m_usd for outcome in group]),
        _sum_known([outcome.batch_usd for outcome in group]),
        group[0].tree if len(group) == 1 else None,
    )


def add_items(one: Item, other: Item) -> Item:
    """Add what two lots of requests of the same file on the same model come to."""
    priced = one.cost_usd is not None and other.cost_usd is not None
    count = one.input_tokens + other.input_tokens
    output = OutputTokens(
        _sum_known_tokens(one.output_tokens.expected, other.output_tokens.expected),
        _sum_known_tokens(one.output_tokens.max, other.output_tokens.max),
    )
    return Item(
        one.path,
        one.index,
        one.model,
        one.requests + other.requests,
        count,
        output,
        one.usage + other.usage if priced else _plain_usage(count, output),
        _add_rated(one.usage_by_rate, other.usage_by_rate) if priced else (),
        one.cost_usd + other.cost_usd if one.cost_usd and other.cost_usd else None,
        _sum_known([one.input_usd, other.input_usd]),
        _sum_known([one.output_usd, other.output_usd]),
        _sum_known([one.cached_5m_usd, other.cached_5m_usd]),
        _sum_known([one.batch_usd, other.batch_usd]),
    )


def _sum_known_tokens(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _add_rated(one: Iterable[RatedUsage], other: Iterable[RatedUsage]) -> tuple[RatedUsage, ...]:
    added: dict[tuple[object, ...], RatedUsage] = {}
    for rated in (*one, *other):
        key = (rated.tier, rated.batch, rated.speed, rated.inference_geo)
        before = added.get(key)
        if before is None:
            added[key] = rated
        else:
            requests, usage = before.requests + rated.requests, before.usage + rated.usage
            added[key] = replace(before, requests=requests, usage=usage)
    return tuple(added.values())


def _by_rate(group: Iterable[Outcome]) -> tuple[RatedUsage, ...]:
    """Requests and usage by what selects their rates, in order of first appearance."""
    requests: dict[RateKey, int] = {}
    usages: dict[RateKey, Usage] = {}
    for outcome in group:
        if outcome.priced is not None:
            key = outcome.priced.key
            requests[key] = requests.get(key, 0) + outcome.requests
            usages[key] = usages.get(key, Usage()) + outcome.priced.usage
    return tuple(
        RatedUsage(
            requests[key], key.tier, key.batch, "fast" if key.fast else "standard", key.inference_geo or None, usage
        )
        for key, usage in usages.items()
    )


def _plain_usage(count: TokenCount, output: OutputTokens) -> Usage:
    return Usage(input_tokens=count.tokens, output_tokens=output.expected or 0)


def _sum_ranges(ranges: Sequence[CostRange]) -> CostRange:
    return sum(ranges[1:], ranges[0])


def _sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    result = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        result = EXACT.add(result, amount)
    return result


def totals_of(items: Sequence[Item]) -> tuple[Total, ...]:
    """Add up items by model."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.model, []).append(item)
    return tuple(_total(model, group) for model, group in groups.items())


def _total(model: str, group: Sequence[Item]) -> Total:
    costs = [item.cost_usd for item in group if item.cost_usd]
    return Total(
        model,
        sum(item.requests for item in group),
        sum((item.input_tokens for item in group), NO_TOKENS),
        _sum_ranges(costs) if len(costs) == len(group) else None,
        _sum_known(item.input_usd for item in group),
        _sum_known(item.output_usd for item in group),
        _sum_known(item.cached_5m_usd for item in group),
        _sum_known(item.batch_usd for item in group),
    )
