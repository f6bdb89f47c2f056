"""The command line in this process, for everything that needs no real streams or signals."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from answers import Answer

from costkit.cli.main import main

Program = Callable[..., Answer]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run a command line in an empty folder: `program("estimate", "-", stdin="Hello")`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: str | bytes = b"", **environ: str) -> Answer:
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
            for name, value in environ.items():
                patch.setenv(name, value)
            code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def estimate(program: Program) -> Program:
    """`costkit estimate --offline --json` with more arguments."""

    def run(*arguments: object, **more: Any) -> Answer:
        return program("estimate", "--offline", "--json", *arguments, **more)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, object], Path]:
    """Write a file into the folder: bytes and text as they are, anything else as JSON."""

    def file(name: str, content: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return file
