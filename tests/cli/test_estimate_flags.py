"""Every flag of `costkit estimate`, on the real tokenizer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]
OPUS = ("-m", "claude-opus-5-5")
LONG = "The quick brown fox jumps over the lazy dog. " * 200
TOOL = {"name": "look", "description": "Look it up.", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture(autouse=True)
def _files(write: Write) -> None:
    write("prompt.md", "Say hello.")
    write("long.md", LONG)
    write("system.md", LONG)
    write("tools.json", [TOOL])
    write("tools.yaml", "tools:\n  - name: look\n    description: Look it up.\n    input_schema: {type: object}\n")


def cost(answer: Any, end: str = "expected") -> Decimal:
    """The dollars of the only item."""
    (item,) = answer.items
    return Decimal(item["cost_usd"][end])


def test_without_a_model_three_are_compared(estimate: Any) -> None:
    answer = estimate("prompt.md")
    assert [item["model"] for item in answer.items] == ["claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"]
    assert answer.document["assumptions"][0] == {
        "name": "model",
        "value": "claude-haiku-5-5, claude-sonnet-5-5, claude-opus-5-5",
        "source": "default",
    }


def test_each_tokenizer_family_counts_for_itself(estimate: Any) -> None:
    """The newer tokenizer gives more tokens for the same text."""
    older, newer = estimate("long.md", "-m", "claude-haiku-4-5", "-m", "claude-opus-5-5").items
    assert older["input_tokens"]["expected"] < newer["input_tokens"]["expected"]


def test_no_count_comes_without_its_band(estimate: Any) -> None:
    for item in estimate("prompt.md", "long.md", "-m", "all").items:
        band = item["input_tokens"]
        assert 0 < band["low"] <= band["expected"] <= band["high"]
        assert band["method"]
        assert Decimal(item["cost_usd"]["low"]) <= Decimal(item["cost_usd"]["expected"])


@pytest.mark.parametrize(
    "name", ["claude-haiku-4.5", "anthropic/claude-haiku-4-5", "us.anthropic.claude-haiku-4-5-v1:0"]
)
def test_names_of_clouds_and_gateways_mean_the_same_model(estimate: Any, name: str) -> None:
    plain = estimate("prompt.md", "-m", "claude-haiku-4-5")
    assert estimate("prompt.md", "-m", name).items == plain.items


def test_requests_scale_everything_exactly(estimate: Any) -> None:
    flags = ("long.md", *OPUS, "--output-tokens", "50", "--max-tokens", "100")
    one, many = estimate(*flags), estimate(*flags, "-n", "1000")
    for end in ("low", "expected", "ceiling"):
        assert cost(many, end) == 1000 * cost(one, end)
    assert many.items[0]["requests"] == 1000
    assert many.items[0]["input_tokens"]["expected"] == 1000 * one.items[0]["input_tokens"]["expected"]
    assert many.items[0]["output_tokens"] == {"expected": 50_000, "max": 100_000}


def test_the_three_costs(estimate: Any) -> None:
    """claude-opus-5-5: $4 for a million tokens in, $20 out."""
    answer = estimate("long.md", *OPUS, "--output-tokens", "50", "--max-tokens", "100")
    band = answer.items[0]["input_tokens"]
    million = Decimal(1_000_000)
    assert cost(answer, "low") == (4 * band["low"] + 20 * 50) / million
    assert cost(answer) == (4 * band["expected"] + 20 * 50) / million
    assert cost(answer, "ceiling") == (4 * band["high"] + 20 * 100) / million


@pytest.mark.parametrize(
    ("flags", "factor"),
    [("--batch", "0.5"), ("--geo us", "1.1"), ("--geo global", "1"), ("--speed fast", "2"), ("--speed standard", "1")],
)
def test_modifiers_multiply_the_whole_cost(estimate: Any, flags: str, factor: str) -> None:
    command = ("long.md", *OPUS, "--output-tokens", "50")
    assert cost(estimate(*command, *flags.split())) == Decimal(factor) * cost(estimate(*command))


def test_the_batch_column_is_what_the_batch_flag_gives(estimate: Any) -> None:
    command = ("long.md", *OPUS, "--output-tokens", "50", "-n", "7")
    assert Decimal(estimate(*command).items[0]["batch_usd"]) == cost(estimate(*command, "--batch"))


def test_fast_mode_in_a_batch_is_refused(estimate: Any) -> None:
    answer = estimate("prompt.md", *OPUS, "--batch", "--speed", "fast")
    assert (answer.code, answer.document["error"]["code"]) == (2, "fast-batch")


@pytest.mark.parametrize(
    ("limits", "code", "line"),
    [
        ("--max-tokens 1000000 --max-cost 20.01", 0, None),
        ("--max-tokens 1000000 --max-cost 20", 3, "claude-opus-5-5: ceiling $20.00"),
        ("--max-tokens 1000000 --max-cost 20 --on expected", 0, None),
        ("--max-tokens 1000000 --max-cost $20 --on ceiling", 3, "claude-opus-5-5: ceiling $20.00"),
        ("--output-tokens 1000000 --max-cost 20", 3, "claude-opus-5-5: expected $20.0000"),
        ("--max-cost 1 --on ceiling", 5, "claude-opus-5-5 has no ceiling to judge: add --max-tokens N"),
        ("--max-cost 1", 0, None),
    ],
)
def test_a_limit_judges_the_ceiling_where_there_is_one(estimate: Any, limits: str, code: int, line: str | None) -> None:
    answer = estimate("prompt.md", *OPUS, *limits.split())
    assert answer.code == answer.document["exit"] == code
    findings = [said for said in answer.err.splitlines() if said.startswith("costkit: ")]
    assert [said.removeprefix("costkit: ")[: len(line or "")] for said in findings] == ([line] if line else [])


def test_a_limit_judges_each_model_by_its_total_over_all_files(estimate: Any) -> None:
    flags = ("--max-tokens", "500000", "-m", "claude-opus-5-5", "-m", "claude-haiku-5-5", "--max-cost", "19")
    assert estimate("prompt.md", *flags).code == 0
    both = estimate("prompt.md", "long.md", *flags)
    assert both.code == 3
    assert "claude-haiku-5-5: " not in both.err


def test_an_exact_hit_of_the_limit_is_within_it(estimate: Any) -> None:
    exact = cost(estimate("long.md", *OPUS))
    assert estimate("long.md", *OPUS, "--max-cost", str(exact)).code == 0
    assert estimate("long.md", *OPUS, "--max-cost", str(exact - Decimal("0.0000001"))).code == 3


def test_an_unknown_model_among_known_ones(estimate: Any) -> None:
    answer = estimate("prompt.md", *OPUS, "-m", "claude-opus-5-55", "--max-cost", "100")
    known, unknown = answer.items
    assert (answer.code, known["cost_usd"] is None, unknown["cost_usd"]) == (5, False, None)
    assert unknown["input_tokens"]["expected"] > 0
    assert "unknown-model" in answer.warnings
    assert [total["cost_usd"] is None for total in answer.document["result"]["totals"]] == [False, True]


def test_an_unknown_model_alone(estimate: Any) -> None:
    answer = estimate("prompt.md", "-m", "claude-opus-5-55")
    error = answer.document["error"]
    assert (answer.code, error["code"]) == (5, "unknown-model")
    assert "did you mean claude-opus-5-5" in error["hint"]
    assert answer.err.count("\n") == 1


def test_a_system_prompt_and_tools_are_added(estimate: Any) -> None:
    bare = estimate("prompt.md", *OPUS)
    with_system = estimate("prompt.md", *OPUS, "--system", "system.md", "--tree")
    with_tools = estimate("prompt.md", *OPUS, "--tools", "tools.json", "--tree")
    assert [branch["path"] for branch in with_system.items[0]["tree"]] == ["", "system", "messages[0].content"]
    assert [branch["path"] for branch in with_tools.items[0]["tree"]] == ["", "tools[0]", "messages[0].content"]
    assert cost(with_system) > cost(bare)
    assert cost(with_tools) > cost(bare)


def test_tools_may_be_yaml(estimate: Any) -> None:
    assert cost(estimate("prompt.md", *OPUS, "--tools", "tools.yaml")) > cost(estimate("prompt.md", *OPUS))


@pytest.mark.parametrize("name", ["system", "tools"])
def test_a_body_that_has_its_own_is_not_overwritten(estimate: Any, write: Write, name: str) -> None:
    own: dict[str, Any] = {"system": "Be brief.", "tools": [TOOL]}
    write("body.json", {"messages": [{"role": "user", "content": "x"}], name: own[name]})
    answer = estimate("body.json", f"--{name}", {"system": "system.md", "tools": "tools.json"}[name])
    assert (answer.code, answer.err) == (2, f"costkit: body.json: already has {name} of its own (drop --{name})\n")


def test_the_tree_adds_up(estimate: Any) -> None:
    answer = estimate("prompt.md", *OPUS, "--system", "system.md", "--tools", "tools.json", "--tree", "-n", "3")
    (item,) = answer.items
    for end in ("low", "expected", "high"):
        assert sum(branch["input_tokens"][end] for branch in item["tree"]) == item["input_tokens"][end]
    assert sum(Decimal(branch["cost_usd"]) for branch in item["tree"]) == Decimal(item["input_usd"])
    shares = [Decimal(branch["share"]) for branch in item["tree"]]
    assert Decimal("0.999") <= sum(shares) <= Decimal("1.001")


@pytest.mark.parametrize("mode", ["5m", "1h", "as-written"])
def test_caching_a_long_prefix_pays_from_the_second_request(estimate: Any, write: Write, mode: str) -> None:
    marked = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    write("body.json", {"system": marked, "messages": [{"role": "user", "content": "x"}]})
    command = ("body.json", *OPUS, "--output-tokens", "5")
    assert cost(estimate(*command, "--cache", mode)) > cost(estimate(*command))
    assert cost(estimate(*command, "--cache", mode, "-n", "10")) < cost(estimate(*command, "-n", "10"))


def test_the_cached_column_is_what_the_cache_flag_gives(estimate: Any) -> None:
    command = ("prompt.md", *OPUS, "--system", "system.md", "--output-tokens", "5", "-n", "10")
    assert Decimal(estimate(*command).items[0]["cached_5m_usd"]) == cost(estimate(*command, "--cache", "5m"))


@pytest.mark.parametrize("rate", ["0.8", "80%", "80.0%"])
def test_a_hit_rate_is_a_share_or_a_percentage(estimate: Any, rate: str) -> None:
    command = ("prompt.md", *OPUS, "--system", "system.md", "--cache", "5m", "-n", "10", "--hit-rate")
    usage = estimate(*command, rate).items[0]["usage"]
    assert usage["cache_read_input_tokens"] == 4 * usage["ephemeral_5m_input_tokens"] > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--hit-rate 0.5", "a hit rate needs a cache mode"),
        ("--cache 5m --hit-rate 1.5", "the hit rate must lie between 0 and 1"),
        ("--cache 5m --hit-rate 101%", "the hit rate must lie between 0 and 1"),
        ("--max-increase 5%", "--max-increase needs something to compare with"),
    ],
)
def test_flags_that_need_each_other(estimate: Any, flags: str, message: str) -> None:
    answer = estimate("prompt.md", *flags.split())
    assert answer.code == 2
    assert message.rsplit(maxsplit=1)[-1] in answer.err


def test_a_second_currency_is_for_people_only(program: Any) -> None:
    command = ("estimate", "prompt.md", "--offline", *OPUS, "--output-tokens", "1000000")
    table = program(*command, "--also", "KRW=1430").out
    assert " KRW " in table
    assert "28,600.0" in table
    assert "KRW" not in program(*command, "--also", "KRW=1430", "--json").out
    assert "KRW" not in program(*command, "--also", "KRW=1430", "-f", "csv").out


def test_per_request_gives_one_item_for_each(estimate: Any, write: Write) -> None:
    bodies = [{"messages": [{"role": "user", "content": "x " * count}]} for count in (1, 20, 300)]
    write("three.jsonl", "".join(json.dumps(body) + "\n" for body in bodies))
    apart, together = estimate("three.jsonl", *OPUS, "--per-request"), estimate("three.jsonl", *OPUS)
    assert [item["index"] for item in apart.items] == [0, 1, 2]
    assert sum(Decimal(item["cost_usd"]["expected"]) for item in apart.items) == cost(together)
    assert apart.document["result"]["totals"] == together.document["result"]["totals"]


def test_assumptions_name_their_flags(estimate: Any) -> None:
    flags = ("--output-tokens", "5", "--max-tokens", "9", "-n", "2", "--cache", "5m", "--hit-rate", "50%")
    answer = estimate("prompt.md", *OPUS, *flags)
    found = {each["name"]: (each["value"], each["source"]) for each in answer.document["assumptions"]}
    assert found == {
        "output_tokens": (5, "--output-tokens"),
        "max_tokens": (9, "--max-tokens"),
        "requests": (2, "--requests"),
        "batch": (False, "default"),
        "speed": (None, "each request's own"),
        "inference_geo": (None, "each request's own"),
        "cache": ("5m", "--cache"),
        "hit_rate": ("0.5", "--hit-rate"),
    }


def test_many_warnings_of_one_kind_do_not_bury_the_answer(estimate: Any, write: Write) -> None:
    body = {"messages": [{"role": "user", "content": "x"}], "temperature": 1}
    write("many.jsonl", (json.dumps(body) + "\n") * 50)
    answer = estimate("many.jsonl", *OPUS)
    assert answer.warnings.count("refused-parameter") == 50
    assert answer.err.count("temperature is refused") == 5
    assert "! 45 more of the kind refused-parameter: --json lists them all" in answer.err


def test_assumptions_say_how_requests_are_sent(estimate: Any) -> None:
    answer = estimate("prompt.md", *OPUS, "--batch", "--geo", "us", "--speed", "standard")
    found = {each["name"]: (each["value"], each["source"]) for each in answer.document["assumptions"]}
    assert found["batch"] == (True, "--batch")
    assert found["speed"] == ("standard", "--speed")
    assert found["inference_geo"] == ("us", "--geo")


def limits(write: Write, *max_tokens: int | None) -> None:
    """A file of requests, some of them with a limit."""
    bodies = [{"messages": [{"role": "user", "content": "x"}], "max_tokens": limit} for limit in max_tokens]
    write("limits.jsonl", "".join(json.dumps(body) + "\n" for body in bodies))


def test_a_request_without_a_limit_does_not_hide_the_ceilings_of_others(estimate: Any, write: Write) -> None:
    limits(write, 100_000, None)
    answer = estimate("limits.jsonl", *OPUS, "--max-cost", "0.01")
    assert (answer.code, answer.items[0]["cost_usd"]["ceiling"]) == (3, None)
    assert "claude-opus-5-5: $2.00 (ceilings, and expected where max_tokens is missing) is over" in answer.err
    assert estimate("limits.jsonl", *OPUS, "--max-cost", "2.01").code == 0
    assert estimate("limits.jsonl", *OPUS, "--max-cost", "0.01", "--on", "expected").code == 0


def test_ceilings_that_are_known_may_be_too_much_already(estimate: Any, write: Write) -> None:
    limits(write, 100_000, None)
    answer = estimate("limits.jsonl", *OPUS, "--max-cost", "0.01", "--on", "ceiling")
    assert answer.code == 5
    assert "claude-opus-5-5 has no ceiling to judge: add --max-tokens N" in answer.err
    assert "claude-opus-5-5: $2.00 for the requests with max_tokens alone is over --max-cost $0.01" in answer.err


def test_the_rows_of_all_add_up_what_is_known(estimate: Any) -> None:
    answer = estimate("prompt.md", "long.md", *OPUS, "--output-tokens", "10")
    (total,) = answer.document["result"]["totals"]
    for name in ("input_usd", "output_usd", "batch_usd"):
        assert Decimal(total[name]) == sum(Decimal(item[name]) for item in answer.items)


def test_the_table_shows_them_too(program: Any) -> None:
    out = program("estimate", "prompt.md", "long.md", "--offline", *OPUS, "--output-tokens", "10").out
    (row,) = [line for line in out.splitlines() if line.startswith(" all ")]
    assert "\N{EN DASH}" not in row


def test_a_band_for_each_model_where_they_differ(program: Any) -> None:
    out = program("estimate", "long.md", "--offline", *OPUS, "-m", "claude-haiku-4-5").out.splitlines()
    assert "tokens differ by model" in out[0]
    assert " ± " in out[1]
    assert " ± " not in program("estimate", "long.md", "--offline", *OPUS).out


def test_what_a_cached_price_rests_on_is_said_beside_it(program: Any) -> None:
    command = ("estimate", "prompt.md", "--offline", *OPUS, "--system", "system.md", "-n", "10")
    assert "cached 5m: all but the first of 10 requests read the cache" in program(*command).out
    assert "cached 5m" not in program(*command[:-2]).out
    hits = program(*command, "--cache", "1h", "--hit-rate", "0.5").out
    assert "cache 1h: 5 of 10 requests read the cache" in hits


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.out)))


def test_csv_has_the_whole_band(program: Any, estimate: Any) -> None:
    (row,) = rows_of(program("estimate", "long.md", "--offline", *OPUS, "-f", "csv"))
    (item,) = estimate("long.md", *OPUS).items
    band = item["input_tokens"]
    names = ("input_tokens_low", "input_tokens", "input_tokens_high", "input_tokens_method")
    assert [row[name] for name in names] == [str(band[name]) for name in ("low", "expected", "high", "method")]
    assert row["low_usd"] == item["cost_usd"]["low"]


@pytest.mark.parametrize("flags", [("--tree",), ("--compare-to", "prompt.md")])
def test_csv_says_what_it_does_not_hold(program: Any, flags: tuple[str, ...]) -> None:
    answer = program("estimate", "prompt.md", "--offline", *OPUS, *flags, "-f", "csv")
    assert len(rows_of(answer)) == 1
    assert "! CSV holds the items only: the tree and the change are in --json" in answer.err
    assert "CSV holds" not in program("estimate", "prompt.md", "--offline", *OPUS, "-f", "csv").err


def test_stdin_has_one_name_for_people_and_one_for_programs(program: Any, estimate: Any) -> None:
    command = ("estimate", "-", "--offline", *OPUS)
    assert program(*command, stdin="x").out.startswith("<stdin> · ")
    assert rows_of(program(*command, "-f", "csv", stdin="x"))[0]["path"] == "<stdin>"
    assert estimate("-", *OPUS, stdin="x").items[0]["path"] == "-"
    assert program(*command, stdin="").err == "costkit: <stdin>: is empty\n"


def test_warnings_are_one_line_whatever_the_file_is_called(estimate: Any, write: Write) -> None:
    write("a\nb.json", {"messages": [{"role": "user", "content": "x"}], "temperature": 1})
    (warning,) = [
        one for one in estimate("a\nb.json", *OPUS).document["warnings"] if one["code"] == "refused-parameter"
    ]
    assert warning["where"] == "a\\nb.json:temperature"
