"""How long requests take in an account: which limit binds, and what caching and batches do to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.account_limits import NAMES, account_tier
from costkit.adapters.pricing_yaml import built_in_book
from costkit.errors import InvalidInput
from costkit.estimate.account import BATCH_SECONDS

BOOK = built_in_book()
MODEL = "claude-opus-5-5"
LIMITS = f"""\
schema: costkit/limits@1
checked: 2026-11-21
sources: {{console: {{what: the Console, seen: 2026-11}}}}
tiers:
  ours:
    source: console
    batch: {{requests_in_queue: 1000}}
    limits:
      - models: [{MODEL}, claude-opus-5]
        requests_per_minute: 60
        input_tokens_per_minute: 60000
        output_tokens_per_minute: 6000
"""
BODY = {
    "system": [{"type": "text", "text": "Be brief and polite. " * 200}],
    "messages": [{"role": "user", "content": "What is new?"}],
}


@pytest.fixture
def times(program: Any, write: Callable[[str, object], Path]) -> Any:
    """`costkit estimate --tier` on a body; the paces of its model by way."""
    write("limits.yaml", LIMITS)
    write("body.json", BODY)

    def run(*arguments: object, model: str = MODEL, code: int = 0) -> Any:
        flags = ("--offline", "--json", "--tier", "limits.yaml", "-m", model)
        answer = program("estimate", "body.json", *flags, *arguments)
        assert answer.code == code
        paces = answer.document["result"]["account"]["models"][0]["paces"]
        (item,) = answer.items
        return {pace["way"]: pace for pace in paces}, item

    return run


def test_the_slowest_of_the_three_limits_says_how_long_it_takes(times: Any) -> None:
    paces, item = times("-n", 300, "--output-tokens", 500)
    sent = paces["as-sent"]
    assert sent["requests_seconds"] == 300
    assert sent["input_tokens_seconds"] == -(-item["usage"]["input_tokens"] * 60 // 60_000)
    assert sent["output_tokens_seconds"] == 300 * 500 * 60 // 6_000
    assert (sent["limit"], sent["seconds"]) == ("output_tokens", 1_500)


def test_tokens_read_from_the_cache_do_not_count_as_input(times: Any) -> None:
    paces, item = times("-n", 300)
    assert paces["as-sent"]["limit"] == "input_tokens"
    assert paces["cached-5m"]["limit"] == "requests"
    assert paces["cached-5m"]["input_tokens_seconds"] < paces["as-sent"]["input_tokens_seconds"] // 10
    _, cached = times("-n", 300, "--cache", "5m")
    usage = cached["usage"]
    counted = usage["input_tokens"] + usage["cache_creation_input_tokens"]
    assert paces["cached-5m"]["input_tokens_seconds"] == -(-counted * 60 // 60_000)
    assert usage["cache_read_input_tokens"] + counted == item["usage"]["input_tokens"]


def test_where_an_account_counts_cache_reads_caching_saves_no_time(times: Any, write: Any) -> None:
    plain, _ = times("-n", 300)
    write("limits.yaml", LIMITS + "        cache_reads_count: true\n")
    counting, _ = times("-n", 300)
    assert counting["cached-5m"]["input_tokens_seconds"] == plain["as-sent"]["input_tokens_seconds"]


def test_without_output_tokens_their_limit_is_not_judged(times: Any) -> None:
    paces, _ = times("-n", 10)
    assert paces["as-sent"]["output_tokens_seconds"] is None


@pytest.mark.parametrize(("requests", "queues"), [(1, 1), (1_000, 1), (1_001, 2)])
def test_a_batch_ends_a_day_after_each_full_queue_at_the_latest(times: Any, requests: int, queues: int) -> None:
    paces, _ = times("-n", requests, "--batch")
    assert list(paces) == ["batch"]
    assert (paces["batch"]["seconds"], paces["batch"]["limit"]) == (queues * BATCH_SECONDS, "queue")


def test_a_model_whose_limits_are_unknown_has_no_time_and_a_warning(program: Any, times: Any) -> None:
    paces, _ = times("-n", 10, model="claude-haiku-5-5", code=5)
    assert "as-sent" not in paces
    both = program(
        *f"estimate body.json --offline --json --tier limits.yaml -m {MODEL} -m claude-haiku-5-5 -n 2".split()
    )
    assert (both.code, "unknown-rate-limit" in both.warnings) == (0, True)


def test_fast_mode_has_limits_of_its_own_which_nobody_published(times: Any) -> None:
    paces, _ = times("-n", 10, "--speed", "fast", code=5)
    assert paces == {}


def test_models_of_one_bucket_are_named(program: Any, times: Any) -> None:
    times()
    answer = program(*f"estimate body.json --offline --tier limits.yaml -m {MODEL}".split())
    assert f"{MODEL} shares its limits with claude-opus-5" in answer.out


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_tiers_never_put_a_model_in_two_buckets(name: str) -> None:
    models = [model for bucket in account_tier(name, BOOK).buckets for model in bucket.models]
    assert len(models) == len(set(models)) > 10


@given(st.sampled_from([bucket.models[0] for bucket in account_tier("start", BOOK).buckets]))
def test_a_higher_tier_never_has_a_lower_limit(model: str) -> None:
    buckets = [account_tier(name, BOOK).bucket(model) for name in NAMES]
    rates = [
        (bucket.requests_per_minute, bucket.input_tokens_per_minute, bucket.output_tokens_per_minute)
        for bucket in buckets
        if bucket
    ]
    assert len(rates) == 3
    assert all(low <= high for lower, higher in pairwise(rates) for low, high in zip(lower, higher, strict=True))


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        (MODEL, "claude-opus-5-6", "limits.yaml:9: unknown model 'claude-opus-5-6'"),
        ("claude-opus-5]", f"{MODEL}]", f"limits.yaml:9: {MODEL} is named twice"),
        ("requests_per_minute: 60", "requests_per_minute: 60.5", "limits.yaml:10: ours: limits: requests_per_minute"),
        ("source: console", "source: consol", "limits.yaml:6: ours: source is unknown: 'consol'"),
        (
            "output_tokens_per_minute: 6000",
            "output_per_minute: 6000",
            "limits.yaml:12: ours: limits has an unknown",
        ),
        ("limits@1", "limits@2", "limits.yaml:1: schema is unknown"),
    ],
)
def test_a_wrong_file_of_limits_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, right: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("limits.yaml").write_text(LIMITS.replace(wrong, right, 1))
    with pytest.raises(InvalidInput) as caught:
        account_tier("limits.yaml", BOOK)
    assert str(caught.value).startswith(message)
    assert caught.value.code == "invalid-limits"


def test_a_file_with_several_tiers_does_not_say_which_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    start = LIMITS.index("  ours:")
    path.write_text(LIMITS + LIMITS[start:].replace("ours", "theirs"))
    with pytest.raises(InvalidInput, match="holds 2 tiers"):
        account_tier(str(path), BOOK)


def test_a_misspelt_tier_is_told_which_there_are() -> None:
    with pytest.raises(InvalidInput, match="'strat' is neither a tier nor a file") as caught:
        account_tier("strat", BOOK)
    assert caught.value.hint == "known: start, build, scale; or name a file with your own limits"


def test_csv_says_that_it_does_not_hold_the_time(program: Any, times: Any) -> None:
    times()
    answer = program(*f"estimate body.json --offline --tier limits.yaml -m {MODEL} -f csv".split())
    assert "! CSV holds the items only: how long they take is in --json" in answer.err
