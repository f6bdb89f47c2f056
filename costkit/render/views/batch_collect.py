"""The page of `costkit batch collect`: how many answers, what they cost, and what to do about the others."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from costkit.batch.collect import Collection, Proof
from costkit.core.money import display
from costkit.render.view import View
from costkit.render.views.batch_failures import failure_tables
from costkit.render.views.report import report_view

_FEW = 5


def collect_view(result: Collection, footer: str) -> View:
    """Lay out a collection: answers and cost, failures by class, usage by model, and the proof that no row is lost."""
    usage = report_view(result.report, "").tables if result.rows or result.report.unpriced else ()
    facts = (*_facts(result), footer)
    next_command = result.next or f"costkit report {shlex.quote(result.output)}"
    return View(_headline(result), (*failure_tables(result.failures.rows()), *usage), facts, next_command)


def _headline(result: Collection) -> str:
    proof = result.proof
    answers = f"{proof.succeeded:,} of {proof.requests:,} rows have their answer"
    cost = "cost unknown" if result.cost_usd is None else display(result.cost_usd)
    if result.estimate is not None:
        cost += f" (expected {display(result.estimate.expected)})"
    return f"{answers} · {cost} · {result.output}"


def _facts(result: Collection) -> Iterator[str]:
    yield _sum(result.proof)
    if result.proof.unknown_ids:
        yield f"not in the input: {_some(result.proof.unknown_ids)}"
    if result.proof.duplicate_ids:
        yield f"more than once in the results: {_some(result.proof.duplicate_ids)}"


def _sum(proof: Proof) -> str:
    parts = {
        "succeeded": proof.succeeded,
        "errored": proof.errored,
        "canceled": proof.canceled,
        "expired": proof.expired,
        "missing": proof.missing,
    }
    return f"{proof.requests:,} rows = " + " + ".join(f"{count:,} {name}" for name, count in parts.items())


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
