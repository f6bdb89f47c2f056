"""The tables of the ledger, as an append-only list of migrations: entry n brings a file of version n to n + 1.

An entry that was released never changes, because files of its version exist.
"""

from __future__ import annotations

APPLICATION_ID = 0x434F5354
"""`COST`: tells a ledger from any other SQLite file."""

_JOBS = """\
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    path TEXT NOT NULL,
    created_at TEXT NOT NULL,
    requests INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    name TEXT,
    parent TEXT REFERENCES jobs (id),
    attempt INTEGER NOT NULL,
    base_url TEXT,
    organization_id TEXT,
    workspace_id TEXT,
    expected_usd TEXT,
    ceiling_usd TEXT,
    output TEXT
)"""
_BATCHES = """\
CREATE TABLE batches (
    job INTEGER NOT NULL REFERENCES jobs (number),
    number INTEGER NOT NULL,
    first INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    cursor TEXT,
    sent_at TEXT,
    id TEXT,
    adopted INTEGER NOT NULL,
    created_at TEXT,
    expires_at TEXT,
    ended_at TEXT,
    processing INTEGER,
    succeeded INTEGER,
    errored INTEGER,
    canceled INTEGER,
    expired INTEGER,
    problem TEXT,
    PRIMARY KEY (job, number)
) WITHOUT ROWID"""
_ITEMS = """\
CREATE TABLE items (
    job INTEGER NOT NULL REFERENCES jobs (number),
    position INTEGER NOT NULL,
    line INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    PRIMARY KEY (job, position)
) WITHOUT ROWID"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _JOBS,
        "CREATE INDEX jobs_by_digest ON jobs (digest)",
        "CREATE INDEX jobs_by_parent ON jobs (parent)",
        _BATCHES,
        # One batch of the API belongs to one batch of one job, whatever two processes do at the same moment.
        "CREATE UNIQUE INDEX batches_by_id ON batches (id) WHERE id IS NOT NULL AND state <> 'released'",
        _ITEMS,
    ),
)
VERSION = len(MIGRATIONS)
