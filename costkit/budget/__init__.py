"""Are we within limits? Windows, scopes and amounts; what a request may cost at most, and whether that still fits."""

from costkit.budget.amount import TOKENS, UNITS, USD, Amount, parse_amount, token_amount, usd_amount
from costkit.budget.asking import Ask, Spent, units_asked, units_spent
from costkit.budget.change import Change, changed, described
from costkit.budget.pricing import Size, Terms, billed, ceiling
from costkit.budget.result import BudgetState, Event, Outcome, Reservation, refused
from costkit.budget.rules import BudgetRule, Standing, check_name, soft_share
from costkit.budget.scope import USER, Scope, Traits, covers, parse_scope, scope_text
from costkit.budget.window import Span, Window, parse_window, span_at

__all__ = [
    "TOKENS",
    "UNITS",
    "USD",
    "USER",
    "Amount",
    "Ask",
    "BudgetRule",
    "BudgetState",
    "Change",
    "Event",
    "Outcome",
    "Reservation",
    "Scope",
    "Size",
    "Span",
    "Spent",
    "Standing",
    "Terms",
    "Traits",
    "Window",
    "billed",
    "ceiling",
    "changed",
    "check_name",
    "covers",
    "described",
    "parse_amount",
    "parse_scope",
    "parse_window",
    "refused",
    "scope_text",
    "soft_share",
    "span_at",
    "token_amount",
    "units_asked",
    "units_spent",
    "usd_amount",
]
