"""One exit code, the gravest that applies, and an error document wherever a program listens."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from costkit.errors import ExitCode, worst

GRAVEST_FIRST = (130, 2, 1, 5, 3, 4, 8, 0)
PROMPT = ("estimate", "prompt.md", "--offline")


@pytest.fixture(autouse=True)
def _prompt(write: Callable[[str, object], Path]) -> None:
    write("prompt.md", "Say hello.")


@pytest.mark.parametrize(("graver", "lighter"), list(combinations(GRAVEST_FIRST, 2)))
def test_the_graver_of_two_codes_holds(graver: int, lighter: int) -> None:
    assert worst([ExitCode(lighter), ExitCode(graver)]) == worst([ExitCode(graver), ExitCode(lighter)]) == graver


def test_no_finding_is_success() -> None:
    assert worst([]) == 0


def test_the_codes_of_the_contract_are_all_there_are() -> None:
    assert sorted(ExitCode) == sorted(GRAVEST_FIRST)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ("-m claude-opus-5-5", 0),
        ("-m claude-opus-5-5 --max-cost 1000", 0),
        ("-m claude-opus-5-5 --max-cost 0", 3),
        ("-m claude-opus-5-5 -m gpt-x", 5),
        ("-m claude-opus-5-5 -m gpt-x --max-cost 0", 5),
        ("-m gpt-x", 5),
        ("-m gpt-x --max-cost 0", 5),
        ("-m gpt-x --batch --speed fast", 2),
        ("-m claude-opus-5-5 --max-cost 0 -o /dev/full", 1),
        ("-m claude-opus-5-5 --max-cost 0 -o no/such/folder", 1),
    ],
)
def test_the_code_of_a_command(program: Any, flags: str, code: int) -> None:
    assert program(*PROMPT, *flags.split()).code == code


@pytest.mark.parametrize("flags", ["--max-cost 0", "-m claude-opus-5-5 -m gpt-x"])
def test_the_answer_is_printed_before_it_is_judged(program: Any, flags: str) -> None:
    answer = program(*PROMPT, *flags.split())
    assert answer.out.startswith("prompt.md · ")
    assert answer.err.splitlines()[-1].startswith("costkit: ")


BAD_COMMANDS = {
    "a missing file": (("estimate", "missing.md"), 2, "missing.md: no such file"),
    "an unknown flag": (("estimate", "prompt.md", "--jsno"), 2, "No such option: --jsno"),
    "a flag without its value": (("estimate", "prompt.md", "--model"), 2, "Option '--model' requires an argument"),
    "a word for a number": (("estimate", "prompt.md", "-n", "many"), 2, "'many' is not a whole number from 1"),
    "an unknown command": (("estimat",), 2, "no such command: estimat"),
    "a flag before the command": (("--offline", "estimate"), 2, "no such option before the command: --offline"),
    "an unknown command of a group": (("pricing", "shwo"), 2, "No such command 'shwo'"),
    "too many arguments": (("pricing", "list", "claude"), 2, "Got unexpected extra argument(s) (claude)"),
    "too few arguments": (("pricing", "show"), 2, "Missing argument 'MODEL'"),
    "an unknown model": ((*PROMPT, "-m", "claude-opus-5-55"), 5, "unknown model 'claude-opus-5-55'"),
    "a day that is none": (("pricing", "list", "--as-of", "2026-02-30"), 2, "--as-of '2026-02-30' is not a day"),
    "an amount that is none": ((*PROMPT, "--max-cost", "1e3"), 2, "--max-cost '1e3' is not an amount in US dollars"),
    "a comma in an amount": ((*PROMPT, "--max-cost", "1,5"), 2, "--max-cost '1,5' is not an amount in US dollars"),
    "a currency that is none": ((*PROMPT, "--also", "won"), 2, "--also 'won' is not a currency and its rate"),
    "a rate of nothing": ((*PROMPT, "--also", "KRW=0"), 2, "--also 'KRW=0' is not a currency and its rate"),
    "a share that is none": ((*PROMPT, "--cache", "5m", "--hit-rate", "most"), 2, "--hit-rate 'most' is not a share"),
    "a colour that is none": ((*PROMPT, "--color", "red"), 2, "--color 'red' is not one of auto, always, never"),
    "a kind that is none": ((*PROMPT, "--input", "html"), 2, "--input 'html' is not one of text, request"),
    "a cache mode that is none": ((*PROMPT, "--cache", "2h"), 2, "--cache '2h' is not one of none, 5m, 1h"),
    "a speed that is none": ((*PROMPT, "--speed", "slow"), 2, "--speed 'slow' is not one of standard, fast"),
    "a place that is none": ((*PROMPT, "--geo", "moon"), 2, "--geo 'moon' is not one of us, global"),
    "exact counts while offline": ((*PROMPT, "--tokens", "exact"), 2, "exact counts need the API"),
    "an empty model": ((*PROMPT, "-m", ""), 2, "--model is empty"),
    "an empty path": (("estimate", "", "--offline"), 2, "a path is empty"),
    "an empty log": (("report", ""), 2, "a path is empty"),
    "an empty name": (("pricing", "show", ""), 2, "MODEL is empty"),
    "an empty day": (("pricing", "list", "--as-of", ""), 2, "--as-of is empty"),
    "an empty book": (("pricing", "list", "--pricing="), 2, "--pricing is empty"),
    "an empty place": (("pricing", "list", "-o", " "), 2, "--output is empty"),
    "an empty beginning": (("report", "-", "--since", ""), 2, "--since is empty"),
    "an empty end": (("report", "-", "--until="), 2, "--until is empty"),
    "an empty zone": (("report", "-", "--tz", ""), 2, "--tz is empty"),
    "an empty pattern": (("report", "-", "--model", ""), 2, "--model is empty"),
    "a week for a day": (("pricing", "list", "--as-of", "2026-W47"), 2, "--as-of '2026-W47' is not a day"),
    "a line break in a name": (("estimate", "a\nb"), 2, "a\\nb: no such file"),
    "standard input twice": (("report", "-", "-"), 2, "standard input can be read only once"),
    "a book that is missing": (
        ("pricing", "list", "--pricing", "no.yaml"),
        2,
        "no.yaml: can't read the price book: No such file",
    ),
}
bad_commands = pytest.mark.parametrize(("words", "code", "message"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)


@bad_commands
def test_an_error_is_one_line_for_people(program: Any, words: tuple[str, ...], code: int, message: str) -> None:
    answer = program(*words)
    assert (answer.code, answer.out) == (code, "")
    (line,) = answer.err.splitlines()
    assert line.startswith("costkit: ")
    assert message in line


@bad_commands
@pytest.mark.parametrize(
    ("flags", "variables"),
    [
        (("--json",), {}),
        (("--format", "json"), {}),
        (("--format=json",), {}),
        (("-f", "json"), {}),
        (("-fjson",), {}),
        ((), {"COSTKIT_FORMAT": "json"}),
    ],
)
def test_a_program_gets_a_document_too(
    program: Any,
    words: tuple[str, ...],
    code: int,
    message: str,
    flags: tuple[str, ...],
    variables: dict[str, str],
) -> None:
    command = 1 + (words[0] == "pricing")
    answer = program(*words[:command], *flags, *words[command:], **variables)
    document = answer.document
    assert set(document) == {"schema", "error", "exit"}
    assert (document["schema"], document["exit"], answer.code) == ("costkit/error@1", code, code)
    assert message in document["error"]["message"]
    assert (document["error"]["retryable"], len(answer.err.splitlines())) == (False, 1)


@bad_commands
def test_csv_says_what_went_wrong_in_one_row(program: Any, words: tuple[str, ...], code: int, message: str) -> None:
    command = 1 + (words[0] == "pricing")
    answer = program(*words[:command], "-f", "csv", *words[command:])
    (row,) = csv.DictReader(io.StringIO(answer.out))
    assert (row["schema"], row["exit"], row["retryable"]) == ("costkit/error@1", str(code), "false")
    assert message in row["message"]


@pytest.mark.parametrize("words", ["-qf json", "-qfjson", "-qf=json"])
def test_the_format_is_found_behind_other_short_flags(program: Any, words: str) -> None:
    assert program("estimate", *words.split(), "--no-such-flag").document["exit"] == 2


def test_the_last_of_several_formats_holds(program: Any) -> None:
    assert program("estimate", "-f", "csv", "-f", "json", "missing.md").document["exit"] == 2
    assert program("estimate", "-f", "json", "-f", "table", "missing.md").out == ""


def test_a_format_after_two_dashes_is_a_file(program: Any) -> None:
    assert program("estimate", "--", "--json").out == ""


def test_two_formats_that_contradict_each_other_are_refused(program: Any) -> None:
    answer = program(*PROMPT, "--json", "-f", "csv")
    assert (answer.code, answer.err) == (2, "costkit: --json and --format csv contradict each other\n")


def test_a_format_from_the_configuration_holds_for_errors_too(program: Any, tmp_path: Path) -> None:
    (tmp_path / "costkit.toml").write_text('format = "json"\n')
    assert program("estimate", "missing.md").document["exit"] == 2
    assert program("estimate", "--no-such-flag").document["exit"] == 2
    assert program("estimate", "--no-such-flag", "-f", "table").out == ""


def test_a_bug_is_told_apart_from_what_a_user_can_cause(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one place where a traceback is right; no local variables are in it, because they may hold secrets."""
    monkeypatch.setattr("costkit.adapters.prompts.find_files", _buggy)
    answer = program("estimate", "secret-name.md", "--json")
    assert (answer.code, answer.document["error"]["code"], answer.document["error"]["retryable"]) == (1, "bug", False)
    assert "ZeroDivisionError" in answer.err
    assert "secret-name" not in answer.err


def _buggy(paths: list[str]) -> list[str]:
    return [str(len(paths) // 0)]
