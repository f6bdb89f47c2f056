"""What goes wrong on a cluster is named: files, workers, versions, schedulers, credentials; the rest goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cluster_clusters import running_cluster
from distributed import Client

from costkit import __version__
from costkit.adapters.cluster import engine, reading, summaries, summarize_on_cluster, waiting
from costkit.adapters.cluster.objects import Mark
from costkit.adapters.cluster.summaries import Sizes
from costkit.adapters.cluster.tasks import Failure, Order, PiecesFailed, Setup, read_load
from costkit.adapters.logs.pieces import Piece
from costkit.adapters.logs.sources import Source
from costkit.errors import InvalidInput, OperationFailed
from costkit.report import FoldOptions

RANGES = Sizes(smallest_load=2_000, largest_load=2_000)
_PATIENCE_S = 60


def _line(number: int, tokens: int = 1) -> bytes:
    usage = {"input_tokens": tokens, "output_tokens": 1}
    message = {"id": f"msg_{number}", "type": "message", "model": "claude-opus-5-5", "usage": usage}
    return json.dumps({"timestamp": "2026-11-03T00:00:00Z", **message}).encode() + b"\n"


def _lines(tokens: int = 1) -> bytes:
    return b"".join(_line(number, tokens) for number in range(100))


def _input_tokens(summary: Any) -> int:
    return sum(tally.usage.input_tokens for tally in summary.tallies.values())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("poisoned.jsonl", "read-failed: RuntimeError: a bug that this file meets"),
        ("deadly.jsonl", "read-failed: every worker that read it died"),
    ],
)
def test_a_file_that_no_worker_survives_is_named_and_the_others_are_read(
    cluster: str, tmp_path: Path, name: str, reason: str
) -> None:
    for other in ("a.jsonl", "z.jsonl"):
        (tmp_path / other).write_bytes(_lines())
    (tmp_path / name).write_bytes(_line(1_000))
    summary = summarize_on_cluster([str(tmp_path)], FoldOptions(), cluster)
    assert _input_tokens(summary) == 100
    assert {found: omission.places for found, omission in summary.skipped.items()} == {
        reason: ((str(tmp_path / name), 0, 0),)
    }


def test_a_worker_names_all_that_it_could_not_read_at_once(tmp_path: Path) -> None:
    """One after the other, a load would be read again for each of them."""
    files = [tmp_path / f"{number}.jsonl" for number in range(5)]
    marks = {}
    for number, file in enumerate(files):
        file.write_bytes(_line(number))
        marks[str(file)] = Mark(file.stat().st_size + number % 2)
    order = Order([Piece(Source(path, named=False, size=1)) for path in marks], marks)

    with pytest.raises(PiecesFailed) as failed:
        read_load(order, Setup(FoldOptions(), str(tmp_path), 1))

    assert failed.value.failures == [Failure(1, "", changed=True), Failure(3, "", changed=True)]


def test_a_report_of_nothing_but_such_files_fails(cluster: str, tmp_path: Path) -> None:
    (tmp_path / "poisoned.jsonl").write_bytes(_line(1))
    with pytest.raises(OperationFailed, match=r"poisoned\.jsonl: nothing could be read: .*a bug that this file meets"):
        summarize_on_cluster([str(tmp_path)], FoldOptions(), cluster)


def test_an_object_that_changes_is_read_as_it_is_then(
    cluster: str, bucket: Callable[[str, bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ranges or as a whole; and a line says so."""
    url = bucket("a.jsonl", _lines())
    bucket("b.jsonl", _line(1_000))
    real, told = engine.check_workers, list[str]()

    def change_first(*arguments: Any) -> int:
        bucket("a.jsonl", _lines(tokens=2))
        bucket("b.jsonl", _line(1_000, tokens=5))
        return real(*arguments)

    monkeypatch.setattr(summaries, "check_workers", change_first)
    summary = summarize_on_cluster(
        [url.replace("a.jsonl", "*.jsonl")], FoldOptions(), cluster, sizes=RANGES, tell=told.append
    )
    assert _input_tokens(summary) == 205
    assert sorted(told) == [
        f"{url.replace('a.jsonl', name)} changed while it was read, and was read again"
        for name in ("a.jsonl", "b.jsonl")
    ]
    assert summary.skipped == {}


def test_an_object_that_never_rests_is_skipped_by_name(
    cluster: str, bucket: Callable[[str, bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = bucket("a.jsonl", _lines())
    bucket("b.jsonl", _line(1_000))
    real = engine.check_workers

    def change_first(*arguments: Any) -> int:
        bucket("a.jsonl", _lines(tokens=2))
        return real(*arguments)

    monkeypatch.setattr(summaries, "check_workers", change_first)
    monkeypatch.setattr(reading, "mark_now", lambda _path, _folder: Mark(1, "never"))
    summary = summarize_on_cluster([url.replace("a.jsonl", "*.jsonl")], FoldOptions(), cluster, sizes=RANGES)
    assert _input_tokens(summary) == 1
    assert [(reason, omission.places) for reason, omission in summary.skipped.items()] == [
        ("changed-while-read", ((url, 0, 0),))
    ]


def test_a_log_that_grows_is_read_as_on_one_machine(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(_line(1))
    real, told = engine.check_workers, list[str]()

    def grow_first(*arguments: Any) -> int:
        log.write_bytes(_line(1) + _line(2))
        return real(*arguments)

    monkeypatch.setattr(summaries, "check_workers", grow_first)
    summary = summarize_on_cluster([str(log)], FoldOptions(), cluster, tell=told.append)
    assert (_input_tokens(summary), told) == (2, [])


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CONNECT_S", 0.5)
    (tmp_path / "a.jsonl").write_bytes(_line(1))
    with pytest.raises(OperationFailed, match=r"no scheduler answers at tcp://127\.0\.0\.1:1") as raised:
        summarize_on_cluster([str(tmp_path)], FoldOptions(), "tcp://127.0.0.1:1")
    assert raised.value.exit_code == 1


def test_a_scheduler_without_workers_is_not_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WORKERS_S", 0.5)
    (tmp_path / "a.jsonl").write_bytes(_line(1))
    with running_cluster(0) as address, pytest.raises(OperationFailed, match=f"{address} has no workers"):
        summarize_on_cluster([str(tmp_path)], FoldOptions(), address)


def test_a_scheduler_that_goes_away_ends_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.5)
    monkeypatch.setattr(waiting, "_LOOK_S", 0.1)
    monkeypatch.setitem(engine._DASK, "distributed.comm.timeouts.connect", "1s")
    (tmp_path / "a.jsonl").write_bytes(_lines() * 2_000)
    with running_cluster(1) as address:
        with Client(address, set_as_default=False) as client:
            scheduler = client.run_on_scheduler(os.getpid)

        def end(_done: int, _whole: int | None) -> None:
            with suppress(ProcessLookupError):
                os.kill(scheduler, signal.SIGKILL)

        sizes = Sizes(smallest_load=1 << 20, largest_load=1 << 20)
        with pytest.raises(OperationFailed, match="scheduler"):
            summarize_on_cluster([str(tmp_path)], FoldOptions(), address, sizes=sizes, progress=end)


_WITHOUT = """
import sys
class Nothing:
    def find_spec(self, name, *_):
        if name == "costkit":
            raise ModuleNotFoundError("No module named 'costkit'")
sys.meta_path.insert(0, Nothing())
"""


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("costkit/__init__.py", "__version__ = '0.0.1'", f"it has costkit 0.0.1, this is costkit {__version__}"),
        ("sitecustomize.py", _WITHOUT, f"it has no costkit, this is costkit {__version__}"),
    ],
)
def test_a_worker_with_another_costkit_is_refused(tmp_path: Path, file: str, content: str, says: str) -> None:
    module = tmp_path / "modules" / file
    module.parent.mkdir(parents=True)
    module.write_text(content)
    (tmp_path / "a.jsonl").write_bytes(_line(1))
    with running_cluster(1, python_path=tmp_path / "modules") as address, pytest.raises(InvalidInput) as raised:
        summarize_on_cluster([str(tmp_path / "a.jsonl")], FoldOptions(), address)
    assert says in str(raised.value)
    assert "worker tcp://127.0.0.1:" in str(raised.value)


@pytest.fixture
def interrupted(cluster: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A report that was interrupted in the middle."""
    (tmp_path / "a.jsonl").write_bytes(_lines() * 20_000)
    command = [sys.executable, "-m", "costkit", "report", str(tmp_path), "--json", "--cluster", cluster]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with Client(cluster, set_as_default=False) as client:
        _until(lambda: client.run_on_scheduler(_tasks))
        process.send_signal(signal.SIGINT)
        yield process
        _until(lambda: not client.run_on_scheduler(_tasks))
    process.kill()
    process.communicate()


def _tasks(dask_scheduler: Any) -> int:
    return len(dask_scheduler.tasks)


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


def test_an_interrupted_report_leaves_no_work_on_the_cluster(interrupted: subprocess.Popen[str]) -> None:
    out, err = interrupted.communicate(timeout=_PATIENCE_S)
    assert interrupted.returncode == 130
    assert json.loads(out)["exit"] == 130
    assert "Traceback" not in err
