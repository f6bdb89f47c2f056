"""Sending a job through the real SDK to the stand-in API, with everything that can get lost on the way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from api_server import ApiServer, Fault
from batch_jobs import Desk, ListSource, lines_of

from costkit.adapters.batches.api import SdkBatchApi
from costkit.adapters.tokens.asking import AuthenticationRefused
from costkit.batch.job import Job
from costkit.batch.reconcile import AmbiguousSubmission, OtherAccount
from costkit.batch.submit import BatchRejected, half_of
from costkit.errors import InputChanged, InvalidInput, OperationFailed

LOST = {
    "reset after create": Fault(on="create", after=True, reset=True),
    "closed after create": Fault(on="create", after=True, hang_up=True),
    "504 after create": Fault(on="create", after=True, status=504),
    "529 after create": Fault(on="create", after=True, status=529),
    "500 after create": Fault(on="create", after=True, status=500),
    "408 after create": Fault(on="create", after=True, status=408),
    "409 after create": Fault(on="create", after=True, status=409),
}
NOT_MADE = {
    "reset before create": Fault(on="create", reset=True),
    "reset before the body": Fault(on="create", reset=True, early=True),
    "504 instead of create": Fault(on="create", status=504),
    "529 instead of create": Fault(on="create", status=529),
}


class Failing:
    """Raises an error at its n-th call."""

    def __init__(self, error: Exception, at: int) -> None:
        self.calls = [None] * at
        self.error = error

    def __call__(self) -> None:
        try:
            self.calls.pop()
        except IndexError:
            raise self.error from None


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, server: ApiServer) -> Iterator[Desk]:
    opened = Desk(tmp_path, server)
    yield opened
    opened.close()


@pytest.fixture
def source() -> ListSource:
    return ListSource(lines_of(12))


def ids_at_the_api(server: ApiServer) -> list[str]:
    return [batch.id for batch in server.batches]


def ids_in(job: Job) -> list[str | None]:
    return [batch.id for batch in sorted(job.live_batches, key=lambda batch: batch.first)]


def test_every_batch_is_created_once_in_input_order(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 7, 5)
    job = desk.send(source)
    assert [batch.state for batch in job.batches] == ["submitted", "submitted"]
    assert ids_in(job) == ids_at_the_api(server)
    assert not any(batch.adopted for batch in job.batches)


def test_the_body_that_was_hashed_is_the_body_that_arrives(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 7, 5)
    job = desk.send(source)
    assert [batch.sha256 for batch in server.batches] == [batch.sha256 for batch in job.batches]


def test_a_job_that_is_submitted_is_not_sent_again(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    desk.send(source)
    calls = len(server.requests)
    job = desk.send(source)
    assert server.creates == 1
    assert len(server.requests) == calls
    assert job.state == "submitted"


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_batch_whose_reply_is_lost_is_adopted_instead_of_bought_twice(
    desk: Desk, server: ApiServer, source: ListSource, fault: Fault
) -> None:
    desk.add(source, 7, 5)
    server.fail(fault)
    job = desk.send(source)
    assert server.creates == 2
    assert ids_in(job) == ids_at_the_api(server)
    assert [batch.adopted for batch in job.batches] == [True, False]


@pytest.mark.parametrize("fault", NOT_MADE.values(), ids=NOT_MADE)
def test_a_batch_that_was_not_made_is_sent_again_after_three_looks(
    desk: Desk, server: ApiServer, source: ListSource, fault: Fault
) -> None:
    desk.add(source, 12)
    server.fail(fault)
    job = desk.send(source)
    assert server.creates == 1
    assert ids_in(job) == ids_at_the_api(server)
    assert desk.clock.slept == [45.0, 45.0]


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_batch_that_the_list_shows_late_is_still_found(
    desk: Desk, server: ApiServer, source: ListSource, looks: int
) -> None:
    desk.add(source, 12)
    server.list_delay_looks = looks
    server.fail(LOST["reset after create"])
    job = desk.send(source)
    assert server.creates == 1
    assert job.batches[0].adopted


def test_a_reply_that_can_not_be_read_is_an_unknown_outcome(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    server.fail(Fault(on="create", cut="short", cut_at=0.5))
    job = desk.send(source)
    assert server.creates == 1
    assert job.batches[0].adopted


def test_a_reply_that_does_not_come_in_time_is_an_unknown_outcome(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    desk.add(source, 12)
    desk.api.__exit__(None, None, None)
    desk.api = SdkBatchApi(server.environ, create_seconds=0.3)
    server.fail(Fault(on="create", after=True, delay_s=1.5, status=504))
    job = desk.send(source)
    assert server.creates == 1
    assert job.batches[0].adopted


def test_a_call_that_is_lost_again_and_again_ends_with_nothing_unknown(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    desk.add(source, 12)
    server.fail(Fault(on="create", status=529, times=3))
    with pytest.raises(OperationFailed, match="3 times"):
        desk.send(source)
    assert (server.creates, desk.states()) == (0, ["planned"])


def test_a_batch_that_turns_up_after_it_was_given_up_is_adopted_by_a_later_run(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    """The calls seem to have made nothing, the command ends, and an hour later one of them turns out to have."""
    desk.add(source, 12)
    server.list_delay_s = 3_600
    server.fail(LOST["504 after create"], Fault(on="create", status=504, times=2))
    with pytest.raises(OperationFailed, match="3 times"):
        desk.send(source)
    server.clock_ahead = timedelta(hours=2)
    job = desk.send(source)
    assert server.creates == 1
    assert ids_in(job) == ids_at_the_api(server)


def test_two_batches_that_turn_up_late_are_for_a_person_to_decide(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    desk.add(source, 12)
    server.list_delay_s = 3_600
    server.fail(LOST["504 after create"], LOST["504 after create"], Fault(on="create", status=504))
    with pytest.raises(OperationFailed, match="3 times"):
        desk.send(source)
    server.clock_ahead = timedelta(hours=2)
    with pytest.raises(AmbiguousSubmission):
        desk.send(source)
    assert server.creates == 2


def test_a_refusal_does_not_forget_an_earlier_call_without_an_answer(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    desk.add(source, 12)
    server.list_delay_s = 3_600
    server.fail(LOST["504 after create"], Fault(on="create", status=402))
    with pytest.raises(BatchRejected):
        desk.send(source)
    server.clock_ahead = timedelta(hours=2)
    assert ids_in(desk.send(source)) == ids_at_the_api(server)
    assert server.creates == 1


def test_too_many_requests_waits_as_long_as_the_api_says(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    server.fail(Fault(on="create", status=429, headers={"retry-after": "17"}, times=2))
    desk.send(source)
    assert desk.clock.slept == [17.0, 17.0]
    assert server.creates == 1


def test_too_many_requests_without_a_hint_waits_ever_longer(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    server.fail(Fault(on="create", status=429, times=4))
    desk.send(source)
    assert desk.clock.slept == [1.0, 2.0, 4.0, 8.0]
    assert server.creates == 1


@pytest.mark.parametrize("fault", [Fault(on="create", status=429, times=13)])
def test_an_api_that_stays_busy_ends_with_nothing_unknown(
    desk: Desk, server: ApiServer, source: ListSource, fault: Fault
) -> None:
    desk.add(source, 12)
    server.fail(fault)
    with pytest.raises(OperationFailed, match="asks to wait"):
        desk.send(source)
    assert (server.creates, desk.states()) == (0, ["planned"])
    assert max(desk.clock.slept) == 60.0


def test_a_wait_of_hours_is_not_waited(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    server.fail(Fault(on="create", status=429, headers={"retry-after": "7200"}))
    with pytest.raises(OperationFailed, match="asks to wait"):
        desk.send(source)
    assert desk.clock.slept == []


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
def test_a_refusal_stops_at_once_and_the_same_command_goes_on_later(
    desk: Desk, server: ApiServer, source: ListSource, status: int
) -> None:
    desk.add(source, 7, 5)
    server.fail(Fault(on="create", status=status, skip=1, message="not like this"))
    with pytest.raises(BatchRejected, match="not like this"):
        desk.send(source)
    assert desk.states() == ["submitted", "rejected"]
    assert desk.send(source).state == "submitted"
    assert server.creates == 2


def test_a_spend_limit_stops_instead_of_waiting(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    server.fail(Fault(on="create", status=429, error_code="enforced_spend_limit_reached"))
    with pytest.raises(BatchRejected) as stopped:
        desk.send(source)
    assert stopped.value.code == "spend-limit"
    assert not stopped.value.retryable
    assert desk.clock.slept == []


def test_a_batch_that_is_too_large_is_halved_until_it_fits(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    server.max_batch_bytes = source.cut(1, 0, 5).bytes
    job = desk.send(source)
    sizes = [batch.requests for batch in sorted(job.live_batches, key=lambda batch: batch.first)]
    assert sum(sizes) == 12
    assert max(sizes) <= 5
    assert [batch.intake.requests for batch in server.batches] == sizes
    assert job.state == "submitted"


def test_an_item_that_is_too_large_alone_is_left_and_the_others_go(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    source.lines[2] = source.lines[2].replace(b"Name", b"Name" * 100)
    desk.add(source, 12)
    server.max_batch_bytes = len(source.lines[2])
    job = desk.send(source)
    rejected = [batch for batch in job.live_batches if batch.state == "rejected"]
    assert [(batch.first, batch.requests) for batch in rejected] == [(2, 1)]
    assert str(rejected[0].problem).startswith("413 ")
    assert sum(batch.intake.requests for batch in server.batches) == 11


@pytest.mark.parametrize(("requests", "size"), [(2, 1), (3, 2), (4, 3), (5, 3), (10, 6), (11, 6), (100_000, 50_001)])
def test_a_half_is_next_to_the_middle_so_that_the_counts_differ(requests: int, size: int) -> None:
    assert half_of(requests, set()) == size


def test_a_half_avoids_the_counts_of_other_batches() -> None:
    assert half_of(100, {51, 48}) == 53


def test_batches_of_other_jobs_are_never_adopted(desk: Desk, server: ApiServer, source: ListSource) -> None:
    other = ListSource(lines_of(12, "other"))
    desk.add(other, 12, job_id="other")
    desk.send(other, "other")
    desk.add(source, 12)
    server.fail(NOT_MADE["reset before create"])
    job = desk.send(source)
    assert server.creates == 2
    assert not job.batches[0].adopted


class Stranger:
    """Another program that uses the same account at the same moment."""

    def __init__(self, folder: Path, server: ApiServer) -> None:
        folder.mkdir()
        self.desk = Desk(folder, server)

    def create(self, requests: int, times: int = 1) -> None:
        for number in range(times):
            source = ListSource(lines_of(requests, f"stranger{number}"))
            self.desk.add(source, requests, job_id=f"stranger{number}")
            self.desk.send(source, f"stranger{number}")


@pytest.fixture
def stranger(tmp_path: Path, server: ApiServer) -> Iterator[Stranger]:
    somebody = Stranger(tmp_path / "stranger", server)
    yield somebody
    somebody.desk.close()


def crash_after_create(desk: Desk, source: ListSource, *sizes: int) -> Job:
    """Leave a job with a batch that was created, and a process that died before it knew."""
    job = desk.add(source, *sizes)
    newest, account, moment = desk.api.newest()
    desk.ledger.bind(job.id, account)
    intent = replace(job.batches[0], state="sending", cursor=newest.id if newest else None, sent_at=moment)
    desk.ledger.put_batch(job.id, intent)
    desk.api.create(source.body(intent))
    return job


def test_a_crash_after_the_call_is_found_out_by_the_next_command(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    crash_after_create(desk, source, 7, 5)
    job = desk.send(source)
    assert server.creates == 2
    assert ids_in(job) == ids_at_the_api(server)


def test_a_crash_before_the_call_is_found_out_by_the_next_command(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    job = desk.add(source, 12)
    desk.ledger.put_batch(job.id, replace(job.batches[0], state="sending", sent_at=desk.clock.now()))
    assert desk.send(source).state == "submitted"
    assert server.creates == 1


def test_a_later_call_still_looks_as_far_back_as_the_first_one(
    desk: Desk, server: ApiServer, source: ListSource, stranger: Stranger
) -> None:
    """The first call's batch shows up only after the second call, below a batch that somebody else made in between."""
    desk.add(source, 12)
    server.list_delay_s = 3_600
    server.fail(LOST["504 after create"], Fault(on="create", status=402))
    with pytest.raises(BatchRejected):
        desk.send(source)
    server.list_delay_s = 0
    stranger.create(5)
    server.fail(NOT_MADE["504 instead of create"])

    def an_hour_passes() -> None:
        server.clock_ahead = timedelta(hours=2)

    source.on_chunk = an_hour_passes
    assert ids_in(desk.send(source)) == [ids_at_the_api(server)[0]]
    assert server.creates == 2


def test_several_candidates_are_never_guessed(
    desk: Desk, server: ApiServer, source: ListSource, stranger: Stranger
) -> None:
    crash_after_create(desk, source, 12)
    stranger.create(12)
    with pytest.raises(AmbiguousSubmission) as ambiguous:
        desk.send(source)
    assert all(batch_id in str(ambiguous.value) for batch_id in ids_at_the_api(server))
    assert (server.creates, desk.states()) == (2, ["sending"])


def test_the_newest_of_several_candidates_is_adopted_when_told_so(
    desk: Desk, server: ApiServer, source: ListSource, stranger: Stranger
) -> None:
    crash_after_create(desk, source, 12)
    stranger.create(12)
    job = desk.send(source, on_ambiguous="adopt-newest")
    assert (server.creates, ids_in(job)) == (2, [ids_at_the_api(server)[-1]])


def test_several_candidates_are_sent_again_when_told_so(
    desk: Desk, server: ApiServer, source: ListSource, stranger: Stranger
) -> None:
    crash_after_create(desk, source, 12)
    stranger.create(12)
    job = desk.send(source, on_ambiguous="resend")
    assert (server.creates, ids_in(job)) == (3, [ids_at_the_api(server)[-1]])


def test_batches_of_another_size_are_no_candidates(
    desk: Desk, server: ApiServer, source: ListSource, stranger: Stranger
) -> None:
    crash_after_create(desk, source, 12)
    stranger.create(11, times=3)
    job = desk.send(source)
    assert (server.creates, ids_in(job)) == (4, [ids_at_the_api(server)[0]])


def test_batches_from_before_the_intent_are_no_candidates(
    desk: Desk, server: ApiServer, source: ListSource, stranger: Stranger
) -> None:
    stranger.create(12, times=2)
    server.fail(NOT_MADE["504 instead of create"])
    desk.add(source, 12)
    job = desk.send(source)
    assert (server.creates, ids_in(job)) == (3, [ids_at_the_api(server)[-1]])


def test_time_bounds_the_look_back_where_the_cursor_was_deleted(
    desk: Desk, server: ApiServer, source: ListSource, stranger: Stranger
) -> None:
    stranger.create(12, times=2)
    old, cursor = ids_at_the_api(server)
    server.age(old, timedelta(hours=1))
    job = desk.add(source, 12)
    newest, account, moment = desk.api.newest()
    assert newest is not None
    assert newest.id == cursor
    desk.ledger.bind(job.id, account)
    desk.ledger.put_batch(job.id, replace(job.batches[0], state="sending", cursor=cursor, sent_at=moment))
    server.batch(cursor).deleted = True
    assert desk.send(source).state == "submitted"
    assert server.creates == 3


def test_a_candidate_that_another_job_waits_for_too_is_not_taken_from_it(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    crash_after_create(desk, source, 12)
    other = ListSource(lines_of(12, "other"))
    rival = desk.add(other, 12, job_id="rival")
    desk.ledger.put_batch("rival", replace(rival.batches[0], state="sending", sent_at=desk.clock.now()))
    with pytest.raises(AmbiguousSubmission, match="rival"):
        desk.send(source)
    assert server.creates == 1


def test_another_account_is_refused_before_anything_is_sent(desk: Desk, server: ApiServer, source: ListSource) -> None:
    crash_after_create(desk, source, 7, 5)
    server.add_key("sk-ant-other", "00000000-0000-4000-8000-00000000000f", "wrkspc_other")
    desk.api.__exit__(None, None, None)
    desk.api = SdkBatchApi({**server.environ, "ANTHROPIC_API_KEY": "sk-ant-other"})
    with pytest.raises(OtherAccount):
        desk.send(source)
    assert (server.creates, desk.states()) == (1, ["sending", "planned"])


def test_another_workspace_of_the_same_organization_is_another_account(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    crash_after_create(desk, source, 12)
    server.add_key("sk-ant-other", server.keys[server.key].organization_id, "wrkspc_other")
    desk.api.__exit__(None, None, None)
    desk.api = SdkBatchApi({**server.environ, "ANTHROPIC_API_KEY": "sk-ant-other"})
    with pytest.raises(OtherAccount):
        desk.send(source)
    assert server.creates == 1


def test_input_that_changes_while_it_is_sent_makes_no_batch(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    source.on_chunk = Failing(InputChanged("line 3 is no longer what it was"), at=5)
    with pytest.raises(InputChanged):
        desk.send(source)
    assert (server.creates, desk.states()) == (0, ["planned"])


def test_a_body_of_another_length_than_planned_makes_no_batch(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    desk.add(source, 12)
    source.lines.pop()
    with pytest.raises(OperationFailed, match="another length"):
        desk.send(source)
    assert (server.creates, desk.states()) == (0, ["planned"])


def test_without_a_key_nothing_is_intended(desk: Desk, source: ListSource, server: ApiServer) -> None:
    desk.add(source, 12)
    desk.api = SdkBatchApi({"ANTHROPIC_BASE_URL": server.url})
    with pytest.raises(InvalidInput, match="API key"):
        desk.send(source)
    assert desk.states() == ["planned"]


def test_a_wrong_key_is_refused_and_appears_nowhere(desk: Desk, server: ApiServer, source: ListSource) -> None:
    desk.add(source, 12)
    desk.api = SdkBatchApi({**server.environ, "ANTHROPIC_API_KEY": "sk-ant-wrong-987654321"})
    with pytest.raises(AuthenticationRefused) as refused:
        desk.send(source)
    assert "987654321" not in f"{refused.value} {refused.value.hint}"
    assert refused.value.__cause__ is None
    assert desk.states() == ["planned"]


def test_an_unreachable_host_sends_nothing(desk: Desk, source: ListSource) -> None:
    desk.add(source, 12)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        desk.api = SdkBatchApi({"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-ant-x"})
        with pytest.raises(OperationFailed, match="can't be reached"):
            desk.send(source)
    assert desk.states() == ["planned"]


def test_a_host_that_is_gone_at_the_moment_of_the_call_is_a_definite_failure(
    desk: Desk, server: ApiServer, source: ListSource
) -> None:
    """Nothing of the body was sent, so the intent is taken back and nobody has to look for a batch later."""
    desk.add(source, 12)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = SdkBatchApi(
            {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{closed.getsockname()[1]}", "ANTHROPIC_API_KEY": "sk-ant-x"}
        )
        desk.api.create = gone.create  # type: ignore[method-assign]
        with pytest.raises(OperationFailed, match="nothing was sent"):
            desk.send(source)
    assert (server.creates, desk.states()) == (0, ["planned"])
