"""A client with a budget holds the most that a call can cost, and sends nothing that doesn't fit."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anthropic
import pytest
from api_server import ApiServer, Fault

import costkit
from costkit.adapters.budgets.handle import Held
from costkit.budget.rules import Standing
from costkit.errors import BudgetExceeded, InvalidInput, UnknownModel
from costkit.tracking.guard import settle

SetBudget = Callable[..., None]
LARGE = "100000tokens"


@pytest.fixture
def budget() -> SetBudget:
    """Sets a budget as a person would."""

    def set_(*flags: str) -> None:
        command = [sys.executable, "-m", "costkit", "budget", "set", "team", *flags]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    return set_


def standing() -> Standing:
    return costkit.Budget("team").state().standing


def tokens(usage: Any) -> int:
    """What a usage without caching counts in a budget of tokens."""
    return int(usage["input_tokens"] + usage["output_tokens"])


def test_a_call_is_settled_with_what_it_used(client: Any, log: Any, body: Any, budget: SetBudget) -> None:
    budget("--limit", LARGE)
    costkit.track(client, log.path, budget="team").messages.create(**body)
    now = standing()
    assert (now.committed, now.reserved, now.uncertain) == (tokens(log.line["usage"]), 0, 0)


@pytest.mark.parametrize("way", ["create", "stream"])
def test_a_call_is_settled_at_the_geography_that_served_it(
    client: Any, log: Any, body: Any, budget: SetBudget, way: str
) -> None:
    budget("--limit", "5", "--geo", "us")

    def workspace(request: Any, call_next: Any) -> Any:
        """Stands for a default of the workspace, which the request doesn't name."""
        return call_next(request.copy(body={**request.json, "inference_geo": "us"}))

    tracked = costkit.track(client, log.path, budget="team").with_middleware(workspace)
    ways = {
        "create": tracked.messages.create,
        "stream": lambda **given: list(tracked.messages.create(stream=True, **given)),
    }
    ways[way](**body)
    usage, day = log.line["usage"], datetime.now(UTC).date()
    counts = costkit.Usage(input_tokens=usage["input_tokens"], output_tokens=usage["output_tokens"])
    cost = costkit.load_price_book().cost(counts, body["model"], day, inference_geo="us").total_usd
    now = standing()
    assert (now.amount(now.committed).usd, now.reserved, now.uncertain) == (cost, 0, 0)


def test_a_stream_is_settled_when_it_has_ended(client: Any, log: Any, body: Any, budget: SetBudget) -> None:
    budget("--limit", LARGE)
    stream = costkit.track(client, log.path, budget=costkit.Budget("team")).messages.create(stream=True, **body)
    assert standing().reserved > 0
    list(stream)
    now = standing()
    assert (now.committed, now.reserved, now.uncertain) == (tokens(log.line["usage"]), 0, 0)


def test_an_asynchronous_call_is_settled_too(api: ApiServer, log: Any, body: Any, budget: SetBudget) -> None:
    budget("--limit", LARGE)

    async def call() -> None:
        async with anthropic.AsyncAnthropic(api_key=api.key, base_url=api.url) as client:
            await costkit.track(client, log.path, budget="team").messages.create(**body)

    asyncio.run(call())
    assert standing().committed == tokens(log.line["usage"])


class Collecting(dict[str, Any]):
    """A usage during whose reading the garbage collector finds a dropped stream."""

    def __init__(self, dropped: Held, usage: dict[str, Any]) -> None:
        super().__init__(usage)
        self._dropped = dropped

    def get(self, name: str, default: Any = None) -> Any:
        settle(self._dropped, [])
        return super().get(name, default)


def test_a_stream_that_is_collected_amid_an_operation_is_settled_after_it(budget: SetBudget) -> None:
    budget("--limit", LARGE)
    team = costkit.Budget("team")
    dropped, held = team.reserve(tokens=10), team.reserve(tokens=20)
    usage = Collecting(dropped, {"input_tokens": 3, "output_tokens": 4})
    thread = threading.Thread(target=held.commit, args=(usage,), daemon=True)
    thread.start()
    thread.join(60)
    now = standing()
    assert (now.committed, now.reserved, now.uncertain) == (7, 0, 10)


def test_a_call_that_does_not_fit_is_never_sent(client: Any, api: ApiServer, body: Any, budget: SetBudget) -> None:
    budget("--limit", "0.00001")
    with pytest.raises(BudgetExceeded):
        costkit.track(client, budget="team").with_options(max_retries=2).messages.create(**body)
    assert api.requests == []


def test_a_stream_that_is_given_up_stays_counted(
    client: Any, api: ApiServer, body: Any, budget: SetBudget, caplog: pytest.LogCaptureFixture
) -> None:
    budget("--limit", LARGE)
    api.fail(Fault(on="messages", body_s=0.6))
    with costkit.track(client, budget="team").messages.stream(**body) as stream:
        next(iter(stream))
    now = standing()
    assert (now.committed, now.reserved) == (0, 0)
    assert now.uncertain >= body["max_tokens"]
    assert "was not settled" in caplog.text


def test_what_the_api_refused_is_given_back(client: Any, api: ApiServer, body: Any, budget: SetBudget) -> None:
    budget("--limit", LARGE)
    api.fail(Fault(on="messages", status=400))
    with pytest.raises(anthropic.BadRequestError):
        costkit.track(client, budget="team").messages.create(**body)
    assert standing().used == 0


@pytest.mark.parametrize("fault", [Fault(on="messages", status=500), Fault(on="messages", reset=True)])
def test_what_may_have_been_billed_stays_counted(
    client: Any, api: ApiServer, body: Any, budget: SetBudget, fault: Fault
) -> None:
    budget("--limit", LARGE)
    api.fail(fault)
    with pytest.raises(anthropic.APIError):
        costkit.track(client, budget="team").messages.create(**body)
    now = standing()
    assert (now.committed, now.reserved) == (0, 0)
    assert now.uncertain > 0


def test_calls_outside_of_the_scope_are_not_counted(client: Any, log: Any, body: Any, budget: SetBudget) -> None:
    budget("--limit", LARGE, "--scope", "tag=team:sea")
    tracked = costkit.track(client, log.path, budget="team", tags={"team": "land"})
    tracked.messages.create(**body)
    assert standing().used == 0
    with costkit.tags(team="sea"):
        tracked.messages.create(**body)
    assert standing().committed == tokens(log.lines[1]["usage"])


def test_a_request_without_a_known_price_is_never_sent(
    client: Any, api: ApiServer, body: Any, budget: SetBudget
) -> None:
    budget("--limit", "5")
    with pytest.raises(UnknownModel):
        costkit.track(client, budget="team").messages.create(**{**body, "model": "claude-gone-9"})
    assert api.requests == []


def test_a_batch_is_refused_before_it_is_sent(client: Any, api: ApiServer, body: Any, budget: SetBudget) -> None:
    budget("--limit", "5")
    with pytest.raises(InvalidInput, match="sends no batches"):
        costkit.track(client, budget="team").messages.batches.create(requests=[{"custom_id": "a", "params": body}])
    assert api.requests == []


def test_what_bills_nothing_needs_no_budget(client: Any, body: Any, budget: SetBudget) -> None:
    budget("--limit", "0.00001")
    tracked = costkit.track(client, budget="team")
    assert tracked.messages.count_tokens(model=body["model"], messages=body["messages"]).input_tokens > 0


def test_a_budget_that_was_never_set_is_told_at_once(client: Any) -> None:
    with pytest.raises(InvalidInput, match="team"):
        costkit.track(client, budget="team")


def test_a_program_that_a_budget_runs_spends_from_it(
    client: Any, log: Any, body: Any, budget: SetBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget("--limit", LARGE)
    monkeypatch.setenv("COSTKIT_BUDGET", "team")
    costkit.track(client).messages.create(**body)
    once = standing().committed
    costkit.track(client, log.path).messages.create(**body)
    assert standing().committed == once + tokens(log.line["usage"])


def test_a_log_or_a_budget_must_be_given(client: Any) -> None:
    with pytest.raises(InvalidInput, match="path of a log, or a budget"):
        costkit.track(client)


def test_a_program_that_was_started_with_a_budget_spends_from_it(
    client: Any, body: Any, budget: SetBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget("--limit", LARGE)
    monkeypatch.setenv("COSTKIT_BUDGET", "team")
    message = costkit.track(client).messages.create(**body)
    assert standing().committed == tokens(message.usage.model_dump())
