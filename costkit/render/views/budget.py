"""The pages of `costkit budget`: what is left first, then what holds the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from costkit.budget import TOKENS, Amount, BudgetState, Event, Outcome, Reservation, scope_text
from costkit.budget.result import moment_text
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Labelled, Table, View

_AMOUNTS = ("limit", "committed", "reserved", "uncertain", "available")


def _amount_columns(*names: str) -> tuple[Column, ...]:
    """Each amount once for people, and once for programs in each unit."""
    columns: list[Column] = []
    for name in names:
        columns += (
            Column(name, name, Kind.USD, for_programs=False),
            Column("", f"{name}_usd", Kind.USD, for_people=False),
            Column("", f"{name}_tokens", Kind.COUNT, for_people=False),
        )
    return tuple(columns)


_BUDGETS = (
    Column("budget", "name"),
    *_amount_columns(*_AMOUNTS),
    Column("used", "used_share", Kind.SHARE),
    Column("window", "window", rank=1),
    Column("until", "until", for_programs=False, rank=2),
    Column("", "tz", for_people=False),
    Column("", "window_start", for_people=False),
    Column("", "window_end", for_people=False),
    Column("scope", "scope", rank=3),
    Column("", "inference_geo", for_people=False),
)
_OPEN = (
    Column("reservation", "id"),
    Column("", "budget", for_people=False),
    Column("state", "state"),
    *_amount_columns("reserved"),
    Column("since (UTC)", "reserved_at"),
    Column("lease until (UTC)", "lease_until"),
    Column("model", "model", rank=1),
    Column("note", "note", rank=2),
)
_OUTCOME = (
    Column("reservation", "id"),
    Column("budget", "budget"),
    Column("state", "state"),
    *_amount_columns("asked", "committed", "available"),
    Column("lease until (UTC)", "lease_until", rank=1),
    Column("model", "model", rank=2),
)
_EVENTS = (
    Column("at (UTC)", "at"),
    Column("budget", "budget"),
    Column("event", "event"),
    *_amount_columns("amount"),
    Column("reservation", "reservation"),
    Column("note", "note"),
)


def budgets_table(states: Sequence[BudgetState], title: str | None = None) -> Table:
    """One row for each budget."""
    return Table(_BUDGETS, tuple(map(_row, states)), title, empty={"scope": "all", "until": ""})


def list_view(states: Sequence[BudgetState]) -> View:
    """Every budget in one line."""
    if not states:
        hint = "costkit budget set NAME --limit 50 --window day   makes one"
        return View("no budgets yet", (budgets_table(states),), next_command=hint)
    empty = sum(not state.standing.available for state in states)
    left = f"{empty} with nothing left" if empty else "all have something left"
    return View(
        f"{plural(len(states), 'budget')} · {left}",
        (budgets_table(states),),
        next_command="costkit budget status NAME   shows what holds the rest",
    )


def status_view(states: Sequence[BudgetState]) -> View:
    """What is left of each budget, and every reservation that is not settled."""
    page = state_view(states[0]) if len(states) == 1 else list_view(states)
    held = [reservation for state in states for reservation in state.open]
    if not held:
        return page
    table = Table(_OPEN, tuple(map(_open, held)), "not settled")
    hint = "costkit budget commit ID   settles one, costkit budget release ID   gives it back"
    return View(page.headline, (*page.tables, table), next_command=hint)


def state_view(state: BudgetState) -> View:
    """One budget, the remainder first."""
    amount = "--tokens 10000" if state.rule.limit.unit == TOKENS else "--usd 0.50"
    hint = f"costkit budget reserve {state.rule.name} {amount}   holds a part of it"
    return View(_headline(state), (budgets_table([state]),), next_command=hint)


def outcome_view(outcome: Outcome) -> View:
    """What became of a reservation, and what is left."""
    held, left = outcome.reservation, _headline(outcome.state)
    table = Table(_OUTCOME, (_settled(outcome),))
    if held is None:
        hint = f"costkit budget status {outcome.state.rule.name}   shows what holds the rest"
        return View(f"nothing reserved · {left}", (table,), next_command=hint)
    amount = "--tokens USED" if held.reserved.unit == TOKENS else "--usd COST"
    settled = held.state in ("committed", "released")
    hint = (
        f"costkit budget status {held.budget}   shows what is left"
        if settled
        else f"costkit budget commit {held.id} {amount}   settles it"
    )
    value = held.reserved if held.committed is None else held.committed
    return View(f"{held.id} · {value} {held.state if settled else 'held'} · {left}", (table,), next_command=hint)


def history_view(events: Sequence[Event]) -> View:
    """What happened, oldest first."""
    return View(plural(len(events), "event"), (Table(_EVENTS, tuple(map(_event, events))),))


def deleted_view(name: str) -> View:
    """That a budget is gone."""
    return View("gone, with its history", (Table((Column("deleted", "deleted"),), ((name,),)),))


def _headline(state: BudgetState) -> str:
    rule, standing = state.rule, state.standing
    parts = [f"{rule.name}: {standing.amount(standing.available)} of {rule.limit} left"]
    if standing.over:
        parts.append(f"{standing.amount(standing.over)} over the limit")
    until = _until(state)
    parts.append(f"{rule.window} until {until}" if until else str(rule.window))
    return " · ".join(parts)


def _until(state: BudgetState) -> str | None:
    end = state.span.end
    return f"{end.astimezone(state.rule.tzinfo):%Y-%m-%d %H:%M} {state.rule.zone}" if end else None


def _amounts(*amounts: Amount | None) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for amount in amounts:
        usd, tokens = (amount.usd, amount.tokens) if amount else (None, None)
        cells += (usd if tokens is None else Labelled(tokens, str(amount)), usd, tokens)
    return tuple(cells)


def _row(state: BudgetState) -> tuple[Cell, ...]:
    rule, standing = state.rule, state.standing
    values = (standing.committed, standing.reserved, standing.uncertain, standing.available)
    return (
        rule.name,
        *_amounts(rule.limit, *map(standing.amount, values)),
        state.used_share,
        str(rule.window),
        _until(state),
        rule.zone,
        moment_text(state.span.start),
        moment_text(state.span.end),
        scope_text(rule.scope),
        rule.inference_geo,
    )


def _open(one: Reservation) -> tuple[Cell, ...]:
    return (
        one.id,
        one.budget,
        one.state,
        *_amounts(one.reserved),
        _to_the_second(one.reserved_at),
        _to_the_second(one.lease_until),
        one.model,
        one.note,
    )


def _settled(outcome: Outcome) -> tuple[Cell, ...]:
    held, standing = outcome.reservation, outcome.state.standing
    left = standing.amount(standing.available)
    if held is None:
        return (None, outcome.state.rule.name, "refused", *_amounts(outcome.asked, None, left), None, None)
    lease_until = _to_the_second(held.lease_until) if held.state in ("open", "uncertain") else None
    amounts = _amounts(held.reserved, held.committed, left)
    return (held.id, held.budget, held.state, *amounts, lease_until, held.model)


def _event(one: Event) -> tuple[Cell, ...]:
    return (_to_the_second(one.at), one.budget, one.event, *_amounts(one.amount), one.reservation, one.note)


def _to_the_second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
