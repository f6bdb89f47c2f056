"""`costkit calibrate`: exact counts of some requests make local counts of all of them better."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, Fault, tokens_of

from costkit.adapters.calibration_file import FILE_NAME
from costkit.adapters.tokens import asking

Write = Callable[[str, object], Path]
MODEL = "claude-opus-5-5"


def body(number: int, **more: object) -> dict[str, object]:
    words = "4711 0815 " * (20 + number % 40)
    return {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": f"{number} {words}"}], **more}


def lines(count: int, **more: object) -> str:
    return "".join(json.dumps(body(number, **more)) + "\n" for number in range(count))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)
    with ApiServer() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def kept() -> Path:
    return Path(os.environ["COSTKIT_STATE"], FILE_NAME)


@pytest.mark.usefixtures("api")
def test_local_counts_come_near_the_apis_own_afterwards(program: Any, estimate: Any, write: Write) -> None:
    write("in.jsonl", lines(60))
    write("new.json", body(1_007))
    truth = tokens_of(body(1_007))
    before = estimate("new.json").items[0]["input_tokens"]
    answer = program("calibrate", "in.jsonl", "--json")
    after = estimate("new.json").items[0]["input_tokens"]
    assert answer.code == 0
    assert answer.document["result"]["compared"] == 60
    assert abs(after["expected"] - truth) < abs(before["expected"] - truth) / 5
    assert after["low"] <= truth <= after["high"]
    assert after["method"] == "calibrated"


@pytest.mark.usefixtures("api")
def test_the_estimate_says_what_it_was_calibrated_on(program: Any, write: Write) -> None:
    write("in.jsonl", lines(40))
    program("calibrate", "in.jsonl", "--as-of", "2026-11-21")
    document = program("estimate", "in.jsonl", "--offline", "--json").document
    [told] = [one for one in document["assumptions"] if one["name"] == "calibration"]
    assert told["value"].startswith("calibrated on 40 of your requests, 2026-11-21 (tokenizer v4.8, ratio ")
    assert told["source"] == "costkit calibrate"
    page = program("estimate", "in.jsonl", "--offline").out
    assert "(offline, calibrated ±" in page.splitlines()[0]
    assert "tokens calibrated on 40 of your requests, 2026-11-21" in page


@pytest.mark.usefixtures("api")
def test_a_simulation_of_a_written_prompt_uses_what_was_learnt_and_says_so(program: Any, write: Write) -> None:
    write("in.jsonl", lines(60))
    write("new.json", body(1_007))
    program("calibrate", "in.jsonl", "--as-of", "2026-11-21")
    sizes = program("simulate", "--prefix-tokens", "9000", "--offline", "--json").document
    document = program("simulate", "new.json", "--offline", "--json").document
    page = program("simulate", "new.json", "--offline").out
    [told] = [one for one in document["assumptions"] if one["name"] == "calibration"]
    assert told["value"].startswith("calibrated on 60 of your requests, 2026-11-21 (tokenizer v4.8, ratio ")
    assert "tokens in (calibrated ±" in page
    assert not any(one["name"] == "calibration" for one in sizes["assumptions"])


@pytest.mark.usefixtures("api")
def test_requests_of_another_kind_or_tokenizer_keep_the_measured_band(
    program: Any, estimate: Any, write: Write
) -> None:
    write("in.jsonl", lines(40))
    tool = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
    write("tools.json", body(1, tools=[tool]))
    write("older.json", {**body(1), "model": "claude-sonnet-4-5"})
    before = [estimate(name).items[0]["input_tokens"] for name in ("tools.json", "older.json")]
    program("calibrate", "in.jsonl")
    after = [estimate(name) for name in ("tools.json", "older.json")]
    assert [answer.items[0]["input_tokens"] for answer in after] == before
    assert not any(one["name"] == "calibration" for answer in after for one in answer.document["assumptions"])


@pytest.mark.usefixtures("api")
def test_what_is_kept_is_for_its_owner_only_and_can_be_shown_and_forgotten(
    program: Any, write: Write, kept: Path
) -> None:
    write("in.jsonl", lines(40))
    learnt = program("calibrate", "in.jsonl", "--json").document["result"]["corrections"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "4711 0815" not in kept.read_text()
    shown = program("calibrate", "--show", "--offline", "--json").document["result"]
    assert shown == {"compared": None, "corrections": learnt}
    assert program("calibrate", "--clear", "--json").document["result"]["corrections"] == []
    assert not kept.exists()
    assert program("calibrate", "--clear").code == 0
    assert "costkit calibrate FILES" in program("calibrate", "--show").err


@pytest.mark.usefixtures("api")
def test_another_tokenizer_is_learnt_beside_the_first(program: Any, write: Write) -> None:
    write("in.jsonl", lines(40))
    program("calibrate", "in.jsonl")
    program("calibrate", "in.jsonl", "-m", "claude-sonnet-4-5")
    shown = program("calibrate", "--show", "--json").document["result"]["corrections"]
    assert [one["family"] for one in shown] == ["v4.8", "v3"]


@pytest.mark.parametrize("count", [1, 29])
def test_too_few_requests_are_no_evidence(program: Any, write: Write, kept: Path, api: ApiServer, count: int) -> None:
    write("in.jsonl", lines(count))
    answer = program("calibrate", "in.jsonl", "--json")
    assert (answer.code, answer.document["error"]["code"]) == (5, "evidence-thin")
    assert len(api.requests) == count
    assert not kept.exists()


def test_no_more_are_counted_than_were_asked_for(program: Any, write: Write, api: ApiServer) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write(name, lines(400, system=name))
    assert program("calibrate", "a.jsonl", "b.jsonl", "--sample", "50").code == 0
    assert len(api.requests) == 50


def test_offline_is_refused_before_anything_is_read(program: Any, api: ApiServer) -> None:
    answer = program("calibrate", "missing.jsonl", "--offline")
    assert answer.code == 2
    assert "--offline forbids" in answer.err
    assert api.requests == []


def test_passing_failures_are_waited_out(program: Any, write: Write, api: ApiServer) -> None:
    write("in.jsonl", lines(40))
    api.fail(Fault(status=429, headers={"retry-after": "0.01"}), Fault(status=529), Fault(reset=True))
    assert program("calibrate", "in.jsonl").code == 0


def test_after_a_lasting_failure_the_rest_is_all_that_is_asked(program: Any, write: Write, api: ApiServer) -> None:
    write("in.jsonl", lines(40))
    api.fail(*[Fault(delay_s=0, then_answer=True)] * 20, *[Fault(status=500)] * 200)
    answer = program("calibrate", "in.jsonl", "--json")
    assert (answer.code, answer.document["error"]["retryable"]) == (1, True)
    api.script.clear()
    asked = len(api.requests)
    assert program("calibrate", "in.jsonl").code == 0
    assert 0 < len(api.requests) - asked < 40


def test_requests_that_the_api_refuses_are_left_out_and_told(program: Any, write: Write, api: ApiServer) -> None:
    write("in.jsonl", lines(40))
    api.fail(*[Fault(status=400, message="no such thing")] * 3)
    answer = program("calibrate", "in.jsonl", "--json")
    assert answer.code == 0
    assert answer.document["result"]["compared"] == 37
    assert answer.document["warnings"][0]["message"] == "3 of 40 requests were refused by the API"


def test_without_a_key_nothing_is_learnt(program: Any, write: Write, kept: Path) -> None:
    write("in.jsonl", lines(40))
    answer = program("calibrate", "in.jsonl", "--json")
    assert (answer.code, answer.document["error"]["code"]) == (2, "no-api-key")
    assert not kept.exists()


@pytest.mark.usefixtures("api")
def test_what_another_version_learnt_is_ignored_and_told(program: Any, estimate: Any, write: Write, kept: Path) -> None:
    write("in.jsonl", lines(40))
    before = estimate("in.jsonl").items
    program("calibrate", "in.jsonl")
    document = json.loads(kept.read_text())
    document["corrections"][0]["counter"] = "costkit 0.0.1, ctok 1.0.0, 0123456789abcdef"
    kept.write_text(json.dumps(document))
    answer = estimate("in.jsonl")
    assert answer.items == before
    assert "calibration-outdated" in answer.warnings


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"format": 2, "corrections": [{}]}',
        b'{"format": 3, "corrections": []}',
        b"[" * 9**5,
    ],
)
def test_a_damaged_file_is_ignored_and_told(estimate: Any, write: Write, kept: Path, content: bytes) -> None:
    write("in.jsonl", lines(3))
    kept.parent.mkdir(parents=True)
    kept.write_bytes(content)
    answer = estimate("in.jsonl")
    assert answer.code == 0
    assert "calibration-unusable" in answer.warnings


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("name", ["ratio", "below", "above", "doubt"])
@pytest.mark.parametrize("value", ["NaN", "-1", "Infinity", "many", None])
def test_numbers_that_make_no_sense_are_ignored(
    program: Any, estimate: Any, write: Write, kept: Path, name: str, value: object
) -> None:
    write("in.jsonl", lines(40))
    program("calibrate", "in.jsonl")
    document = json.loads(kept.read_text())
    document["corrections"][0][name] = value
    kept.write_text(json.dumps(document))
    assert "calibration-unusable" in estimate("in.jsonl").warnings


@pytest.mark.usefixtures("api")
def test_exact_estimates_say_nothing_of_it(program: Any, write: Write) -> None:
    write("in.jsonl", lines(40))
    program("calibrate", "in.jsonl")
    document = program("estimate", "in.jsonl", "--json").document
    assert document["result"]["items"][0]["input_tokens"]["method"] == "exact"
    assert not any(one["name"] == "calibration" for one in document["assumptions"])


@pytest.mark.usefixtures("api")
def test_the_preview_of_a_batch_is_calibrated_too(program: Any, write: Write) -> None:
    write("in.jsonl", lines(40))
    program("calibrate", "in.jsonl")
    write("job.jsonl", "".join(json.dumps({"custom_id": f"n-{n}", "params": body(n)}) + "\n" for n in range(5)))
    document = program("batch", "submit", "job.jsonl", "--dry-run", "--offline", "--json").document
    assert any(one["name"] == "calibration" for one in document["assumptions"])


@pytest.mark.parametrize("flags", ["--show --clear", "--show in.jsonl", "in.jsonl --sample 29"])
def test_flags_that_contradict_each_other_are_refused(program: Any, write: Write, flags: str) -> None:
    write("in.jsonl", lines(3))
    assert program("calibrate", *flags.split()).code == 2


def test_interrupting_keeps_what_was_counted(tmp_path: Path, write: Write, api: ApiServer) -> None:
    write("in.jsonl", lines(60))
    api.fail(*[Fault(delay_s=0, then_answer=True)] * 20, *[Fault(status=529, headers={"retry-after": "30"})] * 40)
    command = [sys.executable, "-m", "costkit", "calibrate", "in.jsonl"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        while len(api.requests) < 25:
            assert running.poll() is None
        running.send_signal(2)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "what was counted is kept" in err
    api.script.clear()
    asked = len(api.requests)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0
    assert len(api.requests) - asked < 60
