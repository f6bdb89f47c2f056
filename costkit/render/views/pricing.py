"""The pages of `costkit pricing`: list, show, check and diff."""

from __future__ import annotations

from costkit.core.money import exact_text
from costkit.pricing import BookCheck, BookDiff, ModelCard, PriceList, PricePeriodCard, TierRates
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Table, View

_RATE_COLUMNS = (
    Column("input", "input_usd_per_mtok", Kind.RATE),
    Column("output", "output_usd_per_mtok", Kind.RATE),
    Column("write 5m", "cache_write_5m_usd_per_mtok", Kind.RATE, rank=2),
    Column("write 1h", "cache_write_1h_usd_per_mtok", Kind.RATE, rank=3),
    Column("cache read", "cache_read_usd_per_mtok", Kind.RATE, rank=1),
)


def list_view(prices: PriceList, footer: str) -> View:
    """One row per model and tier."""
    columns = (
        Column("model", "model"),
        Column("prompt up to", "up_to_tokens", Kind.COUNT),
        *_RATE_COLUMNS,
        Column("status", "status", rank=4),
        Column("confidence", "confidence", rank=5),
    )
    rows = tuple(
        (row.model, row.rates.up_to_tokens, *_rates(row.rates), row.status, row.confidence) for row in prices.rows
    )
    models = len({row.model for row in prices.rows})
    facts = (
        _modifiers(prices),
        footer,
    )
    headline = f"{plural(models, 'model')} · US dollars per million tokens · {prices.as_of}"
    return View(headline, (Table(columns, rows),), facts, "costkit pricing show MODEL   shows one with its history")


def _modifiers(prices: PriceList) -> str:
    batch, search = exact_text(prices.batch_multiplier), exact_text(prices.web_search_usd)
    return f"batch: every token rate times {batch} · web search: ${search} each"


def show_view(card: ModelCard, footer: str) -> View:
    """One model: today's prices first, then its limits, names and history."""
    facts = [
        f"context window {card.context_window:,} · max output {card.max_output_tokens:,}"
        + (f" ({card.batch_max_output_tokens:,} in batches)" if card.batch_max_output_tokens else "")
        + f" · cacheable from {card.min_cacheable_tokens:,} tokens · tokenizer {card.tokenizer}",
        f"released {card.released}"
        + (f" · deprecated {card.deprecated}" if card.deprecated else "")
        + (f" · retired {card.retired}" if card.retired else "")
        + (f" · {card.lifecycle_note}" if card.lifecycle_note else ""),
    ]
    if card.inference_geo:
        geos = ", ".join(f"{geo.inference_geo} times {exact_text(geo.multiplier)}" for geo in card.inference_geo)
        facts.append(f"inference_geo: {geos}")
    if card.aliases:
        facts.append(f"also known as {', '.join(card.aliases)}")
    facts += [*card.notes, *_sources(card), footer]
    headline = f"{card.model} · {card.status} · US dollars per million tokens · {card.as_of}"
    return View(headline, (_periods(card),), tuple(facts))


def _periods(card: ModelCard) -> Table:
    columns = (
        Column("price", "kind"),
        Column("from", "effective_from"),
        Column("until", "effective_until", rank=4),
        Column("prompt up to", "up_to_tokens", Kind.COUNT),
        *_RATE_COLUMNS,
        Column("source", "source", rank=5),
        Column("confidence", "confidence", rank=6),
    )
    rows: list[tuple[Cell, ...]] = []
    current = [period for period in card.prices if period.current]
    for period in current:
        rows += _period_rows("standard", period, period.tiers)
        rows += _period_rows("batch", period, card.batch)
    for name, periods in (("fast", card.fast), ("earlier", tuple(p for p in card.prices if not p.current))):
        for period in periods:
            label = "later" if name == "earlier" and period.effective_from > card.as_of else name
            rows += _period_rows(label, period, period.tiers)
    return Table(columns, tuple(rows))


def _period_rows(kind: str, period: PricePeriodCard, tiers: tuple[TierRates, ...]) -> list[tuple[Cell, ...]]:
    until = period.effective_until.isoformat() if period.effective_until else None
    dates = (period.effective_from.isoformat(), until)
    return [(kind, *dates, t.up_to_tokens, *_rates(t), period.source, period.confidence) for t in tiers]


def _sources(card: ModelCard) -> list[str]:
    lines = {
        period.source: f"{period.source}: {period.source_what} ({_seen(period)})"
        for period in (*card.prices, *card.fast)
        if period.source_what
    }
    return list(lines.values())


def _seen(period: PricePeriodCard) -> str:
    seen = f"seen {period.source_seen}"
    return f"{period.source_url}, {seen}" if period.source_url else seen


def check_view(check: BookCheck, footer: str) -> View:
    """What deserves a second look."""
    columns = (
        Column("severity", "severity"),
        Column("code", "code"),
        Column("model", "model"),
        Column("finding", "message"),
    )
    rows = tuple((f.severity, f.code, f.model, f.message) for f in check.findings)
    warnings = len(check.warnings)
    headline = f"{plural(check.models, 'model')} checked · {plural(warnings, 'warning')} · {check.as_of}"
    return View(headline, (Table(columns, rows),), (footer,))


def diff_view(diff: BookDiff, old: str, new: str) -> View:
    """Which prices and limits differ."""
    columns = (
        Column("model", "model"),
        Column("what", "what"),
        Column("prompt up to", "up_to_tokens", Kind.COUNT),
        Column(old, "old"),
        Column(new, "new"),
        Column("change", "change_percent", Kind.CHANGE),
    )
    rows: list[tuple[Cell, ...]] = [(model, "model", None, None, "added", None) for model in diff.added]
    rows += [(model, "model", None, "removed", None, None) for model in diff.removed]
    for change in diff.rates:
        what = change.rate.removesuffix("_usd_per_mtok") + (" (fast)" if change.speed == "fast" else "")
        sides = [exact_text(side) if side is not None else None for side in (change.old_usd, change.new_usd)]
        rows.append((change.model, what, change.up_to_tokens, *sides, change.change_percent))
    rows += [(c.model or "(all)", c.field, None, _text(c.old), _text(c.new), None) for c in diff.other]
    headline = "no difference" if diff.is_empty else plural(len(rows), "difference")
    return View(f"{headline} · {old} → {new} · {diff.as_of}", (Table(columns, tuple(rows)),))


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _rates(rates: TierRates) -> tuple[Cell, ...]:
    return (
        rates.input_usd_per_mtok,
        rates.output_usd_per_mtok,
        rates.cache_write_5m_usd_per_mtok,
        rates.cache_write_1h_usd_per_mtok,
        rates.cache_read_usd_per_mtok,
    )
