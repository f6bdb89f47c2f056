"""`costkit batch adopt`: bring a batch that the API has into the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.adapters.names import shown
from costkit.cli.batch_lint import MaxTokensOfLines, ModelOfLines
from costkit.cli.framework import ADVANCED, whole_number
from costkit.cli.run import Run
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.batch.job import Job, RemoteBatch
    from costkit.batch.reconcile import Outside

EXAMPLES = (
    "For a batch that submit could not tell from others, or that was sent by another program. "
    "Example: costkit batch adopt msgbatch_01… --input requests.jsonl"
)


def adopt(
    run: Run,
    batch_id: Annotated[str, typer.Argument(metavar="BATCH_ID", help="A batch of this account.")],
    job: Annotated[
        str | None, typer.Option(metavar="JOB", help="The job that it belongs to [default: the one that waits for it].")
    ] = None,
    input_: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="What it was made of; makes the job if need be.")
    ] = None,
    model: ModelOfLines = None,
    max_tokens: MaxTokensOfLines = None,
    number: Annotated[
        int | None,
        typer.Option(parser=whole_number(1), metavar="N", help="Which batch of the job.", rich_help_panel=ADVANCED),
    ] = None,
) -> ExitCode:
    """Bring a batch that the API has into the ledger, so that it is collected and not sent again."""
    from costkit.batch.adopt import adopt_batch, holder_of, waiting_for
    from costkit.batch.status import job_status, refresh
    from costkit.cli.batch_wiring import chosen_job, lock_of, open_outside
    from costkit.render.views.batch_job import job_view

    if job is not None and input_ is not None:
        raise InvalidInput("--job and --input contradict each other", code="usage")
    with open_outside(run) as outside:
        remote = outside.api.retrieve(batch_id)
        found = holder_of(remote.id, outside.ledger.jobs())
        done = "adopted before"
        if found is None:
            if input_ is not None:
                found = _job_of_file(run, input_, remote, outside, model, max_tokens)
            elif job is not None:
                found = chosen_job(outside.ledger, job)
            else:
                found = waiting_for(remote.request_counts.total, outside.ledger.jobs())
            with lock_of(found.digest):
                found = adopt_batch(remote, found, outside, number)
            done = "adopted"
        found = refresh(found, outside)
        now = outside.clock.now()
    return run.show("batch-adopt", job_status(found), lambda: job_view(found, now, done=done))


def _job_of_file(
    run: Run, path: str, remote: RemoteBatch, outside: Outside, model: str | None, max_tokens: int | None
) -> Job:
    """The job of an input, recorded if it isn't yet."""
    from costkit.adapters.batches.input import open_batch_input
    from costkit.adapters.state_folder import state_folder
    from costkit.batch.adopt import open_places
    from costkit.cli.batch_sending import InputSource, Order, existing_job, recorded
    from costkit.cli.batch_submit import checked_input, job_of_input
    from costkit.cli.batch_wiring import lock_of

    with open_batch_input(path, spool=state_folder(), model=model, max_tokens=max_tokens) as source:
        report, checked = checked_input(run, source)
        sender = InputSource(run, checked)
        order = Order(job_of_input(source, report), sender, sender.items, resume="")
        known = existing_job(order, outside.ledger)
        requests = remote.request_counts.total
        if known is not None and open_places(known, requests):
            return known
        planned = replace(order.job, batches=checked.plan())
        if not open_places(planned, requests):
            sizes = ", ".join(f"{batch.requests:,}" for batch in planned.batches)
            raise InvalidInput(
                f"the batch has {requests:,} requests, the input makes {sizes}",
                where=shown(source.shown),
                code="no-place",
            )
        with lock_of(planned.digest):
            return recorded(replace(order, job=planned), outside.ledger)
