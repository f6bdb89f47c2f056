"""Remembers what a classifier answered, so that the same question is paid for once per machine.

Only digests, kinds and token counts are kept, in one SQLite file that several processes may use. It is a cache:
whatever is wrong with it, classifying goes on without it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from costkit.core.usage import Usage
from costkit.errors import InvalidInput
from costkit.route.kinds import COMPLEXITIES, Kind, Verdict
from costkit.route.question import remembered

FILE_NAME = "route-answers.sqlite3"
BUSY_SECONDS = 5.0
_TABLE = "CREATE TABLE IF NOT EXISTS answers (digest TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"
_PER_QUERY = 500


class AnswerCache:
    """Verdicts by the digest of their question; `directory=None` remembers nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / FILE_NAME if directory else None

    def find(self, digests: Sequence[str]) -> dict[str, Verdict]:
        """The verdicts that are known; entries that make no sense are left out."""
        rows: list[tuple[str, str]] = []
        with self._connection() as connection:
            for start in range(0, len(digests) if connection else 0, _PER_QUERY):
                wanted = digests[start : start + _PER_QUERY]
                query = f"SELECT digest, answer FROM answers WHERE digest IN ({','.join('?' * len(wanted))})"  # noqa: S608 - only marks
                rows += connection.execute(query, wanted) if connection else ()
        found = {digest: _read(answer) for digest, answer in rows}
        return {digest: verdict for digest, verdict in found.items() if verdict is not None}

    def keep(self, verdicts: Mapping[str, Verdict]) -> None:
        """Remember the verdicts that have a kind and a bill; others are asked for again."""
        rows = [(digest, _write(verdict)) for digest, verdict in verdicts.items() if verdict.kind and verdict.usage]
        with self._connection() as connection:
            if connection and rows:
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", rows)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection | None]:
        """Open the file, or start a new one in place of a file that isn't a database; `None` if neither works."""
        connection = self._open() or self._open(afresh=True)
        try:
            with contextlib.suppress(sqlite3.Error):
                yield connection
        finally:
            if connection:
                connection.close()

    def _open(self, *, afresh: bool = False) -> sqlite3.Connection | None:
        if self._path is None:
            return None
        connection = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if afresh:
                self._path.unlink(missing_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
            connection.execute(_TABLE)
        except (OSError, sqlite3.Error):
            if connection:
                connection.close()
            return None
        return connection


def _write(verdict: Verdict) -> str:
    kind, usage = verdict.kind or Kind("moderate"), verdict.usage or Usage()
    counts = [getattr(usage, name) for name in Usage.__slots__]
    return json.dumps([*kind, verdict.is_batch, *counts])


def _read(answer: str) -> Verdict | None:
    try:
        complexity, code, reasoning, is_batch, *counts = json.loads(answer)
        usage = Usage(*counts)
    except (ValueError, TypeError, InvalidInput):
        return None
    if complexity not in COMPLEXITIES or not all(isinstance(flag, bool) for flag in (code, reasoning, is_batch)):
        return None
    return remembered(Kind(complexity, code, reasoning), usage, is_batch=is_batch)
