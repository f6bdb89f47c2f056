"""The page of `costkit estimate`: what, how much, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costkit.core.money import display
from costkit.core.tokens import TokenCount
from costkit.estimate.price import reads
from costkit.estimate.result import Estimate, EstimateOptions, Item, Total
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Table, View

if TYPE_CHECKING:
    from costkit.estimate.account import AccountTimes
    from costkit.estimate.compare import Comparison, ModelComparison

_DIFFERENT = "tokens differ by model"
_INPUT_ONLY = {"output_usd": "input only"}


def estimate_view(
    estimate: Estimate,
    options: EstimateOptions,
    comparison: Comparison | None,
    footer: str,
    times: AccountTimes | None = None,
) -> View:
    """Lay out an estimate: one row per file and model; the change, the tree and the time where they were asked for."""
    tables = [_costs(estimate, options)]
    tables += [_tree(item, titled=len(estimate.items) > 1) for item in estimate.items if item.tree is not None]
    calibrated = [f"tokens {one.value}" for one in estimate.assumptions if one.name == "calibration"]
    facts = [*calibrated, *_cache_facts(estimate, options), footer]
    if comparison is not None:
        tables.append(_comparison(comparison))
        facts = [*_changes(comparison), *facts]
    if times is not None:
        from costkit.render.views.estimate_tier import times_facts, times_table

        tables.append(times_table(times))
        facts = [*times_facts(times), *facts]
    return View(_headline(estimate, options), tuple(tables), tuple(facts))


def _headline(estimate: Estimate, options: EstimateOptions) -> str:
    paths = list(dict.fromkeys(item.path for item in estimate.items))
    name = plural(len(paths), "file") if len(paths) > 1 else _file(paths[0])
    parts = [name, _tokens(estimate)]
    requests = _requests(estimate, options)
    if requests is not None:
        parts.append(plural(requests, "request"))
    if options.batch:
        parts.append("batch prices")
    if options.fast:
        parts.append("fast mode")
    if options.inference_geo:
        parts.append(f"inference_geo {options.inference_geo}")
    if options.cache != "none":
        parts.append(f"cache {options.cache}")
    return " · ".join(parts)


def _requests(estimate: Estimate, options: EstimateOptions) -> int | None:
    """All requests: of any model where all are priced on the same ones; `None` where only some name their own."""
    if not options.models and all(one.name != "model" for one in estimate.assumptions):
        return sum(total.requests for total in estimate.totals)
    by_model = {total.requests for total in estimate.totals}
    mixed = not options.models and len(estimate.totals) > len(options.default_models)
    return None if mixed or len(by_model) > 1 else by_model.pop()


def _file(path: str) -> str:
    return "<stdin>" if path == "-" else path


def _tokens(estimate: Estimate) -> str:
    """The tokens of one request where all are alike, else of all requests, else that it depends on the model."""
    counts = {(total.input_tokens, total.requests) for total in estimate.totals}
    if len(counts) > 1:
        return _DIFFERENT
    count, requests = counts.pop()
    if len(estimate.items) == len(estimate.totals) and _divides(count, requests):
        count = TokenCount(count.tokens // requests, count.low // requests, count.high // requests, count.method)
        return f"{count.tokens:,} tokens in ({_band(count)})"
    return f"{count.tokens:,} tokens in{' all' if requests > 1 else ''} ({_band(count)})"


def _divides(count: TokenCount, requests: int) -> bool:
    return requests > 0 and all(number % requests == 0 for number in (count.tokens, count.low, count.high))


_METHODS = {
    "exact": "exact",
    "calibrated": "offline, calibrated",
    "offline": "offline",
    "tiktoken": "tiktoken",
    "characters": "rough, by characters",
}


def _band(count: TokenCount) -> str:
    spoken = _METHODS.get(count.method, count.method)
    off = _off(count)
    return f"{spoken} ±{off:,}" if off else spoken


def _off(count: TokenCount) -> int:
    return max(count.tokens - count.low, count.high - count.tokens)


def _costs(estimate: Estimate, options: EstimateOptions) -> Table:
    several = len({item.path for item in estimate.items}) > 1 or options.per_request
    ceiling = any(item.cost_usd and item.cost_usd.ceiling is not None for item in estimate.items)
    cached = _shows_cached(estimate, options)
    batch = not options.batch and any(item.batch_usd is not None for item in estimate.items)
    differ = _tokens(estimate) == _DIFFERENT
    divided = any(total.requests != _requests(estimate, options) for total in estimate.totals)
    columns = [
        Column("file", "path", for_people=several),
        Column("#", "index", Kind.COUNT, for_people=options.per_request),
        Column("model", "model"),
        Column("requests", "requests", Kind.COUNT, for_people=divided, rank=2),
        Column("tokens in", "input_tokens", Kind.TOKENS, rank=2),
        Column("±", "input_tokens_off", Kind.TOKENS, for_people=differ, for_programs=False, rank=6),
        Column("low", "input_tokens_low", Kind.TOKENS, for_people=False),
        Column("high", "input_tokens_high", Kind.TOKENS, for_people=False),
        Column("counted", "input_tokens_method", for_people=False),
        Column("input", "input_usd", Kind.USD, rank=3),
        Column("output", "output_usd", Kind.USD, rank=3),
        Column("total", "cost_usd", Kind.USD),
        Column("low cost", "low_usd", Kind.USD, for_people=False),
        Column("ceiling", "ceiling_usd", Kind.USD, for_people=ceiling, rank=1),
        Column("cached 5m", "cached_5m_usd", Kind.USD, for_people=cached, rank=4),
        Column("batch", "batch_usd", Kind.USD, for_people=batch, rank=5),
    ]
    rows = [_row(columns, _cells(item)) for item in estimate.items]
    totals = []
    if several:
        totals = [_row(columns, {"path": "all", **_total_cells(estimate, total.model)}) for total in estimate.totals]
    empty = _INPUT_ONLY if options.output_tokens is None else None
    return Table(tuple(columns), tuple(rows + totals), empty=empty, total_rows=len(totals))


def _row(columns: list[Column], cells: dict[str, Cell]) -> tuple[Cell, ...]:
    return tuple(cells.get(column.key) for column in columns)


def _shows_cached(estimate: Estimate, options: EstimateOptions) -> bool:
    return options.cache == "none" and any(item.cached_5m_usd is not None for item in estimate.items)


def _cells(item: Item) -> dict[str, Cell]:
    return {"path": _file(item.path), "index": item.index, **_shared_cells(item)}


def _total_cells(estimate: Estimate, model: str) -> dict[str, Cell]:
    return _shared_cells(next(total for total in estimate.totals if total.model == model))


def _shared_cells(row: Item | Total) -> dict[str, Cell]:
    cost, count = row.cost_usd, row.input_tokens
    return {
        "model": row.model,
        "requests": row.requests,
        "input_tokens": count.tokens,
        "input_tokens_off": _off(count),
        "input_tokens_low": count.low,
        "input_tokens_high": count.high,
        "input_tokens_method": count.method,
        "input_usd": row.input_usd,
        "output_usd": row.output_usd,
        "cost_usd": cost.expected if cost else None,
        "low_usd": cost.low if cost else None,
        "ceiling_usd": cost.ceiling if cost else None,
        "cached_5m_usd": row.cached_5m_usd,
        "batch_usd": row.batch_usd,
    }


def _cache_facts(estimate: Estimate, options: EstimateOptions) -> list[str]:
    """How many requests are taken to read the cache, where a number rests on it."""
    own = sum(item.requests for item in estimate.items if item.model == estimate.items[0].model)
    of = (
        f"of {own:,} requests" if own == options.requests else f"of the {options.requests:,} times each request is sent"
    )
    used = any(item.usage.cache_creation_input_tokens or item.usage.cache_read_input_tokens for item in estimate.items)
    if used and options.requests > 1:
        return [f"cache {options.cache}: {reads(options):,} {of} read the cache"]
    if _shows_cached(estimate, options):
        return [f"cached 5m: all but the first {of} read the cache"]
    return []


def _tree(item: Item, *, titled: bool) -> Table:
    columns = (
        Column("block", "path"),
        Column("kind", "kind", rank=1),
        Column("tokens", "input_tokens", Kind.TOKENS),
        Column("cost", "cost_usd", Kind.USD),
        Column("share", "share", Kind.SHARE),
    )
    rows = tuple(
        (branch.path or "(around the blocks)", branch.kind, branch.input_tokens.tokens, branch.cost_usd, branch.share)
        for branch in item.tree or ()
    )
    return Table(columns, rows, title=f"{_name(item)} on {item.model}" if titled else None)


def _name(item: Item) -> str:
    return _file(item.path) if item.index is None else f"{_file(item.path)}[{item.index}]"


def _comparison(comparison: Comparison) -> Table:
    changes = [change for model in comparison.models for change in model.changes]
    factors = dict.fromkeys(factor for change in changes for factor in change.attribution)
    columns = (
        Column("file", "path"),
        Column("model", "model"),
        Column("before", "base_usd", Kind.USD, rank=1),
        Column("now", "usd", Kind.USD, rank=1),
        Column("change", "change_usd", Kind.USD),
        *(Column(factor, f"{factor}_usd", Kind.USD, rank=2) for factor in factors),
    )
    rows = tuple(
        (
            _file(change.path),
            _models(change.base_model, change.model),
            change.base_usd,
            change.usd,
            change.change_usd,
            *(change.attribution.get(factor) for factor in factors),
        )
        for change in changes
    )
    return Table(columns, rows, title="change")


def _models(base: str | None, now: str | None) -> str:
    return now or base or "" if base == now or None in (base, now) else f"{base} → {now}"


def _changes(comparison: Comparison) -> list[str]:
    several = len(comparison.models) > 1
    return [f"{model.model}: {_change(model)}" if several else _change(model) for model in comparison.models]


def _change(model: ModelComparison) -> str:
    sign = "+" if model.change_usd > 0 else ""
    share = f" ({sign}{model.change_percent:,} %)" if model.change_percent is not None else ""
    return f"change {sign}{display(model.change_usd)}{share}"
