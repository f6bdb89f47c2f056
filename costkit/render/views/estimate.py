"""The page of `costkit estimate`: what, how much, what to do next."""

from __future__ import annotations

from costkit.core.money import display
from costkit.core.tokens import TokenCount
from costkit.estimate import Comparison, Estimate, EstimateOptions, Item
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Table, View

_INPUT_ONLY = {"output_usd": "input only"}


def estimate_view(estimate: Estimate, options: EstimateOptions, comparison: Comparison | None, footer: str) -> View:
    """Lay out an estimate: one row per file and model, the change and the tree where they were asked for."""
    tables = [_costs(estimate, options)]
    tables += [_tree(item, titled=len(estimate.items) > 1) for item in estimate.items if item.tree is not None]
    facts = [footer]
    if comparison is not None:
        tables.append(_comparison(comparison))
        facts.insert(0, _change(comparison))
    return View(_headline(estimate, options), tuple(tables), tuple(facts))


def _headline(estimate: Estimate, options: EstimateOptions) -> str:
    paths = list(dict.fromkeys(item.path for item in estimate.items))
    name = plural(len(paths), "file") if len(paths) > 1 else "stdin" if paths[0] == "-" else paths[0]
    first = estimate.items[0].model
    requests = sum(item.requests for item in estimate.items if item.model == first)
    parts = [name, _tokens(estimate), plural(requests, "request")]
    if options.batch:
        parts.append("batch prices")
    if options.fast:
        parts.append("fast mode")
    if options.inference_geo:
        parts.append(f"inference_geo {options.inference_geo}")
    if options.cache != "none":
        parts.append(f"cache {options.cache}")
    return " · ".join(parts)


def _tokens(estimate: Estimate) -> str:
    """The tokens of one request where all are alike, else of all requests, else that it depends on the model."""
    counts = {(total.input_tokens, total.requests) for total in estimate.totals}
    if len(counts) > 1:
        return "tokens differ by model"
    count, requests = counts.pop()
    if len(estimate.items) == len(estimate.totals) and _divides(count, requests):
        count = TokenCount(count.tokens // requests, count.low // requests, count.high // requests, count.method)
        return f"{count.tokens:,} tokens in ({_band(count)})"
    return f"{count.tokens:,} tokens in{' all' if requests > 1 else ''} ({_band(count)})"


def _divides(count: TokenCount, requests: int) -> bool:
    return requests > 0 and all(number % requests == 0 for number in (count.tokens, count.low, count.high))


_METHODS = {"exact": "exact", "offline": "offline", "tiktoken": "tiktoken", "characters": "rough, by characters"}


def _band(count: TokenCount) -> str:
    spoken = _METHODS.get(count.method, count.method)
    off = max(count.tokens - count.low, count.high - count.tokens)
    return f"{spoken} ±{off:,}" if off else spoken


def _costs(estimate: Estimate, options: EstimateOptions) -> Table:
    several = len({item.path for item in estimate.items}) > 1 or options.per_request
    ceiling = any(item.cost_usd and item.cost_usd.ceiling is not None for item in estimate.items)
    cached = any(item.cached_5m_usd is not None for item in estimate.items) and options.cache == "none"
    batch = not options.batch and any(item.batch_usd is not None for item in estimate.items)
    columns = [
        Column("file", "path", for_people=several),
        Column("#", "index", Kind.COUNT, for_people=options.per_request),
        Column("model", "model"),
        Column("requests", "requests", Kind.COUNT, for_people=False),
        Column("tokens in", "input_tokens", Kind.TOKENS),
        Column("input", "input_usd", Kind.USD),
        Column("output", "output_usd", Kind.USD),
        Column("total", "cost_usd", Kind.USD),
        Column("ceiling", "ceiling_usd", Kind.USD, for_people=ceiling),
        Column("cached 5m", "cached_5m_usd", Kind.USD, for_people=cached),
        Column("batch", "batch_usd", Kind.USD, for_people=batch),
    ]
    rows = [_row(columns, _cells(item)) for item in estimate.items]
    totals = []
    if several:
        totals = [_row(columns, {"path": "all", **_total_cells(estimate, total.model)}) for total in estimate.totals]
    empty = _INPUT_ONLY if options.output_tokens is None else None
    return Table(tuple(columns), tuple(rows + totals), empty=empty, total_rows=len(totals))


def _row(columns: list[Column], cells: dict[str, Cell]) -> tuple[Cell, ...]:
    return tuple(cells.get(column.key) for column in columns)


def _cells(item: Item) -> dict[str, Cell]:
    return {
        "path": item.path,
        "index": item.index,
        "model": item.model,
        "requests": item.requests,
        "input_tokens": item.input_tokens.tokens,
        "input_usd": item.input_usd,
        "output_usd": item.output_usd,
        "cost_usd": item.cost_usd.expected if item.cost_usd else None,
        "ceiling_usd": item.cost_usd.ceiling if item.cost_usd else None,
        "cached_5m_usd": item.cached_5m_usd,
        "batch_usd": item.batch_usd,
    }


def _total_cells(estimate: Estimate, model: str) -> dict[str, Cell]:
    total = next(total for total in estimate.totals if total.model == model)
    return {
        "model": model,
        "input_tokens": total.input_tokens.tokens,
        "cost_usd": total.cost_usd.expected if total.cost_usd else None,
        "ceiling_usd": total.cost_usd.ceiling if total.cost_usd else None,
    }


def _tree(item: Item, *, titled: bool) -> Table:
    columns = (
        Column("block", "path"),
        Column("kind", "kind"),
        Column("tokens", "input_tokens", Kind.TOKENS),
        Column("cost", "cost_usd", Kind.USD),
        Column("share", "share", Kind.SHARE),
    )
    rows = tuple(
        (branch.path or "(around the blocks)", branch.kind, branch.input_tokens.tokens, branch.cost_usd, branch.share)
        for branch in item.tree or ()
    )
    return Table(columns, rows, title=f"{item.path} on {item.model}" if titled else None)


def _comparison(comparison: Comparison) -> Table:
    columns = (
        Column("file", "path"),
        Column("model", "model"),
        Column("before", "base_usd", Kind.USD),
        Column("now", "usd", Kind.USD),
        Column("change", "change_usd", Kind.USD),
        *(Column(factor, f"{factor}_usd", Kind.USD) for factor in comparison.attribution),
    )
    rows = tuple(
        (
            change.path,
            _models(change.base_model, change.model),
            change.base_usd,
            change.usd,
            change.change_usd,
            *(change.attribution.get(factor) for factor in comparison.attribution),
        )
        for change in comparison.changes
    )
    return Table(columns, rows, title="change")


def _models(base: str | None, now: str | None) -> str:
    return now or base or "" if base == now or None in (base, now) else f"{base} → {now}"


def _change(comparison: Comparison) -> str:
    sign = "+" if comparison.change_usd > 0 else ""
    share = f" ({sign}{comparison.change_percent} %)" if comparison.change_percent is not None else ""
    return f"change {sign}{display(comparison.change_usd)}{share}"
