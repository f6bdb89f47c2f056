"""Langfuse's observations bill their disjoint counts, once, however they were exported."""

from __future__ import annotations

import pytest
from foreign_logs import COUNTS, MODEL, items_of, observation, records_of

from costkit.core.response import Counts
from costkit.report import FileRead, Skipped


@pytest.mark.parametrize(
    "document",
    [
        observation(),
        {"data": [observation()], "meta": {"page": 1}},
        {"id": "trace-1", "name": "t", "observations": [observation()]},
        observation(model=None, providedModelName=MODEL),
    ],
    ids=["line", "page", "trace", "second-api"],
)
def test_an_observation_is_read_from_every_export(document: object) -> None:
    (record,) = records_of(document)

    assert (record.model, record.message_id, record.usage.counts) == (MODEL, "obs-1", COUNTS)
    assert record.timestamp


@pytest.mark.parametrize(
    "usage",
    [
        {"input": 40, "output": 25, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 300},
        {"input_tokens": 40, "output_tokens": 25, "input_cached_tokens": 700, "input_cache_creation": 300},
        {"input": 1040, "output": 25, "input_cache_read": 700, "input_cache_creation": 300, "total": 1065},
    ],
    ids=["as-the-api", "mixed", "input-includes-cache"],
)
def test_the_names_of_every_integration_come_to_the_same(usage: dict[str, int]) -> None:
    (record,) = records_of(observation(usageDetails=usage))

    assert record.usage.counts == COUNTS


def test_cache_writes_keep_their_ttl() -> None:
    usage = {"input": 1, "output": 2, "input_cache_creation_5m": 30, "input_cache_creation_1h": 40}
    (record,) = records_of(observation(usageDetails=usage))

    assert record.usage.counts == Counts(1, 0, 70, 30, 40, 2)


def test_older_exports_are_read() -> None:
    older = observation(id="a", usageDetails=None, usage={"input": 9, "output": 4, "total": 13, "unit": "TOKENS"})
    oldest = observation(id="b", usageDetails=None, promptTokens=9, completionTokens=4, totalTokens=13)

    assert [record.usage.counts for record in records_of(older, oldest)] == [Counts(9, output_tokens=4)] * 2


def test_an_agent_that_repeats_its_generations_is_not_counted_again() -> None:
    agent = observation(id="agent", type="AGENT")
    chain = observation(id="chain", type="CHAIN", parentObservationId="agent", usageDetails={})
    documents = [agent, chain, observation(parentObservationId="chain")]
    last = items_of(*documents)[-1]

    assert [record.message_id for record in records_of(*documents)] == ["obs-1"]
    assert isinstance(last, FileRead)
    assert last.unbilled == (("repeated-by-parent-span", 1),)


def test_characters_are_no_tokens() -> None:
    items = items_of(observation(usageDetails=None, usage={"input": 9, "output": 4, "unit": "CHARACTERS"}))

    assert [item.reason for item in items if isinstance(item, Skipped)] == ["bad-usage: usage is not counted in tokens"]
