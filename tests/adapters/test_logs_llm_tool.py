"""The log of `llm` is read out of its database without touching it, and out of what it prints."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from foreign_logs import COUNTS, LLM_DETAILS, MODEL, llm_database, llm_row, records_of

from costkit.adapters.logs import read_logs
from costkit.core.response import Counts
from costkit.report import FileRead, Record, Skipped
from costkit.report.group import moment_of


def _records(path: Path) -> list[Record]:
    return [item for item in read_logs([str(path)]) if isinstance(item, Record)]


def test_a_row_bills_what_the_api_billed(tmp_path: Path) -> None:
    path = llm_database(tmp_path / "logs.db", (llm_row(),))
    (record,) = _records(path)

    assert (record.model, record.message_id, record.session) == (MODEL, "01m", "conv-1")
    assert record.usage.counts == COUNTS
    assert moment_of(record.timestamp or 0).isoformat() == "2026-11-01T08:00:00+00:00"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_that_moved_to_the_new_table_count_once(tmp_path: Path) -> None:
    path = llm_database(tmp_path / "logs.db", (llm_row("a"), llm_row("b")), (llm_row("b"), llm_row("c")))

    assert sorted(record.message_id or "" for record in _records(path)) == ["a", "b", "c"]


def test_a_log_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path = llm_database(tmp_path / "logs.db", (llm_row(),))
    writer = sqlite3.connect(path)
    writer.execute("pragma journal_mode=wal")
    writer.execute("update responses set output_tokens = 26")

    assert [record.usage.counts.output_tokens for record in _records(path)] == [25]
    writer.close()


def test_the_resolved_model_is_the_one_that_answered(tmp_path: Path) -> None:
    row = llm_row(model="my-alias", resolved_model=MODEL, token_details=None)

    assert [record.model for record in _records(llm_database(tmp_path / "logs.db", (row,)))] == [MODEL]


def test_what_llm_prints_bills_the_same() -> None:
    printed = {**llm_row(), "prompt": "hello", "response": "Quartz.", "token_details": LLM_DETAILS}
    (record,) = records_of([printed])

    assert record.usage.counts == COUNTS


def test_rows_without_tokens_bill_nothing(tmp_path: Path) -> None:
    path = llm_database(tmp_path / "logs.db", (llm_row(input_tokens=None, output_tokens=None),))
    (item,) = read_logs([str(path)])

    assert isinstance(item, FileRead)
    assert item.other == 1


def test_counts_that_cannot_be_believed_are_skipped_by_their_row(tmp_path: Path) -> None:
    rows = (llm_row("a"), llm_row("b", input_tokens=-2), llm_row("c") | {"token_details": "{torn"})
    items = list(read_logs([str(llm_database(tmp_path / "logs.db", rows))]))

    assert [item.line for item in items if isinstance(item, Skipped)] == [2]
    assert [item.usage.counts for item in items if isinstance(item, Record)] == [COUNTS, Counts(40, output_tokens=25)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [("create table notes (id)", "sqlite-without-llm-log"), ("create table responses (id, model)", "sqlite-without")],
)
def test_a_database_of_somebody_else_is_named(tmp_path: Path, statement: str, reason: str) -> None:
    database = sqlite3.connect(tmp_path / "x.db")
    database.execute(statement)
    database.commit()
    database.close()
    (item,) = read_logs([str(tmp_path / "x.db")])

    assert isinstance(item, Skipped)
    assert item.reason.startswith(reason)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    path = llm_database(
        tmp_path / "logs.db", tuple(llm_row(str(number), prompt=json.dumps("x")) for number in range(500))
    )
    path.write_bytes(path.read_bytes()[:8000])
    *_, item = read_logs([str(path)])

    assert isinstance(item, Skipped)
    assert item.reason.startswith("damaged-sqlite")
