"""`costkit batch collect`: the flags of collecting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED
from costkit.cli.run import Finding, Run
from costkit.errors import ExitCode, worst

if TYPE_CHECKING:
    from costkit.batch.collect import Collection, CollectOptions
    from costkit.batch.family import Family
    from costkit.batch.job import RemoteBatch
    from costkit.batch.reconcile import Outside
    from costkit.batch.waiting import Patience
    from costkit.cli.batch_targets import Targets

EXAMPLES = (
    "The rows go to a file, by default beside the input (-o - is stdout), the summary to stdout. With --text a row is"
    " {custom_id, text}, null where there is no answer. Example: costkit batch collect 3f9a --wait -o results.jsonl"
)


def collect(
    run: Run,
    job: Annotated[str, typer.Argument(metavar="JOB|BATCH_ID", help="A job, or any batch of the account.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Wait, but at most this long, e.g. 2h (then exit 8).")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Only the text of the answers.")] = False,
    split: Annotated[
        str | None, typer.Option(metavar="OK,FAILED", help="Two files: rows with an answer, rows without.")
    ] = None,
    order: Annotated[
        str, typer.Option(metavar="HOW", help="input, or any (as they arrived).", rich_help_panel=ADVANCED)
    ] = "input",
    poll: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Look at this interval while waiting.", rich_help_panel=ADVANCED),
    ] = None,
) -> ExitCode:
    """Fetch the results of a job: every row of the input once, in its order, and what it cost.

    Nothing is lost by interrupting it: what was downloaded is kept, and the batches go on.
    """
    from costkit.batch.collect import CollectOptions
    from costkit.batch.family import find_family
    from costkit.cli.batch_gather import await_end, collecting, resume_line, settled
    from costkit.cli.batch_targets import find_targets
    from costkit.cli.batch_wiring import open_outside
    from costkit.cli.output import say
    from costkit.cli.values import one_of

    one_of("--order", order, ("input", "any"))
    patience = patience_from(poll, timeout)
    with open_outside(run) as outside:
        family = find_family(job, outside.ledger)
        options = CollectOptions(run.as_of, text, split is not None, family.stranger)
        targets = find_targets(run, family, split, text_only=text)
        try:
            family = settled(family, outside)
            remotes = await_end(run, family, outside, wait=wait or timeout is not None, patience=patience)
            with collecting(family.name):
                result = _collect(run, family, remotes, outside, targets, options, arrived=order == "any")
        except KeyboardInterrupt:
            say(f"the batches go on; to go on here: {resume_line(family.name)}")
            raise
    return _show(run, result, targets)


def _collect(
    run: Run,
    family: Family,
    remotes: Mapping[str, RemoteBatch],
    outside: Outside,
    targets: Targets,
    options: CollectOptions,
    *,
    arrived: bool,
) -> Collection:
    from costkit.adapters.batches.results_usage import result_usage
    from costkit.batch.advice import collection_of
    from costkit.batch.collect import mark_collected, write_rows
    from costkit.cli.batch_gather import folder_of, gathered, remove_sent_inputs

    with gathered(run, family, remotes, outside) as found:
        if arrived:
            found.index.by_arrival()
        with targets.open(family.name, folder_of(family.name)) as output:
            written = write_rows(found.index, found.spool, output, remotes, result_usage, run.book, options)
            delivered = output.commit()
        if delivered:
            mark_collected(found.family, outside.ledger, targets.recorded)
            found.spool.clear()
            remove_sent_inputs(found.family)
    return collection_of(found.family, written, targets.shown, options, found.deleted)


def _show(run: Run, result: Collection, targets: Targets) -> ExitCode:
    from costkit.render.views.batch_collect import collect_view

    if targets.is_stdout:
        return _tell(run, result)
    run.output = None
    return run.show(
        "batch-collect",
        result,
        lambda: collect_view(result, run.book_line),
        notices=result.notices,
        findings=_findings(result),
    )


def _tell(run: Run, result: Collection) -> ExitCode:
    """The summary on stderr, because the rows went to stdout."""
    from costkit.cli.output import FIXED_WIDTH, say
    from costkit.render.table import render_table
    from costkit.render.views.batch_collect import collect_view

    findings = list(_findings(result))
    if not run.quiet:
        for line in render_table(collect_view(result, run.book_line), width=FIXED_WIDTH, color=False).splitlines():
            say(line)
        for notice in result.notices:
            say(f"! {notice.where}: {notice.message}" if notice.where else f"! {notice.message}")
    for finding in findings:
        say(f"costkit: {finding.message}")
    return worst(finding.exit_code for finding in findings)


def _findings(result: Collection) -> Iterator[Finding]:
    proof = result.proof
    if proof.failed:
        yield Finding(ExitCode.INCOMPLETE, f"{proof.failed:,} of {proof.requests:,} rows have no answer")
    if proof.unknown_ids:
        yield Finding(ExitCode.INCOMPLETE, f"{_ids(proof.unknown_ids)} of the results not in the input")
    if proof.duplicate_ids:
        yield Finding(ExitCode.INCOMPLETE, f"{_ids(proof.duplicate_ids)} more than once in the results")


def _ids(names: Sequence[str]) -> str:
    return f"{len(names):,} custom_id{'' if len(names) == 1 else 's'}"


def patience_from(poll: str | None, timeout: str | None) -> Patience:
    """How to wait: `--poll` or `COSTKIT_POLL_S`, and `--timeout`."""
    from costkit.cli.batch_wiring import patience
    from costkit.cli.values import seconds_from

    interval = seconds_from("--poll", poll)
    return patience(None if interval is None else str(interval), seconds_from("--timeout", timeout))
