"""Retrying: which rows are sent again, from which bytes, how often, and how the answers come together."""

from __future__ import annotations

import pytest
from api_server import ApiServer, Fault, Outcome
from collecting import Desk, ids_of, lines_of

from costkit.cli.batch_gather import retrying

LINES = lines_of(10)
IDS = ids_of(LINES)
BUSY = Outcome("errored", "overloaded_error", "Overloaded")
EXPIRED = Outcome("expired")
LIMITED = Outcome("errored", "rate_limit_error", "slow down")
CANCELED = Outcome("canceled")
INVALID = Outcome("errored", "invalid_request_error", "messages.0.content: image could not be decoded")
SPENT = Outcome("errored", "rate_limit_error", "limit reached", "enforced_spend_limit_reached")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTKIT_RECONCILE_WAIT_S", "0")


def ended(desk: Desk, server: ApiServer, outcomes: dict[str, Outcome], *sizes: int) -> str:
    """A job that has ended like this."""
    server.outcomes = outcomes
    job = desk.submit(LINES, *sizes)
    server.end()
    return job


def classes(result: dict[str, object]) -> dict[str, tuple[int, int]]:
    """Rows and retried rows of each class."""
    found = result["classes"]
    assert isinstance(found, list)
    return {row["class"]: (row["requests"], row["retried"]) for row in found}


def test_what_was_free_and_may_pass_is_sent_again(desk: Desk, server: ApiServer) -> None:
    failed = {"item-1": EXPIRED, "item-3": BUSY, "item-4": LIMITED, "item-5": INVALID, "item-6": CANCELED}
    job = ended(desk, server, failed, 6, 4)
    reply = desk.run("batch", "retry", job, "--yes", "--json")
    assert reply.code == 0
    assert server.batches[2].custom_ids == ["item-1", "item-3", "item-4"]
    assert classes(reply.result) == {
        "expired": (1, 1),
        "server": (1, 1),
        "rate-limited": (1, 1),
        "canceled": (1, 0),
        "invalid": (1, 0),
    }
    assert reply.result["parent"] == job
    assert (reply.result["attempt"], reply.result["requests"], reply.result["state"]) == (2, 3, "submitted")
    assert reply.result["next"] == f"costkit batch collect {job} --wait"


def test_the_bytes_are_those_of_the_first_time(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": EXPIRED, "item-8": EXPIRED})
    desk.run("batch", "retry", job, "--yes")
    assert list(server.batches[1].intake.items()) == [item for item in _items(server) if item["custom_id"] in _FAILED]


_FAILED = ("item-1", "item-8")


def _items(server: ApiServer) -> list[dict[str, object]]:
    return list(server.batches[0].intake.items())


def test_collecting_the_parent_takes_the_newest_answer_of_each_row(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": EXPIRED, "item-3": BUSY})
    assert desk.collect(job).code == 4
    desk.run("batch", "retry", job, "--yes")
    assert desk.collect(job).code == 8
    server.outcomes = {"item-3": LIMITED}
    server.end()
    reply = desk.collect(job)
    assert (reply.code, reply.result["succeeded"], reply.result["errored"]) == (4, 9, 1)
    assert desk.row_ids() == IDS
    assert desk.rows()[3]["result"]["error"]["error"]["type"] == "rate_limit_error"
    desk.run("batch", "retry", job, "--yes")
    server.outcomes = {}
    server.end()
    assert desk.collect(job).code == 0
    assert desk.row_ids() == IDS
    assert desk.run("batch", "retry", job, "--yes").code == 0


def test_a_row_is_sent_three_times_at_most(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": EXPIRED})
    for _ in range(2):
        assert desk.run("batch", "retry", job, "--yes").code == 0
        server.end()
    reply = desk.run("batch", "retry", job, "--yes", "--json")
    assert (reply.code, reply.result["exhausted"], reply.result["job"]) == (4, 1, None)
    assert server.creates == 3
    assert [batch.custom_ids for batch in server.batches[1:]] == [["item-1"], ["item-1"]]


def test_the_child_stands_for_its_parent(desk: Desk, server: ApiServer) -> None:
    """Retries are counted from the first submission on, whichever job is named."""
    job = ended(desk, server, {"item-1": EXPIRED})
    child = desk.run("batch", "retry", job, "--yes", "--json").result["job"]
    server.end()
    reply = desk.run("batch", "retry", child, "--yes", "--json")
    assert (reply.result["parent"], reply.result["attempt"]) == (job, 3)
    assert desk.job(child).parent == job


def test_a_running_retry_is_awaited_before_the_next(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": EXPIRED})
    desk.run("batch", "retry", job, "--yes")
    reply = desk.run("batch", "retry", job, "--yes", "--json")
    assert (reply.code, reply.error["code"], server.creates) == (8, "still-running", 2)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (CANCELED, "canceled"),
        (Outcome(stop_reason="max_tokens"), "truncated"),
        (Outcome(stop_reason="refusal"), "refused"),
        (Outcome(copies=0), "missing"),
        (Outcome("errored", "permission_error", "no access"), "denied"),
        (Outcome("errored", "new_error", "?"), "unrecognized"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_classes_are_sent_on_request_only(desk: Desk, server: ApiServer, outcome: Outcome, code: str) -> None:
    job = ended(desk, server, {"item-1": outcome})
    assert desk.run("batch", "retry", job, "--yes").code == 4
    assert server.creates == 1
    assert desk.run("batch", "retry", job, "--yes", "--include", code).code == 0
    assert server.batches[1].custom_ids == ["item-1"]


def test_answers_that_are_replaced_stay_in_the_cost(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": Outcome(stop_reason="max_tokens")})
    first = desk.collect(job)
    desk.run("batch", "retry", job, "--yes", "--include", "truncated")
    server.outcomes = {}
    server.end()
    reply = desk.collect(job)
    assert (first.result["rows"][0]["requests"], reply.result["rows"][0]["requests"]) == (10, 11)
    assert (reply.code, reply.warnings) == (0, ["superseded-answers"])
    assert desk.rows()[1]["result"]["message"]["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    "outcome",
    [
        SPENT,
        Outcome("errored", "invalid_request_error", "Your credit balance is too low to access the API."),
        Outcome("errored", "billing_error", "no way to pay"),
    ],
    ids=["limit", "credit", "billing"],
)
def test_a_lack_of_credit_pauses_everything(desk: Desk, server: ApiServer, outcome: Outcome) -> None:
    """The other rows would fail in the same way."""
    job = ended(desk, server, {"item-1": outcome, "item-2": EXPIRED})
    reply = desk.run("batch", "retry", job, "--yes", "--json")
    assert (reply.code, reply.result["paused"], server.creates) == (1, 1, 1)
    assert reply.result["next"] == f"costkit batch retry {job} --include credit"
    assert desk.run("batch", "retry", job, "--yes", "--include", "credit").code == 0
    assert server.batches[1].custom_ids == ["item-1", "item-2"]


def test_invalid_rows_are_grouped_by_message_with_their_lines(desk: Desk, server: ApiServer) -> None:
    other = Outcome("errored", "invalid_request_error", "max_tokens: too large")
    job = ended(desk, server, {"item-1": INVALID, "item-2": other, "item-6": INVALID})
    reply = desk.run("batch", "retry", job, "--yes", "--json")
    (row,) = reply.result["classes"]
    assert [(group["message"], group["requests"], group["lines"]) for group in row["messages"]] == [
        ("messages.0.content: image could not be decoded", 2, [2, 7]),
        ("max_tokens: too large", 1, [3]),
    ]
    assert (reply.code, server.creates) == (4, 1)
    table = desk.run("batch", "retry", job, "--yes").out
    assert "line 2, 7" in table
    assert "correct these lines" in table


def test_rows_of_a_foreign_batch_are_sent(desk: Desk, server: ApiServer) -> None:
    job = desk.submit(LINES, 6, 4, sent=1)
    desk.adopt(job, 2, desk.create(lines_of(4, "theirs")))
    server.end()
    assert desk.run("batch", "retry", job, "--yes").code == 0
    assert server.batches[2].custom_ids == IDS[6:]
    server.end()
    assert desk.collect(job).code == 0
    assert desk.row_ids() == IDS


@pytest.mark.parametrize(
    ("include", "words"),
    [("expried", "did you mean expired"), ("invalid", "correct these lines"), ("unsent", "submit the input again")],
)
def test_a_class_that_can_t_be_sent_is_refused(desk: Desk, include: str, words: str) -> None:
    reply = desk.run("batch", "retry", "whatever", "--include", include)
    assert (reply.code, words in reply.err) == (2, True)


@pytest.mark.parametrize(
    ("before", "after"), [(b"9th prime.", b"9th odd number."), (b'"item-9"', b'"item-X"'), (LINES[9] + b"\n", b"")]
)
def test_an_input_that_has_changed_is_not_sent(desk: Desk, server: ApiServer, before: bytes, after: bytes) -> None:
    """Even if the rows to send are as they were: this file is not the one that the job knows."""
    job = ended(desk, server, {"item-1": EXPIRED})
    path = desk.folder / "prompts.jsonl"
    path.write_bytes(path.read_bytes().replace(before, after))
    reply = desk.run("batch", "retry", job, "--yes", "--json")
    assert (reply.code, reply.error["code"], server.creates) == (1, "input-changed", 1)
    assert list((desk.state / "retries").iterdir()) == []


def test_an_input_that_is_gone_is_said(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": EXPIRED})
    (desk.folder / "prompts.jsonl").unlink()
    reply = desk.run("batch", "retry", job, "--yes", "--json")
    assert (reply.code, server.creates) == (2, 1)
    assert "prompts.jsonl" in reply.error["message"]


def test_nothing_is_sent_without_consent(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": EXPIRED})
    assert desk.run("batch", "retry", job).code == 2
    dry = desk.run("batch", "retry", job, "--dry-run", "--json")
    assert (dry.code, dry.result["requests"], dry.result["state"]) == (0, 1, "planned")
    assert server.creates == 1
    assert list((desk.state / "retries").iterdir()) == []


@pytest.mark.parametrize("removed", [0, 1])
def test_an_interrupted_retry_is_finished_before_another_is_made(desk: Desk, server: ApiServer, removed: int) -> None:
    """The reply is lost and the list can't be read: the next retry finds the batch instead of making a second one.

    Even if somebody has removed the lines that it was about to send: they are in the input of the first job.
    """
    job = ended(desk, server, {"item-1": EXPIRED, "item-2": EXPIRED})
    server.fail(Fault(on="create", after=True, reset=True), Fault(on="list", status=400, skip=2, times=20))
    assert desk.run("batch", "retry", job, "--yes").code != 0
    server.script.clear()
    for path in [*(desk.state / "retries").iterdir()] * removed:
        path.unlink()
    reply = desk.run("batch", "retry", job, "--json")
    assert (reply.code, reply.result["attempt"], reply.result["state"]) == (0, 2, "submitted")
    assert server.creates == 2
    server.outcomes = {}
    server.end()
    assert desk.collect(job).code == 0
    assert list((desk.state / "retries").iterdir()) == []


def test_a_batch_without_a_job_can_t_be_retried(desk: Desk, server: ApiServer) -> None:
    batch_id = desk.create(LINES)
    server.end()
    reply = desk.run("batch", "retry", batch_id, "--yes")
    assert (reply.code, f"costkit batch adopt {batch_id}" in reply.err) == (2, True)


def test_two_retries_at_once_don_t_share_rows(desk: Desk, server: ApiServer) -> None:
    """They could ask for different classes, and both would send the rows that are sent by default."""
    job = ended(desk, server, {"item-1": EXPIRED, "item-2": CANCELED})
    with retrying(job):
        reply = desk.run("batch", "retry", job, "--yes", "--include", "canceled", "--json")
    assert (reply.code, reply.error["code"], server.creates) == (8, "being-retried", 1)


def test_the_cost_is_judged_before_anything_is_sent(desk: Desk, server: ApiServer) -> None:
    job = ended(desk, server, {"item-1": EXPIRED})
    reply = desk.run("batch", "retry", job, "--yes", "--max-cost", "0.000001", "--json")
    assert (reply.code, server.creates) == (3, 1)
    assert reply.result["cost_usd"]["ceiling"] > reply.result["cost_usd"]["expected"] > "0"
    assert list((desk.state / "retries").iterdir()) == []
