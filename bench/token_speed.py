"""How much sooner a sample answers than counting everything, how near it comes, and what cores and memory gain.

    python bench/token_speed.py [REQUESTS]

A batch file is written into a temporary folder, the same on every machine: 100,000 requests of about 2,000 bytes, to
two models, which share a system prompt of some 4,000 tokens. It is estimated through the command line with a sample and
whole; a tenth of it whole by one core and by all. Then a part of its text is counted by ctok as it is, the way a plain
script would do it, and word by word.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from machine import describe_machine

from costkit.adapters.tokens.ctok_engine import CtokEngine

GOAL_SHARE, GOAL_OFF = 1 / 20, 0.02
SYSTEM_CHARACTERS = 8_000
MODELS = ("claude-sonnet-5-5", "claude-sonnet-4-5")
MEASURE = """
import os, resource, sys, time
if sys.argv[1] == "1" and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from costkit.cli.main import main
code = main(["estimate", *sys.argv[2:], "--offline", "--quiet", "--json"])
assert code == 0, code
peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(sum(os.times()[:4]), peak * (1 if sys.platform == "darwin" else 1024), file=sys.stderr)
"""


def main() -> None:
    """Write the file, measure, and print both tables."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(describe_machine("costkit", "ctok"))
    with tempfile.TemporaryDirectory() as folder:
        batch, system = Path(folder, "batch.jsonl"), Path(folder, "system.md")
        dice = random.Random(7)  # noqa: S311  reproducible on purpose
        words = [_word(dice) for _ in range(8_000)]
        system.write_text(_text(dice, words, SYSTEM_CHARACTERS), encoding="utf-8")
        with batch.open("w", encoding="utf-8") as file:
            size = sum(file.write(json.dumps(line) + "\n") for line in _lines(dice, words, requests))
        print(f"{requests:,} requests, {size / 1e6:.0f} MB, and a system prompt that they share")
        compare([str(batch), "--system", str(system)], ("sample", "all", "auto"), ("whole", "all", "off"))
        with batch.open(encoding="utf-8") as file, Path(folder, "tenth.jsonl").open("w", encoding="utf-8") as tenth:
            tenth.writelines(islice(file, requests // 10))
        compare([tenth.name, "--system", str(system)], ("all cores", "all", "off"), ("one core", "1", "off"))
        texts = [_text(dice, words, 2_000) for _ in range(400)]
    word_by_word(texts)


def compare(arguments: list[str], *ways: tuple[str, str, str]) -> None:
    """The same file through the command line in two ways; the first is held against the second."""
    print(f"{'through the command line':<26}{'seconds':>9}{'core s':>8}{'tokens':>16}{'peak':>9}")
    measured = []
    for name, cores, sample in ways:
        started = time.perf_counter()
        tokens, core, peak = _estimated(cores, [*arguments, "--sample", sample])
        seconds = time.perf_counter() - started
        measured.append((seconds, core, tokens))
        print(f"{name:<26}{seconds:>9.1f}{core:>8.1f}{tokens:>16,}{peak / 1e6:>6.0f} MB")
    (one, one_core, estimated), (other, other_core, counted) = measured
    off = abs(estimated - counted) / counted
    time_share, work_share = one / other, one_core / other_core
    print(f"{ways[0][0]} / {ways[1][0]}: {time_share:.3f} of the time, {work_share:.3f} of the work, {off:.2%} off")
    if ways[0][0] == "sample":
        reached = time_share <= GOAL_SHARE and off <= GOAL_OFF
        print(f"goal: at most {GOAL_SHARE} of the time and {GOAL_OFF:.0%} off: {'reached' if reached else 'missed'}")


def word_by_word(texts: list[str]) -> None:
    """The same counts from ctok as it is and from costkit, whose memory starts empty."""
    import ctok  # type: ignore[import-untyped]

    ctok.token_count("Hello", "4.8")  # loads the vocabulary
    started = time.perf_counter()
    plain = [ctok.token_count(text, "4.8") for text in texts]
    middle = time.perf_counter()
    engine = CtokEngine()
    ours = [engine.count(text, "v4.8") for text in texts]
    ended = time.perf_counter()
    frame = ctok.token_count("a", "4.8") - 1
    same = [count - frame for count in plain] == ours
    ratio = (ended - middle) / (middle - started)
    print(
        f"{sum(map(len, texts)):,} characters: ctok {middle - started:.2f} s, word by word {ended - middle:.2f} s, ",
        end="",
    )
    print(f"ratio {ratio:.2f}, {'the same counts' if same else 'DIFFERENT COUNTS'}")


def _estimated(cores: str, arguments: list[str]) -> tuple[int, float, int]:
    """Input tokens of all models, seconds of all cores, and peak memory of the largest process in bytes."""
    command = [sys.executable, "-c", MEASURE, cores, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    result: dict[str, Any] = json.loads(done.stdout)["result"]
    tokens = sum(total["input_tokens"]["expected"] for total in result["totals"])
    core, peak = done.stderr.split()[-2:]
    return tokens, float(core), int(peak)


def _lines(dice: random.Random, words: list[str], count: int) -> Iterator[dict[str, object]]:
    for number in range(count):
        content = _text(dice, words, max(100, round(dice.gauss(1_850, 600))))
        params = {"model": dice.choice(MODELS), "max_tokens": 500, "messages": [{"role": "user", "content": content}]}
        yield {"custom_id": f"request-{number}", "params": params}


def _word(dice: random.Random) -> str:
    return "".join(dice.choice("bcdfghjklmnprstvwz") + dice.choice("aeiou") for _ in range(dice.randint(1, 4)))


def _text(dice: random.Random, words: list[str], characters: int) -> str:
    """Something like prose: words, some numbers, marks and lines."""
    parts: list[str] = []
    length = 0
    while length < characters:
        part = dice.choice(words) if dice.random() < 0.97 else str(dice.randrange(100_000))
        part += dice.choice((".", ",", ":", ";", " (x)", "\n")) if dice.random() < 0.1 else ""
        parts.append(part)
        length += len(part) + 1
    return " ".join(parts)


if __name__ == "__main__":
    main()
