"""Logs that are no text: the SQLite file of the `llm` tool and the `.eval` archives of Inspect, row by row.

They are recognised by content. A database is opened read-only, so that a log can be read while its owner goes on
writing; what lies in an object store is opened as a copy, see `copies`. A document's line is the number of its row, or
of its sample in the archive.
"""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from costkit.adapters.logs.dialects import llm_tool
from costkit.adapters.logs.documents import Document
from costkit.adapters.logs.labels import Picker
from costkit.adapters.logs.unpack import SQLITE, Unusable
from costkit.adapters.logs.values import decoded
from costkit.report.records import Skipped

LARGEST = 256 << 20
"""Bytes of a sample above which it is passed over."""
_SAMPLES, _HEADER = "samples/", "header.json"


def documents_of(path: str, head: bytes, name: str, pickers: tuple[Picker, ...]) -> Iterator[Document | Skipped]:
    """The documents in such a file. Raises `Unusable` for one that is somebody else's, or damaged."""
    found = _rows(path) if head.startswith(SQLITE) else _samples(path)
    for number, value in enumerate(found, 1):
        if isinstance(value, str):
            yield Skipped(value, name, number, number)
        else:
            yield Document(value, name, number, number, pickers)


def _rows(path: str) -> Iterator[dict[str, object]]:
    address = f"{Path(path).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            tables = {table: _columns(database, table) for table in llm_tool.TABLES}
            if not any(tables.values()):
                raise Unusable("sqlite-without-llm-log")
            known = "where id not in (select id from turns)" if tables["turns"] else ""
            for table, columns in tables.items():
                if columns:
                    names = ", ".join(columns)
                    where = known if table == "responses" else ""
                    for row in database.execute(f"select {names} from {table} {where} order by rowid"):  # noqa: S608  # names of our own
                        yield dict(zip(columns, row, strict=True))
    except (sqlite3.Error, UnicodeDecodeError) as problem:
        raise Unusable(f"damaged-sqlite: {problem}") from None


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    """Those that matter; none if the table is not a log with tokens."""
    there = {row[1] for row in database.execute(f"pragma table_info({table})")}
    if not there.issuperset({"id", "model", "input_tokens", "output_tokens", "datetime_utc"}):
        return []
    return [name for name in (*llm_tool.COLUMNS, *llm_tool.CONVERSATIONS) if name in there]


def _samples(path: str) -> Iterator[dict[str, object] | str]:
    library = _zip_library()
    try:
        with library.ZipFile(path) as archive:
            names = archive.namelist()
            samples = [name for name in names if name.startswith(_SAMPLES) and name.endswith(".json")]
            if not samples and _HEADER not in names:
                raise Unusable("binary-file")
            for name in samples or [_HEADER]:
                yield _member(archive, name)
    except (zipfile.BadZipFile, library.BadZipFile, NotImplementedError, ValueError, OSError) as problem:
        is_log = path.endswith(".eval")
        raise Unusable(f"damaged-archive: {problem}" if is_log else "binary-file") from None


def _member(archive: Any, name: str) -> dict[str, object] | str:
    if archive.getinfo(name).file_size > LARGEST:
        return "sample-too-long"
    try:
        data = archive.read(name)
    except Exception:  # noqa: BLE001  # encrypted or damaged: each way of packing has errors of its own
        return "damaged-sample"
    try:
        value = decoded(data.decode())
    except (ValueError, RecursionError):
        return "invalid-json"
    return value if isinstance(value, dict) else "invalid-json"


def _zip_library() -> Any:
    """Inspect packs with Zstandard, which the standard library's `zipfile` knows from Python 3.14 on."""
    if hasattr(zipfile, "ZIP_ZSTANDARD"):
        return zipfile
    try:
        from backports.zstd import zipfile as with_zstd
    except ImportError:
        return zipfile
    return with_zstd
