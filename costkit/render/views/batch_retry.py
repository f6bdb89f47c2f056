"""The page of `costkit batch retry`: what is sent again, and what is to be done about the rest."""

from __future__ import annotations

from dataclasses import replace

from costkit.batch.classes import DONE
from costkit.batch.retry import MOST_ATTEMPTS, Retry, RetryPlan
from costkit.render.text import plural
from costkit.render.view import View
from costkit.render.views.batch_failures import failure_tables


def retry_view(result: Retry, job: View | None = None) -> View:
    """Lay out a retry; `job` is the page of the job that was made."""
    tables = failure_tables(result.plan.failures.rows()) if result.plan else ()
    facts = tuple(_facts(result.plan)) if result.plan else ()
    if job is None:
        headline = f"nothing to send again for job {result.parent}"
        if result.plan and result.plan.paused:
            headline = f"paused: {plural(result.plan.paused, 'row')} of job {result.parent} failed for lack of credit"
        return View(headline, tables, facts, result.next)
    headline = f"{job.headline} · attempt {result.attempt} of job {result.parent}"
    return replace(job, headline=headline, tables=(*tables, *job.tables), facts=(*facts, *job.facts))


def _facts(plan: RetryPlan) -> list[str]:
    facts = []
    if plan.chosen:
        classes = ", ".join(f"{count:,} {code}" for code, count in sorted(plan.by_class.items()) if code != DONE)
        verb = "would be sent again" if plan.paused else "to send again"
        facts.append(f"{plural(len(plan.chosen), 'row')} {verb}: {classes}")
    if plan.exhausted:
        facts.append(f"{plural(plan.exhausted, 'row')} sent {MOST_ATTEMPTS} times already: not sent again")
    return facts
