"""The ledger: durable, private, shared by processes, and honest about files that it can't use."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tracemalloc
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costkit.adapters.batches.ledger import SqliteLedger
from costkit.adapters.batches.ledger_file import LEDGER, LedgerUnusable
from costkit.adapters.batches.ledger_schema import VERSION
from costkit.adapters.sqlite_file import check_version
from costkit.batch.job import Account, Batch, Job, JobEstimate, RequestCounts
from costkit.errors import CostkitError, InvalidInput, OperationFailed

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
FULL_BATCH = Batch(
    number=1,
    first=0,
    requests=3,
    bytes=1_000,
    sha256="5" * 64,
    state="ended",
    cursor="msgbatch_before",
    sent_at=NOON,
    id="msgbatch_1",
    adopted=True,
    created_at=NOON + timedelta(seconds=1),
    expires_at=NOON + timedelta(days=1),
    ended_at=NOON + timedelta(hours=1),
    request_counts=RequestCounts(0, 1, 1, 1, 0),
    problem="none to speak of",
)
PLAIN_BATCH = Batch(2, 3, 2, 700, "6" * 64)
JOB = Job(
    id="aaaa11112222",
    digest="d" * 64,
    path="/data/in put.jsonl",
    created_at=NOON,
    requests=5,
    bytes=1_600,
    name="nightly",
    attempt=2,
    account=Account("http://127.0.0.1:8788", "org", None),
    estimate=JobEstimate(Decimal("0.12345678901234567890"), Decimal("20.5")),
    output="/data/out.jsonl",
    batches=(FULL_BATCH, PLAIN_BATCH),
)
ITEMS = [(index, index + 1, f"item-{index}") for index in range(5)]
PREAMBLE = f"""
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from adapters.test_ledger import JOB
from costkit.adapters.batches.ledger import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
"""
DIES_IN_A_TRANSACTION = """
ledger.add_job(JOB, [(0, 1, 'x')])
ledger._connection.execute('BEGIN IMMEDIATE')
ledger._connection.execute('DELETE FROM items')
print('committed', flush=True)
sys.stdin.read()
"""
ADDS_FIVE_JOBS = """
for count in range(5):
    ledger.add_job(replace(JOB, id=f'{sys.argv[2]}-{count}', batches=()), [(0, 1, 'x')])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    with SqliteLedger(path) as opened:
        yield opened


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PREAMBLE + code, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def test_a_job_comes_back_as_it_was(ledger: SqliteLedger) -> None:
    ledger.add_job(JOB, ITEMS)
    assert ledger.job(JOB.id) == JOB
    assert list(ledger.custom_ids(JOB.id)) == ITEMS


def test_a_job_that_knows_little_comes_back_as_it_was(ledger: SqliteLedger) -> None:
    job = Job("bbbb", "e" * 64, "-", NOON, 1, 10)
    ledger.add_job(job, [])
    assert ledger.job("bbbb") == job
    assert list(ledger.custom_ids("bbbb")) == []


def test_what_was_committed_is_there_for_the_next_process(path: Path) -> None:
    with SqliteLedger(path) as first:
        first.add_job(JOB, ITEMS)
    with SqliteLedger(path) as second:
        assert second.jobs() == [JOB]


@pytest.mark.parametrize("text", ["aaaa11112222", "nightly", "aaaa", "a"])
def test_a_job_is_found_by_id_name_and_unique_beginning(ledger: SqliteLedger, text: str) -> None:
    ledger.add_job(JOB, [])
    ledger.add_job(replace(JOB, id="bbbb", name="daily", batches=()), [])
    assert ledger.job(text) == JOB


@pytest.mark.parametrize("text", ["", "zzz", "aaaa11112222-2", "%", "_aaa", "night"])
def test_no_job_is_found_by_anything_else(ledger: SqliteLedger, text: str) -> None:
    ledger.add_job(JOB, [])
    assert ledger.job(text) is None


def test_an_id_wins_over_the_beginnings_of_others(ledger: SqliteLedger) -> None:
    ledger.add_job(JOB, [])
    ledger.add_job(replace(JOB, id="aaaa11112222-2", batches=()), [])
    assert ledger.job("aaaa11112222") == JOB
    with pytest.raises(InvalidInput, match="aaaa11112222, aaaa11112222-2"):
        ledger.job("aaaa")


def test_jobs_are_listed_newest_first_and_by_content_oldest_first(ledger: SqliteLedger) -> None:
    ids = ["one", "two", "three"]
    for job_id in ids:
        ledger.add_job(replace(JOB, id=job_id, batches=()), [])
    assert [job.id for job in ledger.jobs()] == ids[::-1]
    assert [job.id for job in ledger.jobs_of(JOB.digest)] == ids
    assert ledger.jobs_of("0" * 64) == []


def test_children_know_their_parent(ledger: SqliteLedger) -> None:
    ledger.add_job(JOB, [])
    child = replace(JOB, id="child", parent=JOB.id, batches=())
    ledger.add_job(child, [])
    assert ledger.children(JOB.id) == [child]
    assert ledger.children("child") == []


def test_a_job_is_bound_to_its_first_account_for_good(ledger: SqliteLedger) -> None:
    ledger.add_job(replace(JOB, account=None), [])
    ledger.bind(JOB.id, Account("http://a", "org-a", "ws"))
    ledger.bind(JOB.id, Account("http://b", "org-b", None))
    found = ledger.job(JOB.id)
    assert found is not None
    assert found.account == Account("http://a", "org-a", "ws")


def test_a_batch_is_replaced_by_its_number(ledger: SqliteLedger) -> None:
    ledger.add_job(JOB, [])
    news = replace(PLAIN_BATCH, state="submitted", id="msgbatch_2", created_at=NOON)
    ledger.put_batch(JOB.id, news)
    found = ledger.job(JOB.id)
    assert found is not None
    assert found.batches == (FULL_BATCH, news)
    assert ledger.known_batch_ids() == {"msgbatch_1", "msgbatch_2"}


def test_a_batch_of_the_api_belongs_to_one_job_only(ledger: SqliteLedger) -> None:
    """Even if two processes adopt it at the same moment; and whatever came along with it is undone."""
    ledger.add_job(JOB, [])
    ledger.add_job(replace(JOB, id="other", batches=(PLAIN_BATCH,)), [])
    thief = replace(PLAIN_BATCH, id="msgbatch_1", state="submitted")
    with pytest.raises(InvalidInput, match="msgbatch_1"):
        ledger.put_batches("other", [replace(FULL_BATCH, number=7, id="msgbatch_7"), thief])
    other = ledger.job("other")
    assert other is not None
    assert other.batches == (PLAIN_BATCH,)


def test_a_batch_that_was_released_may_be_adopted_by_its_real_job(ledger: SqliteLedger) -> None:
    ledger.add_job(replace(JOB, batches=(replace(FULL_BATCH, state="released"),)), [])
    ledger.add_job(replace(JOB, id="other", batches=(PLAIN_BATCH,)), [])
    ledger.put_batch("other", replace(PLAIN_BATCH, id="msgbatch_1", state="submitted"))
    assert ledger.known_batch_ids() == {"msgbatch_1"}


def test_the_output_is_remembered(ledger: SqliteLedger) -> None:
    ledger.add_job(replace(JOB, output=None), [])
    ledger.set_output(JOB.id, "/data/there.jsonl")
    found = ledger.job(JOB.id)
    assert found is not None
    assert found.output == "/data/there.jsonl"


def test_a_job_whose_items_fail_midway_is_not_there_at_all(ledger: SqliteLedger) -> None:
    def items() -> Iterator[tuple[int, int, str]]:
        yield ITEMS[0]
        raise OperationFailed("the input broke")

    with pytest.raises(OperationFailed, match="the input broke"):
        ledger.add_job(JOB, items())
    assert ledger.jobs() == []


def test_a_hundred_thousand_items_take_little_memory(ledger: SqliteLedger) -> None:
    tracemalloc.start()
    try:
        ledger.add_job(JOB, ((index, index + 1, f"item-{index:06}") for index in range(100_000)))
        last = deque(ledger.custom_ids(JOB.id), maxlen=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert list(last) == [(99_999, 100_000, "item-099999")]
    assert peak < 3_000_000


def test_the_file_and_its_companions_are_private(path: Path) -> None:
    before = os.umask(0)
    try:
        with SqliteLedger(path) as opened:
            opened.add_job(JOB, ITEMS)
            names = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert names == dict.fromkeys(["ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_every_commit_is_synced_to_the_disk(ledger: SqliteLedger) -> None:
    pragmas = ("synchronous", "journal_mode", "foreign_keys")
    values = [ledger._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert values == [2, "wal", 1]


def test_what_was_committed_survives_sigkill(path: Path) -> None:
    with run_python(DIES_IN_A_TRANSACTION, path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "committed\n"
        child.send_signal(signal.SIGKILL)
    with SqliteLedger(path) as after:
        assert after.jobs() == [JOB]
        assert list(after.custom_ids(JOB.id)) == [(0, 1, "x")]


def test_processes_that_start_at_once_share_a_new_ledger(path: Path) -> None:
    children = [run_python(ADDS_FIVE_JOBS, path, number) for number in range(4)]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    for child in children:
        child.communicate()
    with SqliteLedger(path) as after:
        assert len(after.jobs()) == 20


class Overtaken(sqlite3.Connection):
    """A connection during whose first look another process makes the tables, or tries to."""

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        if "sqlite_master" in sql:
            with suppress(OperationFailed):
                path = Path(super().execute("PRAGMA database_list").fetchone()[2])
                SqliteLedger(path, busy_seconds=0.01).__exit__(None, None, None)
        return super().execute(sql, *more)


def test_whoever_looks_at_a_ledger_while_its_tables_are_made_sees_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None, factory=Overtaken)) as connection:
        assert check_version(connection, path, LEDGER) == 0


def test_a_ledger_of_a_newer_version_names_both_versions(path: Path) -> None:
    SqliteLedger(path).__exit__(None, None, None)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 6}")
    with pytest.raises(InvalidInput, match=f"schema {VERSION + 6}, this costkit knows up to {VERSION}") as newer:
        SqliteLedger(path)
    assert newer.value.code == "newer-ledger"


@pytest.mark.parametrize("content", [b"not a database, but a text that is long enough", b"\x00" * 5000])
def test_a_file_that_is_no_database_is_named_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerUnusable, match="damaged") as damaged:
        SqliteLedger(path)
    assert str(path) in str(damaged.value)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(LedgerUnusable, match="not a ledger"):
        SqliteLedger(path)
    with closing(sqlite3.connect(path)) as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["theirs"]


def test_a_ledger_that_is_damaged_inside_is_an_error_of_one_line(path: Path) -> None:
    with SqliteLedger(path) as opened:
        opened.add_job(JOB, ((index, index, f"item-{index}") for index in range(3_000)))
        opened._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 12288)
    path.write_bytes(content)
    with pytest.raises(CostkitError) as damaged, SqliteLedger(path) as opened:
        list(opened.custom_ids(opened.jobs()[0].id))
    assert damaged.value.code == "ledger-damaged"
    assert "\n" not in str(damaged.value)


@pytest.mark.parametrize(
    ("column", "value"), [("created_at", "'soon'"), ("expected_usd", "'much'"), ("created_at", "7")]
)
def test_a_value_that_makes_no_sense_is_an_error_of_one_line(path: Path, column: str, value: str) -> None:
    with SqliteLedger(path) as opened:
        opened.add_job(JOB, [])
        opened._connection.execute(f"UPDATE jobs SET {column} = {value}")  # noqa: S608 - our own words
        with pytest.raises(LedgerUnusable, match="makes no sense"):
            opened.jobs()


def test_a_ledger_that_stays_locked_is_an_error_that_may_pass(path: Path) -> None:
    SqliteLedger(path).__exit__(None, None, None)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with SqliteLedger(path, busy_seconds=0.05) as opened, pytest.raises(OperationFailed) as locked:
            opened.add_job(JOB, [])
    assert (locked.value.code, locked.value.retryable) == ("ledger-locked", True)


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
def test_a_ledger_without_the_right_to_write_is_an_error_of_one_line(
    tmp_path: Path, folder_mode: int, file_mode: int
) -> None:
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    path = tmp_path / "state" / "ledger.sqlite3"
    SqliteLedger(path).__exit__(None, None, None)
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)
    try:
        with as_somebody_without_rights(), pytest.raises(LedgerUnusable, match="can't be"):
            SqliteLedger(path)
    finally:
        path.parent.chmod(0o755)


def test_a_state_folder_that_is_a_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(LedgerUnusable, match="can't be opened"):
        SqliteLedger(tmp_path / "state" / "ledger.sqlite3")


def test_a_disk_that_is_full_changes_nothing(path: Path) -> None:
    with SqliteLedger(path) as opened:
        opened._connection.execute("PRAGMA max_page_count = 20")
        items = ((index, index, "x" * 60) for index in range(10_000))
        with pytest.raises(OperationFailed, match="disk is full"):
            opened.add_job(JOB, items)
        assert opened.jobs() == []
