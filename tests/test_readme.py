"""The README tells the truth: its commands are run and its output is what they print."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"^```console\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
needs_ctok = pytest.mark.skipif(
    importlib.util.find_spec("ctok") is None, reason="the README's counts come from the near-exact tokenizer"
)


@needs_ctok
@pytest.mark.parametrize("block", CONSOLE, ids=[block.splitlines()[0][2:60] for block in CONSOLE])
def test_a_command_of_the_readme_prints_what_the_readme_shows(block: str) -> None:
    command, _, expected = block.removeprefix("$ ").partition("\n")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.stdout.decode() == expected


@pytest.mark.parametrize("block", PYTHON)
def test_the_python_of_the_readme_runs(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102  our own example


def test_every_exit_code_of_the_help_is_in_the_readme() -> None:
    from costkit.cli.registry import EXIT_CODES

    assert all(meaning in README for _, meaning in EXIT_CODES)
