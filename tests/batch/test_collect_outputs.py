"""Where collected rows go: one file, two, only the texts, stdout; and what can't be written to."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from api_server import ApiServer, Outcome
from collecting import Desk, ids_of, lines_of

LINES = lines_of(12)
IDS = ids_of(LINES)
MIXED = {
    "item-3": Outcome("errored", "api_error", "Internal server error"),
    "item-4": Outcome("expired"),
    "item-7": Outcome(copies=0),
}


@pytest.fixture
def job(desk: Desk, server: ApiServer) -> str:
    """A job with two rows that failed and one that is lost."""
    server.outcomes = dict(MIXED)
    job = desk.submit(LINES, 7, 5)
    server.end()
    return job


def test_text_has_a_line_for_every_row(desk: Desk, job: str) -> None:
    reply = desk.collect(job, "--text")
    rows = desk.rows("prompts.jsonl.text.jsonl")
    assert (reply.code, reply.result["output"]) == (4, "prompts.jsonl.text.jsonl")
    assert [row["custom_id"] for row in rows] == IDS
    assert [row["custom_id"] for row in rows if row["text"] is None] == list(MIXED)
    assert rows[0]["text"].startswith("Asked 'Name the 0th prime.'")
    assert {tuple(row) for row in rows} == {("custom_id", "text")}
    assert reply.warnings == ["text-without-answer"]


def test_split_parts_answers_from_failures(desk: Desk, job: str) -> None:
    reply = desk.collect(job, "--split", "ok.jsonl,failed.jsonl")
    assert reply.result["output"] == "ok.jsonl,failed.jsonl"
    assert desk.row_ids("ok.jsonl") == [name for name in IDS if name not in MIXED]
    assert [row["result"]["type"] for row in desk.rows("failed.jsonl")] == ["errored", "expired"]
    assert desk.files() == ["failed.jsonl", "ok.jsonl", "prompts.jsonl"]


def test_split_with_text_keeps_the_failures_as_they_are(desk: Desk, job: str) -> None:
    desk.collect(job, "--split", "ok.jsonl,failed.jsonl", "--text")
    assert set(desk.rows("ok.jsonl")[0]) == {"custom_id", "text"}
    assert [row["result"]["type"] for row in desk.rows("failed.jsonl")] == ["errored", "expired"]


def test_any_order_is_the_order_of_arrival(desk: Desk, server: ApiServer, job: str) -> None:
    desk.collect(job, "--order", "any")
    arrived = [
        json.loads(line)["custom_id"]
        for batch in server.batches
        for line in batch.results_file.read_text(encoding="utf-8").splitlines()
    ]
    assert desk.row_ids() == arrived != sorted(arrived, key=IDS.index)


def test_output_to_stdout_leaves_the_summary_to_stderr(desk: Desk, job: str) -> None:
    reply = desk.run("batch", "collect", job, "-o", "-")
    assert reply.code == 4
    assert [json.loads(line)["custom_id"] for line in reply.out.splitlines()] == [n for n in IDS if n != "item-7"]
    assert "12 rows = 9 succeeded + 1 errored + 0 canceled + 1 expired + 1 missing" in reply.err.splitlines()
    assert desk.files() == ["prompts.jsonl"]
    assert desk.job(job).state == "collected"


@pytest.mark.parametrize("flags", [("--json",), ("--format", "csv")])
def test_rows_and_a_document_can_t_share_stdout(desk: Desk, job: str, flags: tuple[str, ...]) -> None:
    reply = desk.run("batch", "collect", job, "-o", "-", *flags)
    assert reply.code == 2
    assert "write the rows to a file" in reply.err


def test_a_device_takes_the_rows_as_they_are(desk: Desk, job: str) -> None:
    assert desk.collect(job, "-o", "/dev/null").code == 4
    assert desk.leftovers() == []


def test_a_link_keeps_pointing_at_its_target(desk: Desk, job: str) -> None:
    (desk.folder / "real.jsonl").write_text("old\n")
    (desk.folder / "link.jsonl").symlink_to("real.jsonl")
    desk.collect(job, "-o", "link.jsonl")
    assert (desk.folder / "link.jsonl").is_symlink()
    assert len(desk.rows("real.jsonl")) == 11


def test_the_permissions_of_a_file_that_is_replaced_are_kept(desk: Desk, job: str) -> None:
    target = desk.folder / "prompts.jsonl.results.jsonl"
    target.write_text("old\n")
    target.chmod(0o640)
    desk.collect(job)
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("-o", "prompts.jsonl"), "would be overwritten"),
        (("--split", "ok.jsonl"), "is not two files"),
        (("--split", "same.jsonl,./same.jsonl"), "are the same"),
        (("--split", "ok.jsonl,failed.jsonl", "-o", "all.jsonl"), "contradict"),
        (("--order", "random"), "--order"),
        (("--timeout", "soon"), "not a length of time"),
        (("--poll", "-5"), "not a length of time"),
        (("--offline",), "--offline"),
    ],
)
def test_flags_that_make_no_sense_are_refused_before_anything_is_fetched(
    desk: Desk, server: ApiServer, job: str, flags: tuple[str, ...], words: str
) -> None:
    server.requests.clear()
    reply = desk.run("batch", "collect", job, *flags)
    assert (reply.code, reply.out) == (2, "")
    assert words in reply.err
    assert server.requests == []
    assert (desk.folder / "prompts.jsonl").read_bytes() == b"".join(line + b"\n" for line in LINES)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("-o", "nowhere/results.jsonl"), "there is no folder"),
        (("-o", "."), "it is a folder"),
        (("--split", "ok.jsonl,nowhere/failed.jsonl"), "there is no folder"),
    ],
)
def test_an_output_that_can_t_be_is_said_before_anything_is_fetched(
    desk: Desk, server: ApiServer, job: str, flags: tuple[str, ...], words: str
) -> None:
    server.requests.clear()
    reply = desk.collect(job, *flags)
    assert (reply.code, reply.error["code"], reply.error["retryable"]) == (1, "write-failed", False)
    assert words in reply.err
    assert server.requests == []


def test_any_batch_can_be_collected_without_a_ledger(desk: Desk, server: ApiServer) -> None:
    """The rows come as they arrived: nobody knows the input."""
    server.outcomes = {"item-3": Outcome("expired"), "item-5": Outcome(copies=2), "item-7": Outcome(copies=0)}
    batch_id = desk.create(LINES)
    server.end()
    reply = desk.collect(batch_id)
    result = reply.result
    assert (reply.code, result["job"], result["next"]) == (4, batch_id, None)
    assert (result["requests"], result["succeeded"], result["expired"], result["missing"]) == (12, 10, 1, 1)
    assert (result["duplicate_ids"], result["estimated_cost_usd"]) == (["item-5"], None)
    assert sorted(desk.row_ids(f"{batch_id}.results.jsonl")) == sorted(set(IDS) - {"item-7"})
    assert reply.warnings == ["unknown-input"]


def test_the_id_of_a_batch_of_a_job_means_the_job(desk: Desk, server: ApiServer, job: str) -> None:
    assert desk.collect(server.batches[1].id).result["job"] == job
    assert len(desk.row_ids()) == 11


def collect_in_a_process(
    desk: Desk, job: str, *flags: str, limit: int | None = None
) -> subprocess.CompletedProcess[str]:
    def confine() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "costkit", "batch", "collect", job, *flags],
        capture_output=True,
        cwd=desk.folder,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=confine,
    )


def test_a_disk_that_fills_up_is_an_error_and_loses_nothing(desk: Desk, server: ApiServer) -> None:
    lines = lines_of(400)
    job = desk.submit(lines)
    server.end()
    done = collect_in_a_process(desk, job, "--json", limit=150_000)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "write-failed"
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert desk.leftovers() == []
    assert collect_in_a_process(desk, job).returncode == 0
    assert desk.row_ids() == ids_of(lines)


def test_a_full_device_is_an_error(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES)
    server.end()
    done = collect_in_a_process(desk, job, "-o", "/dev/full")
    assert (done.returncode, "No space left" in done.stderr) == (1, True)
    assert desk.job(job).state == "ended"


def test_a_reader_that_goes_away_ends_quietly_and_nothing_counts_as_collected(
    desk: Desk, server: ApiServer, tmp_path: Path
) -> None:
    job = desk.submit(lines_of(400))
    server.end()
    command = f"{sys.executable} -m costkit batch collect {job} -o - 2>err.txt | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )  # fmt: skip
    first, code = done.stdout.splitlines()
    assert json.loads(first)["custom_id"] == "item-0"
    assert code == "0"
    assert "Traceback" not in (tmp_path / "err.txt").read_text()
    assert desk.job(job).state == "ended"
