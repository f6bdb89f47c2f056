"""Small batch jobs for tests: items in memory, a ledger on disk, the stand-in API, and a clock that doesn't wait."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from costkit.adapters.batches.api import SdkBatchApi
from costkit.adapters.batches.ledger import SqliteLedger
from costkit.batch.job import Batch, Job
from costkit.batch.ports import Body
from costkit.batch.reconcile import Outside, Rule
from costkit.batch.submit import Conversation, send_job

if TYPE_CHECKING:
    from api_server import ApiServer

MODEL = "claude-haiku-5-5"


def lines_of(count: int, prefix: str = "item") -> list[bytes]:
    """Canonical lines of valid requests."""
    return [
        json.dumps(
            {
                "custom_id": f"{prefix}-{number}",
                "params": {
                    "model": MODEL,
                    "max_tokens": 50,
                    "messages": [{"role": "user", "content": f"Name the {number}th prime."}],
                },
            }
        ).encode()
        for number in range(count)
    ]


class ListSource:
    """Items in memory; satisfies `Source`."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = list(lines)
        self.on_chunk: Callable[[], None] = lambda: None
        """Called before each chunk, to fail or to look around while a body is sent."""

    def cut(self, number: int, first: int, requests: int) -> Batch:
        data = self._data(first, requests)
        return Batch(number, first, requests, len(data), hashlib.sha256(data).hexdigest())

    def body(self, batch: Batch) -> Body:
        return Body(batch.bytes, lambda: self._chunks(self._data(batch.first, batch.requests)))

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), 100):
            self.on_chunk()
            yield data[start : start + 100]

    def _data(self, first: int, requests: int) -> bytes:
        return b'{"requests":[' + b",".join(self.lines[first : first + requests]) + b"]}"


class PatientClock:
    """Time that passes at once; what was slept is remembered. Satisfies `Clock`."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def planned_job(source: ListSource, *sizes: int, job_id: str = "job000000001") -> Job:
    """A job of batches of these sizes, all of them planned."""
    batches, first = [], 0
    for number, size in enumerate(sizes, 1):
        batches.append(source.cut(number, first, size))
        first += size
    digest = hashlib.sha256(b"".join(line + b"\n" for line in source.lines)).hexdigest()
    size_in_bytes = sum(map(len, source.lines))
    return Job(job_id, digest, "/in.jsonl", datetime.now(UTC), first, size_in_bytes, batches=tuple(batches))


class Desk:
    """One ledger, one server and the job that is sent between them."""

    def __init__(self, folder: Path, server: ApiServer) -> None:
        self.ledger = SqliteLedger(folder / "ledger.sqlite3")
        self.api = SdkBatchApi(server.environ)
        self.clock = PatientClock()
        self.told: list[str] = []

    @property
    def outside(self) -> Outside:
        return Outside(self.api, self.ledger, self.clock)

    def add(self, source: ListSource, *sizes: int, job_id: str = "job000000001") -> Job:
        job = planned_job(source, *sizes, job_id=job_id)
        custom_ids = (str(json.loads(line)["custom_id"]) for line in source.lines)
        self.ledger.add_job(job, ((index, index + 1, custom_id) for index, custom_id in enumerate(custom_ids)))
        return job

    def send(self, source: ListSource, job_id: str = "job000000001", **rule: object) -> Job:
        conversation = Conversation(self.told.append, lambda: 0.5)
        return send_job(job_id, source, self.outside, Rule(**rule), conversation)  # type: ignore[arg-type]

    def states(self, job_id: str = "job000000001") -> list[str]:
        job = self.ledger.job(job_id)
        assert job is not None
        return [batch.state for batch in job.batches]

    def close(self) -> None:
        self.api.__exit__(None, None, None)
        self.ledger.__exit__(None, None, None)
