"""Where the rows of a collection go: the file of `-o`, the two of `--split`, stdout, or a file beside the input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from costkit.cli.run import Run
from costkit.errors import InvalidInput, Unwritable

if TYPE_CHECKING:
    from costkit.batch.family import Family
    from costkit.batch.results import Output

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Targets:
    """Checked places for rows."""

    shown: str
    """As the result names them."""
    paths: tuple[Path, ...]
    """One, or two for `--split`; none for stdout."""

    @property
    def is_stdout(self) -> bool:
        """Whether the rows go to standard output."""
        return not self.paths

    @property
    def recorded(self) -> str:
        """What the ledger remembers: it may be read from another folder."""
        return ",".join(str(path.resolve()) for path in self.paths) or STDOUT

    @contextmanager
    def open(self, tag: str, folder: Path) -> Iterator[Output]:
        """Open them for writing; `folder` takes the note about unfinished files, `tag` makes their names."""
        from costkit.adapters.batches.results_output import FileOutput, StreamOutput, is_stream
        from costkit.adapters.batches.results_spool import written

        if self.is_stdout:
            if sys.stdout is None:
                raise Unwritable("can't write the rows: standard output is closed")
            sys.stdout.flush()
            try:
                yield StreamOutput(sys.stdout.buffer, "standard output")
            finally:
                _let_go()
        elif len(self.paths) == 1 and is_stream(self.paths[0]):
            with written(self.paths[0]), self.paths[0].open("wb", buffering=0) as stream:
                yield StreamOutput(stream, str(self.paths[0]))
        else:
            with FileOutput(self.paths[0], self.paths[1] if self.paths[1:] else None, tag=tag, folder=folder) as output:
                yield output


def find_targets(run: Run, family: Family, split: str | None, *, text_only: bool) -> Targets:
    """Find out where the rows go, before anything is fetched.

    Raises `InvalidInput` for flags that make no sense, `Unwritable` where the rows can't go where they should.
    """
    from costkit.adapters.batches.results_output import check_target

    if split is not None:
        if run.output is not None:
            raise InvalidInput("-o and --split contradict each other", code="usage")
        names = [name.strip() for name in split.split(",")]
        if len(names) != 2 or not all(names) or STDOUT in names:  # noqa: PLR2004 - one for each kind of row
            raise InvalidInput(f"--split {split!r} is not two files", hint="write it as ok.jsonl,failed.jsonl")
    elif run.output == STDOUT:
        if run.format != "table":
            raise InvalidInput(
                f"-o - writes the rows to stdout, so the summary can't be there as {run.format}",
                code="usage",
                hint="write the rows to a file",
            )
        return Targets(STDOUT, ())
    else:
        names = [run.output or _beside_the_input(family, text_only=text_only)]
    paths = tuple(Path(name) for name in names)
    for path in paths:
        check_target(path)
        if family.job is not None and _same(path, Path(family.job.path)):
            raise InvalidInput("is the input of the job: it would be overwritten", where=str(path))
    if len({path.resolve() for path in paths}) != len(paths):
        raise InvalidInput("both files of --split are the same", where=str(paths[0]))
    return Targets(",".join(names), paths)


def _beside_the_input(family: Family, *, text_only: bool) -> str:
    """`prompts.jsonl` → `prompts.jsonl.results.jsonl`; a job without a file of its own, or a batch, lends its id."""
    kind = "text" if text_only else "results"
    job = family.job
    if job is None or job.path == STDOUT or job.parent is not None:
        return f"{family.name}.{kind}.jsonl"
    path = Path(job.path)
    name = f"{path.name}.{kind}.jsonl"
    return name if path.parent == Path.cwd() else str(path.with_name(name))


def _same(left: Path, right: Path) -> bool:
    try:
        return left.samefile(right)
    except OSError:
        return False


def _let_go() -> None:
    """Let go of a stdout whose reader went away, or the interpreter's last flush would complain."""
    from costkit.cli.output import write_answer

    write_answer("", None)
