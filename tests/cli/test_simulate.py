"""`costkit simulate` through the program: flags, page, document, and what it refuses."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]
SIZES = ("--prefix-tokens", 10_000, "--fresh-tokens", 200, "--output-tokens", 500)
DASH = "\N{EN DASH}"
OPUS = ("-m", "claude-opus-5-5")
LONG = "The quick brown fox jumps over the lazy dog. " * 200
EPHEMERAL = {"type": "ephemeral"}
BODY: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "system": [{"type": "text", "text": LONG, "cache_control": EPHEMERAL}],
    "messages": [{"role": "user", "content": "What is new?"}],
}


@pytest.fixture
def simulate(program: Any) -> Any:
    """`costkit simulate --offline` with more arguments."""

    def run(*arguments: object, **more: Any) -> Any:
        return program("simulate", "--offline", *arguments, **more)

    return run


def models(answer: Any) -> list[Any]:
    found: list[Any] = answer.document["result"]["models"]
    return found


def costs(answer: Any) -> dict[str, str]:
    """Each strategy's dollars on the only model."""
    (model,) = models(answer)
    return {strategy["name"]: strategy["cost_usd"] for strategy in model["strategies"]}


def test_the_page_says_what_wins_by_how_much_and_where_that_changes(simulate: Any) -> None:
    answer = simulate(*SIZES, *OPUS, "-n", 10, "--every", "60s")
    assert (answer.code, answer.err) == (0, "")
    first, *_ = answer.out.split("\n")
    assert first == (
        "claude-opus-5-5 · 10 requests, one every 60s      "
        "best: 5m, saves $0.3320 (65.4\N{NO-BREAK SPACE}%), pays from the 2nd request"
    )
    assert "5m wins up to a gap of 5 min; 1h from there to 1 h; beyond that don't cache\n" in answer.out
    assert "prices of 2026-11-21 (built in)\n" in answer.out


def test_rows_come_cheapest_first_and_none_has_nothing_to_read(simulate: Any) -> None:
    lines = simulate(*SIZES, *OPUS).out.split("\n")[2:6]
    assert [line.split() for line in lines] == [
        ["5m", "$0.1760", "$0.0176", "9", "1", "0", "2"],
        ["1h", "$0.2060", "$0.0206", "9", "1", "0", "3"],
        ["none", "$0.5080", "$0.0508", DASH, DASH, "0", DASH],
        ["automatic", "$0.6100", "$0.0610", "0", "10", "0", DASH],
    ]


def test_the_document_has_every_digit_and_exactly_the_promised_keys(simulate: Any) -> None:
    (model,) = models(simulate(*SIZES, *OPUS, "--json"))
    assert list(model) == ["model", "repeats", "strategies", "best", "margin_usd", "flip_points"]
    assert (model["best"], model["margin_usd"], model["repeats"]) == ("5m", "0.332", 10)
    assert model["flip_points"] == [
        {"gap_seconds": 300, "from": "5m", "to": "1h"},
        {"gap_seconds": 3600, "from": "1h", "to": "none"},
    ]
    assert model["strategies"][0] == {
        "name": "5m",
        "cost_usd": "0.176",
        "cost_per_request_usd": "0.0176",
        "usage": {
            "input_tokens": 2000,
            "cache_read_input_tokens": 90_000,
            "cache_creation_input_tokens": 10_000,
            "ephemeral_5m_input_tokens": 10_000,
            "ephemeral_1h_input_tokens": 0,
            "output_tokens": 5000,
            "web_search_requests": 0,
        },
        "reads": 9,
        "writes": 1,
        "expiries": 0,
        "break_even_repeat": 2,
        "interval_usd": None,
    }


def test_the_assumptions_say_where_each_value_comes_from(simulate: Any) -> None:
    answer = simulate(*SIZES, *OPUS, "--poisson", "30/h", "--reps", 10, "--json")
    found = {one["name"]: one["value"] for one in answer.document["assumptions"]}
    assert found["mean_gap_seconds"] == 120
    assert (found["seed"], found["runs"], found["repeats"]) == (7, 10, 10)
    assert found["same_every_time"] == "the first 10000 tokens"


def test_random_arrivals_show_the_interval_beside_the_mean(simulate: Any) -> None:
    answer = simulate(*SIZES, *OPUS, "--poisson", "15/h", "--reps", 200)
    assert "at random, one every 4 min on average" in answer.out
    assert "95 % from" in answer.out
    assert "up to a mean gap of 1.9 min" in answer.out
    (model,) = models(simulate(*SIZES, *OPUS, "--poisson", "15/h", "--reps", 200, "--json"))
    assert all(len(strategy["interval_usd"]) == 2 for strategy in model["strategies"])


def test_the_same_command_gives_the_same_bytes(simulate: Any) -> None:
    command = (*SIZES, *OPUS, "--poisson", "15/h", "--reps", 50, "--json")
    assert simulate(*command).out == simulate(*command).out
    assert simulate(*command, "--seed", 8).out != simulate(*command).out


def test_recorded_arrivals_set_the_number_of_repeats(simulate: Any, write: Write) -> None:
    write("gaps.txt", "0\n60\n120\n600\n")
    (model,) = models(simulate(*SIZES, *OPUS, "--arrivals", "gaps.txt", "--json"))
    assert (model["repeats"], model["flip_points"]) == (4, [])
    found = {strategy["name"]: (strategy["reads"], strategy["expiries"]) for strategy in model["strategies"]}
    assert (found["5m"], found["1h"]) == ((2, 1), (3, 0))
    page = simulate(*SIZES, *OPUS, "--arrivals", "gaps.txt", "-n", 2).out
    assert page.startswith("claude-opus-5-5 · 2 requests, as recorded")


def test_several_models_are_compared_in_one_table(simulate: Any) -> None:
    answer = simulate(*SIZES, *OPUS, "-m", "claude-haiku-5-5")
    assert answer.out.startswith("10 requests, one every 60s\n")
    assert "claude-haiku-5-5: best: 5m, saves" in answer.out
    rows = list(csv.DictReader(io.StringIO(simulate(*SIZES, *OPUS, "-m", "claude-haiku-5-5", "-f", "csv").out)))
    assert [(row["model"], row["strategy"]) for row in rows][::4] == [
        ("claude-opus-5-5", "5m"),
        ("claude-haiku-5-5", "5m"),
    ]
    assert rows[0]["cost_usd"] == "0.176"
    assert rows[0]["cache_read_input_tokens"] == "90000"


def test_without_a_model_the_usual_three_are_shown(simulate: Any) -> None:
    names = [model["model"] for model in models(simulate(*SIZES, "--json"))]
    assert names == ["claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"]


def test_all_is_every_active_model_once(simulate: Any) -> None:
    names = [model["model"] for model in models(simulate(*SIZES, "-m", "all", "-m", "claude-opus-5-5", "--json"))]
    assert len(names) == len(set(names)) > 10


def test_a_body_brings_its_own_breakpoints_and_model(simulate: Any, write: Write) -> None:
    write("body.json", BODY)
    answer = simulate("body.json", "--json")
    assert costs(answer)["as-written"] == costs(answer)["5m"]
    (model,) = models(answer)
    assert (model["model"], model["best"]) == ("claude-opus-5-5", "as-written")
    assert "output-not-estimated" in answer.warnings
    stays = answer.document["assumptions"][-1]
    assert (stays["name"], stays["value"]) == ("same_every_time", "everything up to the last breakpoint")


def test_the_page_says_what_is_the_same_every_time_and_how_sure_the_count_is(simulate: Any, write: Write) -> None:
    write("body.json", BODY)
    page = simulate("body.json", "--output-tokens", 5).out
    assert re.search(
        r"\nthe same every time: everything up to the last breakpoint, [\d,]+ of [\d,]+ tokens in \(", page
    )
    several = simulate("body.json", *OPUS, "-m", "claude-haiku-5-5", "--output-tokens", 5).out
    assert "\nclaude-haiku-5-5: the same every time: " in several


def test_a_model_that_costs_nothing_is_no_reason_to_fail(simulate: Any, write: Write) -> None:
    free = "{input: 0, output: 0, cache_write_5m: 0, cache_write_1h: 0, cache_read: 0}"
    prices = f"[{{effective_from: 2026-10-01, rates: {free}}}]"
    write(
        "free.yaml",
        f"schema: costkit/pricing@1\nextends: built-in\nmodels: {{claude-opus-5-5: {{prices: {prices}}}}}\n",
    )
    answer = simulate(*SIZES, *OPUS, "--pricing", "free.yaml", "--explain", "--chart", "--poisson", "9/h", "--reps", 5)
    assert answer.code == 0
    assert "best: don't cache" in answer.out


def test_a_text_on_stdin_is_repeated_as_a_whole(simulate: Any) -> None:
    answer = simulate("-", *OPUS, "--json", stdin=LONG)
    assert costs(answer)["automatic"] == costs(answer)["5m"]
    assert simulate(*OPUS, "--json", stdin=LONG).out == answer.out


def test_repeats_one_by_one(simulate: Any) -> None:
    answer = simulate(*SIZES, *OPUS, "-n", 3, "--per-repeat")
    table = answer.out.split("request by request, 5m\n")[1].split("\n")
    assert [line.split() for line in table[1:4]] == [
        ["1", "0", "s", "10,000", DASH, "200", "$0.0608", "-$0.0100"],
        ["2", "60", "s", DASH, "10,000", "200", "$0.0128", "$0.0280"],
        ["3", "120", "s", DASH, "10,000", "200", "$0.0128", "$0.0660"],
    ]
    (model,) = models(simulate(*SIZES, *OPUS, "-n", 3, "--per-repeat", "--json"))
    assert [row["saved_usd"] for row in model["per_repeat"]["rows"]] == ["-0.01", "0.028", "0.066"]


def test_the_closed_forms_stand_beside_the_simulation(simulate: Any) -> None:
    answer = simulate(*SIZES, *OPUS, "--explain")
    assert "H* = (w-1)/(w-r)" in answer.out
    (model,) = models(simulate(*SIZES, *OPUS, "--explain", "--json"))
    five, hour = model["closed_forms"]
    assert (five["break_even_repeat"], hour["break_even_repeat"]) == (2, 3)
    assert (five["expected_usd"], five["simulated_usd"]) == ("0.176", "0.176")
    assert (five["break_even_hit_share"], hour["break_even_hit_share"]) == ("0.208333", "0.512821")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--growth", "700"), "growing by 700 tokens"),
        (("--concurrency", "5"), "5 at once every 60s"),
        (("--batch",), "batch prices"),
        (("--every", "0s"), "all at once"),
        (("--every", "90min"), "one every 5400s"),
        (("--ttl", "none"), "best: don't cache"),
        (("--every", "2h"), "best: don't cache"),
        (("-n", "1"), "1 request,"),
    ],
)
def test_the_headline_says_what_was_asked(simulate: Any, arguments: tuple[str, ...], words: str) -> None:
    answer = simulate(*SIZES, *OPUS, *arguments)
    assert answer.code == 0
    assert words in answer.out.split("\n")[0]


def test_batches_say_that_hits_are_not_promised(simulate: Any) -> None:
    answer = simulate(*SIZES, *OPUS, "--batch", "--json")
    assert answer.warnings == ["batch-hits-best-effort"]
    assert costs(answer)["5m"] == "0.088"


def test_a_prompt_below_the_minimum_says_how_many_tokens_are_missing_and_who_would_cache_it(simulate: Any) -> None:
    answer = simulate(
        "--prefix-tokens", 3000, "--fresh-tokens", 200, "-m", "claude-haiku-4-5", "--output-tokens", 500, "--json"
    )
    assert set(costs(answer).values()) == {"0.057"}
    (warning,) = answer.document["warnings"]
    assert warning["code"] == "below-cache-minimum"
    assert "caches from 4,096 tokens on, and the 3,000 that stay the same are 1,096 short" in warning["message"]
    assert "claude-haiku-5-5" in warning["message"]


def test_a_prompt_below_every_minimum_says_so(simulate: Any) -> None:
    answer = simulate("--prefix-tokens", 300, *OPUS, "--output-tokens", 1, "--json")
    (warning,) = answer.document["warnings"]
    assert "212 short" in warning["message"]
    assert "no model caches fewer than 512 tokens" in warning["message"]
    assert models(answer)[0]["best"] == "none"


def test_a_conversation_that_crosses_a_price_step_is_told(simulate: Any) -> None:
    answer = simulate(
        "--prefix-tokens", 99_000, "-m", "claude-haiku-5-5", "--growth", 500, "--output-tokens", 1, "--json"
    )
    assert answer.warnings == ["price-step-crossed"]


def test_retired_models_are_priced_with_a_warning(simulate: Any) -> None:
    answer = simulate(*SIZES, "-m", "claude-3-5-haiku-20241022", "--json")
    assert answer.code == 0
    assert "model-retired" in answer.warnings
