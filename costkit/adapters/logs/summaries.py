"""Logs straight to a summary, by the quickest way that is exact: what `costkit report` runs on.

`summarize(read_logs(paths), options)` comes to the same summary, slowly; with its responses closed both are equal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

from costkit.adapters.logs.early import processes, worthwhile
from costkit.adapters.logs.pieces import Folder, Found, Load, fold_load, plan
from costkit.adapters.logs.reader import Progress, read_source
from costkit.adapters.logs.sources import Found as FoundSources
from costkit.adapters.logs.sources import Source, find_sources
from costkit.report.fold import add_item, close
from costkit.report.options import FoldOptions
from costkit.report.recorded import sessions_in
from costkit.report.records import Skipped
from costkit.report.summary import UsageSummary
from costkit.report.table import Response

if TYPE_CHECKING:
    from subprocess import Popen

    from costkit.adapters.logs.crew import Crew
    from costkit.adapters.logs.remembered import Memory

WORTH_REMEMBERING = 2 << 20
"""Bytes that take longer to read than to remember."""
_BLOCK = 1 << 20


def summarize_logs(
    paths: Sequence[str],
    options: FoldOptions,
    *,
    workers: int | None = None,
    remembered: Path | None = None,
    stdin: IO[bytes] | None = None,
    progress: Progress | None = None,
    found: FoundSources | None = None,
    started: Sequence[Popen[bytes]] = (),
) -> UsageSummary:
    """Read files, folders, patterns and `-`, with as many processes as are worth it, or at most `workers`.

    `remembered` is a folder for what was read before: files that have not changed since are not read again. `found` is
    what `find_sources` has found for these paths, if that was asked already, and `started` the `early.processes` that
    are `worthwhile` for it.
    Raises what `read_logs` raises. All responses of the result are closed: it can be settled, not merged with another
    summary that may hold copies of them.
    """
    sources, skipped = find_sources(paths) if found is None else found
    if remembered is None or sum(source.size or 0 for source in sources) < WORTH_REMEMBERING:
        return _read(sources, skipped, options, workers, None, stdin, progress, started)
    from costkit.adapters.logs.remembered import Memory

    with Memory(remembered, options) as memory:
        name, signed = repr([(Path(path).absolute(), path) for path in paths]), _sign(memory, sources, skipped)
        known = None if signed is None else memory.recall(name, signed)
        if known is not None:
            return known[0]
        summary = _read(sources, skipped, options, workers, memory, stdin, progress, started)
        if signed is not None and _sign(memory, sources, skipped) == signed:
            memory.keep(name, signed, summary)
            memory.tidy()
        return summary


def _sign(memory: Memory, sources: Sequence[Source], skipped: Sequence[Skipped]) -> str | None:
    """What tells all these files from what they were before; `None` where one may change unnoticed."""
    signatures = [None if source.size is None else memory.sign(source.path) for source in sources]
    return None if None in signatures else repr((skipped, sources, signatures))


def _read(
    sources: Sequence[Source],
    skipped: Sequence[Skipped],
    options: FoldOptions,
    workers: int | None,
    memory: Memory | None,
    stdin: IO[bytes] | None,
    progress: Progress | None,
    started: Sequence[Popen[bytes]],
) -> UsageSummary:
    read_here = [source for source in sources if source.size is None]
    others = [source for source in sources if source.size is not None]
    size = sum(source.size or 0 for source in sources)
    helpers = worthwhile(sources, workers)
    loads = deque(plan(others, may_split=helpers > 0 and options.dedupe != "file"))
    done = 0
    crews: list[Crew] = []

    def passed(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done + sum(crew.read for crew in crews), None if read_here else size)

    folder = Folder(options, memory, passed)
    for place in skipped:
        add_item(folder.summary, place)
    if helpers <= 0:
        _read_here(folder, read_here, stdin, passed)
        for each in loads:
            fold_load(folder, each)
        close(folder.summary, (), sessions_in(folder.summary.recorded))
        number_lines(folder.summary, sources)
        return folder.summary
    from costkit.adapters.logs.crew import Crew, finish

    found: list[Found] = []
    with ExitStack() as stack:
        hands = started or stack.enter_context(processes(helpers))
        crew = Crew(hands, options, None if memory is None else memory.folder, loads)
        _read_here(folder, read_here, stdin, passed)
        crews.append(crew)
        while (load := _next(loads)) is not None:
            found.append(fold_load(folder, load))
        summary = finish(crew, folder, found)
    number_lines(summary, sources)
    return summary


def _next(loads: deque[Load]) -> Load | None:
    """The next load, unless the workers have taken all."""
    try:
        return loads.popleft()
    except IndexError:
        return None


def _read_here(
    folder: Folder, sources: Sequence[Source], stdin: IO[bytes] | None, passed: Callable[[int], None]
) -> None:
    """Read what only this process can: standard input and pipes."""
    for source in sources:
        asked = folder.summary.options
        for item in read_source(source, labels=asked.labels, dialect=asked.dialect, stdin=stdin, passed=passed):
            add_item(folder.summary, item)
        if folder.summary.options.dedupe == "file":
            close(folder.summary)


def number_lines(summary: UsageSummary, sources: Sequence[Source]) -> None:
    """Count the lines before the few places that are shown, where a range of a file did not know its number."""
    number_places(summary, _line_in(sources))


def number_places(summary: UsageSummary, line_at: Callable[[str, int], int]) -> None:
    """As `number_lines`, by asking for the line of an offset in the file of a name."""
    for omission in (*summary.skipped.values(), *summary.remarks.values()):
        omission.places = tuple(
            (name, offset, line if line >= 0 else line_at(name, offset)) for name, offset, line in omission.places
        )
    summary.dearest = tuple(ranked._replace(response=_placed(ranked.response, line_at)) for ranked in summary.dearest)


def _placed(response: Response, line_at: Callable[[str, int], int]) -> Response:
    if response.line >= 0:
        return response
    return response._replace(line=line_at(response.attributes.path, response.offset))


def _line_in(sources: Sequence[Source]) -> Callable[[str, int], int]:
    paths = {source.name: source.path for source in sources}

    def line_at(name: str, offset: int) -> int:
        line, left = 1, offset
        try:
            with Path(paths[name]).open("rb", buffering=0) as file:
                while left > 0:
                    block = file.read(min(left, _BLOCK))
                    if not block:
                        break
                    line += block.count(b"\n")
                    left -= len(block)
        except OSError:  # it was there a moment ago; the place is shown without its line
            line = 0
        return line

    return line_at
