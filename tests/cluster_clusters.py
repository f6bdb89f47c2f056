"""Dask clusters for tests, in processes of their own, and the command line beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from answers import Answer

from costkit.cli.main import main

_SCRIPT = Path(__file__).parent / "cluster_process.py"


@contextmanager
def running_cluster(workers: int, *, python_path: Path | None = None, **environ: str) -> Iterator[str]:
    """The address of a cluster; its processes look for modules in `python_path` first."""
    env = {**os.environ, **environ, **({} if python_path is None else {"PYTHONPATH": str(python_path)})}
    command = [sys.executable, str(_SCRIPT), str(workers)]
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def in_process(capsys: Any, *arguments: object) -> Answer:
    """Run a command line in this process."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return Answer(code, captured.out, captured.err)
