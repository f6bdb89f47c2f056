"""Answers: what does a token cost, on which day, says who, and what has changed.

`list_prices` and `show_model` read a price book, `check_book` finds what deserves a second look, `diff_books` compares
two of them. All are pure: the book and the day come as arguments.
"""

from costkit.pricing.card import (
    GeoMultiplier,
    ModelCard,
    PriceList,
    PriceListRow,
    PricePeriodCard,
    TierRates,
    list_prices,
    show_model,
)
from costkit.pricing.diff import BookDiff, OtherChange, RateChange, diff_books
from costkit.pricing.review import BookCheck, Finding, check_book

__all__ = [
    "BookCheck",
    "BookDiff",
    "Finding",
    "GeoMultiplier",
    "ModelCard",
    "OtherChange",
    "PriceList",
    "PriceListRow",
    "PricePeriodCard",
    "RateChange",
    "TierRates",
    "check_book",
    "diff_books",
    "list_prices",
    "show_model",
]
