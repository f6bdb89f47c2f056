"""The page of `costkit cache why`: what was missed, by cause, and where it went wrong."""

from __future__ import annotations

from costkit.cache.miss import CacheWhy, Miss
from costkit.core.money import display
from costkit.render.text import plural
from costkit.render.view import Column, Kind, Table, View


def cache_why_view(why: CacheWhy, footer: str, most: int) -> View:
    """The causes by cost, then the dearest misses; a single miss is told in full."""
    dearest = sorted(why.misses, key=lambda miss: -miss.cost_usd)
    tables = [_misses(dearest, most, several=len(why.misses) > 1)]
    if len(why.causes) > 1:
        tables.append(_causes(why))
    facts = _story(dearest[0]) if len(dearest) == 1 else []
    if len(dearest) > most:
        facts.append(f"{len(dearest) - most:,} more misses: --top N shows them, --json holds all")
    if why.observed:
        facts.append(f"the usage in the log agrees with this for {why.agreed:,} of {plural(why.observed, 'request')}")
    advice = None
    if why.unmarked == why.requests or (dearest and dearest[0].unmarked_tokens > dearest[0].lost_tokens):
        advice = "costkit cache plan   says where breakpoints would pay"
    return View(_headline(why), tuple(tables), (*facts, footer), advice)


def _headline(why: CacheWhy) -> str:
    parts = [plural(why.requests, "request"), f"{why.hits:,} read what they could"]
    if why.first:
        parts.append(f"{why.first:,} had nothing to read")
    if why.unmarked:
        parts.append(f"{why.unmarked:,} without a breakpoint")
    cost = f", which cost {display(why.cost_usd)}" if why.cost_usd else ""
    return " · ".join([*parts, f"{len(why.misses):,} missed{cost}"])


def _causes(why: CacheWhy) -> Table:
    columns = (
        Column("cause", "cause"),
        Column("requests", "requests", Kind.COUNT),
        Column("tokens lost", "lost_tokens", Kind.TOKENS),
        Column("cost", "cost_usd", Kind.USD),
    )
    return Table(columns, tuple((c.cause, c.requests, c.lost_tokens, c.cost_usd) for c in why.causes), "by cause")


def _misses(dearest: list[Miss], most: int, *, several: bool) -> Table:
    columns = (
        Column("request", "where"),
        Column("cause", "cause"),
        Column("invalidates", "invalidates"),
        Column("tokens lost", "lost_tokens", Kind.TOKENS),
        Column(
            "before the difference", "unmarked_tokens", Kind.TOKENS, for_people=any(m.unmarked_tokens for m in dearest)
        ),
        Column("cost", "cost_usd", Kind.USD),
        Column("the API says", "api_reason", for_people=any(miss.api_reason for miss in dearest)),
        Column("previous request", "previous", for_people=False),
        Column("byte", "byte_offset", Kind.COUNT, for_people=False),
        Column("what happened", "message"),
    )
    rows = tuple(
        (
            miss.where,
            miss.cause,
            ", ".join(miss.divergence.invalidates) if miss.divergence else None,
            miss.lost_tokens,
            miss.unmarked_tokens,
            miss.cost_usd,
            miss.api_reason,
            miss.previous,
            miss.divergence.byte_offset if miss.divergence else None,
            _what(miss) if several else miss.message,
        )
        for miss in dearest[:most]
    )
    return Table(columns, rows)


def _what(miss: Miss) -> str:
    divergence = miss.divergence
    if divergence is None or (divergence.before is None and divergence.after is None):
        return miss.message
    return f"{miss.message}: {_quoted(divergence.before)} → {_quoted(divergence.after)}"


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else f"«{text}»"


def _story(miss: Miss) -> list[str]:
    divergence = miss.divergence
    if divergence is None:
        return []
    offset = f" at byte {divergence.byte_offset:,} of the prompt" if divergence.byte_offset is not None else ""
    lines = [f"they diverge in {divergence.path}{offset}"]
    if divergence.before is not None or divergence.after is not None:
        lines.append(f"  {miss.previous}: {_quoted(divergence.before)}")
        lines.append(f"  {miss.where}: {_quoted(divergence.after)}")
    if miss.unmarked_tokens:
        lines.append(
            f"{miss.unmarked_tokens:,} of the tokens before that are the same, and were lost with it because no "
            f"breakpoint stands between: {display(miss.unmarked_usd)}"
        )
    return lines
