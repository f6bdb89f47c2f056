"""Remembers what a classifier answered, so that the same question is paid for once per machine.

Only digests, kinds and token counts are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from costkit.adapters.cache_file import cache_connection, select_many
from costkit.core.usage import Usage
from costkit.errors import InvalidInput
from costkit.route.kinds import COMPLEXITIES, Kind, Verdict
from costkit.route.question import remembered

FILE_NAME = "route-answers.sqlite3"
_TABLE = "CREATE TABLE IF NOT EXISTS answers (digest TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"


class AnswerCache:
    """Verdicts by the digest of their question; `directory=None` remembers nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / FILE_NAME if directory else None

    def find(self, digests: Sequence[str]) -> dict[str, Verdict]:
        """The verdicts that are known; entries that make no sense are left out."""
        rows: list[tuple[object, object]] = []
        with cache_connection(self._path, _TABLE) as connection:
            if connection:
                rows += select_many(connection, "SELECT digest, answer FROM answers WHERE digest IN", digests)
        found = {str(digest): _read(str(answer)) for digest, answer in rows}
        return {digest: verdict for digest, verdict in found.items() if verdict is not None}

    def keep(self, verdicts: Mapping[str, Verdict]) -> None:
        """Remember the verdicts that have a kind and a bill; others are asked for again."""
        rows = [(digest, _write(verdict)) for digest, verdict in verdicts.items() if verdict.kind and verdict.usage]
        with cache_connection(self._path, _TABLE) as connection:
            if connection and rows:
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", rows)


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
