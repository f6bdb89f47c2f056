"""A call that is cancelled while its budget is asked sends nothing and holds nothing, whenever the cancellation comes.

A reservation is made in a thread that can't be stopped: it is held up here at each instant that matters.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import anyio
import pytest

import costkit
from costkit.adapters.budgets.handle import Budget, Held
from costkit.adapters.budgets.store import BudgetStore
from costkit.budget import Change, parse_amount

if TYPE_CHECKING:
    from api_server import ApiServer

WAIT_S = 60
Calling = Callable[[], Any]


class Gates:
    """How far a reservation has come, and what holds it up."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()
        self.given_back = threading.Event()
        self.threads: list[threading.Thread] = []
        """Those that gave something back."""


@pytest.fixture
def team(tmp_path: Path) -> Budget:
    """A budget with room for everything."""
    with BudgetStore(tmp_path) as store:
        store.define("team", Change(parse_amount("100000tokens")), datetime.now(UTC))
    return Budget("team", folder=tmp_path)


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gates]:
    """Reservations are real, and wait to be let through."""
    seen = Gates()
    reserve, release = Budget.reserve, Held.release

    def slowly(self: Budget, **arguments: Any) -> Held:
        seen.asked.set()
        assert seen.go_on.wait(WAIT_S)
        return reserve(self, **arguments)

    def told(self: Held) -> Any:
        try:
            return release(self)
        finally:
            seen.threads.append(threading.current_thread())
            seen.given_back.set()

    monkeypatch.setattr(Budget, "reserve", slowly)
    monkeypatch.setattr(Held, "release", told)
    yield seen
    seen.go_on.set()


@pytest.fixture
def calling(api: ApiServer, team: Budget, body: dict[str, Any]) -> Calling:
    """Begins a call that a budget guards."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[asyncio.Task[Any]]:
        async with anthropic.AsyncAnthropic(api_key=api.key, base_url=api.url) as client:
            yield asyncio.create_task(costkit.track(client, budget=team).messages.create(**body))

    return begin


async def end(task: asyncio.Task[Any]) -> None:
    with pytest.raises(asyncio.CancelledError):
        await task


async def answer_on_its_way(monkeypatch: pytest.MonkeyPatch, gates: Gates) -> None:
    """Let the thread do all that it does, while the loop that waits for its answer can't take it."""
    loop, told = asyncio.get_running_loop(), threading.Event()
    tell = loop.call_soon_threadsafe

    def tell_and_say(*arguments: Any, **named: Any) -> Any:
        handle = tell(*arguments, **named)
        told.set()
        return handle

    assert await asyncio.to_thread(gates.asked.wait, WAIT_S)
    monkeypatch.setattr(loop, "call_soon_threadsafe", tell_and_say)
    gates.go_on.set()
    assert told.wait(WAIT_S)


def test_before_the_thread_has_begun(calling: Calling, gates: Gates, team: Budget, api: ApiServer) -> None:
    async def call() -> None:
        async with calling() as task:
            await asyncio.sleep(0)
            task.cancel()
            await end(task)

    asyncio.run(call())
    assert (gates.asked.is_set(), team.state().standing.used, api.requests) == (False, 0, [])


@pytest.mark.parametrize("times", [1, 2])
def test_while_the_thread_reserves(calling: Calling, gates: Gates, team: Budget, api: ApiServer, times: int) -> None:
    async def call() -> None:
        async with calling() as task:
            assert await asyncio.to_thread(gates.asked.wait, WAIT_S)
            for _ in range(times):
                task.cancel()
            await end(task)
            gates.go_on.set()
            assert await asyncio.to_thread(gates.given_back.wait, WAIT_S)

    asyncio.run(call())
    assert (len(gates.threads), team.state().standing.used, api.requests) == (1, 0, [])


def test_while_the_thread_reserves_that_outlives_the_loop(
    calling: Calling, gates: Gates, team: Budget, api: ApiServer
) -> None:
    async def call() -> None:
        async with calling() as task:
            assert await asyncio.to_thread(gates.asked.wait, WAIT_S)
            task.cancel()
            await end(task)

    asyncio.run(call())
    gates.go_on.set()
    assert gates.given_back.wait(WAIT_S)
    assert (team.state().standing.used, api.requests) == (0, [])


def test_before_the_answer_of_the_thread_was_taken(
    calling: Calling, gates: Gates, team: Budget, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call() -> None:
        async with calling() as task:
            await answer_on_its_way(monkeypatch, gates)
            assert team.state().standing.reserved > 0
            task.cancel()
            await end(task)

    asyncio.run(call())
    assert gates.threads == [threading.current_thread()]
    assert (team.state().standing.used, api.requests) == (0, [])


def test_when_the_answer_was_taken_and_the_call_not_yet_told(
    calling: Calling, gates: Gates, team: Budget, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call() -> None:
        async with calling() as task:
            await answer_on_its_way(monkeypatch, gates)
            asyncio.get_running_loop().call_soon(task.cancel)  # right behind the answer
            await end(task)

    asyncio.run(call())
    assert gates.threads == [threading.current_thread()]
    assert (team.state().standing.used, api.requests) == (0, [])


def test_a_scope_that_is_cancelled(api: ApiServer, gates: Gates, team: Budget, body: dict[str, Any]) -> None:
    async def call() -> None:
        async with (
            anthropic.AsyncAnthropic(api_key=api.key, base_url=api.url) as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(lambda: costkit.track(client, budget=team).messages.create(**body))
            assert await asyncio.to_thread(gates.asked.wait, WAIT_S)
            group.cancel_scope.cancel()
            gates.go_on.set()

    asyncio.run(call())
    assert len(gates.threads) == 1
    assert (team.state().standing.used, api.requests) == (0, [])


def test_what_can_not_be_given_back_does_not_stop_the_cancellation(
    calling: Calling,
    gates: Gates,
    team: Budget,
    api: ApiServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(self: Held) -> Any:
        raise OSError(f"{self.id}: no such disk")

    async def call() -> None:
        async with calling() as task:
            await answer_on_its_way(monkeypatch, gates)
            monkeypatch.setattr(Held, "release", broken)
            task.cancel()
            await end(task)

    asyncio.run(call())
    assert "was not released" in caplog.text
    assert "no such disk" in caplog.text
    assert team.state().standing.used > 0
    assert api.requests == []


def test_a_refusal_that_nobody_waits_for_is_no_trouble(
    calling: Calling, gates: Gates, team: Budget, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BudgetStore(team._shared._folder) as store:
        store.define("team", Change(parse_amount("1tokens")), datetime.now(UTC))

    async def call() -> None:
        async with calling() as task:
            await answer_on_its_way(monkeypatch, gates)
            task.cancel()
            await end(task)

    asyncio.run(call())
    assert (gates.threads, team.state().standing.used, api.requests) == ([], 0, [])


def test_a_program_whose_threads_all_wait_for_calls_goes_on(api: ApiServer, team: Budget, body: dict[str, Any]) -> None:
    async def call() -> None:
        async with anthropic.AsyncAnthropic(api_key=api.key, base_url=api.url) as client:
            tracked = costkit.track(client, budget=team)
            anyio.to_thread.current_default_thread_limiter().total_tokens = 2
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(
                        anyio.to_thread.run_sync, lambda: anyio.from_thread.run(lambda: tracked.messages.create(**body))
                    )

    asyncio.run(asyncio.wait_for(call(), WAIT_S))
    assert len(api.requests) == 2
