"""The stand-in for the API, through the real SDK: what it accepts, what it refuses, how its batches live."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import anthropic
import pytest
from api_calls import OPEN, RESULTS, client, create, item, items, lines_of, outcomes_of, post
from api_server import ApiServer, tokens_of


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def test_a_batch_lives_from_create_to_delete(api: ApiServer) -> None:
    batches = client(api).messages.batches
    created = batches.create(requests=items(5))
    assert (created.processing_status, created.results_url, created.ended_at) == ("in_progress", None, None)
    assert created.expires_at - created.created_at == timedelta(hours=24)
    assert created.request_counts.processing == 5
    api.end(created.id)
    ended = batches.retrieve(created.id)
    assert (ended.processing_status, ended.request_counts.succeeded, ended.request_counts.processing) == ("ended", 5, 0)
    results = list(batches.results(created.id))
    assert sorted(line.custom_id for line in results) == [f"row-{number}" for number in range(5)]
    assert batches.delete(created.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        batches.retrieve(created.id)


def test_the_same_prompt_gets_the_same_answer_at_batch_and_at_ordinary_service_tier(api: ApiServer) -> None:
    (batch_id,) = [create(api, item("one"))]
    api.end()
    (line,) = lines_of(api, batch_id)
    message = client(api).messages.create(**item("one")["params"])
    batched = line["result"]["message"]
    assert batched["content"][0]["text"] == message.content[0].text
    assert (batched["usage"]["service_tier"], message.usage.service_tier) == ("batch", "standard")
    assert message.usage.input_tokens == tokens_of(item("one")["params"])


def test_an_answer_that_does_not_fit_stops_at_max_tokens(api: ApiServer) -> None:
    message = client(api).messages.create(**item("one", max_tokens=3)["params"])
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 3)


def test_a_marked_prefix_is_written_once_and_read_from_then_on(api: ApiServer) -> None:
    system = [{"type": "text", "text": "rule " * 2000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    first, second = (client(api).messages.create(**item(name, system=system)["params"]).usage for name in "ab")
    assert first.cache_creation is not None
    written = first.cache_creation.ephemeral_1h_input_tokens
    assert written == first.cache_creation_input_tokens == second.cache_read_input_tokens > 1024
    assert first.cache_read_input_tokens == second.cache_creation_input_tokens == 0
    assert first.input_tokens + written == tokens_of(item("a", system=system)["params"])


def test_results_come_in_another_order_than_the_requests(api: ApiServer) -> None:
    create(api, *items(20))
    api.end()
    order = [line["custom_id"] for line in lines_of(api, api.batches[0].id)]
    assert order != api.batches[0].custom_ids
    assert sorted(order) == sorted(api.batches[0].custom_ids)


def test_the_bytes_of_a_create_call_are_kept_as_they_came(api: ApiServer) -> None:
    body = b'{ "requests" :[\n' + json.dumps(item("x")).encode() + b"\n]}"
    assert post(api.url, "/v1/messages/batches", body, api.key)[0] == 200
    assert api.batches[0].sha256 == hashlib.sha256(body).hexdigest()
    assert api.batches[0].intake.bytes == len(body)


def test_a_body_of_many_chunks_is_read_item_by_item(api: ApiServer) -> None:
    """Items end anywhere relative to the chunks, and one is larger than several of them."""
    sent = [item(f"row-{number}", system="é" * size) for number, size in enumerate([300_000] * 6 + [3_000_000])]
    create(api, *sent)
    assert list(api.batches[0].intake.items()) == sent


def test_lists_are_newest_first_and_paged_in_both_directions(api: ApiServer) -> None:
    ids = [create(api) for _ in range(5)][::-1]
    batches = client(api).messages.batches
    assert [batch.id for batch in batches.list(limit=2)] == ids
    page = batches.list(limit=2, after_id=ids[1])
    assert [batch.id for batch in page.data] == ids[2:4]
    assert (page.has_more, page.first_id, page.last_id) == (True, ids[2], ids[3])
    assert [batch.id for batch in batches.list(limit=2, before_id=ids[4]).data] == ids[2:4]
    assert batches.list(limit=3, before_id=ids[3]).has_more is False


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_page_has_1_to_1000_batches(api: ApiServer, limit: int) -> None:
    with pytest.raises(anthropic.BadRequestError, match="limit"):
        client(api).messages.batches.list(limit=limit)


def test_replies_name_the_account_the_request_and_the_servers_time(api: ApiServer) -> None:
    api.clock_ahead = timedelta(days=2)
    headers = client(api).messages.batches.with_raw_response.list().headers
    day = (api.now()).strftime("%d %b %Y")
    assert headers["anthropic-organization-id"]
    assert headers["anthropic-workspace-id"]
    assert headers["request-id"].startswith("req_")
    assert day in headers["date"]


def test_accounts_do_not_see_each_others_batches(api: ApiServer) -> None:
    batch_id = create(api)
    api.add_key("sk-ant-other", "org-other")
    other = client(api, "sk-ant-other").messages.batches
    assert list(other.list()) == []
    with pytest.raises(anthropic.NotFoundError):
        other.retrieve(batch_id)
    with pytest.raises(anthropic.AuthenticationError):
        client(api, "sk-ant-unknown").messages.batches.list()


def test_canceling_lets_what_is_done_be_done(api: ApiServer) -> None:
    batches = client(api).messages.batches
    batch_id = create(api, *items(40))
    assert batches.cancel(batch_id).processing_status == "canceling"
    with pytest.raises(anthropic.BadRequestError, match="cancel"):
        batches.delete(batch_id)
    api.end(batch_id)
    counts = batches.retrieve(batch_id).request_counts
    assert counts.succeeded > 0
    assert counts.canceled > 0
    assert counts.succeeded + counts.canceled == 40
    with pytest.raises(anthropic.BadRequestError, match="ended"):
        batches.cancel(batch_id)


def test_a_batch_that_runs_out_of_time_has_expired_items(api: ApiServer) -> None:
    batch_id = create(api, *items(40))
    api.expire(batch_id)
    assert set(outcomes_of(api, batch_id).values()) == {"succeeded", "expired"}


def test_a_batch_ends_by_itself_where_a_duration_is_given() -> None:
    with ApiServer(seconds_per_batch=0) as api:
        batch_id = create(api)
        assert client(api).messages.batches.retrieve(batch_id).processing_status == "ended"


def test_results_are_there_from_the_end_until_29_days_after_the_creation(api: ApiServer) -> None:
    batch_id = create(api)
    batches = client(api).messages.batches
    with pytest.raises(anthropic.NotFoundError, match="no available results"):
        client(api).get(RESULTS.format(batch_id), cast_to=object)
    api.end()
    api.age(batch_id, timedelta(days=30))
    assert batches.retrieve(batch_id).archived_at is not None
    with pytest.raises(anthropic.NotFoundError, match="no longer available"):
        client(api).get(RESULTS.format(batch_id), cast_to=object)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "object"),
        (b"[]", "JSON"),
        (b'{"requests":[', "JSON"),
        (b'{"requests":[NaN]}', "JSON"),
        (b'{"requests":[{"custom_id":"a","params":{}},]}', "JSON"),
        (b'{"requests":[{"custom_id":"a","params":{}}],}', "JSON"),
        (b'{"requests":[{"custom_id":"a","params":{}}]} more', "JSON"),
        (b'{"requests":["\xff"]}', "UTF-8"),
        (b"{}", "requests: Field required"),
        (b'{"requests":{}}', "valid array"),
        (b'{"requests":[]}', "at least 1"),
        (b'{"requests":[1]}', "requests.0: Input should be an object"),
        (b'{"requests":[{"params":{}}]}', "requests.0.custom_id: Field required"),
        (b'{"requests":[{"custom_id":"a"}]}', "requests.0.params: Field required"),
        (b'{"requests":[{"custom_id":"a","params":[]}]}', "requests.0.params: Input"),
        (b'{"requests":[{"custom_id":"a b","params":{}}]}', "requests.0.custom_id: String should match"),
        (b'{"requests":[{"custom_id":"a\\n","params":{}}]}', "requests.0.custom_id: String should match"),
        (b'{"requests":[{"custom_id":"' + b"a" * 65 + b'","params":{}}]}', "String should match"),
        (b'{"requests":[{"custom_id":"a","params":{},"url":"/"}]}', "requests.0.url: Extra"),
        (b'{"requests":[{"custom_id":"a","params":{}}],"name":"x"}', "name: Extra"),
        (b'{"requests":[{"custom_id":"a","params":{}},{"custom_id":"a","params":{}}]}', "unique"),
    ],
)
def test_a_create_call_with_a_wrong_body_is_refused_at_once(api: ApiServer, body: bytes, message: str) -> None:
    status, document = post(api.url, "/v1/messages/batches", body, api.key)
    assert (status, document["error"]["type"]) == (400, "invalid_request_error")
    assert message in document["error"]["message"]
    assert api.creates == 0
    assert list(api.folder.iterdir()) == []


def test_more_requests_or_bytes_than_allowed_are_refused(api: ApiServer) -> None:
    api.max_batch_requests = 2
    with pytest.raises(anthropic.BadRequestError, match="at most 2"):
        create(api)
    api.max_batch_bytes = 100
    with pytest.raises(anthropic.APIStatusError) as caught:
        create(api, item("a"))
    assert (caught.value.status_code, caught.value.type) == (413, "request_too_large")
    assert api.creates == 0


def test_a_batch_whose_sender_dies_half_way_is_not_created(api: ApiServer) -> None:
    with closing(http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=20)) as connection:
        connection.putrequest("POST", "/v1/messages/batches")
        for name, value in {"content-length": "5000", "x-api-key": api.key, "anthropic-version": "2023-06-01"}.items():
            connection.putheader(name, value)
        connection.endheaders(b'{"requests":[')
        connection.sock.shutdown(socket.SHUT_WR)
        assert connection.sock.recv(1) == b""
    assert client(api).messages.batches.list().data == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"stream": True}, "stream"),
        ({"speed": "fast"}, "speed"),
        ({"store": True}, "store"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"temperature": 0.5}, "temperature: Extra"),
        ({"prompt": "Human:"}, "prompt: Extra"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, "user role"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
        ({"model": "gpt-4"}, "model: gpt-4"),
    ],
)
def test_what_batches_refuse_becomes_an_errored_result_and_no_refusal(
    api: ApiServer, params: dict[str, Any], message: str
) -> None:
    batch_id = create(api, item("good"), item("bad", **params))
    api.end()
    assert outcomes_of(api, batch_id) == {"good": "succeeded", "bad": "errored"}
    (failed,) = [line["result"]["error"] for line in lines_of(api, batch_id) if line["custom_id"] == "bad"]
    assert message in failed["error"]["message"]


def test_sampling_parameters_exist_in_the_older_version_of_the_api(api: ApiServer) -> None:
    body = json.dumps({"requests": [item("a", temperature=0.5)]}).encode()
    post(api.url, "/v1/messages/batches", body, api.key)
    api.end()
    assert outcomes_of(api, api.batches[0].id) == {"a": "succeeded"}


@pytest.mark.parametrize(
    ("ttls", "message"), [(["5m"] * 5, "maximum of 4"), (["5m", "1h"], "must not come after"), (["1d"], "ttl")]
)
def test_the_rules_of_cache_marks_hold(api: ApiServer, ttls: list[str], message: str) -> None:
    system = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": ttl}} for ttl in ttls]
    with pytest.raises(anthropic.BadRequestError, match=message):
        client(api).messages.create(**item("a", system=system)["params"])


def test_an_item_larger_than_a_request_may_be_is_errored(api: ApiServer) -> None:
    api.max_body_bytes = 500
    batch_id = create(api, item("small"), item("large", system="x" * 600))
    api.end()
    assert outcomes_of(api, batch_id) == {"small": "succeeded", "large": "errored"}
