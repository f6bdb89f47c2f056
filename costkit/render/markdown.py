"""Views as GitHub-flavoured Markdown, for pull requests and issues."""

from __future__ import annotations

import re

from costkit.render.currency import with_currency
from costkit.render.harmless import harmless
from costkit.render.text import DASH, for_people
from costkit.render.view import Currency, Kind, Table, View

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#@])")


def render_markdown(view: View, *, also: Currency | None = None) -> str:
    """Write a view as Markdown; text from files and the API can't become markup or a mention."""
    blocks = [f"**{_escape(view.headline)}**"]
    for table in view.tables:
        if table.title:
            blocks.append(f"**{_escape(table.title)}**")
        blocks.append(_table(with_currency(table.for_people(), also)))
    blocks.extend(_figure(figure) for figure in view.figures)
    blocks.extend(_escape(fact) for fact in view.facts)
    return "\n\n".join(blocks) + "\n"


def _figure(lines: tuple[str, ...]) -> str:
    """A code block, which nothing inside can end: backticks are for text that is not ours, and drawings have none."""
    return "\n".join(["```text", *(harmless(line).replace("`", "'") for line in lines), "```"])


def _table(table: Table) -> str:
    lines = [
        "| " + " | ".join(_escape(column.title) for column in table.columns) + " |",
        "| " + " | ".join("---" if column.kind is Kind.TEXT else "---:" for column in table.columns) + " |",
    ]
    for row in table.rows:
        cells = [
            _escape(for_people(cell, column.kind, (table.empty or {}).get(column.key, DASH)))
            for column, cell in zip(table.columns, row, strict=True)
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", harmless(text))
