"""Jobs for tests of collecting: an input file, its batches at the stand-in API, and commands in this process."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_jobs import MODEL, ListSource

from costkit.adapters.batches.api import SdkBatchApi
from costkit.adapters.batches.ledger import FILE_NAME, SqliteLedger
from costkit.batch.canonical import canonical_line
from costkit.batch.job import SUBMITTED, Batch, Job, JobEstimate
from costkit.batch.ports import Created
from costkit.cli.main import main

if TYPE_CHECKING:
    import pytest
    from api_server import ApiServer


EXPIRES = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """The result of a JSON document."""
        return json.loads(self.out)["result"]

    @property
    def warnings(self) -> list[str]:
        """The codes of the warnings of a JSON document."""
        return [warning["code"] for warning in json.loads(self.out)["warnings"]]

    @property
    def error(self) -> Any:
        """The error of a JSON document."""
        return json.loads(self.out)["error"]


class Desk:
    """A folder with an input and a ledger, and a server that has its batches."""

    def __init__(self, folder: Path, server: ApiServer, capsys: pytest.CaptureFixture[str] | None = None) -> None:
        self.folder = folder
        self.server = server
        self.state = Path(os.environ["COSTKIT_STATE"])
        self._capsys = capsys

    @contextmanager
    def ledger(self) -> Iterator[SqliteLedger]:
        """The ledger that the commands use."""
        with SqliteLedger(self.state / FILE_NAME) as ledger:
            yield ledger

    def job(self, job_id: str) -> Job:
        """A job as the ledger has it."""
        with self.ledger() as ledger:
            job = ledger.job(job_id)
        assert job is not None
        return job

    def submit(self, lines: Sequence[bytes], *sizes: int, name: str = "prompts.jsonl", sent: int | None = None) -> str:
        """Write an input, send the first `sent` batches of these sizes, and record it all; returns the job's id."""
        path = self.folder / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        source, first, batches = ListSource(lines), 0, []
        with self.ledger() as ledger, SdkBatchApi(self.server.environ) as api:
            for number, size in enumerate(sizes or [len(lines)], 1):
                batch = source.cut(number, first, size)
                first += size
                batches.append(self._sent(api, source, batch) if sent is None or number <= sent else batch)
            _, account, _ = api.newest()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            ledger.add_job(
                Job(
                    digest[:12],
                    digest,
                    str(path),
                    datetime.now(UTC),
                    len(lines),
                    sum(map(len, lines)),
                    account=account,
                    estimate=JobEstimate(Decimal("0.25"), Decimal("0.5")),
                    batches=tuple(batches),
                ),
                [(index, index + 1, custom_id) for index, custom_id in enumerate(ids_of(lines))],
            )
        return digest[:12]

    def create(self, lines: Sequence[bytes]) -> str:
        """Make a batch that the ledger doesn't know; returns its id."""
        source = ListSource(lines)
        with SdkBatchApi(self.server.environ) as api:
            return str(self._sent(api, source, source.cut(1, 0, len(lines))).id)

    def change(self, job_id: str, number: int, **values: object) -> None:
        """Change what the ledger says about a batch."""
        batch = self.job(job_id).batches[number - 1]
        with self.ledger() as ledger:
            ledger.put_batch(job_id, replace(batch, **values))  # type: ignore[arg-type]

    def adopt(self, job_id: str, number: int, batch_id: str) -> None:
        """Record that a batch was found in the API's list instead of in a reply."""
        now = datetime.now(UTC)
        self.change(
            job_id, number, state=SUBMITTED, id=batch_id, adopted=True, created_at=now, expires_at=now + EXPIRES
        )  # fmt: skip

    def run(self, *arguments: object) -> Reply:
        """Run a command line in this process."""
        assert self._capsys is not None
        code = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Reply(code, captured.out, captured.err)

    def collect(self, job_id: str, *arguments: object) -> Reply:
        """`costkit batch collect … --json`."""
        return self.run("batch", "collect", job_id, *arguments, "--json")

    def rows(self, name: str = "prompts.jsonl.results.jsonl") -> list[Any]:
        """The rows of an output."""
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]

    def row_ids(self, name: str = "prompts.jsonl.results.jsonl") -> list[str]:
        """The custom_ids of an output, in order."""
        return [row["custom_id"] for row in self.rows(name)]

    def files(self) -> list[str]:
        """What is in the folder."""
        return sorted(path.name for path in self.folder.iterdir())

    def leftovers(self) -> list[str]:
        """Unfinished files in the folder, and what the state folder still holds of collecting."""
        parts = [path.name for path in self.folder.iterdir() if path.name.endswith(".part")]
        spool = self.state / "collect"
        return parts + [path.name for path in spool.rglob("*")] if spool.exists() else parts

    def _sent(self, api: SdkBatchApi, source: ListSource, batch: Batch) -> Batch:
        outcome = api.create(source.body(batch))
        assert isinstance(outcome, Created)
        remote = outcome.batch
        return replace(
            batch, state=SUBMITTED, id=remote.id, created_at=remote.created_at, expires_at=remote.expires_at
        )  # fmt: skip


def lines_of(count: int, prefix: str = "item") -> list[bytes]:
    """Canonical lines of valid requests."""
    return [canonical_line(f"{prefix}-{number}", json.dumps(_params(number)).encode()) for number in range(count)]


def _params(number: int) -> dict[str, object]:
    question = f"Name the {number}th prime."
    return {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": question}]}


def ids_of(lines: Sequence[bytes]) -> list[str]:
    """The custom_ids of canonical lines."""
    return [json.loads(line)["custom_id"] for line in lines]


__all__ = ["Desk", "Reply", "ids_of", "lines_of"]
