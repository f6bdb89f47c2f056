"""Tags hold for the calls within them, and for no others."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

import costkit
from costkit.errors import InvalidInput

if TYPE_CHECKING:
    from api_server import ApiServer


def test_inner_tags_win_over_outer_ones_and_those_over_the_clients(client: Any, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path, tags={"team": "sea", "step": 0})
    with costkit.tags(step=1, user="ann"):
        tracked.messages.create(**body)
        with costkit.tags(step=2):
            tracked.messages.create(**body)
    tracked.messages.create(**body)
    assert [line["tags"] for line in log.lines] == [
        {"team": "sea", "step": 1, "user": "ann"},
        {"team": "sea", "step": 2, "user": "ann"},
        {"team": "sea", "step": 0},
    ]


def test_tags_end_with_their_block_even_when_it_fails(client: Any, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path)
    with pytest.raises(RuntimeError), costkit.tags(step=1):
        raise RuntimeError
    tracked.messages.create(**body)
    assert log.line["tags"] == {}


def test_a_function_can_be_tagged(client: Any, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path)

    @costkit.tags(feature="tides")
    def ask() -> None:
        tracked.messages.create(**body)

    ask()
    ask()
    assert [line["tags"] for line in log.lines] == [{"feature": "tides"}] * 2


def test_a_stream_has_the_tags_of_when_it_was_asked_for(client: Any, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path)
    with costkit.tags(step="asked"):
        stream = tracked.messages.create(stream=True, **body)
    with costkit.tags(step="read"):
        list(stream)
    assert log.line["tags"] == {"step": "asked"}


def test_tasks_at_the_same_time_keep_their_own_tags(api: ApiServer, log: Any, body: Any) -> None:
    async def one(client: anthropic.AsyncAnthropic, number: int) -> None:
        with costkit.tags(number=number):
            await asyncio.sleep(0)
            await client.messages.create(**body)

    async def all_of_them() -> None:
        async with anthropic.AsyncAnthropic(api_key=api.key, base_url=api.url) as client:
            tracked = costkit.track(client, log.path)
            with costkit.tags(job="j"):
                await asyncio.gather(*(one(tracked, number) for number in range(6)))

    asyncio.run(all_of_them())
    assert sorted(line["tags"]["number"] for line in log.lines) == [0, 1, 2, 3, 4, 5]
    assert {line["tags"]["job"] for line in log.lines} == {"j"}


def test_threads_have_tags_of_their_own_or_those_that_they_are_given(client: Any, log: Any, body: Any) -> None:
    tracked = costkit.track(client, log.path)

    def one(number: int) -> None:
        with costkit.tags(number=number):
            tracked.messages.create(**body)

    with costkit.tags(job="j"), ThreadPoolExecutor(3) as pool:
        contexts = [contextvars.copy_context() for _ in range(3)]
        list(pool.map(lambda pair: pair[0].run(one, pair[1]), zip(contexts, range(3), strict=True)))
    assert sorted((line["tags"]["number"], line["tags"]["job"]) for line in log.lines) == [(0, "j"), (1, "j"), (2, "j")]


@pytest.mark.parametrize("value", [None, ["a"], {"a": 1}, float("inf")])
def test_a_tag_is_one_value(value: Any) -> None:
    with pytest.raises(InvalidInput, match="tag 'team'"), costkit.tags(team=value):
        pass
