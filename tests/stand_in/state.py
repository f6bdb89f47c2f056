"""All that the stand-in knows: accounts, batches, faults and its clock."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stand_in.batches import Processing, StoredBatch, process
from stand_in.faults import FaultScript
from stand_in.intake import Intake
from stand_in.values import Account, Fault, Outcome, Received

ORGANIZATION = "00000000-0000-4000-8000-000000000001"
WORKSPACE = "wrkspc_01StandIn"


class State:
    """The server without its socket; every attribute may be changed while it runs."""

    def __init__(self, key: str, folder: Path, seconds_per_batch: float | None) -> None:
        self.key = key
        self.folder = folder
        self.seconds_per_batch = seconds_per_batch
        """How long a batch takes; `None`: until `end` is called."""
        self.keys = {key: Account(ORGANIZATION, WORKSPACE)}
        self.requests: list[Received] = []
        self.batches: list[StoredBatch] = []
        """The batches that were really created, oldest first, deleted ones too."""
        self.retired_models: set[str] = set()
        self.outcomes: dict[str, Outcome] = {}
        """How items end, by custom_id; all others end as their parameters deserve."""
        self.said: dict[str, dict[str, Any]] = {}
        """Fields of a Message that are not as usual, by a phrase of the prompt's last message."""
        self.unknown_results: list[str] = []
        """custom_ids that appear in the results of every batch although nobody asked."""
        self.list_delay_s = 0.0
        """A new batch is missing from lists for this long …"""
        self.list_delay_looks = 0
        """… and from this many of them."""
        self.results_host: str | None = None
        """What `results_url` begins with, if it isn't this server."""
        self.compress_results = False
        """Whether results are sent with gzip to those who take it."""
        self.max_body_bytes = 32_000_000
        self.max_batch_bytes = 256_000_000
        self.max_batch_requests = 100_000
        self.clock_ahead = timedelta()
        """How far the server's clock is ahead of the machine's."""
        self.usage_buckets: list[dict[str, object]] = []
        """What the usage report holds, a bucket a day."""
        self.cost_buckets: list[dict[str, object]] = []
        """What the cost report holds, a bucket a day."""
        self.script = FaultScript()
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self.cache: set[bytes] = set()
        """The prompt prefixes seen so far."""

    @property
    def creates(self) -> int:
        """How many batches were really created."""
        return len(self.batches)

    def now(self) -> datetime:
        """The server's clock."""
        return datetime.now(UTC) + self.clock_ahead

    def fail(self, *faults: Fault) -> None:
        """Script the next requests, in order of arrival."""
        self.script.add(*faults)

    def add_key(self, key: str, organization_id: str, workspace_id: str | None = None) -> None:
        """Let another key in, of another account unless the ids are the same."""
        self.keys[key] = Account(organization_id, workspace_id)

    def add_admin_key(self, key: str) -> None:
        """Let an admin key in."""
        self.keys[key] = Account(ORGANIZATION, None, is_admin=True)

    def add_batch(self, intake: Intake, account: Account, version: str) -> StoredBatch:
        """Create a batch."""
        with self.lock:
            now = self.now()
            seconds = self.seconds_per_batch
            batch = StoredBatch(
                id=f"msgbatch_{uuid.uuid4().hex}",
                number=len(self.batches) + 1,
                account=account,
                version=version,
                intake=intake,
                created_at=now,
                due_at=None if seconds is None else now + timedelta(seconds=seconds),
                hidden_until=now + timedelta(seconds=self.list_delay_s),
                hidden_looks=self.list_delay_looks,
            )
            self.batches.append(batch)
            return batch

    def batch(self, batch_id: str) -> StoredBatch:
        """A batch by its id; `KeyError` if there is none or it was deleted."""
        with self.lock:
            found = next((batch for batch in self.batches if batch.id == batch_id and not batch.deleted), None)
        if found is None:
            raise KeyError(batch_id)
        return found

    def end(self, batch_id: str | None = None) -> None:
        """End a batch, or all of them, now."""
        with self.lock:
            chosen = [self.batch(batch_id)] if batch_id else list(self.batches)
        for batch in chosen:
            self._finish(batch)

    def expire(self, batch_id: str) -> None:
        """End a batch that ran out of time: half of its items have expired."""
        batch = self.batch(batch_id)
        batch.expired = True
        self._finish(batch)

    def cancel(self, batch: StoredBatch) -> None:
        """Begin to cancel a batch: half of its items are done already."""
        with batch.lock:
            batch.processing_status = "canceling"
            batch.cancel_initiated_at = batch.cancel_initiated_at or self.now()
            if batch.due_at and self.seconds_per_batch is not None:
                batch.due_at = min(batch.due_at, self.now() + timedelta(seconds=self.seconds_per_batch / 10))

    def age(self, batch_id: str, by: timedelta) -> None:
        """Move the life of a batch into the past; 29 days after its creation its results are gone."""
        batch = self.batch(batch_id)
        with batch.lock:
            batch.created_at -= by
            batch.ended_at = batch.ended_at and batch.ended_at - by

    def look(self, batch: StoredBatch) -> None:
        """Let time pass for a batch."""
        now = self.now()
        if batch.due_at and batch.due_at <= now:
            self._finish(batch)
        if batch.created_at + timedelta(days=29) < now and batch.archived_at is None:
            batch.archived_at = batch.created_at + timedelta(days=29)

    def visible(self, account: Account) -> list[StoredBatch]:
        """The batches that a list of this account shows, newest first; counts as a look."""
        shown = []
        with self.lock:
            for batch in reversed(self.batches):
                if batch.account != account or batch.deleted:
                    continue
                if batch.hidden_looks > 0:
                    batch.hidden_looks -= 1
                elif batch.hidden_until <= self.now():
                    shown.append(batch)
        for batch in shown:
            self.look(batch)
        return shown

    def model_exists(self, model: str) -> bool:
        """Whether the API has a model of this name."""
        return model.startswith("claude-") and model not in self.retired_models

    def _finish(self, batch: StoredBatch) -> None:
        with batch.lock:
            if batch.processing_status == "ended":
                return
            processing = Processing(
                outcomes=dict(self.outcomes),
                unknown_results=tuple(self.unknown_results),
                failure_of=self.script.item,
                model_exists=self.model_exists,
                cache=self.cache,
                max_item_bytes=self.max_body_bytes,
            )
            process(batch, processing, self.now())
