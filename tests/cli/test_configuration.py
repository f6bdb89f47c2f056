"""Flags over variables over files, and nothing that is silently ignored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, object], Path]
ESTIMATE = ("estimate", "prompt.md", "--json")
BOOK = """\
schema: costkit/pricing@1
extends: built-in
models:
  claude-opus-5-5:
    prices:
      - effective_from: 2026-11-01
        rates: {input: 3, output: 15, cache_write_5m: 3.75, cache_write_1h: 6, cache_read: 0.15}
"""


@pytest.fixture(autouse=True)
def _prompt(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("prompt.md", "Say hello.")
    monkeypatch.setenv("COSTKIT_OFFLINE", "1")


def models(answer: Any) -> list[str]:
    return [item["model"] for item in answer.items]


def test_costkit_toml_is_found_in_the_folder_and_above_it(program: Any, write: Write, tmp_path: Path) -> None:
    write("costkit.toml", 'model = "claude-opus-5-5"\n')
    (tmp_path / "deep" / "down").mkdir(parents=True)
    assert models(program(*ESTIMATE)) == ["claude-opus-5-5"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "deep" / "down")
        assert models(program("estimate", "-", "--json", stdin="x")) == ["claude-opus-5-5"]


def test_pyproject_has_a_table_of_ours(program: Any, write: Write) -> None:
    write("pyproject.toml", '[project]\nname = "x"\n[tool.costkit]\nmodel = ["claude-opus-5-5", "claude-haiku-5-5"]\n')
    assert models(program(*ESTIMATE)) == ["claude-opus-5-5", "claude-haiku-5-5"]


def test_costkit_toml_wins_over_pyproject_in_the_same_folder(program: Any, write: Write) -> None:
    write("pyproject.toml", '[tool.costkit]\nmodel = "claude-haiku-5-5"\n')
    write("costkit.toml", 'model = "claude-opus-5-5"\n')
    assert models(program(*ESTIMATE)) == ["claude-opus-5-5"]


def test_a_pyproject_without_our_table_does_not_stop_the_search(
    program: Any, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("costkit.toml", 'model = "claude-opus-5-5"\n')
    write("inner/pyproject.toml", '[project]\nname = "not-costkit"\n')
    monkeypatch.chdir(tmp_path / "inner")
    assert models(program("estimate", "-", "--json", stdin="x")) == ["claude-opus-5-5"]


def test_the_root_of_a_repository_ends_the_search(
    program: Any, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("costkit.toml", 'model = "claude-opus-5-5"\n')
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository")
    assert len(models(program("estimate", "-", "--json", stdin="x"))) == 3


def test_the_users_own_file_fills_the_gaps(program: Any, write: Write, tmp_path: Path) -> None:
    write("config/costkit/costkit.toml", 'model = "claude-haiku-5-5"\noutput_tokens = 7\n')
    write("costkit.toml", 'model = "claude-opus-5-5"\n')
    answer = program(*ESTIMATE, XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert [(item["model"], item["output_tokens"]["expected"]) for item in answer.items] == [("claude-opus-5-5", 7)]


def test_flags_win_over_variables_and_these_over_files(program: Any, write: Write) -> None:
    write("costkit.toml", 'model = "claude-opus-5-5"\noutput_tokens = 1\nmax_tokens = 1\n')
    variables = {"COSTKIT_MODEL": "claude-sonnet-5-5, claude-haiku-5-5", "COSTKIT_OUTPUT_TOKENS": "2"}
    answer = program(*ESTIMATE, "--output-tokens", "3", **variables)
    assert models(answer) == ["claude-sonnet-5-5", "claude-haiku-5-5"]
    assert [item["output_tokens"] for item in answer.items] == [{"expected": 3, "max": 1}] * 2


def test_a_flag_of_zero_is_a_flag(program: Any, write: Write) -> None:
    write("costkit.toml", "output_tokens = 5\n")
    assert {item["output_tokens"]["expected"] for item in program(*ESTIMATE, "--output-tokens", "0").items} == {0}


def test_an_empty_variable_says_nothing(program: Any) -> None:
    assert program(*ESTIMATE, COSTKIT_FORMAT="", COSTKIT_MODEL="").code == 0


def test_a_limit_from_the_configuration_is_judged(program: Any, write: Write) -> None:
    write("costkit.toml", 'max-cost = "0.000001"\n')
    assert program(*ESTIMATE).code == 3
    assert program(*ESTIMATE, COSTKIT_MAX_COST="1").code == 0
    assert program(*ESTIMATE, "--max-cost", "1").code == 0


def test_format_and_quiet_from_variables(program: Any) -> None:
    answer = program("estimate", "prompt.md", COSTKIT_FORMAT="csv", COSTKIT_QUIET="true")
    assert (answer.out.split(",")[0], answer.err) == ("path", "")


MISTAKES = {
    "an unknown key": ('modle = "x"\n', "unknown key 'modle' (did you mean model?)"),
    "an unknown key with a dash": ('max-costs = "1"\n', "unknown key 'max-costs' (did you mean max_cost?)"),
    "a key like nothing": ("zzzz = 1\n", "unknown key 'zzzz' (known: pricing, model, output_tokens"),
    "a number for text": ("format = 1\n", "format: must be one of table, json, csv, markdown"),
    "text for a number": ('output_tokens = "many"\n', "output_tokens: must be a whole number from 0"),
    "a negative number": ("output_tokens = -1\n", "output_tokens: must be a whole number from 0"),
    "an absurd number": (
        "max_tokens = 99999999999999\n",
        "max_tokens: must be a whole number from 0 to 10,000,000,000",
    ),
    "true for a number": ("max_tokens = true\n", "max_tokens: must be a whole number"),
    "a float for money": ("max_cost = 2.5\n", 'max_cost: must be an amount of US dollars such as "2.50"'),
    "a word for money": ('max_cost = "lots"\n', "max_cost: must be an amount of US dollars"),
    "text for a switch": ('offline = "yes"\n', "offline: must be true or false"),
    "a number among models": ("model = [1]\n", "model: must be a model name or a list of them"),
    "a table for text": ("[pricing]\nfile = 1\n", "pricing: must be text"),
    "broken TOML": ("model = \n", "is not valid TOML: Invalid value (at line 1, column 9)"),
    "TOML that is not UTF-8": (b'model = "\xff"\n', "is not valid TOML: "),
    "a misspelt colour": ('color = "sometimes"\n', "color: must be one of auto, always, never"),
    "a misspelt mode": ('tokens = "rough"\n', "tokens: must be one of auto, exact, offline, fast"),
}


@pytest.mark.parametrize(("content", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_file_is_named_with_its_place(
    program: Any, write: Write, content: str | bytes, message: str
) -> None:
    path = write("costkit.toml", content)
    answer = program("pricing", "list", "--json")
    assert (answer.code, answer.document["error"]["code"]) == (2, "invalid-config")
    assert answer.err.startswith(f"costkit: {path}: {message}")
    assert len(answer.err.splitlines()) == 1


def test_a_table_of_ours_must_be_a_table(program: Any, write: Write) -> None:
    path = write("pyproject.toml", '[tool]\ncostkit = "on"\n')
    assert program("pricing", "list").err == f"costkit: {path}: [tool.costkit] must be a table\n"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"COSTKIT_MAXCOST": "1"}, "unknown variable COSTKIT_MAXCOST (did you mean COSTKIT_MAX_COST?)"),
        ({"COSTKIT_PRICNG": "x"}, "unknown variable COSTKIT_PRICNG (did you mean COSTKIT_PRICING?)"),
        ({"COSTKIT_FORMAT": "xml"}, "COSTKIT_FORMAT: must be one of table, json, csv, markdown"),
        ({"COSTKIT_OFFLINE": "perhaps"}, "COSTKIT_OFFLINE: must be true or false"),
        ({"COSTKIT_MAX_COST": "1e9"}, 'COSTKIT_MAX_COST: must be an amount of US dollars such as "2.50"'),
        ({"COSTKIT_OUTPUT_TOKENS": "-1"}, "COSTKIT_OUTPUT_TOKENS: must be a whole number from 0"),
        ({"COSTKIT_OUTPUT_TOKENS": "9" * 5000}, "COSTKIT_OUTPUT_TOKENS: must be a whole number from 0"),
        ({"COSTKIT_OUTPUT_TOKENS": "\N{ARABIC-INDIC DIGIT FIVE}"}, "COSTKIT_OUTPUT_TOKENS: must be a whole number"),
    ],
)
def test_a_mistake_in_a_variable_is_named(program: Any, variables: dict[str, str], message: str) -> None:
    answer = program("pricing", "list", **variables)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"costkit: {message}")


def test_a_variable_of_somebody_elses_script_is_left_alone(program: Any) -> None:
    assert program("pricing", "list", COSTKIT_BACKUP_FOLDER="/x").code == 0


def test_a_book_is_looked_for_beside_the_file_that_names_it(
    program: Any, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("costkit.toml", 'pricing = "books/ours.yaml"\nmodel = "claude-opus-5-5"\n')
    book = write("books/ours.yaml", BOOK)
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    document = program("estimate", "-", "--json", stdin="x").document
    assert document["pricing"]["source"] == str(book)
    assert program("pricing", "list", "--pricing", "books/ours.yaml").code == 2, "a flag is relative to where one is"


def test_prices_of_a_book_of_ones_own(program: Any, write: Write) -> None:
    write("ours.yaml", BOOK)
    flags = ("-m", "claude-opus-5-5", "--output-tokens", "1000000")
    assert program(*ESTIMATE, *flags, "--pricing", "ours.yaml").items[0]["output_usd"] == "15"
    assert program(*ESTIMATE, *flags, COSTKIT_PRICING="ours.yaml").items[0]["output_usd"] == "15"
    assert program(*ESTIMATE, *flags).items[0]["output_usd"] == "20"
    assert "(ours.yaml)" in program("estimate", "prompt.md", "--pricing", "ours.yaml").out.splitlines()[-1]


@pytest.mark.parametrize("name", ["pricing.yaml", "costkit.yaml", "pricing.yml"])
def test_a_stray_book_in_the_folder_is_never_picked_up(program: Any, write: Write, name: str) -> None:
    write(name, "this is no price book")
    document = program(*ESTIMATE).document
    assert document["pricing"]["source"] == "built-in"
    assert "(built in)" in program("estimate", "prompt.md").out


def test_a_book_with_a_duplicate_key_is_refused_with_its_line(program: Any, write: Write) -> None:
    write("twice.yaml", BOOK + "  claude-opus-5-5:\n    context_window: 1\n")
    answer = program(*ESTIMATE, "--pricing", "twice.yaml")
    assert (answer.code, answer.document["error"]["code"]) == (2, "invalid-pricing")
    assert answer.err.startswith("costkit: twice.yaml:8: ")
    assert "duplicate key 'claude-opus-5-5'" in answer.err


def test_the_day_of_the_prices(program: Any) -> None:
    answer = program(*ESTIMATE, "--as-of", "2026-11-01")
    assert answer.document["as_of"] == "2026-11-01"
    assert "as of 2026-11-01" in program("estimate", "prompt.md", "--as-of", "2026-11-01").out
