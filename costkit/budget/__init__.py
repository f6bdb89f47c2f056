"""Are we within limits? Windows, scopes and amounts; what a request may cost at most, and whether that still fits."""

from costkit.budget.amount import TOKENS, UNITS, USD, Amount, parse_amount, token_amount, usd_amount
from costkit.budget.change import Change, changed, described
from costkit.budget.pricing import Size, Terms, billed, ceiling
from costkit.budget.result import BudgetState, Event, Outcome, Reservation
from costkit.budget.rules import BudgetRule, Standing, check_name, refusal, soft_share
from costkit.budget.scope import USER, Scope, Traits, covers, parse_scope, scope_text
from costkit.budget.window import Span, Window, parse_window, span_at

__all__ = [
    "TOKENS",
    "UNITS",
    "USD",
    "USER",
    "Amount",
    "BudgetRule",
    "BudgetState",
    "Change",
    "Event",
    "Outcome",
    "Reservation",
    "Scope",
    "Size",
    "Span",
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
    "refusal",
    "scope_text",
    "soft_share",
    "span_at",
    "token_amount",
    "usd_amount",
]
