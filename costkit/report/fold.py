"""Folding: what a reader yields goes into a summary, and from its table into its tallies what is complete."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable

from costkit.core.usage import Usage
from costkit.report.attributes import Attributes
from costkit.report.charged import charge
from costkit.report.dearest import rank, rank_table
from costkit.report.options import QUARTER_HOUR, FoldOptions
from costkit.report.recorded import keep_last
from costkit.report.records import FileRead, Item, Record, RecordedCost, Remark, Skipped, response_key
from costkit.report.summary import Omission, Place, UsageSummary
from costkit.report.table import ANSWERED, INCOMPLETE, NO_TIME, PLACEHOLDER, Response, ResponseTable
from costkit.report.tally import Cell, Tally, cells_of, within


def summarize(items: Iterable[Item], options: FoldOptions) -> UsageSummary:
    """Fold what a reader yields into a summary.

    With `dedupe="file"` the records of a file must come one after the other; its responses are closed at its end,
    so memory does not grow with the number of responses.
    """
    summary = UsageSummary(options)
    path = None
    for item in items:
        if options.dedupe == "file" and isinstance(item, Record) and item.path != path:
            close(summary)
            path = item.path
        add_item(summary, item)
    if options.dedupe == "file":
        close(summary)
    return summary


def add_item(summary: UsageSummary, item: Item) -> None:
    """Add one thing that a reader has found."""
    if isinstance(item, Record):
        if len(item.labels) != len(summary.options.labels):
            raise ValueError("the reader was not asked for the labels of this report")
        add_response(summary, item.message_id, item.request_id, response_of(item))
    elif isinstance(item, Skipped):
        _skip(summary, item.reason, (item.path, item.offset, item.line))
    elif isinstance(item, Remark):
        summary.remarks.setdefault(item.kind, Omission()).add((item.path, item.offset, item.line))
    elif isinstance(item, RecordedCost):
        keep_last(summary.recorded, item)
    else:
        _note(summary, item)


def add_response(
    summary: UsageSummary, message_id: str | None, request_id: str | None, response: Response
) -> int | None:
    """Add a billed response, or a copy of one; returns its row in the table, `None` if it counts by itself."""
    summary.records += 1
    key = response_key(message_id, request_id, summary.options.dedupe)
    if key is None:
        _count(summary, response)
        charge(summary.charges, (response,), summary.options)
        summary.keep_dearest(rank((response,), summary.options))
        return None
    summary.copies += 1
    return summary.responses.put(key, response)


def response_of(record: Record) -> Response:
    """The row of a table that a record becomes."""
    usage = record.usage
    return Response(
        usage.counts,
        NO_TIME if record.timestamp is None else record.timestamp,
        Attributes(
            record.model,
            usage.service_tier,
            usage.speed,
            usage.inference_geo,
            record.session,
            record.project,
            record.path,
            record.labels,
        ),
        record.offset,
        record.line,
        PLACEHOLDER * record.placeholder | INCOMPLETE * record.incomplete | ANSWERED * (not record.refused),
        usage.iterations,
        record.charge,
    )


def _count(summary: UsageSummary, response: Response, sessions: Collection[str] | None = None) -> None:
    options, timestamp = summary.options, response.timestamp
    if not _is_in_range(summary, timestamp, (response.attributes.path, response.offset, response.line)):
        return
    quarter = None if timestamp == NO_TIME else _step(timestamp, options)
    for cell, tally in cells_of(response, options.brackets):
        attributes = _needed(cell.attributes, options, sessions)
        summary.tally(cell._replace(attributes=attributes, quarter_hour=quarter)).absorb(tally)


def _is_in_range(summary: UsageSummary, timestamp: int, place: Place) -> bool:
    options = summary.options
    if options.since is None and options.until is None:
        return True
    if timestamp == NO_TIME:
        _skip(summary, "no-timestamp", place)
        return False
    return within(timestamp, options)


def _step(timestamp: int, options: FoldOptions) -> int:
    """The quarter hour at the beginning of the step of time that a moment lies in."""
    return timestamp // options.step * (options.step // QUARTER_HOUR)


def _needed(attributes: Attributes, options: FoldOptions, sessions: Collection[str] | None) -> Attributes:
    """The attributes that closed responses are told apart by; `sessions` are kept in any case, `None` for all."""
    apart = options.apart
    keeps_session = "session" in apart or sessions is None or attributes.session in sessions
    return attributes._replace(
        session=attributes.session if keeps_session else None,
        project=attributes.project if "project" in apart else None,
        path=attributes.path if "path" in apart else "",
    )


def close(summary: UsageSummary, keep: Collection[bytes] = (), sessions: Collection[str] | None = None) -> None:
    """Count the responses of which no further copies can come: all but those with the identities in `keep`.

    What the options don't tell them apart by is forgotten, but for the `sessions`; `None` stands for all of them.
    """
    table, kept = summary.responses, summary.responses.only(keep)
    rows = table.rows_of(keep)
    needed = [_needed(attributes, summary.options, sessions) for attributes in table.names]
    done = {*rows, *table.rows_with_iterations()}
    summary.keep_dearest(rank_table(table, summary.options, rows))
    for (attributes, time, bracket), sums in _sums(summary, table, needed, done).items():
        *usage, requests, assumed, placeholders, incomplete, refusals, first, last = sums
        quarter = None if time is None else time * (summary.options.step // QUARTER_HOUR)
        tally = Tally(
            Usage(*usage),
            requests=requests,
            assumed_5m_tokens=assumed,
            without_time=requests if time is None else 0,
            placeholders=placeholders,
            incomplete=incomplete,
            priority=requests if attributes.service_tier == "priority" else 0,
            refusals=refusals,
            first=first,
            last=last,
        )
        summary.tally(Cell(attributes, quarter, attributes.model, bracket)).absorb(tally)
    for row in set(table.rows_with_iterations()).difference(rows):
        _count(summary, table.response(row), sessions)
    charge(summary.charges, table.charged(but=rows), summary.options)
    summary.merged += summary.copies - len(table)
    summary.copies = len(kept)
    summary.responses = kept


_Sums = dict[tuple[Attributes, int | None, int], list[int]]
"""By attributes, step of time and bracket: the six counts of a `Usage`, then the other fields of a `Tally`."""


def _sums(summary: UsageSummary, table: ResponseTable, needed: list[Attributes], done: set[int]) -> _Sums:
    """Add up the rows of a table as `cells_of` would one by one, in a fraction of the time; those in `done` are not."""
    options = summary.options
    brackets, step = options.brackets, options.step
    lowest = brackets[0] if brackets else NO_TIME
    is_ranged = options.since is not None or options.until is not None
    found: dict[tuple[int, int, int], list[int]] = {}
    numbers: dict[Attributes, int] = {}
    same = [numbers.setdefault(attributes, number) for number, attributes in enumerate(needed)]
    for row, (counts, time, offset, line, name, flags) in enumerate(table.rows()):
        if done and row in done:
            continue
        if is_ranged and not _is_in_range(summary, time, (table.names[name].path, offset, line)):
            continue
        fresh, read, created, short, long, output, searches = counts
        split = short + long
        assumed = created - split if created > split else 0
        prompt = fresh + read + split + assumed
        key = (
            same[name],
            time if time == NO_TIME else time // step,
            0 if prompt <= lowest else bisect_left(brackets, prompt),
        )
        sums = found.get(key)
        if sums is None:
            sums = found[key] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NO_TIME, -NO_TIME]
        sums[0] += fresh
        sums[1] += read
        sums[2] += short + assumed
        sums[3] += long
        sums[4] += output
        sums[5] += searches
        sums[6] += 1
        sums[7] += assumed
        if flags != ANSWERED:
            sums[8] += flags & PLACEHOLDER > 0
            sums[9] += flags & INCOMPLETE > 0
            sums[10] += not flags & ANSWERED
        if time != NO_TIME:
            sums[11] = min(sums[11], time)
            sums[12] = max(sums[12], time)
    return {
        (needed[name], None if time == NO_TIME else time, bracket): sums
        for (name, time, bracket), sums in found.items()
    }


def _skip(summary: UsageSummary, reason: str, place: Place) -> None:
    summary.skipped.setdefault(reason, Omission()).add(place)


def _note(summary: UsageSummary, file: FileRead) -> None:
    summary.files += file.files
    summary.documents += file.documents
    summary.other += file.other
    for kind, count in file.unbilled:
        summary.unbilled[kind] = summary.unbilled.get(kind, 0) + count
