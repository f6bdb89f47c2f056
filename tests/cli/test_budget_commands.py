"""`costkit budget` as scripts use it: what it prints, how it ends, and what becomes of bad input."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from costkit.adapters.budgets.schema import FILE_NAME

MODEL = "claude-opus-5-5"
BODY = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "What is new?"}]}
ANSWER = {"model": MODEL, "type": "message", "usage": {"input_tokens": 1_000, "output_tokens": 100}}


@pytest.fixture
def budget(program: Any) -> Any:
    """`costkit budget` with more arguments, after `team-a` was set."""

    def run(*arguments: object, **more: Any) -> Any:
        return program("budget", *arguments, **more)

    assert run("set", "team-a", "--limit", "10").code == 0
    return run


def state(budget: Any, name: str = "team-a") -> Any:
    return budget("status", name, "--json").document["result"]["budgets"][0]


def reserve(budget: Any, *flags: object) -> str:
    return str(budget("reserve", "team-a", *flags, "--id").out.strip())


def test_a_script_holds_sends_and_settles(budget: Any, write: Callable[[str, object], Path]) -> None:
    held = reserve(budget, "--request", write("body.json", BODY))
    assert held.startswith("r-")
    assert state(budget)["reserved_usd"] != "0"
    settled = budget("commit", held, "--response", "-", stdin=json.dumps(ANSWER))
    assert settled.code == 0
    assert settled.out.startswith(f"{held} · $0.0060 committed · team-a: $9.99 of $10.00 left")
    assert (state(budget)["committed_usd"], state(budget)["reserved_usd"]) == ("0.006", "0")


def test_a_budget_holds_the_surcharge_of_a_workspace_until_it_is_taken_away(budget: Any) -> None:
    size = ("--model", MODEL, "--input-tokens", 1_000_000, "--max-tokens", 0)
    held = {}
    for flags in (("--limit", "100"), ("--geo", "us"), ("--soft", "80%"), ("--geo", "global")):
        assert budget("set", "team-a", *flags).code == 0
        held[flags] = budget("reserve", "team-a", *size, "--json").document["result"]["reservation"]["reserved_usd"]
    assert list(held.values()) == ["4", "4.4", "4.4", "4"]
    notes = [line["note"] for line in budget("history", "team-a", "--json").document["result"]["events"]]
    assert "geo global -> us" in notes
    assert budget("set", "team-a", "--geo", "mars").code == 2


def test_what_does_not_fit_ends_with_3_and_says_what_is_left(budget: Any) -> None:
    reserve(budget, "--usd", "7.5")
    refused = budget("reserve", "team-a", "--usd", "2.51")
    assert refused.code == 3
    assert refused.out.startswith("nothing reserved · team-a: $2.50 of $10.00 left")
    assert "costkit: budget team-a: $2.50 of $10.00 left, $2.51 asked for" in refused.err
    document = budget("reserve", "team-a", "--usd", "2.51", "--json").document
    assert (document["exit"], document["result"]["reservation"]) == (3, None)
    assert document["result"]["budget"]["available_usd"] == "2.5"


def test_a_script_that_asks_for_the_id_gets_nothing_else(budget: Any) -> None:
    refused = budget("reserve", "team-a", "--usd", "11", "--id")
    assert (refused.code, refused.out) == (3, "")
    assert "$10.00 of $10.00 left" in refused.err


@pytest.mark.parametrize(
    "flags",
    [
        "--model claude-gone-9 --input-tokens 5 --max-tokens 5",
        "--usd 1 --model claude-gone-9",
    ],
)
def test_a_price_that_is_not_known_ends_with_5_and_holds_nothing(budget: Any, flags: str) -> None:
    assert budget("reserve", "team-a", *flags.split()).code == 5
    assert state(budget)["reserved_usd"] == "0"


def test_a_bill_without_a_price_ends_with_5_and_the_amount_stays_held(budget: Any) -> None:
    held = reserve(budget, "--usd", "1")
    answer = json.dumps({**ANSWER, "model": "claude-gone-9"})
    assert budget("commit", held, "--response", "-", stdin=answer).code == 5
    assert state(budget)["reserved_usd"] == "1"


def test_a_commit_over_the_limit_is_recorded_and_ends_with_3(budget: Any) -> None:
    held = reserve(budget, "--usd", "9")
    answer = budget("commit", held, "--usd", "12.5", "--json")
    assert (answer.code, answer.warnings) == (3, ["overrun"])
    found = answer.document["result"]["budget"]
    assert (found["committed_usd"], found["available_usd"], found["over_usd"]) == ("12.5", "0", "2.5")


def test_a_reservation_that_nobody_settled_is_shown_with_how_to_settle_it(budget: Any) -> None:
    held = reserve(budget, "--usd", "4", "--lease", "0.001s")
    shown = budget("status", "team-a")
    assert shown.out.startswith("team-a: $6.00 of $10.00 left")
    assert f"{held}  uncertain" in shown.out
    assert "never settled and may be spent: costkit budget commit ID, or costkit budget release ID" in shown.err
    assert budget("release", held).code == 0
    assert state(budget)["available_usd"] == "10"


def test_a_soft_limit_is_said_once(budget: Any) -> None:
    budget("set", "team-a", "--soft", "50%")
    answers = [budget("reserve", "team-a", "--usd", "3", "--json") for _ in range(3)]
    assert [answer.warnings for answer in answers] == [[], ["soft-limit"], []]


def test_a_command_to_notify_that_fails_is_a_warning(budget: Any) -> None:
    budget("set", "team-a", "--soft", "50%", "--notify", "false")
    answer = budget("reserve", "team-a", "--usd", "6", "--json")
    assert (answer.code, answer.warnings) == (0, ["soft-limit", "notify-failed"])


def test_what_is_not_said_stays_as_it_is(budget: Any) -> None:
    budget("set", "team-a", "--window", "day", "--tz", "Asia/Seoul", "--soft", "80%", "--scope", "model=*opus*")
    budget("set", "team-a", "--limit", "20")
    found = state(budget)
    assert (found["limit_usd"], found["window"], found["tz"], found["soft"]) == ("20", "day", "Asia/Seoul", 0.8)
    budget("set", "team-a", "--scope", "all", "--soft", "none")
    assert (state(budget)["scope"], state(budget)["soft"]) == (None, None)


def test_the_configured_time_zone_holds_for_new_budgets_only(budget: Any, write: Callable[[str, object], Path]) -> None:
    write("costkit.toml", 'tz = "Asia/Seoul"')
    budget("set", "team-a", "--limit", "20")
    budget("set", "team-b", "--limit", "20")
    assert (state(budget)["tz"], state(budget, "team-b")["tz"]) == ("UTC", "Asia/Seoul")


def test_tables_show_tokens_and_csv_has_exact_columns(budget: Any) -> None:
    budget("set", "team-t", "--limit", "2M", "--window", "month")
    assert "2,000,000 tokens" in budget("list").out
    rows = list(csv.DictReader(io.StringIO(budget("list", "-f", "csv").out)))
    assert [(row["name"], row["limit_usd"], row["limit_tokens"]) for row in rows] == [
        ("team-a", "10", ""),
        ("team-t", "", "2000000"),
    ]


@pytest.mark.parametrize("format_", ["table", "csv", "markdown", "json"])
@pytest.mark.parametrize("words", ["list", "status", "history"])
def test_nothing_at_all_has_a_form_in_every_format(program: Any, words: str, format_: str) -> None:
    answer = program("budget", *words.split(), "-f", format_)
    assert answer.code == 0
    assert answer.out


@pytest.mark.parametrize("format_", ["table", "csv", "markdown"])
def test_every_answer_has_a_form_in_every_format(budget: Any, format_: str) -> None:
    held, other = reserve(budget, "--usd", "1"), reserve(budget, "--usd", "1")
    steps = (
        "set team-b --limit 5",
        "reserve team-a --usd 1",
        f"commit {held}",
        f"release {other}",
        "status",
        "list",
        "history",
        "reset team-a",
        "delete team-b",
    )
    answers = [budget(*step.split(), "-f", format_) for step in steps]
    assert [(answer.code, bool(answer.out)) for answer in answers] == [(0, True)] * len(steps)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("status team-b", "there is no budget 'team-b' (did you mean team-a?)"),
        ("set team-b", "there is no budget 'team-b' (did you mean team-a?)"),
        ("set team-b --limit nan", "--limit 'nan' is no amount"),
        ("set team-b --limit=-5", "--limit '-5' is no amount"),
        ("set team-b --limit 2000000", "more than a budget can hold"),
        ("set team-b --limit 5 --window year", "--window 'year' is no window"),
        ("set team-b --limit 5 --tz Mars/Olympus", "unknown time zone 'Mars/Olympus'"),
        ("set team-b --limit 5 --scope modle=x", "is not model=, tag= or user="),
        ("set team-b --limit 5 --soft 120%", "--soft must be above 0"),
        ("set team-b --limit 5 --soft 0%", "--soft must be above 0"),
        ("set team-b --limit 5 --soft 0.12345678", "--soft must be above 0"),
        (f"set team-b --limit 5 --soft 0.{'1' * 200}", "--soft must be above 0"),
        (f"set team-b --limit 5 --soft {'1' * 200}", "--soft must be above 0"),
        (f"set team-b --limit 5 --soft {'1' * 200}%", "is not a share"),
        ("reserve team-a --usd 1 --lease 0s", "a lease must last"),
        ("set ../team --limit 5", "can't name a budget"),
        ("set team-a --limit 5M", "is in usd, not in tokens"),
        ("reserve team-a", "say how much"),
        ("reserve team-a --usd nan", "--usd 'nan' is not an amount"),
        ("reserve team-a --usd=-1", "--usd '-1' is not an amount"),
        ("reserve team-a --usd 1 --tokens 5", "give --usd or --tokens, not both"),
        ("reserve team-a --tokens 5", "is in usd, not in tokens"),
        ("reserve team-a --input-tokens 5", "belong together"),
        ("reserve team-a --usd 1 --tag team", "is not NAME=VALUE"),
        ("reserve team-a --usd 1 --lease soon", "is not a length of time"),
        ("reserve team-a --request missing.json", "missing.json: can't be read"),
        ("reserve team-a --request torn.json", "torn.json: is not JSON"),
        ("reserve team-a --request list.json", "list.json: is neither a JSON object nor a list of them"),
        ("reserve --usd 1", "no budget was named, and COSTKIT_BUDGET is not set"),
        ("commit r-1", "there is no reservation 'r-1'"),
        ("release r-1", "there is no reservation 'r-1'"),
        ("commit r-1 --usd 1 --tokens 5", "give one of --response, --usd and --tokens"),
        ("commit r-1 --response torn.json", "torn.json: is not JSON"),
        ("commit r-1 --response body.json", "it has no usage"),
        ("run team-a", "no program was named"),
        ("run team-a -- no-such-program", "there is no program 'no-such-program'"),
        ("run team-b -- true", "there is no budget 'team-b'"),
    ],
)
def test_bad_input_is_one_line_and_ends_with_2(
    budget: Any, write: Callable[[str, object], Path], arguments: str, message: str
) -> None:
    write("torn.json", '{"model": ')
    write("list.json", [1, 2])
    write("body.json", BODY)
    answer = budget(*arguments.split())
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(("content", "code"), [(b"no database, but a text that is long enough for one", 1), (b"", 0)])
def test_a_file_of_budgets_that_cannot_be_used_is_an_error_document(program: Any, content: bytes, code: int) -> None:
    state_folder = Path(os.environ["COSTKIT_STATE"])
    state_folder.mkdir()
    (state_folder / FILE_NAME).write_bytes(content)
    answer = program("budget", "list", "--json")
    assert answer.code == answer.document["exit"] == code


def test_a_program_runs_within_its_budget_and_its_exit_code_is_passed_on(costkit: Any) -> None:
    costkit("budget", "set", "team-a", "--limit", "1")
    script = 'echo "$COSTKIT_BUDGET"; cat; exit 7'
    done = costkit("budget", "run", "team-a", "--", "sh", "-c", script, stdin="piped through")
    assert (done.returncode, done.stdout, done.stderr) == (7, "team-a\npiped through", "")


def test_commands_in_a_running_program_mean_its_budget(budget: Any) -> None:
    assert budget("reserve", "--usd", "1", COSTKIT_BUDGET="team-a").code == 0
    assert budget("status", COSTKIT_BUDGET="team-a").out.startswith("team-a: $9.00 of $10.00 left")


def test_a_program_is_not_started_with_nothing_left(costkit: Any) -> None:
    costkit("budget", "set", "team-a", "--limit", "0")
    done = costkit("budget", "run", "team-a", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (3, "")
    assert "$0.00 of $0.00 left" in done.stderr


def test_flags_behind_the_dashes_belong_to_the_program(costkit: Any) -> None:
    costkit("budget", "set", "team-a", "--limit", "1")
    done = costkit("budget", "run", "--", "echo", "--help", "--", "-x", COSTKIT_BUDGET="team-a")
    assert (done.returncode, done.stdout) == (0, "--help -- -x\n")


def test_a_report_shows_the_budgets_beside_what_was_spent(
    budget: Any, program: Any, write: Callable[[str, object], Path]
) -> None:
    write("log.jsonl", json.dumps({**ANSWER, "role": "assistant", "id": "msg_1"}))
    reserve(budget, "--usd", "4")
    shown = program("report", "log.jsonl", "--budgets").out
    assert shown.startswith("$0.0060 · 1 request")
    assert "budgets, as they stand now\n budget   limit" in shown
    result = program("report", "log.jsonl", "--budgets", "--json").document["result"]
    assert [found["available_usd"] for found in result["budgets"]] == ["6"]
    assert "budgets" not in program("report", "log.jsonl", "--json").document["result"]
