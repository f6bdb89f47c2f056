"""`costkit estimate --sample`: long files of lines are counted in part, and the answer says so."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]


def batch(count: int, words: int = 20) -> str:
    return "".join(
        json.dumps(
            {
                "custom_id": f"id-{number}",
                "params": {
                    "model": "claude-haiku-5-5",
                    "max_tokens": 50,
                    "messages": [{"role": "user", "content": f"{number} " + "word " * (words + number % 30)}],
                },
            }
        )
        + "\n"
        for number in range(count)
    )


def warned(answer: Any) -> list[str]:
    return [warning["message"] for warning in answer.document["warnings"] if warning["code"] == "sampled"]


def test_up_to_two_thousand_requests_are_all_counted(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(2_000))
    answer = estimate("in.jsonl", "--tokens", "fast")
    assert warned(answer) == []
    assert answer.items[0]["requests"] == 2_000


def test_of_more_requests_six_hundred_are_counted(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(2_001))
    answer = estimate("in.jsonl", "--tokens", "fast")
    assert warned(answer)[0].startswith("500 of 2,001 requests counted, input tokens ±")
    assert answer.items[0]["requests"] == 2_001
    assert next(a["value"] for a in answer.document["assumptions"] if a["name"] == "sample").startswith("500 of 2,001")


def test_the_sample_agrees_with_the_whole(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(800))
    whole = estimate("in.jsonl", "--sample", "off", "--tokens", "fast").items[0]
    some = estimate("in.jsonl", "--sample", "80", "--tokens", "fast").items[0]
    assert some["input_tokens"]["low"] <= whole["input_tokens"]["expected"] <= some["input_tokens"]["high"]
    assert some["input_tokens"]["expected"] == pytest.approx(whole["input_tokens"]["expected"], rel=0.02)
    assert some["output_tokens"] == whole["output_tokens"]
    assert set(some) == set(whole)


def test_a_sample_as_large_as_the_file_is_the_file(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(100))
    assert estimate("in.jsonl", "--sample", "100").items == estimate("in.jsonl", "--sample", "off").items


def test_a_sample_of_a_large_file_that_is_all_of_it_is_read_again(estimate: Any, write: Write) -> None:
    """Too large to be kept at the first reading, few enough to be counted whole."""
    write("in.jsonl", batch(90, words=20_000))
    answer = estimate("in.jsonl", "--sample", "90", "--tokens", "fast")
    assert warned(answer) == []
    assert answer.items[0]["requests"] == 90


def test_every_line_is_checked_counted_or_not(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(3_000) + '{"custom_id": "torn"\n')
    answer = estimate("in.jsonl")
    assert answer.code == 2
    assert "in.jsonl:3001" in answer.document["error"]["message"]


def test_lines_that_hold_several_requests_keep_their_order(estimate: Any, write: Write) -> None:
    bodies = [json.loads(line)["params"] for line in batch(400).splitlines()]
    pairs = [json.dumps(bodies[start : start + 2]) for start in range(0, 400, 2)]
    write("single.jsonl", "".join(json.dumps(body) + "\n" for body in bodies))
    write("pairs.jsonl", "\n\n".join(pairs))
    single = estimate("single.jsonl", "--per-request", "--tokens", "fast").items
    paired = estimate("pairs.jsonl", "--per-request", "--tokens", "fast").items
    assert [item["input_tokens"] for item in paired] == [item["input_tokens"] for item in single]
    assert estimate("pairs.jsonl", "--sample", "50", "--tokens", "fast").items[0]["requests"] == 400


def test_gzip_is_unpacked(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(50))
    write("in.jsonl.gz", gzip.compress(batch(50).encode()))
    assert estimate("in.jsonl.gz").items[0]["cost_usd"] == estimate("in.jsonl").items[0]["cost_usd"]


def test_batch_lines_from_standard_input_are_sampled_too(estimate: Any) -> None:
    answer = estimate("-", "--input", "batch", "--sample", "40", "--tokens", "fast", stdin=batch(300))
    assert warned(answer)[0].startswith("40 of 300 requests counted")


def test_a_flag_that_prices_other_models_prices_the_whole_file_on_each(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(300))
    models = ("-m", "claude-opus-5-5", "-m", "claude-haiku-4-5")
    answer = estimate("in.jsonl", "--sample", "40", "--tokens", "fast", *models)
    assert [item["requests"] for item in answer.items] == [300, 300]


def test_each_request_apart_means_each_request_counted(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(2_100, words=1))
    assert len(estimate("in.jsonl", "--per-request", "--tokens", "fast").items) == 2_100
    assert estimate("in.jsonl", "--per-request", "--sample", "50").code == 2


@pytest.mark.parametrize("choice", ["some", "29", "-1", "1.5"])
def test_a_choice_that_makes_no_sense_is_refused(estimate: Any, write: Write, choice: str) -> None:
    write("in.jsonl", batch(3))
    answer = estimate("in.jsonl", "--sample", choice)
    assert answer.code == 2
    assert "--sample" in answer.document["error"]["message"]


def test_a_file_that_is_named_twice_is_not_sampled_twice(estimate: Any, write: Write) -> None:
    write("in.jsonl", batch(100))
    answer = estimate("in.jsonl", "in.jsonl", "--sample", "40")
    assert answer.code == 2
    assert "named twice" in answer.document["error"]["message"]


def test_several_files_are_sampled_each_for_itself(estimate: Any, write: Write) -> None:
    write("a.jsonl", batch(100))
    write("b.jsonl", batch(50))
    answer = estimate("a.jsonl", "b.jsonl", "--sample", "40", "--tokens", "fast")
    assert [item["requests"] for item in answer.items] == [100, 50]
    values = [a["value"] for a in answer.document["assumptions"] if a["name"] == "sample"]
    assert [value.split(" ")[0:4] for value in values] == [
        ["a.jsonl:", "40", "of", "100"],
        ["b.jsonl:", "40", "of", "50"],
    ]
