"""`costkit report` on logs of a gigabyte, beside what else would read them, in the same run.

    python bench/report_speed.py [--megabytes 1000] [--runs 5] [--folder DIR] [--npm DIR]

Measured are whole processes, start to end, in turns: costkit (tokens, prices, by day and model; without its cache,
filling it, and again with it), DuckDB with the same table (which is compared), DuckDB and polars with less (tokens by
model), orjson (decoding every line), and ccusage where npm can install it. Printed are medians, how often costkit goes
into each, and the peak memory of the whole process tree.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import log_corpus
import log_peers
from machine import describe_machine

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.rates import RateKey

MB = 1_000_000
_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def main() -> None:
    """Write the logs, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "costkit-bench"))
    parser.add_argument("--npm", type=Path, help="a folder in which ccusage is installed")
    options = parser.parse_args()
    size = options.megabytes * MB
    print(describe_machine("costkit", "msgspec", "stringzilla", "duckdb", "polars", "orjson"))
    with tempfile.TemporaryDirectory() as scratch:
        ccusage = _ccusage(options.npm, Path(scratch))
        files = max(1, log_corpus.FILES * options.megabytes // 1000)
        for title, kind, logs in (
            ("transcripts", "transcripts", log_corpus.transcripts(options.folder, size, files)),
            ("dense messages", "messages", log_corpus.dense(options.folder, size)),
            ("one transcript", "transcripts", log_corpus.one_file(options.folder, size)),
        ):
            commands = _commands(kind, logs, ccusage if kind == "transcripts" else None)
            _measure(title, logs, commands, options.runs, Path(scratch))


def _ccusage(folder: Path | None, scratch: Path) -> list[str] | None:
    """How to call ccusage, installed for this run if it isn't yet; `None` without npm or without a network."""
    npm = shutil.which("npm")
    if folder is None:
        if npm is None:
            return None
        folder = scratch / "npm"
        kind = f"@ccusage/ccusage-{sys.platform}-{'arm64' if platform.machine() in ('arm64', 'aarch64') else 'x64'}"
        install = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), "ccusage", kind]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            return None
    return [str(folder / "node_modules" / ".bin" / "ccusage"), "daily", "--json", "--offline"]


def _commands(kind: str, logs: Path, ccusage: list[str] | None) -> dict[str, list[str]]:
    costkit = [sys.executable, "-m", "costkit", "report", str(logs), "--by", "day,model", "--json", "--quiet"]
    commands = {
        "costkit": [*costkit, "--no-cache"],
        "costkit, first (fills its cache)": ["sh", "-c", 'rm -rf "$XDG_CACHE_HOME/costkit"; "$@"', "sh", *costkit],
        "costkit again (cache)": costkit,
        "cat": ["sh", "-c", f"find '{logs}' -name '*.jsonl' -exec cat {{}} + > /dev/null"],
        "duckdb, same table": [sys.executable, "-c", log_peers.DUCKDB, str(logs), kind, json.dumps(_rates())],
        "duckdb, tokens by model": [sys.executable, "-c", log_peers.DUCKDB_SIMPLE, str(logs), kind],
        "polars, tokens by model": [sys.executable, "-c", log_peers.POLARS, str(logs), kind],
        "orjson": [sys.executable, "-c", log_peers.ORJSON, str(logs)],
    }
    return commands if ccusage is None else {**commands, "ccusage daily": ccusage}


def _rates() -> list[tuple[str, ...]]:
    """Day, model and dollars per million tokens, for all days of the logs and, as "", for responses without a time."""
    book, days = built_in_book(), {str(day): day for day in (date(2026, 10, 1) + timedelta(n) for n in range(31))}
    found = []
    for (day, priced), model in itertools.product({**days, "": date.today()}.items(), log_corpus.MODELS):  # noqa: DTZ011
        rates = book.quote(RateKey(model, priced)).rates
        writes = (rates.cache_write_5m, rates.cache_write_1h)
        prices = (rates.input, rates.output, *writes, rates.cache_read, rates.web_search)
        found.append((day, model, *map(str, prices)))
    return found


def _compare(costkit: list[str], duckdb: list[str], environ: Mapping[str, str]) -> None:
    """Make sure that both have the same answer."""
    ours, theirs = (
        json.loads(subprocess.run(command, env=environ, capture_output=True, check=True).stdout)
        for command in (costkit, duckdb)
    )
    rows = {}
    for row in ours["result"]["rows"]:
        usage = row["usage"]
        counts = (row["requests"], *(usage[name] for name in _COUNTS))
        rows[row["day"] or "", row["model"]] = (counts, float(row["cost_usd"]))
    found = {(day, model): (tuple(map(int, counts)), usd) for day, model, *counts, usd in theirs}
    if rows.keys() != found.keys() or any(
        rows[key][0] != counts or not math.isclose(rows[key][1], usd, rel_tol=1e-9)
        for key, (counts, usd) in found.items()
    ):
        sys.exit(f"costkit and DuckDB don't agree:\n{rows}\n{found}")


def _measure(title: str, logs: Path, commands: Mapping[str, list[str]], runs: int, scratch: Path) -> None:
    config = scratch / title.replace(" ", "-")
    config.mkdir()
    (config / "projects").symlink_to(logs.resolve())
    environ = {
        **os.environ,
        "CLAUDE_CONFIG_DIR": str(config),
        "COSTKIT_STATE": str(config),
        "XDG_CACHE_HOME": str(config),
    }
    _compare(commands["costkit"], commands["duckdb, same table"], environ)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            seconds = _time(command, environ)
            if turn:  # the first turn warms the disk cache, and costkit's
                times[name].append(seconds)
    files = list(logs.rglob("*.jsonl"))
    size = sum(path.stat().st_size for path in files) / MB
    print(f"\n{title}: {size:,.0f} MB in {len(files):,} files; medians of {runs} runs")
    ours, ours_used = (statistics.median(column) for column in zip(*times["costkit"], strict=True))
    for name, command in commands.items():
        median, used = (statistics.median(column) for column in zip(*times[name], strict=True))
        memory = _peak(command, environ)
        shown = "" if memory is None else f"   peak {memory / MB:5.0f} MB"
        ratios = f"{median / ours:6.2f} x costkit   {used:6.2f} s of processors {used / ours_used:6.2f} x"
        print(f"  {name:<33}{median:7.2f} s {ratios}{shown}", flush=True)


def _time(command: list[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """Seconds that a process took, and those of processors that it and its children used."""
    start, used = time.perf_counter(), _used()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start, _used() - used


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _peak(command: list[str], environ: Mapping[str, str]) -> int | None:
    """The peak of the resident memory of a process and all its children, looked at every few milliseconds."""
    if not Path("/proc/self/statm").exists():
        return None
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident, _tree(process.pid))))
        time.sleep(0.003)
    return peak


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            for tasks in Path(f"/proc/{parent}/task").iterdir():
                found.extend(int(child) for child in (tasks / "children").read_text().split())
        except OSError:  # it has ended
            continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


if __name__ == "__main__":
    main()
