"""The page of `costkit cache plan`: what to do, what it saves, and what else was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from costkit.cache.plan import CachePlan, PlanRow
from costkit.core.money import display
from costkit.render.text import percent, plural
from costkit.render.view import Cell, Column, Kind, Table, View


def cache_plan_view(plan: CachePlan, footer: str, diff: Sequence[str] = (), written: Sequence[str] = ()) -> View:
    """The recommendation first, then every plan, then what each breakpoint of the best is worth."""
    facts = ["input only: output costs the same under every plan"]
    if plan.held_out:
        first = plan.requests - plan.held_out
        facts.append(f"chosen on the first {plural(first, 'request')}, scored on the other {plan.held_out:,}")
    if plan.exhaustive:
        facts.append(
            f"no other plan of at most 4 breakpoints at {plural(plan.places, 'place')} costs less: all are covered"
        )
    facts += [f"wrote {path}" for path in written]
    tables = [_plans(plan), _marks(plan.row("best"))]
    advice = "--apply DIR writes the requests with these breakpoints" if plan.plan and not written else None
    return View(_headline(plan), tuple(tables), (*facts, *diff, footer), advice)


def _headline(plan: CachePlan) -> str:
    start = plural(plan.requests, "request")
    written, none = plan.row("as-written"), plan.row("none")
    if plan.recommended == "as-written":
        as_it_is = "no breakpoints" if written.cost_usd == none.cost_usd else "the breakpoints that are there"
        return f"{start} · keep {as_it_is}: nothing that was tried costs less"
    cost = written.cost_usd
    share = f" ({percent(plan.saving_usd / cost)})" if cost else ""
    what = "no breakpoints" if plan.recommended == "none" else plural(len(plan.plan), "breakpoint")
    return f"{start} · best: {what}, saves {display(plan.saving_usd)}{share} against the requests as written"


def _plans(plan: CachePlan) -> Table:
    columns = (
        Column("plan", "plan"),
        Column("cost", "cost_usd", Kind.USD),
        Column("first part", "chosen_on_usd", Kind.USD, for_people=bool(plan.held_out)),
        Column("held out", "scored_on_usd", Kind.USD, for_people=bool(plan.held_out)),
        Column("read", "cache_read_input_tokens", Kind.TOKENS),
        Column("written 5m", "ephemeral_5m_input_tokens", Kind.TOKENS),
        Column("written 1h", "ephemeral_1h_input_tokens", Kind.TOKENS),
        Column("plain input", "input_tokens", Kind.TOKENS),
        Column("breakpoints", "breakpoints"),
    )
    rows = tuple(
        (
            row.name,
            row.cost_usd,
            row.chosen_on_usd,
            row.scored_on_usd,
            row.usage.cache_read_input_tokens,
            row.usage.ephemeral_5m_input_tokens,
            row.usage.ephemeral_1h_input_tokens,
            row.usage.input_tokens,
            _breakpoints(row),
        )
        for row in plan.rows
    )
    return Table(columns, rows)


def _breakpoints(row: PlanRow) -> Cell:
    return ", ".join(f"{mark.place} {mark.ttl}" for mark in row.marks) or None


def _marks(best: PlanRow) -> Table:
    columns = (
        Column("breakpoint", "place"),
        Column("ttl", "ttl"),
        Column("saves", "saves_usd", Kind.USD),
        Column("for example", "path"),
    )
    rows: list[tuple[str, str, Decimal, str]] = [(m.place, m.ttl, m.saves_usd, m.path) for m in best.marks]
    return Table(columns, tuple(rows), title="what each breakpoint of the best plan saves")
