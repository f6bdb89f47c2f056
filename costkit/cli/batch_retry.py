"""`costkit batch retry`: the failed items of a job, once more."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.batch_lint import MaxTokensOfLines, ModelOfLines
from costkit.cli.batch_pricing import Counted, OutputTokens, SampleSize, TokenMode
from costkit.cli.framework import ADVANCED
from costkit.cli.run import Finding, Run, interactive
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.batch.family import Family
    from costkit.batch.job import Job
    from costkit.batch.reconcile import Outside
    from costkit.batch.retry import RetryPlan
    from costkit.batch.status import JobStatus
    from costkit.cli.batch_sending import Consent
    from costkit.render.view import View

EXAMPLES = (
    "Collect the job itself afterwards: it takes the newest answer for each row. Example: costkit batch retry 3f9a "
    "--include canceled --yes"
)


def retry(
    run: Run,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job that has ended.")],
    include: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS,…", help="Also canceled, credit, denied, unrecognized, missing, truncated or refused."
        ),
    ] = None,
    model: ModelOfLines = None,
    max_tokens: MaxTokensOfLines = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="Send nothing (exit 3) if it may cost more than this.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until all has ended.")] = False,
    output_tokens: OutputTokens = None,
    tokens: TokenMode = None,
    sample: SampleSize = "auto",
    on_ambiguous: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            rich_help_panel=ADVANCED,
            help="If several batches could be the one that was sent: fail, adopt-newest or resend.",
        ),
    ] = "fail",
) -> ExitCode:
    """Send the failed items of a job once more, those for which that helps and which cost nothing so far.

    Expired, overloaded and rate-limited items are sent by default, three times at most; the table says what to do
    about the others.
    """
    from costkit.batch.family import root_of
    from costkit.batch.reconcile import ON_AMBIGUOUS
    from costkit.batch.retry import read_include
    from costkit.cli.batch_gather import retrying
    from costkit.cli.batch_sending import Consent
    from costkit.cli.batch_wiring import open_outside
    from costkit.cli.values import one_of, usd_from

    one_of("--on-ambiguous", on_ambiguous, ON_AMBIGUOUS)
    limit = usd_from("--max-cost", max_cost if max_cost is not None else run.settings.max_cost)
    consent = Consent(limit, yes, dry_run, on_ambiguous=on_ambiguous, wait=wait)
    wanted = Wanted(read_include(include), Counted(output_tokens, tokens, sample), model, max_tokens)
    with open_outside(run) as outside:
        name = root_of(job, outside.ledger).name
        with retrying(name):
            return _retry(run, root_of(name, outside.ledger), outside, consent, wanted)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, beyond consent."""

    include: frozenset[str]
    how: Counted
    model: str | None
    max_tokens: int | None


def _retry(run: Run, family: Family, outside: Outside, consent: Consent, wanted: Wanted) -> ExitCode:
    """Finish the retry that was interrupted, or make the next one. The caller holds the lock."""
    from costkit.cli.batch_gather import remove_sent_inputs

    remove_sent_inputs(family)
    unfinished = _unfinished(family)
    if unfinished is not None:
        _restore_input(family, unfinished, outside, wanted)
        return _send(run, family, unfinished, outside, consent, wanted)
    plan = _plan(run, family, outside, wanted.include)
    if not plan.sends:
        return _show_nothing(run, family, plan)
    child = _child(family, outside)
    _write_input(family, plan.chosen, child, wanted)
    _tell_plan(family, plan, child, consent)
    return _send(run, family, child, outside, consent, wanted, plan)


def _unfinished(family: Family) -> Job | None:
    """A retry that was interrupted: it is finished before another one is made."""
    from costkit.cli.batch_sending import is_sent

    return next((job for job in family.jobs[1:] if not is_sent(job)), None)


def _plan(run: Run, family: Family, outside: Outside, include: frozenset[str]) -> RetryPlan:
    import json

    from costkit.batch.outcome import outcomes
    from costkit.batch.retry import plan_retry
    from costkit.batch.waiting import Patience
    from costkit.cli.batch_gather import await_end, collecting, gathered, settled

    if family.job is None:
        raise InvalidInput(
            f"the ledger doesn't know the input of {family.name}",
            code="unknown-job",
            hint=f"costkit batch adopt {family.name} --input FILE brings it in",
        )
    family = settled(family, outside)
    remotes = await_end(run, family, outside, wait=False, patience=Patience())
    with collecting(family.name), gathered(run, family, remotes, outside) as found:
        plan = plan_retry(outcomes(found.index.items()), lambda place: json.loads(found.spool.read(place)), include)
        found.spool.clear()
    return plan


def _child(family: Family, outside: Outside) -> Job:
    """The job of the next attempt, before anything is known about its content."""
    from costkit.cli.batch_gather import retry_folder

    attempt = max(job.attempt for job in family.jobs) + 1
    return replace(
        family.jobs[0],
        name=None,
        parent=family.name,
        attempt=attempt,
        path=str(retry_folder() / f"{family.name}-{attempt}.jsonl"),
        created_at=outside.clock.now(),
        estimate=None,
        output=None,
        batches=(),
    )


def _write_input(family: Family, chosen: Sequence[int], child: Job, wanted: Wanted) -> None:
    from costkit.adapters.batches.retry_input import write_retry_input

    write_retry_input(family.jobs[0], chosen, Path(child.path), model=wanted.model, max_tokens=wanted.max_tokens)


def _restore_input(family: Family, child: Job, outside: Outside, wanted: Wanted) -> None:
    """Write the input of an unfinished retry again if somebody removed it: the ledger knows which lines it had."""
    if Path(child.path).is_file():
        return
    sent = {custom_id for _index, _line, custom_id in outside.ledger.custom_ids(child.id)}
    items = outside.ledger.custom_ids(family.jobs[0].id)
    _write_input(family, [index for index, _line, custom_id in items if custom_id in sent], child, wanted)


def _tell_plan(family: Family, plan: RetryPlan, child: Job, consent: Consent) -> None:
    """Show a person who is going to be asked what the question is about."""
    from costkit.batch.retry import Retry
    from costkit.cli.output import FIXED_WIDTH, say
    from costkit.render.table import render_table
    from costkit.render.views.batch_retry import retry_view

    if consent.yes or consent.dry_run or not interactive(sys.stderr):
        return
    page = replace(retry_view(Retry(family.name, child.attempt, plan)), headline=f"failed rows of job {family.name}")
    for line in render_table(page, width=FIXED_WIDTH, color=False).splitlines():
        say(line)


def _send(
    run: Run,
    family: Family,
    child: Job,
    outside: Outside,
    consent: Consent,
    wanted: Wanted,
    plan: RetryPlan | None = None,
) -> ExitCode:
    """Check, plan and submit the input of a retry, as any input; it is removed once all of it was sent."""
    from costkit.adapters.batches.input import open_batch_input
    from costkit.adapters.state_folder import state_folder
    from costkit.batch.retry import Retry
    from costkit.cli.batch_pricing import counting, planned
    from costkit.cli.batch_sending import InputSource, Order, deliver, existing_job, is_new, is_sent
    from costkit.cli.batch_submit import checked_input, job_of_input
    from costkit.render.views.batch_retry import retry_view

    def dress(status: JobStatus, view: View) -> tuple[object, View]:
        result = Retry(family.name, child.attempt, plan, status)
        return result, replace(retry_view(result, view), next_command=result.next)

    with open_batch_input(child.path, spool=state_folder()) as source:
        report, checked = checked_input(run, source)
        job = replace(job_of_input(source, report), parent=family.name, attempt=child.attempt)
        sender = InputSource(run, checked)
        order = Order(job, sender, sender.items, f"costkit batch retry {family.name}", "batch-retry", dress)
        if is_new(order, consent, outside.ledger):
            with counting(run, wanted.how) as counter:
                order = planned(run, order, checked, counter, wanted.how)
        try:
            return deliver(run, order, outside, consent)
        finally:
            made = existing_job(order, outside.ledger)
            if made is None or is_sent(made):
                Path(child.path).unlink(missing_ok=True)


def _show_nothing(run: Run, family: Family, plan: RetryPlan) -> ExitCode:
    from costkit.batch.retry import Retry
    from costkit.render.views.batch_retry import retry_view

    result = Retry(family.name, max(job.attempt for job in family.jobs) + 1, plan)
    return run.show("batch-retry", result, lambda: retry_view(result), findings=_findings(plan))


def _findings(plan: RetryPlan) -> Iterator[Finding]:
    if plan.paused:
        yield Finding(ExitCode.FAILED, "nothing was sent: add credit or raise the limit, then --include credit")
    elif any(row.requests for row in plan.failures.rows()):
        yield Finding(ExitCode.INCOMPLETE, "some rows have no answer, and sending them again would not help")
