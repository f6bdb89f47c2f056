"""`costkit.Router`: the decisions of `costkit route` inside of a program, through the real SDK."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic import NOT_GIVEN, AsyncAnthropic, omit
from anthropic.types import TextBlock
from api_calls import OPEN, client
from api_server import ApiServer, Fault

import costkit
from costkit.errors import InvalidInput

ROUTES = """\
schema: costkit/routes@1
safe: claude-opus-5-5
classifier: rules
routes:
  - {name: quick, when: {complexity: simple}, model: claude-haiku-5-5}
  - {name: rest, model: claude-sonnet-5-5}
"""
HELLO: dict[str, Any] = {"max_tokens": 50, "messages": [{"role": "user", "content": "Translate: hello"}]}


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def by_rules(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)
    return path


@pytest.fixture
def by_model(tmp_path: Path) -> Path:
    path = tmp_path / "asking.yaml"
    path.write_text(ROUTES.replace("classifier: rules", "classifier: api"))
    return path


def test_a_decision_names_model_route_and_rule(by_rules: Path) -> None:
    decision = costkit.Router(None, by_rules).choose(HELLO)
    assert (decision.model, decision.route, decision.rule) == ("claude-haiku-5-5", "quick", "plain-verb")


@pytest.mark.parametrize(
    "more",
    [
        {"system": NOT_GIVEN, "tools": omit},
        {"messages": tuple(HELLO["messages"])},
        {"messages": [{"role": "user", "content": [TextBlock(type="text", text="Translate: hello")]}]},
    ],
)
def test_what_the_sdk_takes_is_decided_like_its_json(by_rules: Path, more: dict[str, Any]) -> None:
    router = costkit.Router(None, by_rules)
    assert router.choose({**HELLO, **more}) == router.choose(HELLO)


def test_the_history_of_an_agent_is_passed_on_as_it_is(api: ApiServer, by_rules: Path) -> None:
    """The blocks of an answer go back as they came, and an iterator of messages is not used up by choosing."""
    router = costkit.Router(client(api), by_rules)
    answer = router.create(**HELLO)
    turns = [*HELLO["messages"], {"role": "assistant", "content": answer.content}, *HELLO["messages"]]
    router.create(**{**HELLO, "messages": iter(turns)})
    sent = api.requests[-1].body["messages"]
    assert [turn["role"] for turn in sent] == ["user", "assistant", "user"]


def test_the_program_decides_as_the_command_does(by_rules: Path, costkit: Any, tmp_path: Path) -> None:
    import costkit as library

    tasks = ["Translate: hello", "Debug this", "Prove it step by step", "Make a plan. " * 60, "```\nx\n```"]
    bodies = [{"messages": [{"role": "user", "content": task}]} for task in tasks]
    (tmp_path / "bodies.jsonl").write_text("".join(json.dumps(body) + "\n" for body in bodies))
    done = costkit("route", "bodies.jsonl", "--routes", "routes.yaml", "--json")
    router = library.Router(None, by_rules)
    assert [item["model"] for item in json.loads(done.stdout)["result"]["items"]] == [
        router.choose(body).model for body in bodies
    ]


def test_create_sends_the_request_to_the_chosen_model(api: ApiServer, by_rules: Path) -> None:
    message = costkit.Router(client(api), by_rules).create(**HELLO, model="claude-opus-5-5", metadata={"user_id": "u"})
    assert message.model == "claude-haiku-5-5"
    (sent,) = api.requests
    assert sent.body == {**HELLO, "model": "claude-haiku-5-5", "metadata": {"user_id": "u"}}


def test_an_async_client_can_be_awaited(api: ApiServer, by_rules: Path) -> None:
    async def run() -> str:
        async with AsyncAnthropic(api_key=api.key, base_url=api.url) as asynchronous:
            message = await costkit.Router(asynchronous, by_rules).create(**HELLO)
            return str(message.model)

    assert asyncio.run(run()) == "claude-haiku-5-5"


def test_a_model_is_asked_once_for_each_question(api: ApiServer, by_model: Path) -> None:
    api.said = {
        "Translate": {"content": [{"type": "text", "text": '{"complexity":"simple","code":false,"reasoning":false}'}]}
    }
    router = costkit.Router(client(api), by_model)
    decisions = [router.choose(HELLO) for _ in range(3)]
    assert {decision.model for decision in decisions} == {"claude-haiku-5-5"}
    assert len(api.requests) == 1
    assert router.classifier_model == "claude-haiku-5-5"
    assert router.classifier_usage.output_tokens > 0
    assert router.fallbacks == 0


@pytest.mark.parametrize("fault", [Fault(status=500, on="messages"), Fault(reset=True, on="messages")])
def test_a_failing_api_never_stops_the_program(api: ApiServer, by_model: Path, fault: Fault) -> None:
    api.fail(fault)
    router = costkit.Router(client(api), by_model)
    decision = router.choose(HELLO)
    assert (decision.model, decision.route, decision.rule) == ("claude-opus-5-5", "safe", "no-answer")
    assert router.fallbacks == 1
    assert router.choose(HELLO).route != "safe"


def test_threads_may_share_a_router(api: ApiServer, by_model: Path) -> None:
    api.said = {"Translate": {"stop_reason": "refusal"}}
    router = costkit.Router(client(api), by_model)
    threads = [threading.Thread(target=router.choose, args=(HELLO,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert router.fallbacks == len(api.requests) == 8


def test_asking_a_model_needs_a_client_that_answers_at_once(by_model: Path) -> None:
    with pytest.raises(InvalidInput, match="a client that answers at once"):
        costkit.Router(None, by_model)
    with pytest.raises(InvalidInput, match="a client that answers at once"):
        costkit.Router(AsyncAnthropic(api_key="sk-ant-test"), by_model)


def test_a_body_that_is_no_request_is_refused(by_rules: Path) -> None:
    with pytest.raises(InvalidInput, match="request:messages"):
        costkit.Router(None, by_rules).choose({"messages": []})


def test_wrong_routes_are_refused_before_the_first_request(by_rules: Path) -> None:
    by_rules.write_text(ROUTES.replace("claude-haiku-5-5", "claude-haiku-55"))
    with pytest.raises(InvalidInput, match=r"routes\.yaml:5: routes\[0\]: model: unknown model"):
        costkit.Router(None, by_rules)
