"""Tables that fit a terminal, a second currency, and headings that can't give orders."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from costkit.render.csvtext import render_csv
from costkit.render.markdown import render_markdown
from costkit.render.table import render_table
from costkit.render.view import Column, Currency, Kind, Labelled, Table, View

COLUMNS = (
    Column("model", "model"),
    Column("requests", "requests", Kind.COUNT, rank=1),
    Column("input", "input_tokens", Kind.TOKENS, rank=2),
    Column("cost", "cost_usd", Kind.USD),
    Column("share", "share", Kind.SHARE, rank=3),
)
ROWS = (
    ("claude-opus-5-5", 1_234, 400, Decimal("1.5"), Decimal("0.5")),
    (Labelled("other", "(2 others)"), 12, 3, None, None),
)
PAGE = View("a page", (Table(COLUMNS, ROWS, empty={"cost_usd": "unpriced"}),))
NASTY = View(
    "", (Table((Column("key:\x1b[31m", "key:\x1b[31m"), Column("cost", "cost_usd", Kind.USD)), (("x", None),)),)
)


def _lines(width: int, *, to_terminal: bool = True, also: Currency | None = None) -> list[str]:
    return render_table(PAGE, width=width, color=False, also=also, to_terminal=to_terminal).splitlines()


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (51, []),
        (50, ["share"]),
        (44, ["share"]),
        (43, ["input", "share"]),
        (36, ["requests", "input", "share"]),
    ],
)  # fmt: skip
def test_a_narrow_terminal_loses_the_least_important_columns_first(width: int, left_out: list[str]) -> None:
    _, header, *rows = _lines(width)

    table = [line for line in (header, *rows) if "hidden" not in line]
    assert max(map(len, table)) <= width
    assert [column.title for column in COLUMNS if column.title not in header.split()] == left_out


def test_what_is_hidden_is_counted_and_can_be_found() -> None:
    assert _lines(40)[-1] == "2 columns hidden: a wider terminal, -f csv or --json has all"
    assert _lines(50)[-1].startswith("1 column hidden")
    assert "hidden" not in "".join(_lines(51))


def test_columns_without_a_rank_stay_however_narrow_it_gets() -> None:
    assert _lines(5)[1].split() == ["model", "cost"]


def test_a_pipe_keeps_every_column() -> None:
    assert _lines(20, to_terminal=False)[1].split() == [column.title for column in COLUMNS]


def test_a_second_currency_stands_beside_the_cost_in_tables_and_markdown() -> None:
    won = Currency("KRW", Decimal(1430))

    assert _lines(80, also=won)[1].split() == ["model", "requests", "input", "cost", "KRW", "share"]
    assert "| $1.50 | 2,145.00 |" in render_markdown(PAGE, also=won)
    assert "2,145.00" in _lines(80, also=won)[2]


def test_people_read_the_label_and_programs_the_value() -> None:
    assert "(2 others)" in "".join(_lines(80))
    assert "(2 others)" in render_markdown(PAGE)
    assert [row["model"] for row in csv.DictReader(io.StringIO(render_csv(PAGE)))] == ["claude-opus-5-5", "other"]


def test_a_heading_from_a_flag_or_a_file_is_shown_and_not_obeyed() -> None:
    texts = [render_table(NASTY, width=80, color=False), render_markdown(NASTY), render_csv(NASTY)]

    assert all("\x1b" not in text and "x1b" in text for text in texts)


def test_a_change_has_its_sign_for_people_and_is_a_number_for_programs() -> None:
    column = Column("change", "change_percent", Kind.CHANGE)
    page = View("", (Table((column,), ((Decimal("-25.00"),), (Decimal("3.5"),))),))

    shown = render_table(page, width=80, color=False).splitlines()[2:4]
    assert [line.strip() for line in shown] == ["-25.00\u00a0%", "+3.5\u00a0%"]
    assert render_csv(page) == "change_percent\n-25\n3.5\n"
