"""Time and memory of `costkit cache plan` on a log of 10,000 requests with 60 blocks each, and how it beats trying all.

    python bench/cache_plan.py [REQUESTS]

Two logs are written into a temporary folder, the same on every machine: conversations of an agent that grow from
40 to 70 messages, and documents of which each request takes a part. The search is then compared with a planner that
simulates every plan, on a smaller log that this one can still finish.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from machine import describe_machine

GOAL_SECONDS, GOAL_MB = 30, 500
BLOCKS = 60
MEASURE = """
import resource, sys, time
started = time.time()
from costkit.cli.main import main
code = main(["cache", "plan", sys.argv[1], "--offline", "--quiet", "--json"])
assert code == 0, code
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(time.process_time(), time.time() - started, peak, file=sys.stderr)
"""


def main() -> None:
    """Write the logs, measure, and print both tables."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(describe_machine("costkit", "ctok"))
    print(f"{'log':<34}{'places':>8}{'proved':>8}{'seconds':>10}{'core s':>8}{'peak':>10}{'saves':>9}")
    reached = True
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (("conversations", conversations), ("documents", documents)):
            log = Path(folder, f"{name}.jsonl")
            size = _write(log, lines, requests)
            core, seconds, peak, answer = _measured(log)
            reached = reached and core < GOAL_SECONDS and peak < GOAL_MB
            cost = next(float(row["cost_usd"]) for row in answer["rows"] if row["name"] == "none")
            label = f"{requests:,} {name}, {size / 1e6:.0f} MB"
            print(
                f"{label:<34}{answer['places']:>8}{answer['exhaustive']!s:>8}"
                f"{seconds:>10.1f}{core:>8.1f}{peak:>7.0f} MB"
                f"{float(answer['saving_usd']) / cost:>8.1%}"
            )
    print(f"goal: below {GOAL_SECONDS} s of a core and {GOAL_MB} MB: {'reached' if reached else 'missed'}")
    print()
    against_all_plans()


def against_all_plans() -> None:
    """The search and a planner that simulates every plan, on the same small log."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from plan_workloads import cost, every_place, every_plan, growing

    from costkit.cache.search import search

    fleet = growing(conversations=20, turns=5)
    started = time.perf_counter()
    found = search(fleet)
    ours = time.perf_counter() - started
    places = every_place(fleet)
    started = time.perf_counter()
    plans = list(every_plan(places))
    cheapest = min(cost(fleet, plan) for plan in plans)
    brute = time.perf_counter() - started
    print(f"{len(fleet.sent)} requests, {len(places)} places, {len(plans):,} plans")
    print(f"every plan simulated {brute:8.2f} s    search {ours:8.3f} s    ratio {ours / brute:.4f}")
    print(f"the same bill: {cost(fleet, found.best) == cheapest}")


def conversations(chance: random.Random, requests: int) -> Iterator[dict[str, object]]:
    """Agents that add two blocks a turn; a new one starts where one has reached 70."""
    tools = [_tool(number) for number in range(8)]
    talks: list[list[dict[str, object]]] = []
    for number in range(requests):
        index = chance.randrange(20)
        while len(talks) <= index:
            talks.append(_talk(chance, chance.randrange(15, 40)))
        talk = talks[index]
        yield _line(number * 12, {"tools": tools, "system": _words(7, 900), "messages": talk})
        talks[index] = [*talk, *_turns(chance, 1)] if len(talk) < BLOCKS + 10 else _talk(chance, 20)


def documents(chance: random.Random, requests: int) -> Iterator[dict[str, object]]:
    """A shared start, one of forty sets of documents, and a question."""
    sets = [[{"type": "text", "text": _words(1000 * s + d, 60)} for d in range(BLOCKS - 3)] for s in range(40)]
    system = [{"type": "text", "text": _words(part, 400)} for part in range(2)]
    for number in range(requests):
        question = {"type": "text", "text": f"{number}: {_words(chance.randrange(10**6), 30)}"}
        messages = [{"role": "user", "content": [*chance.choice(sets), question]}]
        yield _line(number * 4, {"system": system, "messages": messages})


def _line(second: int, body: dict[str, object]) -> dict[str, object]:
    return {"ts": 1_790_000_000 + second, "request": {"model": "claude-opus-5-5", "max_tokens": 500, **body}}


def _talk(chance: random.Random, turns: int) -> list[dict[str, object]]:
    return [{"role": "user", "content": _words(chance.randrange(10**6), 25)}, *_turns(chance, turns)]


def _turns(chance: random.Random, count: int) -> list[dict[str, object]]:
    turns: list[dict[str, object]] = []
    for _ in range(count):
        turns.append({"role": "assistant", "content": _words(chance.randrange(10**6), 25)})
        turns.append({"role": "user", "content": _words(chance.randrange(10**6), 25)})
    return turns


def _tool(number: int) -> dict[str, object]:
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    return {"name": f"tool_{number}", "description": _words(number, 40), "input_schema": schema}


def _words(start: int, count: int) -> str:
    return " ".join([f"word{(start + index * 7) % 1_000}" for index in range(count)]) + f" {start}"


def _write(log: Path, lines: Callable[[random.Random, int], Iterator[dict[str, object]]], requests: int) -> int:
    with log.open("w", encoding="utf-8") as file:
        return sum(file.write(json.dumps(line) + "\n") for line in lines(random.Random(7), requests))  # noqa: S311


def _measured(log: Path) -> tuple[float, float, float, dict[str, Any]]:
    """Seconds of a core and of the clock, peak memory in MB (10**6 bytes) and the result of a child process."""
    command = [sys.executable, "-c", MEASURE, str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    core, seconds, peak = done.stderr.split()[-3:]
    return float(core), float(seconds), int(peak) / 1e6, json.loads(done.stdout)["result"]


if __name__ == "__main__":
    main()
