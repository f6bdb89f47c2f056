"""`--compare-to`: what changed since, in dollars, and whether that is too much."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]
OPUS = ("-m", "claude-opus-5-5")


@pytest.fixture(autouse=True)
def _files(write: Write) -> None:
    write("old.md", "word " * 1_000)
    write("new.md", "word " * 1_500)


@pytest.fixture
def recorded(estimate: Any, tmp_path: Path) -> Callable[..., str]:
    """Keep the document of an estimate in a file, as one does in CI."""

    def keep(*words: str) -> str:
        assert estimate(*words, "-o", "base.json").code == 0
        assert (tmp_path / "base.json").exists()
        return "base.json"

    return keep


def comparison(answer: Any) -> Any:
    """The change of the only model that was compared."""
    (model,) = answer.document["result"]["comparison"]["models"]
    return model


def sums_up(compared: Any) -> bool:
    """Whether the parts are the change, to the last digit, for the whole and for each file."""
    return all(
        sum(map(Decimal, part["attribution"].values()))
        == Decimal(part["change_usd"])
        == Decimal(part["usd"]) - Decimal(part["base_usd"])
        for part in (compared, *compared["changes"])
    )


def test_against_the_prompt_as_it_was(estimate: Any) -> None:
    answer = estimate("new.md", *OPUS, "--compare-to", "old.md")
    compared = comparison(answer)
    assert sums_up(compared)
    assert set(compared["attribution"]) == {"tokens", "model", "output", "volume"}
    assert Decimal(compared["attribution"]["tokens"]) == Decimal(compared["change_usd"]) > 0
    assert compared["usd"] == answer.items[0]["cost_usd"]["expected"]
    assert compared["base_usd"] == estimate("old.md", *OPUS).items[0]["cost_usd"]["expected"]


def test_against_an_earlier_document(estimate: Any, recorded: Callable[..., str]) -> None:
    base = recorded("old.md", "-m", "claude-haiku-5-5", "-n", "10", "--output-tokens", "5")
    compared = comparison(estimate("old.md", *OPUS, "-n", "20", "--output-tokens", "7", "--compare-to", base))
    assert sums_up(compared)
    assert all(Decimal(part) != 0 for name, part in compared["attribution"].items() if name != "tokens")
    (change,) = compared["changes"]
    assert (change["base_model"], change["model"]) == ("claude-haiku-5-5", "claude-opus-5-5")


def test_nothing_changed(estimate: Any, recorded: Callable[..., str]) -> None:
    compared = comparison(estimate("old.md", *OPUS, "--compare-to", recorded("old.md", *OPUS)))
    assert (compared["change_usd"], compared["change_percent"]) == ("0", "0")


@pytest.mark.parametrize("flags", ["--batch", "--geo us", "--speed fast", "--cache 5m -n 9"])
def test_the_comparison_prices_what_the_estimate_prices(
    estimate: Any, recorded: Callable[..., str], flags: str
) -> None:
    base = recorded("old.md", *OPUS, *flags.split())
    answer = estimate("old.md", *OPUS, *flags.split(), "--compare-to", base)
    compared = comparison(answer)
    assert compared["usd"] == compared["base_usd"] == answer.items[0]["cost_usd"]["expected"]


def test_files_that_came_and_went(estimate: Any, recorded: Callable[..., str]) -> None:
    compared = comparison(estimate("new.md", *OPUS, "--compare-to", recorded("old.md", *OPUS)))
    assert set(compared["attribution"]) == {"added", "removed"}
    assert sums_up(compared)


@pytest.mark.parametrize(
    ("limit", "code"),
    [("60%", 0), ("40%", 3), ("0%", 3), ("$1", 0), ("0.000001", 3), ("0", 3)],
)
def test_an_increase_is_judged(program: Any, limit: str, code: int) -> None:
    """A half more tokens is a little less than a half more dollars: the frame stays."""
    answer = program("estimate", "new.md", "--offline", *OPUS, "--compare-to", "old.md", "--max-increase", limit, "-q")
    assert answer.code == code
    assert answer.err.startswith("costkit: claude-opus-5-5: the cost grew by $0.") == (code == 3)
    assert "change +$0." in answer.out


def test_a_decrease_is_never_too_much(estimate: Any) -> None:
    assert estimate("old.md", *OPUS, "--compare-to", "new.md", "--max-increase", "0").code == 0


def test_growth_from_nothing_is_growth(estimate: Any, recorded: Callable[..., str], tmp_path: Path) -> None:
    base = tmp_path / recorded("old.md", *OPUS)
    document = json.loads(base.read_text())
    document["result"]["items"] = []
    base.write_text(json.dumps(document))
    answer = estimate("old.md", *OPUS, "--compare-to", "base.json", "--max-increase", "1000000%")
    assert (answer.code, comparison(answer)["change_percent"]) == (3, None)


@pytest.mark.parametrize("limit", ["ten", "-5%", "%", "1e3", "5 percent"])
def test_a_limit_that_is_none(estimate: Any, limit: str) -> None:
    answer = estimate("new.md", "--compare-to", "old.md", f"--max-increase={limit}")
    assert (answer.code, "neither a share nor an amount (write it as 10% or 2.50)" in answer.err) == (2, True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.pop("result"),
        lambda document: document["result"]["items"][0].pop("usage"),
        lambda document: document["result"]["items"][0].pop("usage_by_rate"),
        lambda document: document["result"]["items"][0].update(usage_by_rate=[]),
        lambda document: document["result"]["items"][0]["usage_by_rate"][0].update(requests=2),
        lambda document: document["result"]["items"][0]["usage_by_rate"][0].update(batch="yes"),
        lambda document: document["result"]["items"][0]["usage_by_rate"][0].update(speed="turbo"),
        lambda document: document["result"]["items"][0]["usage_by_rate"][0].update(inference_geo=1),
        lambda document: document["result"]["items"][0]["usage_by_rate"][0].update(batch=True, speed="fast"),
        lambda document: document["result"]["items"][0]["usage_by_rate"][0]["usage"].update(input_tokens=1),
        lambda document: document["result"]["items"][0].update(requests=0),
        lambda document: document["result"]["items"][0].update(requests="1"),
        lambda document: document["result"]["items"][0]["usage"].update(input_tokens=-1),
        lambda document: document["result"]["items"][0]["usage"].update(input_tokens=10**40),
        lambda document: document["result"]["items"][0]["usage"].update(output_tokens=1.5),
        lambda document: document["result"].update(items={"a": 1}),
        lambda document: document.update(schema="costkit/estimate@2"),
    ],
)
def test_a_base_that_is_not_whole_is_refused(
    estimate: Any, recorded: Callable[..., str], tmp_path: Path, damage: Callable[[Any], object]
) -> None:
    base = tmp_path / recorded("old.md", *OPUS)
    document = json.loads(base.read_text())
    damage(document)
    base.write_text(json.dumps(document))
    answer = estimate("old.md", *OPUS, "--compare-to", "base.json")
    assert (answer.code, answer.document["error"]["code"]) == (2, "invalid-input")
    assert answer.err.startswith("costkit: base.json: ")


def test_a_base_whose_model_is_unknown_today_cannot_be_judged(
    estimate: Any, recorded: Callable[..., str], tmp_path: Path
) -> None:
    base = tmp_path / recorded("old.md", *OPUS)
    base.write_text(base.read_text().replace("claude-opus-5-5", "claude-gone-9"))
    assert estimate("old.md", *OPUS, "--compare-to", "base.json", "--max-increase", "0").code == 5


def test_an_item_without_a_price_is_not_compared_and_not_cheap(estimate: Any) -> None:
    answer = estimate("new.md", *OPUS, "-m", "gpt-x", "--compare-to", "old.md", "--max-increase", "1000%")
    assert answer.code == 5


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_base_that_cannot_be_read(estimate: Any, name: str) -> None:
    answer = estimate("new.md", "--compare-to", name)
    assert (answer.code, answer.err.count("\n")) == (2, 1)


def bodies(*words: int, **more: Any) -> str:
    """Lines of requests with so many words."""
    return "".join(json.dumps({"messages": [{"role": "user", "content": "word " * n}], **more}) + "\n" for n in words)


def test_a_request_that_crosses_a_price_step_counts_whole(
    estimate: Any, recorded: Callable[..., str], write: Write
) -> None:
    """claude-haiku-5-5 costs five times as much above 100,000 tokens; the average of a file says nothing of it."""
    haiku = ("-m", "claude-haiku-5-5")
    write("lines.jsonl", bodies(*[10] * 9, 60_000))
    base = recorded("lines.jsonl", *haiku)
    write("lines.jsonl", bodies(*[10] * 9, 110_000))
    answer = estimate("lines.jsonl", *haiku, "--compare-to", base, "--max-increase", "10%")
    compared = comparison(answer)
    assert (answer.code, compared["usd"]) == (3, answer.document["result"]["totals"][0]["cost_usd"]["expected"])
    assert sums_up(compared)
    assert Decimal(compared["change_percent"]) > 400
    assert Decimal(compared["attribution"]["tokens"]) == Decimal(compared["change_usd"])


def test_a_long_file_does_not_differ_from_itself_though_a_sample_is_counted(estimate: Any, write: Write) -> None:
    content = bodies(*[10 + number % 50 for number in range(2_100)])
    for name in ("old.jsonl", "new.jsonl"):
        write(name, content)
    answer = estimate("new.jsonl", *OPUS, "--compare-to", "old.jsonl", "--max-increase", "0")
    assert answer.code == 0
    assert "sampled" in answer.warnings
    assert Decimal(comparison(answer)["change_usd"]) == 0


def test_an_estimate_is_recognised_whatever_its_file_is_called(estimate: Any, write: Write) -> None:
    write("prompt.jsonl", bodies(10, 20))
    write("base.jsonl", json.dumps(estimate("prompt.jsonl", *OPUS).document))
    answer = estimate("prompt.jsonl", *OPUS, "--compare-to", "base.jsonl")
    assert Decimal(comparison(answer)["change_usd"]) == 0


@pytest.mark.parametrize("asked", [{"speed": "fast"}, {"inference_geo": "us"}])
def test_what_the_bodies_ask_for_is_compared_too(
    estimate: Any, recorded: Callable[..., str], write: Write, asked: dict[str, str]
) -> None:
    write("lines.jsonl", bodies(10, 20))
    base = recorded("lines.jsonl", *OPUS)
    write("lines.jsonl", bodies(10, 20, **asked))
    compared = comparison(answer := estimate("lines.jsonl", *OPUS, "--compare-to", base))
    assert compared["usd"] == answer.items[0]["cost_usd"]["expected"] > compared["base_usd"]
    assert Decimal(compared["attribution"]["terms"]) == Decimal(compared["change_usd"])


def test_the_base_keeps_how_it_was_sent(estimate: Any, recorded: Callable[..., str]) -> None:
    """Today's flags are those of today's side only."""
    base = recorded("old.md", *OPUS)
    compared = comparison(estimate("old.md", *OPUS, "--batch", "--compare-to", base))
    assert compared["change_percent"] == "-50"
    assert Decimal(compared["attribution"]["terms"]) == Decimal(compared["change_usd"])


def test_models_that_the_base_does_not_have_are_left_out_and_named(estimate: Any, recorded: Callable[..., str]) -> None:
    answer = estimate("old.md", "--compare-to", recorded("old.md", *OPUS), "--max-increase", "0")
    assert (answer.code, comparison(answer)["change_usd"]) == (0, "0")
    left = answer.document["result"]["comparison"]["left_out"]
    assert [(out["model"], out["in_base"]) for out in left] == [
        ("claude-haiku-5-5", False),
        ("claude-sonnet-5-5", False),
    ]
    assert answer.warnings.count("not-compared") == 2


def test_models_that_cannot_be_paired_cannot_be_judged(estimate: Any, recorded: Callable[..., str]) -> None:
    base = recorded("old.md", *OPUS, "-m", "claude-haiku-5-5")
    answer = estimate("old.md", "-m", "claude-sonnet-5-5", "--compare-to", base, "--max-increase", "10%")
    assert answer.code == 5


def test_each_model_is_judged(estimate: Any) -> None:
    models = (*OPUS, "-m", "claude-haiku-5-5")
    answer = estimate("new.md", *models, "--compare-to", "old.md", "--max-increase", "0.0001")
    assert answer.code == 3
    assert "claude-opus-5-5: the cost grew" in answer.err
    assert "claude-haiku-5-5: the cost grew" not in answer.err


def test_a_prompt_to_compare_with_is_read_like_the_others(estimate: Any, write: Write) -> None:
    write("system.md", "Be brief. " * 50)
    compared = comparison(estimate("old.md", *OPUS, "--system", "system.md", "--compare-to", "old.md"))
    assert compared["change_usd"] == "0"
