"""`costkit estimate --compare-to`: reads the other side and judges the change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from costkit.adapters import prompts as prompt_files
from costkit.cli.run import Finding
from costkit.core.cost import cost_of
from costkit.core.money import decimal_from, display, times, usd_limit
from costkit.core.pricebook import PriceBook
from costkit.core.response import MOST_TOKENS
from costkit.core.tokens import TokenCounter
from costkit.core.usage import Usage
from costkit.errors import ExitCode, InvalidInput
from costkit.estimate import Comparison, Estimate, EstimateOptions, Prompt, compare_estimates, estimate_requests
from costkit.estimate.compare import Side


@dataclass(frozen=True, slots=True)
class Increase:
    """How much dearer something may become: a share of the base, or an amount."""

    percent: Decimal | None = None
    usd: Decimal | None = None

    @property
    def text(self) -> str:
        """The limit as it was typed."""
        return f"{self.percent}%" if self.percent is not None else display(self.usd or Decimal(0))


def increase_from(text: str | None, compare_to: str | None) -> Increase | None:
    """Read `--max-increase`."""
    if text is None:
        return None
    if compare_to is None:
        raise InvalidInput("--max-increase needs something to compare with", hint="add --compare-to FILE")
    try:
        if text.endswith("%"):
            return Increase(percent=decimal_from(text.removesuffix("%").strip()))
        return Increase(usd=usd_limit(text))
    except ValueError:
        hint = "write it as 10% or 2.50"
        raise InvalidInput(f"--max-increase {text!r} is neither a share nor an amount", hint=hint) from None


def against(path: str, now: Estimate, counter: TokenCounter, book: PriceBook, options: EstimateOptions) -> Comparison:
    """Compare an estimate with an earlier one, or with the prompts in a file, both priced with today's book."""
    sides = _sides(now)
    base = _recorded_sides(path)
    if base is None:
        requests = prompt_files.read_requests(path, prompt_files.read_file(path))
        files = list(dict.fromkeys(side.path for side in sides))
        stands_for = files[0] if len(files) == 1 else path
        prompts = [Prompt(stands_for, index, request) for index, request in enumerate(requests)]
        base = _sides(estimate_requests(prompts, counter, book, options))
    return compare_estimates(base, sides, lambda side: _price(side, book, options))


def grown(comparison: Comparison | None, allowed: Increase | None) -> Iterator[Finding]:
    """Judge the change; nothing may be said of a base that costs nothing but that it grew."""
    if comparison is None or allowed is None:
        return
    most = allowed.usd
    if allowed.percent is not None:
        most = times(comparison.base_usd, times(allowed.percent, Decimal("0.01")))
    if most is not None and comparison.change_usd > most:
        message = f"the cost grew by {display(comparison.change_usd)}, more than --max-increase {allowed.text}"
        yield Finding(ExitCode.LIMIT, message)


def _sides(estimate: Estimate) -> list[Side]:
    return [
        Side(
            item.path if item.index is None else f"{item.path}[{item.index}]",
            item.model,
            item.requests,
            item.usage,
        )
        for item in estimate.items
        if item.cost_usd is not None
    ]


def _recorded_sides(path: str) -> list[Side] | None:
    """The items of an `estimate --json` document; `None` if the file is something else."""
    data = prompt_files.read_file(path)
    if not data.lstrip().startswith(b"{") or b"costkit/estimate@" not in data:
        return None
    try:
        document = json.loads(data)
        if document["schema"] != "costkit/estimate@1":
            raise InvalidInput(f"has the schema {document['schema']!r}, not costkit/estimate@1", where=path)
        return [_recorded(item) for item in document["result"]["items"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput("is not a whole costkit estimate", where=path) from None


def _recorded(item: Mapping[str, object]) -> Side:
    where = str(item["path"]) if item["index"] is None else f"{item['path']}[{item['index']}]"
    requests, usage = _whole(item["requests"]), item["usage"]
    if not isinstance(usage, Mapping):
        raise TypeError
    if requests == 0:
        raise ValueError(requests)
    counts = Usage(
        _whole(usage["input_tokens"]),
        _whole(usage["cache_read_input_tokens"]),
        _whole(usage["ephemeral_5m_input_tokens"]),
        _whole(usage["ephemeral_1h_input_tokens"]),
        _whole(usage["output_tokens"]),
    )
    return Side(where, str(item["model"]), requests, counts)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS**2:
        raise ValueError(value)
    return value


def _price(side: Side, book: PriceBook, options: EstimateOptions) -> Decimal:
    """Price a side; the tier is that of its average request."""
    usage = side.usage
    probe = Usage(input_tokens=usage.prompt_tokens // side.requests)
    key = book.key_for(
        probe,
        side.model,
        options.as_of,
        batch=options.batch,
        fast=bool(options.fast),
        inference_geo=options.inference_geo,
    )
    return cost_of(usage, book.quote(key).rates).total_usd
