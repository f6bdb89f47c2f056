"""The file behind the ledger of batches."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from costkit.adapters.batches.ledger_schema import APPLICATION_ID, MIGRATIONS
from costkit.adapters.sqlite_file import BUSY_SECONDS, FileUnusable, StateFile, open_state
from costkit.adapters.sqlite_file import explained as explained_for


class LedgerUnusable(FileUnusable):
    """Raised when the ledger is damaged, read-only or no ledger at all; trying again won't help."""

    default_code = "ledger-unusable"


LEDGER = StateFile(
    noun="ledger",
    application_id=APPLICATION_ID,
    migrations=MIGRATIONS,
    damaged_hint=(
        "keep the file, set COSTKIT_STATE to another folder, and bring batches back with costkit batch adopt"
    ),
    unusable=LedgerUnusable,
)


def open_ledger(path: Path, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open the ledger, making the file and its tables where needed; raises what `open_state` does."""
    return open_state(path, LEDGER, busy_seconds)


def explained(path: Path) -> AbstractContextManager[None]:
    """Turn what SQLite says into one line that helps."""
    return explained_for(path, LEDGER)
