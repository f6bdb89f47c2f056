"""submit, status, cancel, list and adopt as commands: what they print, what they send, how they end."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, Fault
from batch_jobs import Desk, ListSource, lines_of
from jsonschema import Draft202012Validator

from costkit.adapters.batches.job_lock import job_lock
from costkit.adapters.batches.ledger import FILE_NAME, SqliteLedger
from costkit.batch.job import Job

KEY = "sk-ant-very-secret-0123456789"
LOST = Fault(on="create", after=True, reset=True)


def problems(document: Any) -> list[str]:
    """What a document gets wrong about the schema that it names."""
    name = document["schema"].removeprefix("costkit/").removesuffix("@1")
    schema = json.loads((resources.files("costkit") / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(KEY) as running:
        yield running


@pytest.fixture(autouse=True)
def _environment(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COSTKIT_RECONCILE_WAIT_S", "0.02")
    monkeypatch.setenv("COSTKIT_POLL_S", "0.02")
    monkeypatch.setenv("COSTKIT_TOKENS", "fast")


@pytest.fixture
def file(write: Callable[[str, object], Path]) -> Path:
    return write("in.jsonl", b"\n".join(lines_of(12)) + b"\n")


@pytest.fixture
def batch(program: Any, file: Path) -> Any:  # noqa: ARG001 - the input of most commands
    """`costkit batch …` as JSON; every document that comes out must fit its schema."""

    def run(*arguments: object, **more: Any) -> Any:
        answer = program("batch", *arguments, "--json", **more)
        assert problems(answer.document) == []
        assert answer.document["exit"] == answer.code
        return answer

    return run


@pytest.fixture
def submitted(batch: Any) -> str:
    """The id of a job of two batches that was submitted."""
    answer = batch("submit", "in.jsonl", "--yes", "--batch-size", 7)
    assert answer.code == 0
    return str(answer.document["result"]["job"])


def state_folder() -> Path:
    return Path(os.environ["COSTKIT_STATE"])


def jobs() -> list[Job]:
    with SqliteLedger(state_folder() / FILE_NAME) as ledger:
        return list(ledger.jobs())


def codes(answer: Any) -> list[str]:
    return [warning["code"] for warning in answer.document["warnings"]]


def test_submit_sends_everything_and_says_what_comes_next(batch: Any, server: ApiServer) -> None:
    answer = batch("submit", "in.jsonl", "--yes", "--batch-size", 7, "--name", "nightly")
    result = answer.document["result"]
    assert (answer.code, result["state"], result["requests"]) == (0, "submitted", 12)
    assert [each["id"] for each in result["batches"]] == [each.id for each in server.batches]
    assert [each["requests"] for each in result["batches"]] == [7, 5]
    assert result["next"] == f"costkit batch collect {result['job']} --wait"
    assert float(result["cost_usd"]["expected"]) < float(result["cost_usd"]["ceiling"])
    assert jobs()[0].name == "nightly"


def test_the_same_content_again_is_the_same_job_and_sends_nothing(
    batch: Any, server: ApiServer, submitted: str
) -> None:
    requests = len(server.requests)
    answer = batch("submit", "in.jsonl", "--yes")
    assert (answer.code, answer.document["result"]["job"]) == (0, submitted)
    assert codes(answer) == ["already-submitted"]
    assert len(server.requests) == requests


def test_the_same_content_under_another_name_is_the_same_job(
    batch: Any, server: ApiServer, submitted: str, file: Path
) -> None:
    file.with_name("copy.jsonl").write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    answer = batch("submit", "copy.jsonl")
    assert (answer.code, answer.document["result"]["job"], server.creates) == (0, submitted, 2)


def test_again_makes_a_job_of_its_own(batch: Any, server: ApiServer, submitted: str) -> None:
    answer = batch("submit", "in.jsonl", "--yes", "--again")
    assert answer.document["result"]["job"] == f"{submitted}-2"
    assert server.creates == 3
    assert batch("submit", "in.jsonl").document["result"]["job"] == f"{submitted}-2"


def test_again_finishes_an_unfinished_job_first(batch: Any, server: ApiServer) -> None:
    server.fail(Fault(on="create", status=402, skip=1))
    assert batch("submit", "in.jsonl", "--yes", "--batch-size", 7).code == 1
    assert batch("submit", "in.jsonl", "--yes", "--again").code == 0
    assert (server.creates, len(jobs())) == (2, 1)


def test_nobody_to_ask_sends_nothing(batch: Any, server: ApiServer) -> None:
    answer = batch("submit", "in.jsonl")
    assert (answer.code, server.creates, jobs()) == (2, 0, [])
    assert "--yes" in answer.document["error"]["hint"]


def test_a_dry_run_shows_the_plan_and_leaves_no_trace(batch: Any, server: ApiServer) -> None:
    answer = batch("submit", "in.jsonl", "--dry-run", "--batch-size", 7)
    result = answer.document["result"]
    assert (answer.code, result["state"], [each["id"] for each in result["batches"]]) == (0, "planned", [None, None])
    assert (server.creates, jobs()) == (0, [])


def test_a_dry_run_needs_no_network(batch: Any, server: ApiServer) -> None:
    assert batch("submit", "in.jsonl", "--dry-run", "--offline").code == 0
    assert batch("submit", "in.jsonl", "--yes", "--offline").code == 2
    assert server.requests == []


def test_a_ceiling_above_the_limit_sends_nothing(batch: Any, server: ApiServer) -> None:
    ceiling = batch("submit", "in.jsonl", "--dry-run").document["result"]["cost_usd"]["ceiling"]
    answer = batch("submit", "in.jsonl", "--yes", "--max-cost", "0.00001")
    assert (answer.code, answer.document["result"]["state"], server.creates, jobs()) == (3, "planned", 0, [])
    assert batch("submit", "in.jsonl", "--yes", "--max-cost", ceiling).code == 0


def test_the_limit_holds_when_an_unfinished_job_goes_on(batch: Any, server: ApiServer) -> None:
    server.fail(Fault(on="create", status=402, skip=1))
    assert batch("submit", "in.jsonl", "--yes", "--batch-size", 7).code == 1
    assert batch("submit", "in.jsonl", "--max-cost", "0.00001").code == 3
    assert server.creates == 1
    assert batch("submit", "in.jsonl").code == 0
    assert server.creates == 2


def test_bad_lines_are_all_named_and_nothing_is_sent(program: Any, write: Any, server: ApiServer) -> None:
    lines = lines_of(12)
    lines[4] = lines[4].replace(b"max_tokens", b"min_tokens")
    lines[9] = lines[3]
    write("bad.jsonl", b"\n".join(lines))
    answer = program("batch", "submit", "bad.jsonl", "--yes")
    assert (answer.code, answer.out, server.requests) == (2, "", [])
    assert "bad.jsonl:5: " in answer.err
    assert "bad.jsonl:10: " in answer.err


@pytest.mark.parametrize("name", ["", "x" * 101, "two\nlines", " padded "])
def test_a_name_is_short_and_printable(batch: Any, name: str) -> None:
    assert batch("submit", "in.jsonl", "--yes", "--name", name).code == 2


def test_a_name_belongs_to_one_job(batch: Any, write: Any, server: ApiServer) -> None:
    assert batch("submit", "in.jsonl", "--yes", "--name", "nightly").code == 0
    write("other.jsonl", b"\n".join(lines_of(3, "other")))
    assert batch("submit", "other.jsonl", "--yes", "--name", "nightly").code == 2
    assert server.creates == 1


def test_an_empty_ledger_warns_and_names_what_looks_like_the_job(
    batch: Any, server: ApiServer, submitted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in CI, where the state of the run before is lost."""
    monkeypatch.setenv("COSTKIT_STATE", str(tmp_path / "elsewhere"))
    refused = batch("submit", "in.jsonl", "--yes", "--batch-size", 7, "--require-ledger")
    assert (refused.code, server.creates) == (5, 2)
    assert all(each.id in refused.document["error"]["message"] for each in server.batches)
    answer = batch("submit", "in.jsonl", "--yes", "--batch-size", 5)
    assert "new-ledger" in codes(answer)
    message = next(w["message"] for w in answer.document["warnings"] if w["code"] == "new-ledger")
    assert server.batches[1].id in message
    assert server.batches[0].id not in message
    assert submitted == answer.document["result"]["job"]


def test_a_lost_reply_is_found_again(batch: Any, server: ApiServer) -> None:
    server.fail(LOST)
    answer = batch("submit", "in.jsonl", "--yes")
    assert (answer.code, server.creates) == (0, 1)
    assert answer.document["result"]["batches"][0]["id"] == server.batches[0].id


@pytest.fixture
def ambiguous(file: Path, server: ApiServer, tmp_path: Path) -> Iterator[str]:
    """A job whose batch was created without a reply, while somebody else created one of the same size."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    stranger = Desk(folder, server)
    source = ListSource(lines_of(12, "stranger"))
    stranger.add(source, 12)
    server.fail(Fault(on="create", after=True, reset=True, delay_s=1))
    first = subprocess.Popen(
        [sys.executable, "-m", "costkit", "batch", "submit", file.name, "--yes"], cwd=tmp_path, stderr=subprocess.PIPE
    )
    while server.creates == 0:
        time.sleep(0.01)
    stranger.send(source)
    _, said = first.communicate()
    assert first.returncode == 5, said
    assert server.creates == 2
    yield jobs()[0].id
    stranger.close()


def test_an_ambiguous_submission_is_for_a_person_to_decide(batch: Any, server: ApiServer, ambiguous: str) -> None:
    refused = batch("submit", "in.jsonl")
    assert (refused.code, refused.document["error"]["code"], server.creates) == (5, "ambiguous-submission", 2)
    assert all(each.id in refused.document["error"]["message"] for each in server.batches)
    assert batch("status").code == 5
    ours = server.batches[0].id
    adopted = batch("adopt", ours)
    assert (adopted.code, adopted.document["result"]["job"]) == (0, ambiguous)
    assert batch("submit", "in.jsonl").document["result"]["batches"][0]["id"] == ours
    assert server.creates == 2


@pytest.mark.parametrize(("what", "creates", "adopted"), [("adopt-newest", 2, 1), ("resend", 3, 2)])
@pytest.mark.usefixtures("ambiguous")
def test_an_ambiguous_submission_is_decided_by_a_flag(
    batch: Any, server: ApiServer, what: str, creates: int, adopted: int
) -> None:
    answer = batch("submit", "in.jsonl", "--on-ambiguous", what)
    assert (answer.code, server.creates) == (0, creates)
    assert answer.document["result"]["batches"][0]["id"] == server.batches[adopted].id


def test_another_account_is_refused(batch: Any, server: ApiServer) -> None:
    server.add_key("sk-ant-other", "00000000-0000-4000-8000-00000000000f")
    server.fail(Fault(on="create", status=402, skip=1))
    batch("submit", "in.jsonl", "--yes", "--batch-size", 7)
    answer = batch("submit", "in.jsonl", ANTHROPIC_API_KEY="sk-ant-other")
    assert (answer.code, answer.document["error"]["code"], server.creates) == (2, "other-account", 1)


def test_the_status_of_another_accounts_job_says_so(batch: Any, server: ApiServer, submitted: str) -> None:
    server.add_key("sk-ant-other", "00000000-0000-4000-8000-00000000000f")
    answer = batch("status", submitted, ANTHROPIC_API_KEY="sk-ant-other")
    assert (answer.code, answer.document["error"]["code"]) == (2, "other-account")


@pytest.mark.parametrize(
    ("environ", "code", "name"),
    [
        ({"ANTHROPIC_API_KEY": ""}, 2, "no-api-key"),
        ({"ANTHROPIC_API_KEY": "sk-ant-wrong-9876543210"}, 1, "authentication"),
        ({"ANTHROPIC_API_KEY": "sk-ant-odd-9876543210\n"}, 2, "refused"),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}, 1, "connection"),
        ({"ANTHROPIC_BASE_URL": "http://somebody:9876543210@127.0.0.1:9"}, 1, "connection"),
        ({"COSTKIT_RECONCILE_WAIT_S": "soon"}, 2, "invalid-input"),
        ({"COSTKIT_STATE": "/dev/null/state"}, 1, "ledger-unusable"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_line_without_secrets(
    program: Any, file: Path, server: ApiServer, environ: dict[str, str], code: int, name: str
) -> None:
    answer = program("batch", "submit", str(file), "--yes", "--json", **environ)
    assert (answer.code, answer.document["error"]["code"]) == (code, name)
    assert server.creates == 0
    assert "Traceback" not in answer.err
    assert "9876543210" not in answer.out + answer.err


def test_the_key_is_in_no_output_and_no_file(program: Any, file: Path, server: ApiServer) -> None:
    server.fail(LOST, Fault(on="create", status=400, message=f"what is {KEY}?"))
    outputs = [program("batch", *words.split()) for words in ("submit in.jsonl --yes --batch-size 7", "status", "list")]
    assert file.exists()
    assert [answer.code for answer in outputs] == [1, 4, 0]
    assert not any(KEY in answer.out + answer.err for answer in outputs)
    written = [path for path in state_folder().rglob("*") if path.is_file()]
    assert len(written) > 1
    assert not any(KEY.encode() in path.read_bytes() for path in written)


def test_status_runs_until_the_batches_end(batch: Any, server: ApiServer, submitted: str) -> None:
    assert batch("status").code == 8
    server.end(server.batches[0].id)
    running = batch("status", submitted[:6])
    assert (running.code, running.document["result"]["state"]) == (8, "submitted")
    server.end()
    ended = batch("status", server.batches[1].id)
    result = ended.document["result"]
    assert (ended.code, result["state"], result["next"]) == (0, "ended", f"costkit batch collect {submitted}")
    assert [each["request_counts"]["succeeded"] for each in result["batches"]] == [7, 5]


def test_status_takes_one_call_for_all_batches(batch: Any, server: ApiServer) -> None:
    batch("submit", "in.jsonl", "--yes", "--batch-size", 3)
    assert server.creates > 3
    before = len(server.requests)
    batch("status")
    assert [request.path.partition("?")[0] for request in server.requests[before:]] == ["/v1/messages/batches"]


def test_status_asks_for_a_batch_that_the_list_does_not_show(batch: Any, server: ApiServer, submitted: str) -> None:
    server.batches[0].hidden_looks = 100
    server.end()
    answer = batch("status", submitted)
    assert (answer.code, answer.document["result"]["state"]) == (0, "ended")


def test_status_adopts_a_batch_whose_reply_was_lost(batch: Any, server: ApiServer) -> None:
    assert batch("submit", "in.jsonl", "--yes").code == 0
    with SqliteLedger(state_folder() / FILE_NAME) as ledger:
        job = ledger.jobs()[0]
        ledger.put_batch(job.id, replace(job.batches[0], state="sending", id=None))
    answer = batch("status")
    assert (answer.code, answer.document["result"]["batches"][0]["id"]) == (8, server.batches[0].id)


def test_status_says_what_was_never_sent(batch: Any, server: ApiServer) -> None:
    server.fail(Fault(on="create", status=402, skip=1))
    batch("submit", "in.jsonl", "--yes", "--batch-size", 7)
    server.end()
    answer = batch("status")
    assert (answer.code, answer.document["result"]["state"]) == (4, "planned")


def test_a_job_that_another_process_submits_is_left_to_it(batch: Any, server: ApiServer, submitted: str) -> None:
    server.fail(Fault(on="create", status=402))
    batch("submit", "in.jsonl", "--yes", "--again")
    job = jobs()[0]
    before = server.creates
    with job_lock(state_folder() / "locks", job.digest):
        results = [batch("submit", "in.jsonl"), batch("status", job.id)]
    assert [answer.code for answer in results] == [8, 8]
    assert all(f"being submitted by pid {os.getpid()}" in answer.err for answer in results)
    assert server.creates == before
    assert submitted != job.id


def test_watch_ends_when_the_batches_do(batch: Any, server: ApiServer, submitted: str) -> None:
    for each in server.batches:
        each.due_at = server.now()
    answer = batch("status", submitted, "--watch")
    assert (answer.code, answer.document["result"]["state"]) == (0, "ended")


def test_submit_waits_if_told_to(batch: Any, server: ApiServer) -> None:
    server.seconds_per_batch = 0.1
    answer = batch("submit", "in.jsonl", "--yes", "--wait")
    assert (answer.code, answer.document["result"]["state"]) == (0, "ended")


def test_cancel_stops_every_batch_and_says_what_is_billed(batch: Any, server: ApiServer, submitted: str) -> None:
    answer = batch("cancel", submitted)
    assert (answer.code, codes(answer)) == (0, ["cancel-billing"])
    assert [each.processing_status for each in server.batches] == ["canceling", "canceling"]


def test_cancel_leaves_batches_alone_that_have_ended(batch: Any, server: ApiServer, submitted: str) -> None:
    server.end()
    answer = batch("cancel", submitted)
    assert (answer.code, codes(answer), answer.document["result"]["state"]) == (0, [], "ended")


def test_list_shows_what_is_about_to_vanish(batch: Any, server: ApiServer, submitted: str, write: Any) -> None:
    write("other.jsonl", b"\n".join(lines_of(3, "other")))
    assert batch("submit", "other.jsonl", "--yes").code == 0
    with SqliteLedger(state_folder() / FILE_NAME) as ledger:
        job = ledger.job(submitted)
        assert job is not None
        ledger.put_batches(job.id, [_aged(each) for each in job.batches])
    before = len(server.requests)
    answer = batch("list")
    rows = answer.document["result"]["jobs"]
    assert [(row["job"], row["days_left"]) for row in rows] == [(jobs()[0].id, 28), (submitted, 1)]
    assert codes(answer) == ["results-vanish"]
    assert len(server.requests) == before


def _aged(each: Any) -> Any:
    return replace(each, created_at=each.created_at - timedelta(days=27, hours=1))


def test_an_empty_ledger_lists_nothing(batch: Any) -> None:
    answer = batch("list")
    assert (answer.code, answer.document["result"]) == (0, {"jobs": []})


@pytest.mark.parametrize("command", ["status", "cancel"])
def test_an_unknown_job_is_an_error(batch: Any, command: str) -> None:
    assert batch(command, "nosuchjob").code == 2


def test_status_without_any_job_is_an_error(batch: Any) -> None:
    assert batch("status").code == 2


@pytest.fixture
def foreign(server: ApiServer, tmp_path: Path) -> Iterator[str]:
    """A batch of the same input that another program sent."""
    folder = tmp_path / "other-program"
    folder.mkdir()
    desk = Desk(folder, server)
    source = ListSource(lines_of(12))
    desk.add(source, 12)
    desk.send(source)
    yield server.batches[0].id
    desk.close()


def test_a_batch_of_another_program_is_adopted_with_its_input(batch: Any, server: ApiServer, foreign: str) -> None:
    answer = batch("adopt", foreign, "--input", "in.jsonl")
    result = answer.document["result"]
    assert (answer.code, result["state"], result["batches"][0]["id"]) == (0, "submitted", foreign)
    assert result["cost_usd"] == {"expected": None, "ceiling": None}
    assert batch("submit", "in.jsonl").code == 0
    assert server.creates == 1


def test_adopting_twice_changes_nothing(batch: Any, foreign: str) -> None:
    first = batch("adopt", foreign, "--input", "in.jsonl").document["result"]
    assert batch("adopt", foreign).document["result"] == first
    assert len(jobs()) == 1


def test_a_batch_of_another_size_is_not_adopted(batch: Any, write: Any, foreign: str) -> None:
    write("other.jsonl", b"\n".join(lines_of(3, "other")))
    answer = batch("adopt", foreign, "--input", "other.jsonl")
    assert (answer.code, jobs()) == (2, [])


@pytest.mark.parametrize("batch_id", ["msgbatch_nosuch", "../../etc/passwd", ""])
def test_a_batch_that_the_api_does_not_have_is_not_adopted(batch: Any, batch_id: str) -> None:
    assert batch("adopt", batch_id, "--input", "in.jsonl").code == 2


def test_a_batch_without_a_job_needs_its_input(batch: Any, foreign: str) -> None:
    answer = batch("adopt", foreign)
    assert (answer.code, answer.document["error"]["code"]) == (2, "no-place")


@pytest.mark.parametrize(("answer", "code", "creates"), [("y\n", 0, 1), ("n\n", 1, 0), ("\n", 1, 0)])
def test_a_person_is_asked(file: Path, server: ApiServer, answer: str, code: int, creates: int) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "costkit", "batch", "submit", file.name],
        cwd=file.parent,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm"},
    ) as run:
        os.close(theirs)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 4096)
        os.write(ours, answer.encode())
        run.communicate()
    os.close(ours)
    assert b"Send 12 requests for at most $0." in said
    assert b"outside of a batch" in said
    assert (run.returncode, server.creates) == (code, creates)


def test_interrupted_it_says_how_to_go_on_and_the_next_run_finds_the_batch(file: Path, server: ApiServer) -> None:
    server.fail(Fault(on="create", after=True, then_answer=True, delay_s=30))
    command = [sys.executable, "-m", "costkit", "batch", "submit", file.name, "--yes"]
    with subprocess.Popen(command, cwd=file.parent, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        while server.creates == 0:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate()
    assert run.returncode == 130
    assert b"costkit batch submit in.jsonl" in said
    again = subprocess.run([*command, "--json"], cwd=file.parent, capture_output=True, check=True)
    assert json.loads(again.stdout)["result"]["batches"][0]["id"] == server.batches[0].id
    assert server.creates == 1


def test_tables_show_the_job(program: Any, file: Path, server: ApiServer, submitted: str) -> None:
    assert file.exists()
    server.end()
    status = program("batch", "status", submitted)
    assert status.out.startswith(f"job {submitted} · ended · 12 requests in 2 batches\n")
    assert all(each.id in status.out for each in server.batches)
    listed = program("batch", "list", "--format", "csv")
    assert listed.out.splitlines()[0].startswith("job,name,state,requests,batches,created_at,")
