"""Logs straight to a summary on a cluster: equal to what one machine comes to, whatever the workers and their fates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from costkit.adapters.cluster.engine import check_address, check_workers, connect
from costkit.adapters.cluster.places import Places, are_made_of_lines, find_places, samples_of
from costkit.adapters.cluster.reading import Reader
from costkit.adapters.cluster.settling import Sharing, settled
from costkit.adapters.cluster.tasks import Order, Settling, Setup, count_lines
from costkit.adapters.cluster.waiting import results
from costkit.adapters.logs.pieces import Piece, plan
from costkit.adapters.logs.reader import Progress, adding_up
from costkit.adapters.logs.summaries import number_places
from costkit.adapters.names import printable
from costkit.errors import OperationFailed
from costkit.report.fold import add_item, close
from costkit.report.options import FoldOptions
from costkit.report.recorded import sessions_in
from costkit.report.records import Skipped
from costkit.report.summary import UsageSummary

_LOADS_PER_THREAD = 8
"""So many that those who finish early find something to do."""
_COUNTED = 64 << 20
"""Bytes whose lines one task counts."""


class Sizes(NamedTuple):
    """What is handed over at once. The defaults are for gigabytes to many terabytes; tests have smaller ones."""

    smallest_load: int = 16 << 20
    """Bytes that are worth a task."""
    largest_load: int = 2 << 30
    """Bytes that are read again if a worker is lost, and that a worker finishes when a report is interrupted."""
    most_buckets: int = 32
    responses: int = 4_000_000
    """Responses that one task has in hand: about a gigabyte."""
    loads: int = 64


def summarize_on_cluster(
    paths: Sequence[str],
    options: FoldOptions,
    address: str,
    *,
    sizes: Sizes | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> UsageSummary:
    """Read files, folders, patterns and URLs with the workers of a Dask cluster.

    `address` is that of a scheduler, or `local` or `local:N` for processes on this machine. `tell` is given a line
    about each file that changed and was read again. All responses of the result are closed, as with
    `summarize_logs`. Raises `InvalidInput` for what can't be read by this cluster, before anything is read, and
    `OperationFailed` where the cluster or the store is lost. A file that can't be read is in `skipped`.
    """
    check_address(address)
    folder, sizes = str(Path.cwd()), sizes or Sizes()
    places = find_places(paths, folder)
    whole = sum(source.size or 0 for source in places.sources)
    with connect(address) as client:
        threads = check_workers(client, address, list(paths), folder, samples_of(places))
        setup = Setup(options, folder, min(sizes.most_buckets, 2 * threads))
        reader = Reader(client, setup, adding_up(progress, whole))
        reader.read(_orders(places, setup, sizes, whole // (threads * _LOADS_PER_THREAD)))
        for path in reader.changes.keys() - reader.given_up.keys():
            tell(f"{printable(path)} changed while it was read, and was read again")
        summary = _bring_together(reader, places, sizes)
        number_places(summary, lambda name, offset: _line_at(client, setup, places, name, offset))
    return summary


def _orders(places: Places, setup: Setup, sizes: Sizes, fair: int) -> list[Order]:
    size = min(max(fair, sizes.smallest_load), sizes.largest_load)
    may_split = setup.options.dedupe != "file"
    made_of_lines = are_made_of_lines(places, setup.folder, size) if may_split else set[str]()
    loads = plan(
        places.sources,
        may_split=may_split,
        largest=size,
        load_size=size,
        is_made_of_lines=lambda source: source.path in made_of_lines,
    )
    return [Order(load, {piece.source.path: places.marks[piece.source.path] for piece in load}) for load in loads]


def _bring_together(reader: Reader, places: Places, sizes: Sizes) -> UsageSummary:
    """The summary of all that was read: tallies come here, responses stay where they are."""
    options = reader.setup.options
    summary, responses = UsageSummary(options), 0
    failed = [Skipped(reason, printable(path)) for path, reason in reader.given_up.items()]
    for place in (*places.skipped, *failed):
        add_item(summary, place)
    for load in reader.done:
        summary.absorb(load.head.rest)
        responses += load.head.responses
    sessions = sessions_in(summary.recorded)
    readings = [load.future for load in reader.done if load.head.responses]
    reader.done.clear()
    sharing = Sharing(reader.setup.buckets, sizes.responses, sizes.loads)
    for part in settled(reader.client, readings, responses, sharing, Settling(options, sessions)):
        summary.absorb(part)
    close(summary, (), sessions)
    return summary


def _line_at(client: Any, setup: Setup, places: Places, name: str, offset: int) -> int:
    source = next(source for source in places.sources if source.name == name)
    order = Order([Piece(source)], {source.path: places.marks[source.path]})
    starts = range(0, offset, _COUNTED)
    stops = [min(start + _COUNTED, offset) for start in starts]
    futures = client.map(count_lines, starts, stops, order=order, setup=setup, pure=False)
    try:
        return int(sum(results(client, futures), start=1))
    except OperationFailed:  # it was there a moment ago; the place is shown without its line
        return 0
