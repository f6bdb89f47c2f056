"""`costkit batch submit`: send a file of requests, once."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.adapters.names import shown
from costkit.cli.batch_lint import InputFile, MaxTokensOfLines, ModelOfLines
from costkit.cli.batch_pricing import Counted, OutputTokens, SampleSize, TokenMode
from costkit.cli.framework import ADVANCED, whole_number
from costkit.cli.run import Run
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.adapters.batches.input import BatchInput, CheckedInput
    from costkit.batch.job import Job
    from costkit.batch.lint import LintReport
    from costkit.batch.reconcile import Outside
    from costkit.cli.batch_sending import Consent, Order

EXAMPLES = (
    "The same content again sends nothing and shows the job; after an interruption, whatever it was, the same command "
    "goes on. Example: costkit batch submit requests.jsonl --max-cost 20"
)
_LONGEST_NAME = 100


def submit(
    run: Run,
    file: InputFile,
    model: ModelOfLines = None,
    max_tokens: MaxTokensOfLines = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="Send nothing (exit 3) if it may cost more than this.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check, count, price and plan; send nothing.")] = False,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="A name to call the job by.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until all has ended.")] = False,
    output_tokens: OutputTokens = None,
    tokens: TokenMode = None,
    sample: SampleSize = "auto",
    again: Annotated[
        bool, typer.Option("--again", help="A new job, though the content was sent.", rich_help_panel=ADVANCED)
    ] = False,
    on_ambiguous: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            rich_help_panel=ADVANCED,
            help="If several batches could be the one that was sent: fail, adopt-newest or resend.",
        ),
    ] = "fail",
    require_ledger: Annotated[
        bool, typer.Option("--require-ledger", help="Send nothing (exit 5) on a new ledger.", rich_help_panel=ADVANCED)
    ] = False,
    batch_size: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(1, 100_000), metavar="N", help="At most N requests a batch.", rich_help_panel=ADVANCED
        ),
    ] = None,
) -> ExitCode:
    """Send a file of requests as Message Batches: once, whatever happens on the way.

    Every line is checked first, the cost is estimated, and what is sent is recorded before it is sent.
    """
    from costkit.adapters.batches.input import open_batch_input
    from costkit.adapters.state_folder import state_folder
    from costkit.batch.reconcile import ON_AMBIGUOUS
    from costkit.cli.batch_sending import Consent, deliver
    from costkit.cli.batch_wiring import open_outside
    from costkit.cli.values import one_of, usd_from

    one_of("--on-ambiguous", on_ambiguous, ON_AMBIGUOUS)
    limit = usd_from("--max-cost", max_cost if max_cost is not None else run.settings.max_cost)
    consent = Consent(limit, yes, dry_run, again, on_ambiguous, require_ledger, wait)
    with (
        open_outside(run, may_be_offline=dry_run) as outside,
        open_batch_input(file, spool=state_folder(), model=model, max_tokens=max_tokens) as source,
    ):
        how = Counted(output_tokens, tokens, sample)
        order = _order(run, source, outside, consent, _checked_name(name), how, batch_size)
        return deliver(run, order, outside, consent)


def _order(
    run: Run, source: BatchInput, outside: Outside, consent: Consent, name: str | None, how: Counted, size: int | None
) -> Order:
    from costkit.cli.batch_pricing import counting, planned
    from costkit.cli.batch_sending import InputSource, Order, is_new

    with counting(run, how) as child:
        report, checked = checked_input(run, source)
        sender = InputSource(run, checked)
        job = job_of_input(source, report, name)
        order = Order(job, sender, sender.items, resume=f"costkit batch submit {shlex.quote(source.shown)}")
        return planned(run, order, checked, child, how, size) if is_new(order, consent, outside.ledger) else order


def checked_input(run: Run, source: BatchInput) -> tuple[LintReport, CheckedInput]:
    """Check every line; tell what is wrong with the first ones and raise `InvalidInput` if anything is."""
    from costkit.cli.batch_lint import lint_input, refuse_problems
    from costkit.cli.output import say

    linted = lint_input(run, source)
    for problem in linted.report.problems:
        place = f"{shown(source.shown)}:{problem.line}" if problem.line else shown(source.shown)
        say(f"{place}: {problem.message}")
    refuse_problems(linted.report)
    if linted.manifest is None:
        raise InvalidInput("the input can't be sent", where=shown(source.shown))
    return linted.report, source.checked(linted.manifest)


def job_of_input(source: BatchInput, report: LintReport, name: str | None = None) -> Job:
    """The job that an input makes, without batches yet."""
    from datetime import UTC, datetime

    from costkit.batch.job import Job

    try:
        source.path.encode()
    except UnicodeEncodeError:
        raise InvalidInput("the name of the file is not text", hint="rename it, or pipe it in") from None
    digest = report.digest or ""
    return Job(
        digest[:12], digest, source.path, datetime.now(UTC), report.requests, report.bytes or 0, name
    )  # fmt: skip


def _checked_name(name: str | None) -> str | None:
    if name is not None and not (0 < len(name) <= _LONGEST_NAME and name.isprintable() and name.strip() == name):
        raise InvalidInput(f"--name {name!r} is not a name", hint=f"up to {_LONGEST_NAME} printable characters")
    return name
