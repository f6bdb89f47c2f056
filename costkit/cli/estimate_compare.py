"""`costkit estimate --compare-to`: reads the other side and judges the change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from costkit.adapters import prompts as prompt_files
from costkit.adapters.names import printable, shown
from costkit.adapters.prompt_lines import holds_lines
from costkit.cli.estimate_prompts import Reading, Source, read_prompts
from costkit.cli.run import Finding
from costkit.core.money import decimal_from, display_apart, times, usd_limit
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.core.response import MOST_TOKENS
from costkit.core.usage import Usage
from costkit.errors import ExitCode, InvalidInput
from costkit.estimate.result import Estimate, Item, Prompt, RatedUsage
from costkit.estimate.sample import Sample

if TYPE_CHECKING:
    from costkit.estimate.attribution import Side
    from costkit.estimate.compare import Comparison

Price = Callable[[list[Source], dict[str, Sample]], Estimate]
"""Estimates the requests of all sources under the options of the command."""
_SCHEMA = b"costkit/estimate@"
_HEAD = 4_096
_COUNTS = (
    "input_tokens",
    "cache_read_input_tokens",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
    "output_tokens",
    "web_search_requests",
)


@dataclass(frozen=True, slots=True)
class Increase:
    """How much dearer something may become: a share of the base, or an amount."""

    percent: Decimal | None = None
    usd: Decimal | None = None

    @property
    def text(self) -> str:
        """A share as it was typed."""
        return f"{self.percent}%"


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


def against(
    path: str,
    now: Estimate,
    reading: Reading,
    choice: str | int,
    price: Price,
    book: PriceBook,
    day: date,
) -> Comparison:
    """Compare an estimate with an earlier one, or with the prompts in a file, both priced with today's book.

    The prompts are read, chosen (`choice` is that of `--sample`) and counted as those of the estimate are: a file
    doesn't differ from itself.
    """
    files = list(dict.fromkeys(item.path for item in now.items))
    stands_for = files[0] if len(files) == 1 else printable(path)
    if holds_lines(path, reading.kind) and not _begins_like_an_estimate(path):
        base = _sides(price(*read_prompts([path], reading, choice)), stands_for)
    else:
        data = prompt_files.read_file(path)
        recorded = _recorded_sides(path, data, book, day)
        requests = [] if recorded is not None else reading.requests(path, data)
        prompts = [Prompt(stands_for, index, request) for index, request in enumerate(requests)]
        base = recorded if recorded is not None else _sides(price([prompts], {}))
    from costkit.estimate.compare import compare_estimates

    return compare_estimates(base, _sides(now), book, day)


def _begins_like_an_estimate(path: str) -> bool:
    """Whether a file whose name says that it holds lines is a document of `estimate --json` all the same."""
    if path == "-":
        return False
    try:
        with Path(path).open("rb") as file:
            return _SCHEMA in file.read(_HEAD)
    except (OSError, ValueError):  # reading it will say what is wrong
        return False


def left_out(comparison: Comparison | None) -> Iterator[Notice]:
    """Name what could not be compared."""
    for one in comparison.left_out if comparison else ():
        message = "is in the base only" if one.in_base else "has nothing to be compared with in the base"
        yield Notice("not-compared", f"{one.model} {message}: left out of the change", one.path)


def grown(comparison: Comparison | None, allowed: Increase | None) -> Iterator[Finding]:
    """Judge the change of each model; nothing may be said of a base that costs nothing but that it grew."""
    if comparison is None or allowed is None:
        return
    for one in comparison.undecided:
        message = f"{one.path}: {one.model} can't be judged: the base has other models, and not just one"
        yield Finding(ExitCode.UNDECIDED, message)
    for model in comparison.models:
        most = allowed.usd
        if allowed.percent is not None:
            most = times(model.base_usd, times(allowed.percent, Decimal("0.01")))
        if most is not None and model.change_usd > most:
            grew, most_text = display_apart(model.change_usd, most)
            limit = allowed.text if allowed.percent is not None else most_text
            message = f"{model.model}: the cost grew by {grew}, more than --max-increase {limit}"
            yield Finding(ExitCode.LIMIT, message)


def _sides(estimate: Estimate, stands_for: str | None = None) -> list[Side]:
    """The items that have a price; `stands_for` is the file that theirs is compared with."""
    from costkit.estimate.attribution import Side

    return [
        Side(_name(item, stands_for), item.model, item.usage_by_rate, item.cost_usd.expected)
        for item in estimate.items
        if item.cost_usd is not None
    ]


def _name(item: Item, stands_for: str | None) -> str:
    path = stands_for or item.path
    return path if item.index is None else f"{path}[{item.index}]"


def _recorded_sides(path: str, data: bytes, book: PriceBook, day: date) -> list[Side] | None:
    """The items of an `estimate --json` document; `None` if the file is something else."""
    if not data.lstrip().startswith(b"{") or _SCHEMA not in data:
        return None
    where = shown(path)
    try:
        document = json.loads(data)
        if document["schema"] != "costkit/estimate@1":
            raise InvalidInput(f"has the schema {document['schema']!r}, not costkit/estimate@1", where=where)
        recorded = [_recorded(item) for item in document["result"]["items"] if item["cost_usd"] is not None]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput("is not a whole costkit estimate", where=where) from None
    from costkit.estimate.compare import side_of

    return [side_of(name, model, parts, book, day) for name, model, parts in recorded]


def _recorded(item: Mapping[str, object]) -> tuple[str, str, tuple[RatedUsage, ...]]:
    """Name, model and usage of an item that had a price; what doesn't add up is refused."""
    groups = item["usage_by_rate"]
    if not isinstance(groups, list):
        raise TypeError
    parts = tuple(_recorded_part(part) for part in groups)
    if sum(part.requests for part in parts) != _whole(item["requests"]) or not parts:
        raise ValueError
    if sum((part.usage for part in parts), Usage()) != _usage(item["usage"]):
        raise ValueError
    name = str(item["path"]) if item["index"] is None else f"{item['path']}[{item['index']}]"
    return name, str(item["model"]), parts


def _recorded_part(part: Mapping[str, object]) -> RatedUsage:
    batch, speed, geo = part["batch"], part["speed"], part["inference_geo"]
    if not isinstance(batch, bool) or speed not in ("standard", "fast") or not isinstance(geo, str | None):
        raise TypeError
    requests = _whole(part["requests"])
    if requests == 0 or (batch and speed == "fast"):
        raise ValueError
    return RatedUsage(requests, _whole(part["tier"]), batch, str(speed), geo, _usage(part["usage"]))


def _usage(counts: object) -> Usage:
    if not isinstance(counts, Mapping):
        raise TypeError
    return Usage(*(_whole(counts[name]) for name in _COUNTS))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS**2:
        raise ValueError(value)
    return value
