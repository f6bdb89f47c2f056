"""Peak memory and time of sending and collecting a batch, beside the plain SDK, in the same run.

    python bench/batch_memory.py [--runs N] [REQUESTS ...]

Requests of 2.5 kB each are written to a temporary folder, the same on every machine: 10,000 of them, and 100,000, a
batch as large as the API takes (250 MB). The stand-in for the API (tests/api_server.py) runs in a process of its own.
costkit lints, counts a sample of 500 through the API, prices and records what it sends; `send` is the same with a
sample of 30, since the plain SDK counts nothing: it reads the lines into a list and sends that. Of several runs, which
take turns, the largest memory and the shortest time count; `cpu` is the processes' own time, which a busy machine
distorts less.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import describe_machine

ROOT = Path(__file__).parent.parent
LINE_BYTES = 2_499
GOAL_MB, GOAL_SPREAD, GOAL_RATIO = 150, 1.2, 5

_MEASURE = """
import json, resource, sys
from pathlib import Path
{body}
status = Path("/proc/self/status")
if status.exists():  # what getrusage says may be inherited from the process that started this one
    kib = int(status.read_text().partition("VmHWM:")[2].split()[0])
else:
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print("peak", kib * 1024, file=sys.stderr)
"""
_COSTKIT = """
from costkit.cli.main import main
code = main(sys.argv[1:])
assert code == 0, code
"""
_PLAIN_CREATE = """
from anthropic import Anthropic
with open(sys.argv[1], encoding="utf-8") as file:
    requests = [json.loads(line) for line in file]
client = Anthropic()
print(client.messages.batches.create(requests=requests).id)
"""
_PLAIN_RESULTS = """
from anthropic import Anthropic
client = Anthropic()
print(len(list(client.messages.batches.results(sys.argv[1]))))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process took; memory in MB (10**6 bytes), of its largest moment."""

    megabytes: float
    seconds: float
    cpu_seconds: float
    """Of the process and those that it started."""
    printed: str = ""


Pair = tuple[Measured, Measured]
"""costkit, and the plain SDK."""


def main() -> None:
    """Measure each size, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("requests", type=int, nargs="*", default=[10_000, 100_000])
    options = parser.parse_args()
    print(describe_machine("costkit", "anthropic"))
    print(f"{'':<34}{'costkit':>18}{'plain SDK':>20}{'memory':>10}{'time':>9}{'cpu':>9}")
    rows: dict[str, list[Pair]] = {"submit": [], "send": [], "collect": []}
    for size in sorted(options.requests):
        runs = [_run_all(size) for _ in range(options.runs)]
        for verb, pairs in zip(rows, zip(*runs, strict=True), strict=True):
            ours, plain = (_best(sides) for sides in zip(*pairs, strict=True))
            rows[verb].append((ours, plain))
            _row(f"{verb:<8}{size:,} requests, {size * (LINE_BYTES + 1) / 1e6:.0f} MB", ours, plain)
    _judge(rows)


def _run_all(size: int) -> tuple[Pair, Pair, Pair]:
    with tempfile.TemporaryDirectory() as folder, _server(folder) as environ:
        path = Path(folder, "requests.jsonl")
        _write(path, size)
        home = {"HOME": folder, "XDG_CACHE_HOME": f"{folder}/cache", "COSTKIT_STATE": f"{folder}/state"}
        return _measure(path, {**os.environ, **environ, **home})


def _best(runs: tuple[Measured, ...]) -> Measured:
    return Measured(
        max(run.megabytes for run in runs), min(run.seconds for run in runs), min(run.cpu_seconds for run in runs)
    )


def _measure(path: Path, environ: dict[str, str]) -> tuple[Pair, Pair, Pair]:
    """Of submitting, of the same with hardly anything counted, and of collecting."""
    submit = ("batch", "submit", str(path), "--yes", "--json")
    ours = _run(_COSTKIT, environ, *submit)
    elsewhere = {**environ, "COSTKIT_STATE": environ["COSTKIT_STATE"] + "-send"}
    sent = _run(_COSTKIT, elsewhere, *submit, "--sample", "30")
    plain = _run(_PLAIN_CREATE, environ, str(path))
    _control(environ, "end")
    job = json.loads(ours.printed)["result"]["job"]
    collected = _run(_COSTKIT, environ, "batch", "collect", job, "-o", str(path.with_suffix(".results")), "--json")
    listed = _run(_PLAIN_RESULTS, environ, plain.printed.strip())
    expected = int(listed.printed)
    if json.loads(collected.printed)["result"]["succeeded"] != expected:
        raise SystemExit("the two ways disagree")
    return (ours, plain), (sent, plain), (collected, listed)


def _run(body: str, environ: dict[str, str], *arguments: str) -> Measured:
    command = [sys.executable, "-W", "ignore", "-c", _MEASURE.format(body=body), *arguments]
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=ROOT, check=False)
    seconds, after = time.perf_counter() - start, os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(int(done.stderr.split()[-1]) / 1e6, seconds, cpu, done.stdout)


@contextmanager
def _server(folder: str) -> Iterator[dict[str, str]]:
    """The stand-in for the API, and the variables that point to it."""
    command = [sys.executable, str(ROOT / "tests" / "api_server.py"), "--port", "0", "--seconds-per-batch", "86400"]
    environ = {**os.environ, "TMPDIR": folder}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            exports = [process.stdout.readline().removeprefix("export ").strip().partition("=") for _ in range(2)]
            yield {name: value for name, _, value in exports}
        finally:
            process.terminate()


def _control(environ: dict[str, str], command: str) -> None:
    url = f"{environ['ANTHROPIC_BASE_URL']}/_control/{command}"
    with urllib.request.urlopen(urllib.request.Request(url, b"{}")) as reply:  # noqa: S310 - our own server
        reply.read()


def _write(path: Path, size: int) -> None:
    chance = random.Random(7)  # noqa: S311  # the same requests every time
    with path.open("w", encoding="utf-8") as file:
        for number in range(size):
            file.write(json.dumps(_line(chance, number), separators=(",", ":")) + "\n")


def _line(chance: random.Random, number: int) -> dict[str, Any]:
    text = " ".join(str(chance.randrange(10**6)) for _ in range(400))
    params = {"model": "claude-haiku-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": ""}]}
    line: dict[str, Any] = {"custom_id": f"row-{number:06}", "params": params}
    room = LINE_BYTES - len(json.dumps(line, separators=(",", ":")))
    line["params"]["messages"][0]["content"] = text[:room]
    return line


def _row(name: str, ours: Measured, plain: Measured) -> None:
    columns = f"{ours.megabytes:>8.1f} MB{ours.seconds:>6.1f}s{plain.megabytes:>10.1f} MB{plain.seconds:>6.1f}s"
    times = f"{ours.seconds / plain.seconds:>7.2f} x{ours.cpu_seconds / plain.cpu_seconds:>7.2f} x"
    print(f"{name:<34}{columns}{plain.megabytes / ours.megabytes:>8.1f} x{times}", flush=True)


def _judge(rows: dict[str, list[Pair]]) -> None:
    peak = max(ours.megabytes for pairs in rows.values() for ours, _ in pairs)
    print(f"goal: below {GOAL_MB} MB: {_verdict(peak < GOAL_MB)}")
    for verb in ("submit", "collect"):
        spread = rows[verb][-1][0].megabytes / rows[verb][0][0].megabytes
        print(f"goal: the same memory at every size (+20 %), {verb}: x{spread:.2f}, {_verdict(spread <= GOAL_SPREAD)}")
    ours, plain = rows["submit"][-1]
    saved = plain.megabytes / ours.megabytes
    print(f"goal: submit in 1/{GOAL_RATIO} of the plain path's memory: 1/{saved:.1f}, {_verdict(saved >= GOAL_RATIO)}")
    ours, plain = rows["send"][-1]
    slower = ours.seconds / plain.seconds
    print(f"goal: check and send no slower than the plain path: x{slower:.2f}, {_verdict(slower <= 1)}")


def _verdict(reached: object) -> str:
    return "reached" if reached else "missed"


if __name__ == "__main__":
    main()
