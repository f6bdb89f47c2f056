"""Start-up of the commands, against `python -c "import typer, rich"` measured in the same run.

    python bench/startup.py [RUNS]

Prints medians and ratios. The runs of all commands take turns, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe_machine

EXAMPLES = Path(__file__).parent.parent / "examples"
GOALS = {
    "costkit --version": 0.5,
    "costkit report --help": 1.6,
    "costkit report (empty folder)": 1.6,
    "costkit report --json (320 lines)": 2.0,
    "costkit estimate --json --offline": 4.0,
}
ALTERNATIVE = "python -c 'import typer, rich'"


def main() -> None:
    """Measure, and print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "HOME": folder, "COSTKIT_STATE": folder}
        commands = _commands(Path(folder))
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(runs + 1):
            for name, command in commands.items():
                seconds = _time(command, environ, folder)
                if turn:  # the first turn warms the disk cache
                    times[name].append(seconds)
    base = statistics.median(times[ALTERNATIVE])
    print(describe_machine("typer", "rich", "anthropic", "ctok", "pyyaml"))
    print(f"median of {runs} runs; {ALTERNATIVE}: {base * 1000:.0f} ms")
    for name, goal in GOALS.items():
        print(f"  {name:<36} {statistics.median(times[name]) / base:5.2f} x   (goal: at most {goal} x)")


def _commands(folder: Path) -> dict[str, list[str]]:
    small = folder / "small.md"
    small.write_text("Summarise the following report in five bullet points for a busy reader.\n" * 5)
    empty = folder / "logs"
    empty.mkdir()
    costkit = [sys.executable, "-m", "costkit"]
    return {
        ALTERNATIVE: [sys.executable, "-c", "import typer, rich"],
        "costkit --version": [*costkit, "--version"],
        "costkit report --help": [*costkit, "report", "--help"],
        "costkit report (empty folder)": [*costkit, "report", str(empty)],
        "costkit report --json (320 lines)": [*costkit, "report", str(EXAMPLES / "usage.jsonl"), "--json"],
        "costkit estimate --json --offline": [*costkit, "estimate", str(small), "--json", "--offline", "-q"],
    }


def _time(command: list[str], environ: dict[str, str], folder: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environ, cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
