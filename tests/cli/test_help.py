"""Help that is complete: every command, every exit code, the few flags that people use first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from costkit import __version__
from costkit.cli.registry import COMMANDS
from costkit.errors import ExitCode

LEAVES = ("estimate", "report", "pricing list", "pricing show", "pricing check", "pricing diff", "schema")
COMMON = ("--format", "--json", "--output", "--pricing", "--as-of", "--offline", "--also", "--color", "--quiet")


def section(text: str, title: str) -> str:
    """The lines under a heading, up to the next one."""
    found = re.search(rf"^{title}:\n((?:  .*\n|\n(?=  ))*)", text, re.MULTILINE)
    assert found, f"no section {title}"
    return found[1]


@pytest.mark.parametrize("words", ["--help", "-h", "help"])
def test_the_root_help_lists_every_command_in_its_group(program: Any, words: str) -> None:
    answer = program(*words.split())
    assert (answer.code, answer.err) == (0, "")
    for command in COMMANDS:
        shown = section(answer.out, command.section)
        assert re.search(rf"^  {command.name} +{re.escape(command.summary)}$", shown, re.MULTILINE)


def test_the_root_help_shows_every_exit_code(program: Any) -> None:
    shown = section(program("--help").out, "Exit codes")
    assert [int(line.split()[0]) for line in shown.splitlines() if line.strip()] == [int(code) for code in ExitCode]


def test_no_command_at_all_is_a_question_for_help(program: Any) -> None:
    assert program().out == program("--help").out
    assert (program().code, program("pricing").code) == (2, 2)


@pytest.mark.parametrize("words", [(), ("pricing",), ("batch",)])
def test_a_program_that_gives_no_command_gets_a_document(program: Any, words: tuple[str, ...]) -> None:
    answer = program(*words, COSTKIT_FORMAT="json")
    assert answer.code == answer.document["exit"] == 2
    assert answer.document["error"]["code"] == "usage"
    assert answer.err == f"costkit: no command was given ({' '.join(('costkit', *words))} --help lists the commands)\n"


@pytest.mark.parametrize("words", ["--version", "-V"])
def test_the_version(program: Any, costkit: Any, words: str) -> None:
    assert program(words).out == costkit(words).stdout == f"costkit {__version__}\n"


@pytest.mark.parametrize("command", list(dict.fromkeys([*(command.name for command in COMMANDS), *LEAVES])))
def test_every_command_has_help(program: Any, command: str) -> None:
    words = command.split()
    long, short, asked = program(*words, "--help"), program(*words, "-h"), program("help", *words)
    assert (long.code, long.err) == (0, "")
    assert long.out.startswith(f"Usage: costkit {command} ")
    assert long.out == short.out == asked.out
    assert all(len(line) <= 110 for line in long.out.splitlines())


@pytest.mark.parametrize("command", [leaf for leaf in LEAVES if leaf != "schema"])
def test_every_command_has_the_common_flags_and_the_rare_ones_last(program: Any, command: str) -> None:
    out = program(*command.split(), "--help").out
    flags = re.findall(r"--[a-z-]+", section(out, "Options") + section(out, "Advanced"))
    assert [flag for flag in COMMON if flag not in flags] == []
    assert out.index("Options:") < out.index("Advanced:")


@pytest.mark.parametrize("flag", ["--tokens", "--cache", "--hit-rate", "--geo", "--speed", "--compare-to", "--on"])
def test_flags_that_few_people_need_are_advanced(program: Any, flag: str) -> None:
    out = program("estimate", "--help").out
    assert flag in section(out, "Advanced")
    assert flag not in section(out, "Options").replace("--output-tokens", "").replace("--max-tokens", "")


def test_every_group_lists_its_commands_whole(program: Any) -> None:
    shown = section(program("pricing", "--help").out, "Commands")
    assert re.findall(r"^  (\w+)", shown, re.MULTILINE) == ["list", "show", "check", "diff"]
    assert "..." not in shown


@pytest.mark.parametrize(("typed", "meant"), [("estimte", "estimate"), ("reprot", "report"), ("price", "pricing")])
def test_a_misspelt_command_is_recognised(program: Any, typed: str, meant: str) -> None:
    answer = program(typed)
    assert (answer.code, answer.err) == (2, f"costkit: no such command: {typed} (did you mean {meant}?)\n")


def test_a_command_like_nothing_points_to_the_list(program: Any) -> None:
    assert program("zzz").err == "costkit: no such command: zzz (costkit --help lists the commands)\n"
    assert program("help", "zzz").code == 2


def test_a_schema_is_found_under_the_name_of_its_command(program: Any) -> None:
    assert program("schema", "pricing", "list").out == program("schema", "pricing-list").out
    assert program("schema", "pricing list").out == program("schema", "pricing-list").out
    assert program("schema", "report", "--json").out == program("schema", "report").out
    answer = program("schema", "estimat")
    assert (answer.code, answer.out) == (2, "")
    assert "error, estimate, pricing-check" in answer.err


def test_a_schema_can_be_written_to_a_file(program: Any, tmp_path: Path) -> None:
    assert program("schema", "report", "-o", "report.json").out == ""
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == program("schema", "report").out


def test_a_schema_has_no_other_format(program: Any) -> None:
    answer = program("schema", "report", "-f", "markdown")
    assert (answer.code, answer.out, answer.err) == (2, "", "costkit: a schema is JSON, not 'markdown'\n")
