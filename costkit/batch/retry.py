"""Which failed items are sent once more: those whose class says so, at most three times each."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from costkit.batch.classes import BY_CODE, BY_DEFAULT, CLASSES, DONE, ERRORED, NEVER, PAUSES, error_of
from costkit.batch.failures import Failures
from costkit.batch.outcome import Outcome
from costkit.batch.results import Place
from costkit.batch.status import JobStatus
from costkit.core.suggest import close_names
from costkit.errors import InvalidInput

MOST_ATTEMPTS = 3


@dataclass(slots=True)
class RetryPlan:
    """What a retry would send, and what it would leave."""

    include: frozenset[str]
    """The classes that are sent beyond those that always are."""
    failures: Failures = field(default_factory=Failures)
    chosen: array[int] = field(default_factory=lambda: array("q"))
    """Positions in the input, ascending."""
    by_class: Counter[str] = field(default_factory=Counter)
    """How many are chosen of each class."""
    exhausted: int = 0
    """Items of a chosen class that have been sent three times already."""
    paused: int = 0
    """Items whose class stops a retry until it is asked for: others would fail in the same way."""

    @property
    def sends(self) -> bool:
        """Whether there is anything to send now."""
        return bool(self.chosen) and not self.paused


def read_include(text: str | None) -> frozenset[str]:
    """Read `--include`; raises `InvalidInput` for a class that doesn't exist or can't be sent again."""
    codes = [code.strip() for code in (text or "").split(",") if code.strip()]
    for code in codes:
        entry = BY_CODE.get(code)
        if entry is None:
            known = [entry.code for entry in CLASSES if entry.retry != NEVER]
            close = close_names(code, known)
            hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(known)}"
            raise InvalidInput(f"--include: there is no class {code!r}", hint=hint)
        if entry.retry == NEVER:
            raise InvalidInput(f"--include: {code} is never sent again", hint=entry.todo)
    return frozenset(codes)


def plan_retry(
    outcomes: Iterable[Outcome], read: Callable[[Place], Mapping[str, Any]], include: frozenset[str]
) -> RetryPlan:
    """Choose the items to send again; `read` fetches the result of an errored one, for its message."""
    plan = RetryPlan(include)
    for outcome in outcomes:
        if outcome.category == DONE:
            continue
        error = error_of(read(outcome.place)) if outcome.place and outcome.type == ERRORED else None
        plan.failures.add(outcome, error)
        entry = BY_CODE[outcome.category]
        if entry.retry != BY_DEFAULT and entry.code not in include:
            plan.paused += entry.retry == PAUSES
        elif outcome.attempts >= MOST_ATTEMPTS:
            plan.exhausted += 1
        else:
            plan.chosen.append(outcome.position)
            plan.by_class[entry.code] += 1
    return plan


@dataclass(frozen=True, slots=True)
class Retry:
    """The result of `costkit batch retry`."""

    parent: str
    attempt: int
    """Of the job that is made; the first submission is attempt 1."""
    plan: RetryPlan | None
    """`None` where a retry that was interrupted is finished."""
    status: JobStatus | None = None
    """The job that was made; `None` where nothing is to be sent."""

    @property
    def next(self) -> str | None:
        """The command to type next."""
        if self.status is not None:
            sent = all(batch.id is not None for batch in self.status.batches)
            return f"costkit batch collect {self.parent} --wait" if sent else f"costkit batch retry {self.parent}"
        if self.plan is not None and self.plan.paused:
            return f"costkit batch retry {self.parent} --include credit"
        return None

    def as_json(self) -> dict[str, object]:
        """The `result` of `costkit batch retry --json`."""
        plan, status = self.plan, self.status
        return {
            "job": status.job if status else None,
            "parent": self.parent,
            "attempt": self.attempt,
            "state": status.state if status else None,
            "requests": status.requests if status else 0,
            "batches": status.batches if status else [],
            "cost_usd": status.cost_usd if status else None,
            "classes": _classes(plan) if plan else [],
            "exhausted": plan.exhausted if plan else 0,
            "paused": plan.paused if plan else 0,
            "next": self.next,
        }


def _classes(plan: RetryPlan) -> list[dict[str, object]]:
    return [{**row.as_json(), "retried": plan.by_class[row.failure.code]} for row in plan.failures.rows()]
