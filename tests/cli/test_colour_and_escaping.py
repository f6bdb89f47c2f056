"""Foreign text comes out harmless in every format, and colours only where somebody sees them."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ESCAPE, C1_ESCAPE, REVERSED, SURROGATE = "\x1b", "\x9b", "\u202e", "\udcff"
NASTY = (
    "\x1b[31mred\x1b[0m",
    "\x9b31mred",
    "\x1b]0;title\x07",
    "[red]x[/red]",
    "[link=https://example.com]x[/link]",
    "[/]",
    "two\nlines\r\nand a return",
    "\u202egnp.exe",
    "nul\x7fdel",
    "=cmd|' /C calc'!A1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "\t=1+1",
    "<script>alert(1)</script>",
    "| a | b |",
    "`code` **bold** @somebody #1",
    ":smile:",
)
FORMATS = ("table", "json", "csv", "markdown")
OBEYED = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e"} - {"\n"}


@pytest.fixture(params=NASTY, ids=ascii)
def nasty(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def answers(program: Any, write: Callable[[str, object], Path], nasty: str) -> dict[str, Any]:
    """An estimate with a nasty model, of a file with a nasty name, in every format."""
    name = "".join(char for char in nasty if char != "/") + ".json"
    body = {"model": nasty, "messages": [{"role": "user", "content": nasty}], "temperature": 1}
    write(name, body)
    flags = ("-m", nasty, "-m", "claude-opus-5-5", "--tree", "--offline")
    found = {each: program("estimate", f"./{name}", f"./{name}", *flags, "-f", each) for each in FORMATS}
    assert {answer.code for answer in found.values()} == {5}
    return found


def test_nothing_in_any_format_is_obeyed_by_a_terminal(answers: dict[str, Any]) -> None:
    for answer in answers.values():
        assert not OBEYED & set(answer.out)
        assert not OBEYED & set(answer.err)


def test_each_line_of_stderr_is_one_of_ours(answers: dict[str, Any]) -> None:
    for answer in answers.values():
        assert all(line.startswith(("! ", "costkit: ")) for line in answer.err.splitlines())


def test_json_keeps_the_name_exactly(answers: dict[str, Any], nasty: str) -> None:
    assert nasty in [item["model"] for item in answers["json"].document["result"]["items"]]


def test_rows_stay_rows(answers: dict[str, Any]) -> None:
    """A name with a line break or a bar adds neither a row nor a cell."""
    rows = list(csv.reader(io.StringIO(answers["csv"].out)))
    assert [len(row) for row in rows] == [len(rows[0])] * 3
    costs = answers["markdown"].out.split("\n\n")[1].splitlines()
    assert len({line.replace("\\|", "").count("|") for line in costs}) == 1
    assert len(costs) == 2 + 2


def test_no_cell_of_text_starts_a_formula(answers: dict[str, Any]) -> None:
    for row in csv.DictReader(io.StringIO(answers["csv"].out)):
        assert not row["model"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_markup_is_shown_and_not_used(program: Any) -> None:
    out = program("estimate", "-", "--offline", "-m", "[red]x[/red]", "-m", "claude-opus-5-5", stdin="x").out
    assert " [red]x[/red] " in out
    marked_down = program(
        "estimate", "-", "--offline", "-m", "<b>*x*</b>", "-m", "claude-opus-5-5", "-f", "markdown", stdin="x"
    ).out
    assert r"| \<b\>\*x\*\</b\> |" in marked_down


def test_numbers_stay_numbers_in_csv(program: Any, write: Callable[[str, object], Path]) -> None:
    """A negative amount starts with a minus and is no formula."""
    write("long.txt", "word " * 500)
    write("short.txt", "word")
    answer = program("pricing", "diff", "built-in", "built-in", "-f", "csv")
    assert answer.out == "model,what,up_to_tokens,old,new,change_percent\n"
    costs = program("estimate", "short.txt", "--offline", "-m", "claude-opus-5-5", "-f", "csv").out
    (row,) = csv.DictReader(io.StringIO(costs))
    assert float(row["cost_usd"]) > 0


def test_a_file_name_that_is_no_text_is_named_in_every_format(costkit: Any, tmp_path: Path) -> None:
    """Names are bytes: one that is not UTF-8 reaches Python with lone surrogates in it."""
    name = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    Path(os.fsdecode(name)).write_text("Say hello.")
    for each in FORMATS:
        done = costkit("estimate", "caf\udce9.txt", "--offline", "--tokens", "fast", "-f", each)
        assert (done.returncode, "caf\\xe9.txt" in done.stdout.replace("\\\\", "\\")) == (0, True)
    missing = costkit("estimate", "th\udce9.txt", "--json")
    assert (missing.returncode, missing.stderr) == (2, "costkit: th\\xe9.txt: no such file\n")
    assert json.loads(missing.stdout)["error"]["message"] == "th\\xe9.txt: no such file"


def test_a_name_with_a_zero_byte_is_invalid(program: Any) -> None:
    answer = program("estimate", "a\0b")
    assert (answer.code, answer.err) == (2, "costkit: 'a\\x00b' can't be the name of a file\n")


COLOURS: dict[str, tuple[tuple[str, ...], dict[str, str], bool]] = {
    "a pipe": ((), {"NO_COLOR": ""}, False),
    "a pipe where colour is forced": ((), {"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
    "NO_COLOR wins over FORCE_COLOR": ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    "the flag wins over NO_COLOR": (("--color", "always"), {"NO_COLOR": "1"}, True),
    "the flag wins over FORCE_COLOR": (("--color", "never"), {"NO_COLOR": "", "FORCE_COLOR": "1"}, False),
    "a variable of our own": ((), {"COSTKIT_COLOR": "always"}, True),
    "auto is the default": (("--color", "auto"), {"NO_COLOR": ""}, False),
}


@pytest.mark.parametrize(("flags", "variables", "coloured"), COLOURS.values(), ids=COLOURS)
def test_colour_for(program: Any, flags: tuple[str, ...], variables: dict[str, str], coloured: bool) -> None:  # noqa: FBT001
    answer = program("estimate", "-", "--offline", *flags, stdin="x", **variables)
    assert (ESCAPE in answer.out) == coloured


@pytest.mark.parametrize("each", ["json", "csv", "markdown"])
def test_formats_for_programs_are_never_coloured(program: Any, each: str) -> None:
    flags = ("--color", "always", "-f", each)
    assert ESCAPE not in program("estimate", "-", "--offline", *flags, stdin="x", FORCE_COLOR="1").out


def test_a_file_is_only_coloured_on_request(program: Any, tmp_path: Path) -> None:
    variables = {"NO_COLOR": "", "FORCE_COLOR": "1"}
    program("estimate", "-", "--offline", "-o", "plain.txt", stdin="x", **variables)
    program("estimate", "-", "--offline", "-o", "red.txt", "--color", "always", stdin="x", **variables)
    assert ESCAPE not in (tmp_path / "plain.txt").read_text(encoding="utf-8")
    assert ESCAPE in (tmp_path / "red.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("terminal", ["dumb", "xterm-256color"])
@pytest.mark.parametrize("command", ["estimate - --offline -m all --output-tokens 5", "pricing show claude-fable-5-2"])
def test_colour_changes_no_character_of_the_table(program: Any, terminal: str, command: str) -> None:
    plain = program(*command.split(), "--color", "never", stdin="x", TERM=terminal).out
    coloured = program(*command.split(), "--color", "always", stdin="x", TERM=terminal).out
    assert [line.rstrip() for line in _without_colours(coloured).splitlines()] == plain.splitlines()


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_a_terminal_gets_colours_unless_it_is_dumb(tmp_path: Path, variables: dict[str, str], coloured: bool) -> None:  # noqa: FBT001
    main, side = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | variables
    command = [sys.executable, "-m", "costkit", "pricing", "show", "claude-haiku-5-5"]
    with subprocess.Popen(command, stdout=side, stderr=subprocess.PIPE, cwd=tmp_path, env=environ) as process:
        os.close(side)
        seen = b""
        for chunk in iter(lambda: _read(main), b""):
            seen += chunk
    os.close(main)
    assert process.returncode == 0
    assert (b"\x1b" in seen) == coloured


def _read(terminal: int) -> bytes:
    """What the terminal shows next; nothing once the program has ended."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def _without_colours(text: str) -> str:
    first, *rest = text.split(ESCAPE)
    return first + "".join(part.partition("m")[2] for part in rest)


@pytest.mark.parametrize(("name", "cell"), [("-5", "-5"), ("+1.5", "+1.5"), ("-5+1", "'-5+1"), ("--", "'--")])
def test_a_number_is_no_formula(program: Any, write: Callable[[str, object], Path], name: str, cell: str) -> None:
    write(name, "Say hello.")
    out = program("estimate", "--offline", "-f", "csv", "-m", "claude-opus-5-5", "--", name).out
    assert out.splitlines()[1].split(",")[0] == cell
