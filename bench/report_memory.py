"""Peak memory of `costkit report` on a 100 MB log, beside reading all lines into a list, in the same run.

    python bench/report_memory.py [MEGABYTES]

Two logs are written into a temporary folder, the same on every machine: dense Message lines, each a response, and
transcript-like lines, where most bytes are what users and tools said and a response is written several times.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from machine import describe_machine

GOAL_MB = 100
MEASURE = """
import resource, sys
{body}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024), file=sys.stderr)
"""
COSTKIT = """
from costkit.cli.main import main
code = main(["report", sys.argv[1], "--json"])
assert code == 0, code
"""
NAIVE = """
import json
with open(sys.argv[1], "rb") as log:
    lines = [json.loads(line) for line in log]
print(len(lines))
"""
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")


def main() -> None:
    """Write the logs, measure, and print the table."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(describe_machine("costkit"))
    print(f"{'log':<28}{'responses':>10}{'costkit report --json':>24}{'list of json.loads':>21}{'ratio':>8}")
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (("messages", messages), ("transcript", transcript)):
            log = Path(folder, f"{name}.jsonl")
            _write(log, lines, megabytes * 1_000_000)
            ours, answer = _peak(COSTKIT, log)
            naive, _ = _peak(NAIVE, log)
            worst = max(worst, ours)
            requests = json.loads(answer)["result"]["total"]["requests"]
            size = f"{name}, {log.stat().st_size / 1e6:.0f} MB"
            print(f"{size:<28}{requests:>10,}{ours:>21.1f} MB{naive:>18.1f} MB{ours / naive:>8.3f}")
    print(f"goal: below {GOAL_MB} MB: {'reached' if worst < GOAL_MB else 'missed'}")


def messages(chance: random.Random) -> Iterator[dict[str, object]]:
    """Message objects, one after the other, each a response of its own."""
    number = 0
    while True:
        number += 1
        yield _message(chance, number, _words(chance, chance.randrange(200, 600)), chance.randrange(1, 4_000))


def transcript(chance: random.Random) -> Iterator[dict[str, object]]:
    """Lines of sessions: long tool results, hooks, and a few lines for each response."""
    number = 0
    while True:
        number += 1
        envelope = {
            "sessionId": f"session-{number // 200}",
            "cwd": f"/home/ada/project-{number // 1000}",
            "timestamp": f"2026-11-{1 + number // 2000 % 20:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
        }
        result = [{"type": "tool_result", "content": _words(chance, chance.randrange(500, 3_000))}]
        yield {"type": "user", **envelope, "message": {"role": "user", "content": result}}
        for _ in range(4):
            yield {"type": "progress", **envelope, "data": {"type": "hook_progress", "command": _words(chance, 40)}}
        for block in range(3):
            message = _message(chance, number, _words(chance, 150), 10 * (block + 1))
            yield {"type": "assistant", **envelope, "requestId": f"req_{number:09}", "message": message}


def _message(chance: random.Random, number: int, text: str, output: int) -> dict[str, object]:
    written = chance.randrange(0, 3_000)
    return {
        "id": f"msg_{number:024}",
        "type": "message",
        "role": "assistant",
        "model": MODELS[number % len(MODELS)],
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": chance.randrange(1, 4_000),
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": chance.randrange(0, 90_000),
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output,
            "service_tier": "standard",
        },
    }


def _words(chance: random.Random, count: int) -> str:
    start = chance.randrange(1_000)
    return " ".join([f"word{(start + index * 7) % 1_000}" for index in range(count)])


def _write(log: Path, lines: Callable[[random.Random], Iterator[dict[str, object]]], size: int) -> None:
    written = 0
    with log.open("w", encoding="utf-8") as file:
        for line in lines(random.Random(7)):  # noqa: S311  # the same log every time
            written += file.write(json.dumps(line) + "\n")
            if written >= size:
                return


def _peak(body: str, log: Path) -> tuple[float, str]:
    """The peak memory of a child process in MB (10**6 bytes), and what it printed."""
    command = [sys.executable, "-c", MEASURE.format(body=body), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    return int(done.stderr.split()[-1]) / 1e6, done.stdout


if __name__ == "__main__":
    main()
