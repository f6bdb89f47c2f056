"""From what a log tells to the calls that advice is about: each response once, as the report counts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from costkit.advise.call import Call, Heard, Item, Sketch
from costkit.advise.replay import served
from costkit.advise.sketch import Sketcher
from costkit.advise.workload import Pricer, Workload
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.core.usage import Usage
from costkit.errors import CostkitError
from costkit.report.fold import response_of
from costkit.report.group import moment_of
from costkit.report.options import FoldOptions
from costkit.report.quality import SkippedReason
from costkit.report.records import Record, Skipped, response_key
from costkit.report.result import Unpriced
from costkit.report.summary import Omission, place_text
from costkit.report.table import ANSWERED, KEY_BYTES, NO_TIME, Response, ResponseTable
from costkit.report.tally import Part, parts_of, within


class _More(NamedTuple):
    """What the report does not need to know of a response."""

    sketch: Sketch | None
    stop_reason: str | None
    tags: tuple[tuple[str, str], ...]
    batch: bool = False


class _Request(NamedTuple):
    """A request whose response is not in the log."""

    where: str
    at: int | None
    model: str
    batch: bool
    fast: bool
    sketch: Sketch


@dataclass(slots=True)
class Intake:
    """Takes in a log, item by item; memory grows with distinct responses, and with the blocks of their requests."""

    sketcher: Sketcher
    book: PriceBook
    as_of: date
    options: FoldOptions
    skipped: dict[str, Omission] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    copies: int = 0
    _table: ResponseTable = field(default_factory=ResponseTable)
    _more: dict[bytes, _More] = field(default_factory=dict)
    _requests: list[_Request] = field(default_factory=list)
    _unpriced: dict[tuple[str | None, str], tuple[int, Usage]] = field(default_factory=dict)

    def take(self, items: Iterable[Item]) -> None:
        """Take in everything that a reader yields."""
        for item in items:
            if isinstance(item, Heard):
                self._hear(item)
            elif isinstance(item, Skipped):
                self._skip(item.reason, (item.path, item.offset, item.line))

    def _hear(self, heard: Heard) -> None:
        sketch = self._sketch(heard)
        if heard.record is not None:
            self._respond(heard.record, heard, sketch)
        elif heard.logged is not None and sketch is not None and heard.logged.request.model is not None:
            logged = heard.logged
            model = heard.logged.request.model
            self._requests.append(_Request(logged.where, logged.sent, model, logged.batch, logged.fast, sketch))

    def _respond(self, record: Record, heard: Heard, sketch: Sketch | None) -> None:
        key = response_key(record.message_id, record.request_id, self.options.dedupe)
        if key is None:
            key = len(self._table).to_bytes(KEY_BYTES, "big")  # no digest begins with so many zeros
        before = self._more.get(key)
        more = _More(sketch, heard.stop_reason, heard.tags, heard.logged is not None and heard.logged.batch)
        if before is not None:
            more = _More(before.sketch or sketch, heard.stop_reason or before.stop_reason, before.tags or heard.tags)
        self._more[key] = more
        self.copies += 1
        self._table.put(key, response_of(record))

    def _sketch(self, heard: Heard) -> Sketch | None:
        logged = heard.logged
        if logged is None or not logged.request.blocks:
            return None
        if logged.request.model is None and heard.record is not None and heard.record.model is not None:
            logged = replace(logged, request=replace(logged.request, model=heard.record.model))
        try:
            return self.sketcher.sketch(logged)
        except CostkitError as problem:
            path, _, line = logged.where.rpartition(":")
            place = (path, 0, int(line)) if line.isdigit() else (logged.where, 0, 0)
            self._skip(f"request-{problem.code}", place)
            return None

    def _skip(self, reason: str, place: tuple[str, int, int]) -> None:
        self.skipped.setdefault(reason, Omission()).add(place)

    @property
    def duplicates(self) -> int:
        """Records that were copies of a response that counts once."""
        return self.copies - len(self._table)

    def workload(self) -> Workload:
        """Every call that has a price, as it was billed."""
        calls = sorted(
            (*self._calls(), *self._simulated()),
            key=lambda call: (call.at is not None, call.at or 0, *_numbered(call.where)),
        )
        work = Workload(tuple(calls), Pricer(self.book, self.as_of), self.sketcher)
        bills = {
            index: replace(call, usage=one.usage())
            for index, (call, one) in enumerate(zip(work.calls, served(work), strict=True))
            if call.simulated and one is not None
        }
        return work.changed(bills)

    def _calls(self) -> Iterator[Call]:
        pricer = Pricer(self.book, self.as_of)
        options = self.options
        for key, response in self._table.items():
            timed = response.timestamp != NO_TIME
            if (options.since is not None or options.until is not None) and not timed:
                self._skip("no-timestamp", (response.attributes.path, response.offset, response.line))
                continue
            if timed and not within(response.timestamp, options):
                continue
            for part in parts_of(response.attributes.model, response.counts, response.iterations):
                call = self._call(response, part, self._more[key], pricer)
                if call is not None:
                    yield call

    def _call(self, response: Response, part: Part, more: _More, pricer: Pricer) -> Call | None:
        attributes = response.attributes
        at = None if response.timestamp == NO_TIME else response.timestamp
        try:
            if part.model is None:
                raise _NO_MODEL
            call = Call(
                place_text((attributes.path, response.offset, response.line)),
                at,
                self.as_of if at is None else moment_of(at).date(),
                self.book.resolve(part.model),
                part.usage,
                attributes.service_tier == "batch" or more.batch,
                attributes.speed == "fast",
                attributes.inference_geo,
                attributes.session,
                attributes.project,
                more.tags,
                more.stop_reason,
                refused=not response.flags & ANSWERED,
                is_request=part.is_request,
                sketch=more.sketch if part.is_request and not response.iterations else None,
            )
            pricer.cost(call)
        except CostkitError as problem:
            self._has_no_price(part.model, problem.code, part.usage, requests=int(part.is_request))
            return None
        return call

    def _simulated(self) -> Iterator[Call]:
        for request in self._requests:
            usage = Usage(input_tokens=request.sketch.tokens)
            if request.at is not None and not within(request.at, self.options):
                continue
            try:
                call = Call(
                    request.where,
                    request.at,
                    self.as_of if request.at is None else moment_of(request.at).date(),
                    self.book.resolve(request.model),
                    usage,
                    request.batch,
                    request.fast,
                    simulated=True,
                    sketch=request.sketch,
                )
                Pricer(self.book, self.as_of).cost(call)
            except CostkitError as problem:
                self._has_no_price(request.model, problem.code, usage, requests=1)
                continue
            yield call

    def _has_no_price(self, model: str | None, code: str, usage: Usage, *, requests: int) -> None:
        count, whole = self._unpriced.get((model, code), (0, Usage()))
        self._unpriced[model, code] = (count + requests, whole + usage)

    def unpriced(self) -> tuple[Unpriced, ...]:
        """What no price is known for; call it after `workload`."""
        return tuple(
            Unpriced(model, requests, usage, code) for (model, code), (requests, usage) in self._unpriced.items()
        )

    def left_out(self) -> tuple[SkippedReason, ...]:
        """What was skipped, by reason."""
        return tuple(
            SkippedReason(
                reason,
                omission.count,
                tuple(map(place_text, omission.places)),
                whole_files=all(not line for _, _, line in omission.places),
            )
            for reason, omission in sorted(self.skipped.items())
        )


_NO_MODEL = CostkitError("no model", code="no-model")


def _numbered(where: str) -> tuple[str, int]:
    path, _, line = where.rpartition(":")
    return (path, int(line)) if line.isdigit() else (where, 0)
