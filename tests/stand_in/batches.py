"""A Message Batch as the stand-in keeps it, and how it ends."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from stand_in.answers import answer
from stand_in.intake import Intake
from stand_in.rules import message_problem
from stand_in.values import Account, Outcome

EXPIRES = timedelta(hours=24)
_ENDS = ("succeeded", "errored", "canceled", "expired")


@dataclass(slots=True)
class StoredBatch:
    """One batch that was really created."""

    id: str
    number: int
    """From 1, in order of creation."""
    account: Account
    version: str
    """The API version of the create call: it decides which parameters exist."""
    intake: Intake
    created_at: datetime
    due_at: datetime | None
    """When it ends by itself."""
    hidden_until: datetime
    hidden_looks: int
    """How many more lists don't show it yet."""
    processing_status: str = "in_progress"
    cancel_initiated_at: datetime | None = None
    ended_at: datetime | None = None
    archived_at: datetime | None = None
    deleted: bool = False
    expired: bool = False
    """Whether time ran out: half of the items are done."""
    counts: Mapping[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def sha256(self) -> str:
        """Of the body that created it."""
        return self.intake.sha256

    @property
    def requests(self) -> int:
        """How many requests it has."""
        return self.intake.requests

    @property
    def custom_ids(self) -> list[str]:
        """In the order they were sent."""
        return [item["custom_id"] for item in self.intake.items()]

    @property
    def results_file(self) -> Path:
        """Where its results are once it has ended."""
        return self.intake.path.with_suffix(".jsonl")

    def document(self, results_host: str) -> dict[str, Any]:
        """The MessageBatch as the API writes it; counts stay 0 until the whole batch has ended."""
        ended = self.processing_status == "ended"
        available = ended and self.archived_at is None
        counts = {"processing": 0 if ended else self.requests, **{name: self.counts.get(name, 0) for name in _ENDS}}
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.processing_status,
            "request_counts": counts,
            "created_at": timestamp(self.created_at),
            "expires_at": timestamp(self.created_at + EXPIRES),
            "ended_at": timestamp(self.ended_at),
            "cancel_initiated_at": timestamp(self.cancel_initiated_at),
            "archived_at": timestamp(self.archived_at),
            "results_url": f"{results_host}/v1/messages/batches/{self.id}/results" if available else None,
        }


@dataclass(frozen=True, slots=True)
class Processing:
    """What decides how the items of a batch end."""

    outcomes: Mapping[str, Outcome]
    """By custom_id."""
    unknown_results: tuple[str, ...]
    """custom_ids that get a line although nobody asked for them."""
    failure_of: Callable[[int, str], Outcome | None]
    """The random failure of an item, by number of the batch and custom_id."""
    model_exists: Callable[[str], bool]
    cache: set[bytes]
    max_item_bytes: int


def process(batch: StoredBatch, processing: Processing, now: datetime) -> None:
    """End a batch: write its results in shuffled order and set its counts."""
    order = list(range(batch.requests))
    dice = Random(batch.number)  # noqa: S311 - repeatable on purpose
    dice.shuffle(order)
    counts: Counter[str] = Counter()
    with batch.results_file.open("w", encoding="utf-8") as file:
        for index, item in zip(order, batch.intake.items(order), strict=True):
            outcome = _outcome(batch, item, processing, interrupted=dice.random() < 0.5)
            if batch.intake.size(index) > processing.max_item_bytes:
                outcome = Outcome("errored", "request_too_large", "Request exceeds the maximum size")
            counts[outcome.type] += 1
            line = json.dumps(_line(batch, item, outcome, processing.cache), ensure_ascii=False) + "\n"
            file.write(line * outcome.copies)
        for custom_id in processing.unknown_results:
            file.write(json.dumps({"custom_id": custom_id, "result": {"type": "expired"}}) + "\n")
    batch.counts = counts
    batch.ended_at = now
    batch.processing_status = "ended"


def timestamp(moment: datetime | None) -> str | None:
    """A moment as the API writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if moment else None


def _outcome(batch: StoredBatch, item: Mapping[str, Any], processing: Processing, *, interrupted: bool) -> Outcome:
    custom_id, params = item["custom_id"], item["params"]
    if custom_id in processing.outcomes:
        return processing.outcomes[custom_id]
    if interrupted and batch.cancel_initiated_at:
        return Outcome("canceled")
    if interrupted and batch.expired:
        return Outcome("expired")
    problem = message_problem(params, batch.version, in_batch=True)
    if problem:
        return Outcome("errored", "invalid_request_error", problem)
    if not processing.model_exists(params["model"]):
        return Outcome("errored", "not_found_error", f"model: {params['model']}")
    return processing.failure_of(batch.number, custom_id) or Outcome()


def _line(batch: StoredBatch, item: Mapping[str, Any], outcome: Outcome, cache: set[bytes]) -> dict[str, Any]:
    return {"custom_id": item["custom_id"], "result": dict(_result(batch, item, outcome, cache))}


def _result(
    batch: StoredBatch, item: Mapping[str, Any], outcome: Outcome, cache: set[bytes]
) -> Iterator[tuple[str, Any]]:
    yield "type", outcome.type
    name = f"{batch.id}/{item['custom_id']}"
    if outcome.type == "succeeded":
        message = answer(item["params"], name=name, tier="batch", cache=cache)
        yield "message", {**message, "stop_reason": outcome.stop_reason or message["stop_reason"]}
    elif outcome.type == "errored":
        details = {"details": {"error_code": outcome.error_code}} if outcome.error_code else {}
        content = {"type": outcome.error_type, "message": outcome.message, **details}
        yield "error", {"type": "error", "error": content, "request_id": f"req_{batch.number:04}_{item['custom_id']}"}
