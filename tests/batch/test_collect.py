"""Collecting: every row of the input once and in order, whatever the download goes through, and a proof of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api_server import ApiServer, Fault, Outcome
from collecting import Desk, ids_of, lines_of

LINES = lines_of(20)
IDS = ids_of(LINES)


def test_rows_come_in_the_order_of_the_input(desk: Desk, server: ApiServer) -> None:
    """The server shuffles the results of each batch."""
    job = desk.submit(LINES, 12, 8)
    server.end()
    reply = desk.collect(job)
    assert reply.code == 0
    assert desk.row_ids() == IDS
    assert {row["result"]["type"] for row in desk.rows()} == {"succeeded"}


def test_the_result_says_where_every_row_went(desk: Desk, server: ApiServer) -> None:
    server.outcomes = {
        "item-3": Outcome("errored", "invalid_request_error", "messages.0: bad"),
        "item-4": Outcome("expired"),
        "item-5": Outcome("canceled"),
        "item-6": Outcome("errored", "overloaded_error", "Overloaded"),
        "item-7": Outcome(copies=0),
    }
    job = desk.submit(LINES, 12, 8)
    server.end()
    reply = desk.collect(job)
    result = reply.result
    assert reply.code == 4
    assert {name: result[name] for name in ("requests", "succeeded", "errored", "canceled", "expired", "missing")} == {
        "requests": 20,
        "succeeded": 15,
        "errored": 2,
        "canceled": 1,
        "expired": 1,
        "missing": 1,
    }
    assert (result["job"], result["output"]) == (job, "prompts.jsonl.results.jsonl")
    assert result["next"] == f"costkit batch retry {job}"
    assert desk.row_ids() == [name for name in IDS if name != "item-7"]


def test_the_cost_is_that_of_a_report_on_the_output(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES)
    server.end()
    result = desk.collect(job).result
    report = desk.run("report", "prompts.jsonl.results.jsonl", "--json").result
    assert result["cost_usd"] == report["total"]["cost_usd"] != "0"
    assert result["rows"] == report["rows"]
    assert result["estimated_cost_usd"] == {"expected": "0.25", "ceiling": "0.5"}


def test_the_rows_are_the_api_s_own_lines(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES[:3])
    server.end()
    desk.collect(job)
    own = server.batches[0].results_file.read_text(encoding="utf-8").splitlines()
    collected = (desk.folder / "prompts.jsonl.results.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(collected) == sorted(own)


def test_afterwards_the_job_is_collected_and_nothing_is_left(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 12, 8)
    server.end()
    desk.collect(job)
    recorded = desk.job(job)
    assert recorded.state == "collected"
    assert recorded.output == str(desk.folder / "prompts.jsonl.results.jsonl")
    assert desk.leftovers() == []


def test_collecting_again_gives_the_same_file(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES)
    server.end()
    first = desk.collect(job)
    content = (desk.folder / "prompts.jsonl.results.jsonl").read_bytes()
    again = desk.collect(job)
    assert (again.code, again.out) == (0, first.out)
    assert (desk.folder / "prompts.jsonl.results.jsonl").read_bytes() == content


@pytest.mark.parametrize(
    "fault",
    [
        Fault(on="results", cut="short", times=3),
        Fault(on="results", cut="short", cut_at=0.0),
        Fault(on="results", cut="lines", times=3),
        Fault(on="results", cut="reset", times=3),
        Fault(on="results", cut="close", times=3),
        Fault(on="results", reset=True),
        Fault(on="results", status=529, headers={"retry-after": "0.01"}),
        Fault(on="results", status=429, headers={"retry-after": "0.01"}),
    ],
    ids=lambda fault: fault.cut or str(fault.status),
)
def test_a_broken_download_is_made_again(desk: Desk, server: ApiServer, fault: Fault) -> None:
    job = desk.submit(LINES)
    server.end()
    server.fail(fault)
    assert desk.collect(job).code == 0
    assert desk.row_ids() == IDS
    assert desk.leftovers() == []


def test_a_download_that_never_works_ends_with_an_error_and_leaves_no_output(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 12, 8)
    server.end()
    server.fail(Fault(on="results", cut="short", skip=1, times=100))
    reply = desk.collect(job)
    assert (reply.code, reply.error["code"], reply.error["retryable"]) == (1, "download-failed", True)
    assert not (desk.folder / "prompts.jsonl.results.jsonl").exists()
    assert desk.job(job).state == "ended"


def test_what_was_downloaded_whole_is_not_downloaded_again(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 12, 8)
    server.end()
    server.fail(Fault(on="results", cut="short", skip=1, times=100))
    desk.collect(job)
    server.script.clear()
    server.requests.clear()
    assert desk.collect(job).code == 0
    fetched = [request.path for request in server.requests if request.path.endswith("/results")]
    assert fetched == [f"/v1/messages/batches/{server.batches[1].id}/results"]
    assert desk.row_ids() == IDS


def test_a_redirect_is_not_followed(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES)
    server.end()
    server.fail(Fault(on="results", redirect_to="http://127.0.0.1:9/elsewhere"))
    reply = desk.collect(job)
    assert (reply.code, "not followed" in reply.err) == (2, True)


def test_results_never_come_from_the_results_url(desk: Desk, server: ApiServer) -> None:
    server.results_host = "http://127.0.0.1:9"
    job = desk.submit(LINES)
    server.end()
    assert desk.collect(job).code == 0


def test_unknown_and_duplicate_ids_are_named(desk: Desk, server: ApiServer) -> None:
    server.unknown_results = ["stranger-1", "stranger-2"]
    server.outcomes = {"item-2": Outcome(copies=2), "item-5": Outcome(copies=3)}
    job = desk.submit(LINES)
    server.end()
    reply = desk.collect(job)
    assert reply.code == 4
    assert reply.result["unknown_ids"] == ["stranger-1", "stranger-2"]
    assert reply.result["duplicate_ids"] == ["item-2", "item-5"]
    assert (reply.result["succeeded"], reply.result["missing"]) == (20, 0)
    assert desk.row_ids() == IDS


def test_a_duplicate_does_not_hide_a_lost_row(desk: Desk, server: ApiServer) -> None:
    """The number of lines is right, so counting lines would not notice."""
    server.outcomes = {"item-2": Outcome(copies=2), "item-5": Outcome(copies=0)}
    job = desk.submit(LINES)
    server.end()
    result = desk.collect(job).result
    assert (result["succeeded"], result["missing"], result["duplicate_ids"]) == (19, 1, ["item-2"])


@pytest.mark.parametrize("theirs", [lines_of(8, "theirs"), [*LINES[13:], lines_of(1, "theirs")[0]]])
def test_an_adopted_batch_of_somebody_else_is_released(desk: Desk, server: ApiServer, theirs: list[bytes]) -> None:
    """Most of its custom_ids may be the same by chance; ours would have them all."""
    job = desk.submit(LINES, 12, 8, sent=1)
    foreign = desk.create(theirs)
    desk.adopt(job, 2, foreign)
    server.end()
    reply = desk.collect(job)
    assert (reply.code, reply.result["succeeded"], reply.result["missing"]) == (4, 12, 8)
    assert (reply.result["unknown_ids"], reply.warnings) == ([], ["foreign-batch"])
    assert reply.result["next"] == f"costkit batch retry {job}"
    assert [batch.state for batch in desk.job(job).batches] == ["collected", "released"]
    assert desk.row_ids() == IDS[:12]
    again = desk.collect(job)
    assert (again.code, again.result) == (4, reply.result)


def test_an_adopted_batch_that_is_ours_stays(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 12, 8, sent=1)
    desk.adopt(job, 2, desk.create(LINES[12:]))
    server.outcomes = {"item-15": Outcome(copies=0)}
    server.end()
    reply = desk.collect(job)
    assert (reply.result["succeeded"], reply.result["missing"], reply.warnings) == (19, 1, [])
    assert desk.job(job).state == "collected"


def test_results_older_than_29_days_are_gone(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES)
    server.end()
    desk.collect(job)
    batch = server.batches[0]
    server.age(batch.id, timedelta(days=30))
    desk.change(job, 1, created_at=batch.created_at)
    reply = desk.collect(job)
    assert (reply.code, reply.error["code"], reply.error["retryable"]) == (1, "results-gone", False)
    assert desk.row_ids() == IDS


def test_a_deleted_batch_means_missing_rows(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 12, 8)
    server.end()
    server.batches[1].deleted = True
    reply = desk.collect(job)
    assert (reply.code, reply.result["succeeded"], reply.result["missing"]) == (4, 12, 8)
    assert reply.warnings == ["deleted-batch"]


def test_rows_that_were_never_sent_are_missing_and_submit_is_next(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 12, 8, sent=1)
    server.end()
    reply = desk.collect(job)
    assert (reply.code, reply.result["missing"]) == (4, 8)
    assert reply.result["next"] == f"costkit batch submit {desk.folder}/prompts.jsonl"
    assert desk.job(job).state == "planned"


def test_a_job_of_which_nothing_was_sent_can_t_be_collected(desk: Desk) -> None:
    reply = desk.collect(desk.submit(LINES, sent=0))
    assert (reply.code, reply.error["code"]) == (2, "nothing-sent")


def test_a_model_without_a_price_leaves_the_cost_unknown(desk: Desk, server: ApiServer) -> None:
    lines = [line.replace(b"claude-haiku-5-5", b"claude-of-tomorrow-9") for line in LINES[:2]] + LINES[2:]
    job = desk.submit(lines)
    server.end()
    reply = desk.collect(job)
    assert (reply.code, reply.result["cost_usd"], reply.result["rows"][0]["requests"]) == (0, None, 18)
    assert reply.warnings == ["unpriced"]


def test_the_price_is_that_of_the_day_of_the_batch(desk: Desk, server: ApiServer) -> None:
    """Results don't say when they were made, but their batch does."""
    job = desk.submit(LINES)
    server.end()
    assert desk.collect(job).result["cost_usd"] == desk.collect(job, "--as-of", "2020-01-01").result["cost_usd"]


def test_another_account_s_key_is_refused(desk: Desk, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """To another account the batches would look deleted, and all rows missing."""
    server.add_key("sk-ant-other", "00000000-0000-4000-8000-00000000000f")
    job = desk.submit(LINES)
    server.end()
    desk.collect(job)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-other")
    reply = desk.collect(job)
    assert (reply.code, reply.error["code"]) == (2, "other-account")
    assert desk.row_ids() == IDS


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nothing", "unknown-job"),
        ("msgbatch_../../etc", "unknown-job"),
        ("msgbatch_0123", "not-found"),
    ],
)
def test_what_does_not_exist_is_said(desk: Desk, name: str, code: str) -> None:
    reply = desk.collect(name)
    assert (reply.code, reply.error["code"]) == (2, code)


def test_the_table_says_what_to_do_next(desk: Desk, server: ApiServer) -> None:
    server.outcomes = {
        "item-3": Outcome("errored", "invalid_request_error", "messages.0: bad"),
        "item-4": Outcome("expired"),
        "item-6": Outcome(stop_reason="max_tokens"),
    }
    job = desk.submit(LINES)
    server.end()
    reply = desk.run("batch", "collect", job)
    assert reply.code == 4
    lines = reply.out.splitlines()
    assert lines[0].startswith("18 of 20 rows have their answer · $0.00")
    assert [line.split()[0] for line in lines[2:5]] == ["expired", "invalid", "truncated"]
    assert "line 4" in reply.out
    assert "20 rows = 18 succeeded + 1 errored + 0 canceled + 1 expired + 0 missing" in lines
    assert reply.err.splitlines()[-1] == f"costkit batch retry {job}"
