"""Collecting a job: every row of the input with the result that counts for it, a proof that none is lost, its cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from costkit.batch.classes import CANCELED, ERRORED, EXPIRED, SUCCEEDED, error_of
from costkit.batch.failures import Failures
from costkit.batch.family import Family
from costkit.batch.job import COLLECTED, ENDED, JobEstimate, RemoteBatch
from costkit.batch.outcome import Outcome, outcomes
from costkit.batch.ports import Ledger
from costkit.batch.results import Output, Place, ResultsIndex, ResultsSpool
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.report import Item, Report, ReportOptions, Row, settle, summarize

Line = Mapping[str, Any]
ReadUsage = Callable[[Line, int, datetime], Iterable[Item]]
"""What a result bills, from the result, its number and the moment its batch was created."""


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """How rows are written."""

    as_of: date
    text_only: bool = False
    """Only `{"custom_id", "text"}`, one line for each row of the input."""
    split: bool = False
    """Failed rows go to an output of their own."""
    stranger: str | None = None
    """The id of a batch whose input is not known."""


@dataclass(slots=True)
class Proof:
    """Where every row of the input went; `requests` is the sum of the next five."""

    requests: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0
    missing: int = 0
    unknown_ids: list[str] = field(default_factory=list)
    duplicate_ids: list[str] = field(default_factory=list)

    def expect(self, requests: int) -> None:
        """Count as missing what falls short of a number of requests."""
        lost = max(0, requests - self.requests)
        self.missing += lost
        self.requests += lost

    @property
    def failed(self) -> int:
        """Rows without an answer."""
        return self.requests - self.succeeded

    @property
    def complete(self) -> bool:
        """Whether every row has its answer, and nothing came that nobody asked for."""
        return not (self.failed or self.unknown_ids or self.duplicate_ids)


@dataclass(frozen=True, slots=True)
class Collection:
    """The result of `costkit batch collect`."""

    job: str
    proof: Proof
    output: str
    report: Report
    estimate: JobEstimate | None
    failures: Failures
    next: str | None
    notices: tuple[Notice, ...] = ()

    @property
    def cost_usd(self) -> Decimal | None:
        """What the answers cost; `None` where some of them have no price."""
        whole = self.report.complete and not self.report.skipped
        return self.report.total.cost_usd if whole else None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The usage by model."""
        return self.report.rows

    def as_json(self) -> dict[str, object]:
        """The `result` of `costkit batch collect --json`."""
        proof = self.proof
        return {
            "job": self.job,
            "requests": proof.requests,
            SUCCEEDED: proof.succeeded,
            ERRORED: proof.errored,
            CANCELED: proof.canceled,
            EXPIRED: proof.expired,
            "missing": proof.missing,
            "unknown_ids": proof.unknown_ids,
            "duplicate_ids": proof.duplicate_ids,
            "output": self.output,
            "rows": self.rows,
            "cost_usd": self.cost_usd,
            "estimated_cost_usd": self.estimate,
            "next": self.next,
        }


@dataclass(frozen=True, slots=True)
class Written:
    """What writing the rows came to."""

    proof: Proof
    failures: Failures
    report: Report
    superseded: int
    """Billed answers that a newer one replaced."""


def write_rows(
    index: ResultsIndex,
    spool: ResultsSpool,
    output: Output,
    remotes: Mapping[str, RemoteBatch],
    read_usage: ReadUsage,
    book: PriceBook,
    options: CollectOptions,
) -> Written:
    """Write the row that counts for every item, and add up what all answers were billed; memory stays bounded.

    Where the input is not known, the API's own count of requests stands in: what is short of it is missing.
    """
    writer = _Writer(spool, output, remotes, read_usage, options)
    question = ReportOptions(as_of=options.as_of, dedupe="none")
    summary = summarize(writer.rows(outcomes(index.items())), question.fold(book))
    writer.proof.unknown_ids.extend(index.unknown())
    if options.stranger is not None:
        writer.proof.expect(remotes[options.stranger].request_counts.total)
    return Written(writer.proof, writer.failures, settle(summary, book, question), writer.superseded)


def mark_collected(family: Family, ledger: Ledger, output: str) -> None:
    """Record that the results are in the output, for the job and for those that retried it."""
    if family.job is None:
        return
    for job in family.jobs:
        ledger.set_output(job.id, output)
        fresh = ledger.job(job.id) or job
        done = [replace(batch, state=COLLECTED) for batch in fresh.live_batches if batch.state == ENDED]
        if done:
            ledger.put_batches(job.id, done)


def text_row(custom_id: str, line: Line | None) -> bytes:
    """A row of `--text`: the text of an answer, its text blocks put together; null where there is no answer."""
    text = None
    if line is not None and line["result"]["type"] == SUCCEEDED:
        content = line["result"]["message"].get("content")
        blocks = content if isinstance(content, list) else []
        texts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
        text = "".join(piece for piece in texts if isinstance(piece, str))
    # A lone surrogate can't be written as UTF-8; such a text is written with escapes.
    row = json.dumps({"custom_id": custom_id, "text": text}, ensure_ascii=False)
    try:
        return row.encode()
    except UnicodeEncodeError:
        return json.dumps({"custom_id": custom_id, "text": text}).encode()


class _Writer:
    """Writes rows and passes on what they bill; holds the running counts."""

    def __init__(
        self,
        spool: ResultsSpool,
        output: Output,
        remotes: Mapping[str, RemoteBatch],
        read_usage: ReadUsage,
        options: CollectOptions,
    ) -> None:
        self._spool = spool
        self._output = output
        self._remotes = remotes
        self._read_usage = read_usage
        self._options = options
        self._number = 0
        self.proof = Proof()
        self.failures = Failures()
        self.superseded = 0

    def rows(self, rows: Iterable[Outcome]) -> Iterator[Item]:
        """Write each row; yield what it was billed, and what the answers that it replaced were billed."""
        for outcome in rows:
            data = self._spool.read(outcome.place) if outcome.place else None
            line = json.loads(data) if data is not None else None
            self._count(outcome, line)
            self._write(outcome, data, line)
            if outcome.place is not None and line is not None:
                yield from self._bill(outcome.place, line)
            for place in outcome.superseded:
                self.superseded += 1
                yield from self._bill(place, json.loads(self._spool.read(place)))

    def _count(self, outcome: Outcome, line: Line | None) -> None:
        proof, kind = self.proof, outcome.type
        proof.requests += 1
        proof.succeeded += kind == SUCCEEDED
        proof.errored += kind == ERRORED
        proof.canceled += kind == CANCELED
        proof.expired += kind == EXPIRED
        proof.missing += kind is None
        if outcome.copies > 1:
            proof.duplicate_ids.append(outcome.custom_id)
        self.failures.add(outcome, error_of(line) if line is not None and kind == ERRORED else None)

    def _write(self, outcome: Outcome, data: bytes | None, line: Line | None) -> None:
        failed = outcome.type != SUCCEEDED
        as_text = self._options.text_only and not (failed and self._options.split)
        if as_text:
            self._output.write(text_row(outcome.custom_id, line), failed=failed and self._options.split)
        elif data is not None:
            self._output.write(data, failed=failed and self._options.split)

    def _bill(self, place: Place, line: Line) -> Iterator[Item]:
        self._number += 1
        yield from self._read_usage(line, self._number, self._remotes[place.batch_id].created_at)
