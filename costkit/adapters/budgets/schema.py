"""The tables of the budgets, as an append-only list of migrations: entry n brings a file of version n to n + 1.

Amounts are whole units (see `costkit.budget.amount`), moments are microseconds since 1970. An entry that was released
never changes, because files of its version exist.
"""

from __future__ import annotations

from costkit.adapters.sqlite_file import FileUnusable, StateFile

FILE_NAME = "budgets.sqlite3"
_APPLICATION_ID = 0x42554447
"""`BUDG`: tells it from the ledger and from any other SQLite file."""

_BUDGETS = """\
CREATE TABLE budgets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    unit TEXT NOT NULL CHECK (unit IN ('usd', 'tokens')),
    limit_amount INTEGER NOT NULL CHECK (limit_amount >= 0),
    window TEXT NOT NULL,
    zone TEXT NOT NULL,
    scope TEXT,
    soft INTEGER CHECK (soft BETWEEN 1 AND 1000000),
    notify TEXT,
    epoch INTEGER NOT NULL DEFAULT 0,
    latest_at INTEGER NOT NULL,
    warned_at INTEGER
)"""
_RESERVATIONS = """\
CREATE TABLE reservations (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    budget INTEGER NOT NULL REFERENCES budgets (number) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'committed', 'released')),
    reserved INTEGER NOT NULL CHECK (reserved >= 0),
    committed INTEGER CHECK (committed >= 0),
    model TEXT,
    batch INTEGER NOT NULL,
    note TEXT
)"""
_BY_TIME = """\
CREATE INDEX reservations_by_time ON reservations
    (budget, epoch, at, state, lease_until, reserved, committed)"""
_EVENTS = """\
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    budget INTEGER NOT NULL REFERENCES budgets (number) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    reservation TEXT,
    amount INTEGER,
    note TEXT
)"""


class BudgetsUnusable(FileUnusable):
    """Raised when the file of budgets is damaged, read-only or something else; trying again won't help."""

    default_code = "budgets-unusable"


BUDGETS = StateFile(
    noun="budget file",
    application_id=_APPLICATION_ID,
    migrations=(
        (
            _BUDGETS,
            _RESERVATIONS,
            # Holds all that a sum needs, so that the busiest query never touches the table.
            _BY_TIME,
            "CREATE INDEX open_reservations ON reservations (budget, number) WHERE state = 'open'",
            _EVENTS,
            "CREATE INDEX events_by_budget ON events (budget, number)",
        ),
        ("ALTER TABLE budgets ADD COLUMN inference_geo TEXT",),
    ),
    damaged_hint="keep the file, set COSTKIT_STATE to another folder, and set the budgets again with what is left",
    unusable=BudgetsUnusable,
)
