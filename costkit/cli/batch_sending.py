"""From a plan to batches at the API: what submit and retry share once they know what is to be sent.

limit · confirmation · lock · ledger · sending · answer
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from costkit.cli.run import Finding, interactive
from costkit.errors import ExitCode, InvalidInput, OperationFailed, Undecidable

if TYPE_CHECKING:
    from costkit.adapters.batches.input import CheckedInput
    from costkit.batch.job import Batch, Job
    from costkit.batch.ports import Body, Ledger, Source
    from costkit.batch.preview import Preview
    from costkit.batch.reconcile import Outside
    from costkit.batch.status import JobStatus
    from costkit.cli.run import Run
    from costkit.core.notice import Notice
    from costkit.render.view import View

Items = Callable[[], Iterable[tuple[int, int, str]]]
"""The items of a job in input order: (index, line in the file, custom_id)."""


@dataclass(frozen=True, slots=True)
class Order:
    """A job that may be sent: planned, estimated, not recorded yet. Its id is given when it is."""

    job: Job
    source: Source
    items: Items
    resume: str
    """The command line that goes on after an interruption."""
    command: str = "batch-submit"
    """Whose document the answer is."""
    dress: Callable[[JobStatus, View], tuple[object, View]] | None = None
    """Puts what the command has to say beside the state of the job."""
    preview: Preview | None = None
    """What it will cost; only known for a job that is not recorded yet."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user allows."""

    max_cost: Decimal | None = None
    yes: bool = False
    dry_run: bool = False
    again: bool = False
    on_ambiguous: str = "fail"
    require_ledger: bool = False
    wait: bool = False


class InputSource:
    """The bodies of a job, from its input file, with a bar for whoever watches; satisfies `Source`."""

    def __init__(self, run: Run, source: CheckedInput) -> None:
        self._run = run
        self._source = source

    def body(self, batch: Batch) -> Body:
        """What is posted for a batch."""
        body = self._source.body(batch)
        return replace(body, chunks=lambda: self._watched(body, batch.number))

    def cut(self, number: int, first: int, requests: int) -> Batch:
        """Any run of items as a planned batch."""
        return self._source.cut(number, first, requests)

    def items(self) -> Iterator[tuple[int, int, str]]:
        """The items, as they were checked: (index, line in the file, custom_id)."""
        return self._source.manifest.custom_ids()

    def _watched(self, body: Body, number: int) -> Iterator[bytes]:
        from costkit.cli.progress import byte_progress

        done = 0
        with byte_progress(self._run, f"sending batch {number}") as progress:
            for chunk in body.chunks():
                yield chunk
                done += len(chunk)
                progress(done, body.length)


def existing_job(order: Order, ledger: Ledger) -> Job | None:
    """The newest job of the same content and the same descent."""
    jobs = ledger.jobs_of(order.job.digest)
    same = [job for job in jobs if (job.parent, job.attempt) == (order.job.parent, order.job.attempt)]
    return same[-1] if same else None


def is_sent(job: Job) -> bool:
    """Whether nothing of a job is left to send."""
    from costkit.batch.submit import UNSENT

    return not any(batch.state in UNSENT for batch in job.live_batches)


def is_new(order: Order, consent: Consent, ledger: Ledger) -> bool:
    """Whether sending the order would make a job: an unfinished one is finished first, whatever was asked for."""
    known = existing_job(order, ledger)
    return known is None or (consent.again and is_sent(known))


def deliver(run: Run, order: Order, outside: Outside, consent: Consent) -> ExitCode:
    """Record and send a job, or go on with the one of the same content, and show it.

    Shows the plan, and exits 3, where the ceiling is above the limit. Raises `InvalidInput` where nobody can be asked.
    """
    from costkit.cli.batch_pricing import tell_preview

    known = existing_job(order, outside.ledger)
    new = is_new(order, consent, outside.ledger)
    if known is not None and not new and is_sent(known):
        return _show(run, order, known, outside, [_already(known)], done="submitted before")
    priced = order.job if known is None or new else known
    notices = list(order.preview.notices) if order.preview else []
    over = _over_limit(priced, consent)
    if over or consent.dry_run:
        tell_preview(run, order)
        return _show(run, order, priced, outside, notices, done="nothing sent", findings=over)
    if new:
        _check_name(order.job, outside.ledger)
        notices += _new_ledger(order.job, outside, consent)
        tell_preview(run, order)
        _ask(order.job, consent)
    return _send_locked(run, order, outside, consent, notices)


def _send_locked(run: Run, order: Order, outside: Outside, consent: Consent, notices: list[Notice]) -> ExitCode:
    from costkit.adapters.batches.job_lock import LockHeld
    from costkit.batch.reconcile import Rule
    from costkit.batch.submit import Conversation, send_job
    from costkit.cli.batch_wiring import lock_of, patience, reconcile_wait
    from costkit.cli.output import say

    rule = Rule(wait_s=reconcile_wait(), on_ambiguous=consent.on_ambiguous)
    patient = patience()
    tell = (lambda _line: None) if run.quiet else say
    try:
        with lock_of(order.job.digest):
            job = _recorded_or_known(order, outside.ledger, consent)
            job = send_job(job.id, order.source, outside, rule, Conversation(tell, random.random))
    except LockHeld as held:
        job = existing_job(order, outside.ledger) or order.job
        return _show(run, order, job, outside, notices, findings=[Finding(ExitCode.RUNNING, str(held))])
    except KeyboardInterrupt:
        say(f"what was submitted goes on; to go on here: {order.resume}")
        raise
    if consent.wait:
        from costkit.cli.batch_status import watched

        job = watched(run, job, outside, patient)
    return _show(run, order, job, outside, notices, done="submitted", findings=_left_out(job))


def _recorded_or_known(order: Order, ledger: Ledger, consent: Consent) -> Job:
    """The job to send; another process may have recorded it since the order was made."""
    if order.job.batches and is_new(order, consent, ledger):
        return recorded(order, ledger)
    known = existing_job(order, ledger)
    if known is None:
        raise OperationFailed("the job vanished from the ledger", hint="run the same command again", code="unknown-job")
    return known


def recorded(order: Order, ledger: Ledger) -> Job:
    """Write a planned job into the ledger under an id of its own."""
    digest = order.job.digest[:12]
    count = len(ledger.jobs_of(order.job.digest))
    job = replace(order.job, id=f"{digest}-{count + 1}" if count else digest)
    ledger.add_job(job, order.items())
    return job


def _show(
    run: Run,
    order: Order,
    job: Job,
    outside: Outside,
    notices: Iterable[Notice],
    *,
    done: str | None = None,
    findings: Iterable[Finding] = (),
) -> ExitCode:
    from costkit.batch.status import job_status
    from costkit.render.views.batch_job import job_view

    result: object = job_status(job)
    view = job_view(job, outside.clock.now(), done=done)
    if order.dress is not None:
        result, view = order.dress(job_status(job), view)
    assumptions = order.preview.assumptions if order.preview else ()
    return run.show(order.command, result, lambda: view, notices=notices, assumptions=assumptions, findings=findings)


def _already(job: Job) -> Notice:
    from costkit.core.notice import Notice

    message = f"this content is job {job.id}, submitted {job.created_at:%Y-%m-%d %H:%M} UTC; --again submits it anew"
    return Notice("already-submitted", message, job.path)


def _over_limit(job: Job, consent: Consent) -> list[Finding]:
    from costkit.core.money import display

    if consent.max_cost is None:
        return []
    ceiling = job.estimate.ceiling if job.estimate else None
    if ceiling is None:
        return [Finding(ExitCode.UNDECIDED, f"--max-cost {display(consent.max_cost)} can't be judged: no price")]
    if ceiling > consent.max_cost:
        limit = display(consent.max_cost)
        return [Finding(ExitCode.LIMIT, f"this may cost {display(ceiling)}, over --max-cost {limit}: nothing was sent")]
    return []


def _check_name(job: Job, ledger: Ledger) -> None:
    if job.name is not None and any(other.name == job.name for other in ledger.jobs()):
        raise InvalidInput(f"there is a job named {job.name!r} already", hint="choose another --name")


def _new_ledger(job: Job, outside: Outside, consent: Consent) -> list[Notice]:
    """On an empty ledger nobody knows what was sent from elsewhere: name what the account has that looks like it."""
    from costkit.batch.recent import lookalikes
    from costkit.core.notice import Notice

    if outside.ledger.jobs():
        return []
    alike = lookalikes(job, outside)
    message = "the ledger is empty: if this was submitted from elsewhere, it would be bought again"
    if alike:
        listed = ", ".join(f"{remote.id} ({remote.request_counts.total:,} requests)" for remote in alike)
        message += f"; of the last 24 h and as large: {listed}"
    if consent.require_ledger:
        raise Undecidable(
            message, hint="keep COSTKIT_STATE, or costkit batch adopt BATCH_ID --input FILE", code="new-ledger"
        )
    return [Notice("new-ledger", message)]


def _ask(job: Job, consent: Consent) -> None:
    from costkit.core.money import display
    from costkit.render.text import plural

    if consent.yes:
        return
    if not (interactive(sys.stdin) and interactive(sys.stderr)):
        raise InvalidInput("submitting spends money and nobody can be asked here", hint="--yes confirms", code="usage")
    most = job.estimate.ceiling if job.estimate else None
    price = f" for at most {display(most)}" if most is not None else ", with no known limit of the cost"
    sys.stderr.write(f"Send {plural(job.requests, 'request')}{price}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise OperationFailed("nothing was sent", code="declined")


def _left_out(job: Job) -> list[Finding]:
    from costkit.batch.job import REJECTED

    left = sum(batch.requests for batch in job.live_batches if batch.state == REJECTED)
    if not left:
        return []
    noun = "request is" if left == 1 else "requests are"
    return [Finding(ExitCode.INCOMPLETE, f"{left} {noun} too large for the API and not sent")]
