"""Message Batches through the real SDK: whose account, what is retried, what is followed, what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_server import ORGANIZATION, WORKSPACE, ApiServer, Fault
from batch_jobs import ListSource, lines_of

from costkit.adapters.batches.api import SdkBatchApi
from costkit.adapters.batches.reply import http_date, outcome_of_failure, public_url, remote_batch, retry_after
from costkit.adapters.tokens.asking import AuthenticationRefused
from costkit.batch.job import Account, RequestCounts
from costkit.batch.ports import Body, Created, OutcomeUnknown, Refused
from costkit.errors import InputChanged, InvalidInput, OperationFailed

KEY = "sk-ant-very-secret-0123456789"
DOCUMENT = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "in_progress",
    "request_counts": {"processing": 3, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2026-11-21T12:00:00.123456789Z",
    "expires_at": "2026-11-22T12:00:00+00:00",
    "ended_at": None,
}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(KEY) as running:
        yield running


@pytest.fixture
def api(server: ApiServer) -> Iterator[SdkBatchApi]:
    with SdkBatchApi(server.environ) as opened:
        yield opened


def body_of(count: int, prefix: str = "item") -> Body:
    source = ListSource(lines_of(count, prefix))
    return source.body(source.cut(1, 0, count))


def create(api: SdkBatchApi, count: int = 2, prefix: str = "item") -> str:
    outcome = api.create(body_of(count, prefix))
    assert isinstance(outcome, Created)
    return outcome.batch.id


def routes(server: ApiServer) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in server.requests]


def test_an_account_without_batches_has_no_newest(api: SdkBatchApi, server: ApiServer) -> None:
    newest, account, now = api.newest()
    assert newest is None
    assert account == Account(server.url, ORGANIZATION, WORKSPACE)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_clock_is_the_servers(api: SdkBatchApi, server: ApiServer) -> None:
    server.clock_ahead = timedelta(days=3)
    _, _, now = api.newest()
    assert timedelta(days=2, hours=23) < now - datetime.now(UTC) < timedelta(days=3, minutes=1)


def test_a_batch_comes_back_as_the_api_describes_it(api: SdkBatchApi) -> None:
    batch_id = create(api, 3)
    newest, _, _ = api.newest()
    assert newest == api.retrieve(batch_id)
    assert newest is not None
    assert (newest.processing_status, newest.request_counts) == ("in_progress", RequestCounts(processing=3))
    assert newest.expires_at - newest.created_at == timedelta(days=1)


def test_the_list_is_read_page_by_page_and_only_as_far_as_it_is_wanted(api: SdkBatchApi, server: ApiServer) -> None:
    created = [create(api, 1, f"n{number}") for number in range(103)]
    before = len(server.requests)
    batches = api.newest_first()
    assert [next(batches).id for _ in range(100)] == created[:2:-1]
    assert len(server.requests) - before == 1
    assert [batch.id for batch in batches] == created[2::-1]
    assert len(server.requests) - before == 2


def test_a_create_call_is_made_once_whatever_happens(api: SdkBatchApi, server: ApiServer) -> None:
    server.fail(Fault(on="create", status=529, headers={"x-should-retry": "true"}))
    assert isinstance(api.create(body_of(2)), OutcomeUnknown)
    assert routes(server) == [("POST", "/v1/messages/batches")]


def test_a_redirected_create_call_is_not_followed(api: SdkBatchApi, server: ApiServer) -> None:
    with ApiServer(KEY) as elsewhere:
        server.fail(Fault(on="create", redirect_to=f"{elsewhere.url}/v1/messages/batches"))
        assert isinstance(api.create(body_of(2)), OutcomeUnknown)
        assert elsewhere.requests == []


def test_reading_calls_are_tried_again(api: SdkBatchApi, server: ApiServer) -> None:
    server.fail(Fault(status=529, headers={"retry-after-ms": "1"}), Fault(reset=True))
    newest, _, _ = api.newest()
    assert newest is None
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault(status=500, times=9, headers={"retry-after-ms": "1"}), OperationFailed, "server-error"),
        (Fault(status=429, times=9, headers={"retry-after-ms": "1"}), OperationFailed, "rate-limited"),
        (Fault(status=403), AuthenticationRefused, "authentication"),
        (Fault(status=400), InvalidInput, "refused"),
        (Fault(redirect_to="http://127.0.0.1:9/"), InvalidInput, "invalid-input"),
    ],
)
def test_reading_calls_that_fail_for_good_say_why(
    api: SdkBatchApi, server: ApiServer, fault: Fault, error: type[Exception], code: str
) -> None:
    server.fail(fault)
    with pytest.raises(error) as failed:
        api.newest()
    assert failed.value.code == code  # type: ignore[attr-defined]
    assert failed.value.__cause__ is None


@pytest.mark.parametrize("batch_id", ["", "../../v1/models", "msgbatch_1/results", "x" * 200, "a?b"])
def test_an_id_that_is_none_is_never_put_into_an_address(api: SdkBatchApi, server: ApiServer, batch_id: str) -> None:
    with pytest.raises(InvalidInput, match="not a batch id"):
        api.retrieve(batch_id)
    assert server.requests == []


def test_an_unknown_batch_is_not_found(api: SdkBatchApi) -> None:
    with pytest.raises(InvalidInput) as missing:
        api.retrieve("msgbatch_nosuch")
    assert missing.value.code == "not-found"


def test_cancel_asks_for_the_end(api: SdkBatchApi) -> None:
    assert api.cancel(create(api)).processing_status == "canceling"


def test_results_are_streamed_from_the_apis_own_host(api: SdkBatchApi, server: ApiServer) -> None:
    """The address in `results_url` may point anywhere, and the key would go there."""
    with ApiServer(KEY) as elsewhere:
        server.results_host = elsewhere.url
        batch_id = create(api, 3)
        server.end()
        with api.results(batch_id) as chunks:
            lines = b"".join(chunks).splitlines()
        assert elsewhere.requests == []
    assert sorted(json.loads(line)["custom_id"] for line in lines) == ["item-0", "item-1", "item-2"]


def test_redirected_results_are_not_followed(api: SdkBatchApi, server: ApiServer) -> None:
    batch_id = create(api)
    server.end()
    with ApiServer(KEY) as elsewhere:
        server.fail(Fault(on="results", redirect_to=f"{elsewhere.url}/results"))
        with pytest.raises(InvalidInput, match="redirect"), api.results(batch_id):
            raise AssertionError
        assert elsewhere.requests == []


@pytest.mark.parametrize("cut", ["reset", "close"])
@pytest.mark.parametrize("compressed", [False, True])
def test_results_that_are_cut_off_are_an_error(
    api: SdkBatchApi, server: ApiServer, cut: str, *, compressed: bool
) -> None:
    server.compress_results = compressed
    batch_id = create(api, 300)
    server.end()
    server.fail(Fault(on="results", cut=cut, cut_at=0.6))
    with pytest.raises(OperationFailed) as broken, api.results(batch_id) as chunks:
        list(chunks)
    assert (broken.value.code, broken.value.retryable) == ("cut-off", True)


def test_the_key_is_taken_out_of_whatever_the_api_says(api: SdkBatchApi, server: ApiServer) -> None:
    server.fail(Fault(status=400, message=f"your key {KEY} is odd", times=2))
    with pytest.raises(InvalidInput) as refused:
        api.newest()
    assert "0123456789" not in str(refused.value)
    outcome = api.create(body_of(1))
    assert isinstance(outcome, Refused)
    assert outcome.message == "your key [secret] is odd"


def test_the_last_bytes_of_a_body_that_fails_are_never_sent(api: SdkBatchApi, server: ApiServer) -> None:
    """The source only notices after it has handed out everything."""
    whole = b"".join(body_of(2).chunks())

    def chunks() -> Iterator[bytes]:
        yield whole
        raise InputChanged("it was another file")

    with pytest.raises(InputChanged):
        api.create(Body(len(whole), chunks))
    assert server.creates == 0


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_body_of_another_length_is_never_complete(api: SdkBatchApi, server: ApiServer, difference: int) -> None:
    body = body_of(2)
    with pytest.raises(OperationFailed, match="another length"):
        api.create(Body(body.length + difference, body.chunks))
    assert server.creates == 0


def test_a_document_becomes_a_value() -> None:
    remote = remote_batch(DOCUMENT)
    assert remote.created_at == datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
    assert (remote.id, remote.request_counts.total, remote.ended_at) == ("msgbatch_1", 3, None)


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": ""},
        {"processing_status": "resting"},
        {"request_counts": None},
        {"request_counts": {"processing": -1}},
        {"request_counts": {**DOCUMENT["request_counts"], "expired": True}},  # type: ignore[dict-item]
        {"created_at": "soon"},
        {"expires_at": 7},
    ],
)
def test_a_document_that_is_no_batch_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        remote_batch({**DOCUMENT, **change})


@pytest.mark.parametrize("document", [None, [], "x", {}])
def test_something_else_is_no_batch(document: object) -> None:
    with pytest.raises(ValueError, match="not"):
        remote_batch(document)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429])
def test_these_statuses_say_that_there_is_no_batch(status: int) -> None:
    outcome = outcome_of_failure(status, "<html>a proxy</html>", {})
    assert outcome == Refused(status, "error", f"status {status}")


@pytest.mark.parametrize("status", [302, 307, 405, 408, 409, 425, 499, 500, 502, 503, 504, 520, 529])
def test_after_any_other_status_there_may_be_one(status: int) -> None:
    assert isinstance(outcome_of_failure(status, {"error": {"message": "odd"}}, {}), OutcomeUnknown)


@pytest.mark.parametrize("code", ["enforced_spend_limit_reached", "contract_spend_limit_reached"])
def test_a_spend_limit_is_not_cured_by_waiting(code: str) -> None:
    body = {"error": {"type": "rate_limit_error", "message": "limit", "details": {"error_code": code}}}
    limited = outcome_of_failure(429, body, {"retry-after": "5"})
    assert isinstance(limited, Refused)
    assert not limited.busy
    plain = outcome_of_failure(429, {}, {"retry-after": "5"})
    assert isinstance(plain, Refused)
    assert (plain.busy, plain.retry_after_s) == (True, 5.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "17"}, 0.25),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:00 GMT"}, 60.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
    ],
)
def test_the_wait_that_the_api_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, datetime(2026, 11, 21, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-11-21"])
def test_an_unreadable_date_is_none(text: str | None) -> None:
    assert http_date(text) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.anthropic.com/", "https://api.anthropic.com"),
        ("http://user:secret@127.0.0.1:8788/proxy/", "http://127.0.0.1:8788/proxy"),
        ("http://[::1]:80/?token=secret", "http://[::1]:80"),
    ],
)
def test_an_address_is_shown_without_what_it_hides(url: str, shown: str) -> None:
    assert public_url(url) == shown
