"""The file behind the budgets: private, and one line for everything that can be wrong with it."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from costkit.adapters.budgets.schema import BUDGETS, FILE_NAME, BudgetsUnusable
from costkit.adapters.budgets.store import BudgetStore
from costkit.budget import BudgetRule, Change, parse_amount, parse_window
from costkit.errors import CostkitError, InvalidInput, OperationFailed

DOLLAR = 10**12
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BudgetStore]:
    with BudgetStore(tmp_path) as opened:
        opened.define("team-a", Change(parse_amount("1000000")), NOON)
        yield opened


def one_dollar(_: BudgetRule) -> int:
    return DOLLAR


@pytest.mark.usefixtures("store")
def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)


def test_a_file_that_stays_locked_is_an_error_that_may_pass(store: BudgetStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with BudgetStore(tmp_path, busy_seconds=0.05) as opened, pytest.raises(OperationFailed) as locked:
            opened.reserve("team-a", one_dollar, NOON)
    assert (locked.value.code, locked.value.retryable) == ("budget-file-locked", True)
    assert store.history()[-1].event == "set"


def test_a_file_of_a_newer_version_names_both_versions(tmp_path: Path) -> None:
    BudgetStore(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {BUDGETS.version + 4}")
    with pytest.raises(InvalidInput, match=f"schema {BUDGETS.version + 4}, this costkit knows up to {BUDGETS.version}"):
        BudgetStore(tmp_path)


def test_a_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        for statement in BUDGETS.migrations[0]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {BUDGETS.application_id}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO budgets (name, unit, limit_amount, window, zone, latest_at)"
            " VALUES ('team-a', 'usd', ?, 'total', 'UTC', 0)",
            (DOLLAR,),
        )
        connection.commit()
    with BudgetStore(tmp_path) as opened:
        assert opened.rule("team-a") == BudgetRule("team-a", parse_amount("1"), parse_window("total"))
        opened.define("team-a", Change(inference_geo="us"), NOON)
        assert opened.rule("team-a").inference_geo == "us"


@pytest.mark.parametrize("content", [b"not a database, but a text that is long enough", b"\x00" * 5000])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(BudgetsUnusable, match="the budget file is damaged") as damaged:
        BudgetStore(tmp_path)
    assert str(path) in str(damaged.value)
    assert path.read_bytes() == content


def test_the_ledger_of_batches_is_no_file_of_budgets(tmp_path: Path) -> None:
    from costkit.adapters.batches.ledger import SqliteLedger

    SqliteLedger(tmp_path / FILE_NAME).__exit__(None, None, None)
    with pytest.raises(BudgetsUnusable, match="not a budget file"):
        BudgetStore(tmp_path)


@pytest.mark.parametrize(
    ("column", "value"),
    [("window", "'fortnight'"), ("zone", "'Mars/Olympus'"), ("scope", "'modle=x'"), ("window", "7")],
)
def test_a_value_that_makes_no_sense_is_an_error_of_one_line(store: BudgetStore, column: str, value: str) -> None:
    store._connection.execute(f"UPDATE budgets SET {column} = {value}")  # noqa: S608 - our own words
    with pytest.raises(BudgetsUnusable, match="makes no sense") as senseless:
        store.reserve("team-a", one_dollar, NOON)
    assert "\n" not in str(senseless.value)


@contextmanager
def as_somebody_without_rights() -> Iterator[None]:
    """Permissions don't bind root, so become nobody for a moment; everyone else is bound as they are."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o755, 0o444), (0o555, 0o444), (0o000, 0o644)])
def test_a_file_without_the_right_to_write_is_an_error_of_one_line(
    tmp_path: Path, folder_mode: int, file_mode: int
) -> None:
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    folder = tmp_path / "state"
    BudgetStore(folder).close()
    (folder / FILE_NAME).chmod(file_mode)
    folder.chmod(folder_mode)
    try:
        with as_somebody_without_rights(), pytest.raises(CostkitError, match="can't be"):
            BudgetStore(folder)
    finally:
        folder.chmod(0o755)


def test_a_disk_that_is_full_holds_nothing(store: BudgetStore) -> None:
    store._connection.execute("PRAGMA max_page_count = 20")

    def until_it_is_full() -> None:
        for _ in range(5_000):
            store.reserve("team-a", one_dollar, NOON, lease=timedelta(hours=1))

    with pytest.raises(OperationFailed, match="disk is full"):
        until_it_is_full()
    state = store.state("team-a", NOON)
    assert state.standing.reserved == len(state.open) * DOLLAR
