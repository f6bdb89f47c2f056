"""What a batch result was billed: the dialect of results in logs, with the day of the batch for the price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from costkit.adapters.logs.dialects.batch_results import recognise
from costkit.adapters.logs.documents import Document
from costkit.report.group import microseconds
from costkit.report.records import Item, Record, Skipped

_NAME = "results"


def result_usage(line: Mapping[str, Any], number: int, created_at: datetime) -> Iterator[Item]:
    """The record of a succeeded result; nothing for the others, and `Skipped` for a usage that can't be believed.

    Results don't say when they were made; the moment at which the batch was created stands in.
    """
    try:
        found = recognise(Document(dict(line), _NAME, number, 0))
    except ValueError as problem:
        yield Skipped(f"bad-usage: {problem}", _NAME, number)
        return
    if found is None:
        yield Skipped("no-usage", _NAME, number)
    for item in found or ():
        if isinstance(item, Record):
            yield item._replace(timestamp=microseconds(created_at))
