"""`costkit pricing`: a look into the price book."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from costkit.cli.framework import CONTEXT, CommandGroup, add_command
from costkit.cli.run import Finding, Run
from costkit.core.pricebook import PriceBook
from costkit.errors import ExitCode
from costkit.pricing import BookCheck, check_book, diff_books, list_prices, show_model

BUILT_IN = "built-in"
_ABOUT_THE_BOOK = frozenset(
    {"stale-book", "stale-price", "odd-rate", "odd-limit", "odd-multiplier", "first-days-unpriced"}
)
"""Findings that say the book itself needs work; the others describe models and end with exit code 0."""


def list_(run: Run) -> ExitCode:
    """Show the rates of every model on a day."""
    from costkit.render.views.pricing import list_view

    prices = list_prices(run.book, run.as_of)
    return run.show("pricing-list", prices, lambda: list_view(prices, run.book_line))


def show(run: Run, model: Annotated[str, typer.Argument(metavar="MODEL", help="Any of its names.")]) -> ExitCode:
    """Show one model: prices with their history and sources, limits, names."""
    from costkit.core.lifecycle import lifecycle_notices
    from costkit.render.views.pricing import show_view

    card = show_model(run.book, model, run.as_of)
    notices = [*lifecycle_notices(run.book.resolve(model), run.as_of)]
    return run.show("pricing-show", card, lambda: show_view(card, run.book_line), notices=notices)


def check(
    run: Run,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="A price book [default: the one in use].")
    ] = None,
) -> ExitCode:
    """Check a price book: its format, its age, odd rates, models that are about to retire.

    Exit 2 if the file breaks a rule of the format, 4 if the book is older than 30 days or has odd rates.
    """
    from costkit.render.views.pricing import check_view

    book = _book(file) if file else run.book
    result = check_book(book, run.as_of)
    line = f"{book.source}, prices of {book.checked}"
    return run.show("pricing-check", result, lambda: check_view(result, line), findings=_about_the_book(result))


def diff(
    run: Run,
    old: Annotated[str, typer.Argument(metavar="A", help="A price book, or built-in.")],
    new: Annotated[str, typer.Argument(metavar="B", help="A price book, or built-in.")],
) -> ExitCode:
    """Show what differs between two price books on a day."""
    from costkit.render.views.pricing import diff_view

    result = diff_books(_book(old), _book(new), run.as_of)
    return run.show("pricing-diff", result, lambda: diff_view(result, old, new))


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        cls=CommandGroup, context_settings=CONTEXT, help="Look into the price book.", rich_markup_mode=None
    )
    add_command(group, "list", list_)
    add_command(group, "show", show, examples="Example: costkit pricing show claude-haiku-5-5 --as-of 2026-11-01")
    add_command(group, "check", check)
    add_command(group, "diff", diff, examples="Example: costkit pricing diff built-in negotiated.yaml")
    app.add_typer(group, name="pricing")


def _book(name: str) -> PriceBook:
    from costkit.adapters.pricing_yaml import built_in_book, load_book

    return built_in_book() if name == BUILT_IN else load_book(Path(name))


def _about_the_book(result: BookCheck) -> Iterator[Finding]:
    count = sum(finding.code in _ABOUT_THE_BOOK for finding in result.findings)
    if count:
        message = "1 finding is about the book itself" if count == 1 else f"{count} findings are about the book itself"
        yield Finding(ExitCode.INCOMPLETE, message)
