"""examples/ci.sh, the gate that people copy: it runs, and it tells the exit codes apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROMPT = ROOT / "examples" / "support-agent.json"
LOG = ROOT / "examples" / "usage.jsonl"


def gate(prompt: Path, log: Path, limit: str, **environ: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(ROOT / "examples" / "ci.sh"), str(prompt), str(log), limit],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, **environ},
    )


def test_within_the_limit_it_prints_both_tables_and_the_exact_total() -> None:
    done = gate(PROMPT, LOG, "500")
    assert done.returncode == 0
    assert "estimate: within the limit" in done.stdout
    assert "report: within the limit" in done.stdout
    assert "spent exactly $23.464581" in done.stdout


def test_over_the_limit_it_ends_with_3() -> None:
    done = gate(PROMPT, LOG, "1")
    assert done.returncode == 3
    assert "estimate: over the limit of $1" in done.stdout


def test_unreadable_lines_end_with_4(tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(LOG.read_bytes()[:5000] + b"\n" + LOG.read_bytes())
    done = gate(PROMPT, torn, "500")
    assert done.returncode == 4
    assert "report: incomplete" in done.stdout


def test_an_unknown_price_ends_with_5(tmp_path: Path) -> None:
    unknown = tmp_path / "unknown.jsonl"
    unknown.write_text(LOG.read_text().replace("claude-opus-5-5", "claude-next"))
    done = gate(PROMPT, unknown, "500")
    assert done.returncode == 5
    assert "report: cannot be decided" in done.stdout


@pytest.mark.parametrize("model", ["claude-nonesuch"])
def test_an_unknown_model_is_not_cheap_enough(model: str) -> None:
    done = gate(PROMPT, LOG, "500", GATE_MODEL=model)
    assert done.returncode == 5
    assert "estimate: cannot be decided" in done.stdout


def test_it_has_a_word_for_a_batch_that_still_runs() -> None:
    script = (ROOT / "examples" / "ci.sh").read_text()
    code = script[script.index("judge() {") : script.index("run() {")]
    done = subprocess.run(
        ["bash", "-c", f"{code}\nlimit=1; judge batch 8"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 8
    assert done.stdout == "batch: still running, try again later\n"
