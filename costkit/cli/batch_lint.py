"""`costkit batch lint`: whether a file is ready to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import whole_number
from costkit.cli.run import Finding, Run
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.adapters.batches.input import BatchInput
    from costkit.batch.lint import Linted, LintReport

EXAMPLES = "Example: costkit batch lint requests.jsonl"

InputFile = Annotated[
    str, typer.Argument(metavar="FILE|-", help="JSONL: batch lines, Messages bodies, or {id, content}; gzip too.")
]
ModelOfLines = Annotated[
    str | None, typer.Option("--model", "-m", metavar="MODEL", help="For lines that hold content only.")
]
MaxTokensOfLines = Annotated[
    int | None,
    typer.Option(parser=whole_number(1), metavar="N", help="Output limit for lines that hold content only."),
]


def lint(run: Run, file: InputFile, model: ModelOfLines = None, max_tokens: MaxTokensOfLines = None) -> ExitCode:
    """Check every line of a batch before money is spent.

    JSON, ids, required, unknown and refused parameters, models, sizes, cache breakpoints. Exit 4 if anything is wrong.
    """
    from costkit.adapters.batches.input import open_batch_input
    from costkit.adapters.state_folder import state_folder
    from costkit.render.views.batch_lint import lint_view

    with open_batch_input(file, spool=state_folder(), model=model, max_tokens=max_tokens) as source:
        report = lint_input(run, source).report
    command = next_command(report, model, max_tokens)
    return run.show(
        "batch-lint",
        {**_fields(report), "next": command},
        lambda: lint_view(report, command, run.book_line),
        findings=_findings(report),
    )


def lint_input(run: Run, source: BatchInput) -> Linted:
    """Check an open input by the price book and the day of a run, with a bar for whoever watches."""
    from costkit.batch.rules import Rules
    from costkit.cli.progress import byte_progress

    with byte_progress(run, "checking") as progress:
        return source.lint(Rules(run.book, run.as_of), progress)


def next_command(report: LintReport, model: str | None, max_tokens: int | None) -> str | None:
    """What to type once there is nothing left to put right."""
    from shlex import quote

    if report.problems_total:
        return None
    flags = f" --model {quote(model)}" if model else ""
    flags += f" --max-tokens {max_tokens}" if max_tokens is not None else ""
    return f"costkit batch submit {quote(report.path)}{flags}"


def refuse_problems(report: LintReport) -> None:
    """Raise `InvalidInput` with the first problem and the way to see the others, if there are any."""
    if not report.problems:
        return
    first = report.problems[0]
    more = f" (and {report.problems_total - 1:,} more)" if report.problems_total > 1 else ""
    where = f"{report.path}:{first.line}" if first.line else report.path
    hint = f"costkit batch lint {report.path} lists them"
    raise InvalidInput(f"{first.message}{more}", where=where, hint=hint, code=first.code)


def _fields(report: LintReport) -> dict[str, object]:
    from dataclasses import fields

    return {field.name: getattr(report, field.name) for field in fields(report)}


def _findings(report: LintReport) -> Iterator[Finding]:
    if report.problems_total:
        noun = "problem" if report.problems_total == 1 else "problems"
        yield Finding(ExitCode.INCOMPLETE, f"{report.problems_total:,} {noun}: nothing was sent")
