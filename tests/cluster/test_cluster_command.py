"""`costkit report --cluster` as people type it: the same documents and exit codes, and errors of one line."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cluster_clusters import in_process

from costkit.adapters.cluster import summaries

LINE = json.dumps(
    {
        "timestamp": "2026-11-03T00:00:00Z",
        "id": "msg_1",
        "type": "message",
        "model": "claude-opus-5-5",
        "usage": {"input_tokens": 7, "output_tokens": 1},
    }
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "a.jsonl"
    file.write_text(f"{LINE}\n{LINE}\nnot JSON\n")
    return file


def test_a_cluster_of_this_machine_prints_the_same_document(costkit: Any, examples: Path) -> None:
    arguments = ("report", examples / "usage.jsonl", "--json", "--by", "model,day")
    here, there = costkit(*arguments, "--no-cache"), costkit(*arguments, "--cluster", "local:1")
    assert (there.returncode, there.stdout, there.stderr) == (here.returncode, here.stdout, here.stderr)


def test_what_was_skipped_fails_strict_as_it_does_here(cluster: str, log: Path, capsys: Any) -> None:
    (log.parent / "poisoned.jsonl").write_text(LINE)
    answer = in_process(capsys, "report", log.parent, "--json", "--strict", "--cluster", cluster)
    assert answer.code == 4
    assert [skipped["examples"] for skipped in answer.document["result"]["skipped"]] == [
        [f"{log}:3"],
        [str(log.parent / "poisoned.jsonl")],
    ]
    assert answer.document["result"]["total"]["requests"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cluster", "scheduler"], "'scheduler' is no address of a scheduler"),
        (["--cluster", "local:0"], "'local:0' is no address of a scheduler"),
        (["--cluster", "nonsense://x:1"], "--cluster nonsense://x:1: "),
        (["--cluster", "local", "--workers", "2"], "--workers and --cluster contradict each other"),
        (["--cluster", "local", "--offline"], "--offline opens no socket"),
        (["--cluster", "local", "-"], "standard input can't be read by a cluster"),
        (["--cluster", "local", "memory://logs/a.jsonl"], "memory:// can't be read by a cluster"),
        (["--cluster", "local", "nonsense://logs/a.jsonl"], "nonsense"),
        (["--cluster", "local", "missing.jsonl"], "missing.jsonl: can't be read"),
        (["s3://logs/a.jsonl"], "URLs are read with --cluster"),
        (["s3://logs/*.jsonl"], "URLs are read with --cluster"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(log: Path, capsys: Any, arguments: list[str], says: str) -> None:
    answer = in_process(capsys, "report", log, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("a/none.jsonl", "no such file or object"),
        ("a/*.jsonl", "no object matches this pattern"),
        ("picture/", "no log in this folder"),
    ],
)
def test_objects_that_are_not_there_are_named(
    bucket: Callable[[str, bytes], str], capsys: Any, path: str, says: str
) -> None:
    root = bucket("picture/a.png", b"").removesuffix("picture/a.png")
    answer = in_process(capsys, "report", f"{root}{path}", "--cluster", "local")
    assert (answer.code, answer.out) == (2, "")
    assert f"{root}{path}: " in answer.err
    assert says in answer.err


def test_a_bucket_that_does_not_exist_is_named(store: Any, capsys: Any) -> None:
    assert store
    answer = in_process(capsys, "report", "s3://no-such-bucket-here/*.jsonl", "--cluster", "local")
    assert answer.code == 2
    assert "s3://no-such-bucket-here/*.jsonl" in answer.err


def test_missing_credentials_are_said_in_one_line(costkit: Any, bucket: Callable[[str, bytes], str]) -> None:
    url = bucket("a.jsonl", LINE.encode())
    done = costkit("report", url, "--cluster", "local:1", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == 2
    assert done.stderr == (
        f"costkit: {url}: no credentials for this bucket (set AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
        " AWS_SECRET_ACCESS_KEY)\n"
    )


@pytest.mark.parametrize("name", ["a.jsonl", "*"])
def test_workers_without_credentials_are_refused_before_anything_is_read(
    poor_cluster: str, bucket: Callable[[str, bytes], str], log: Path, capsys: Any, name: str
) -> None:
    """One such worker would fail fast, be given everything else for it, and leave a report of what others had read."""
    url = bucket("a.jsonl", LINE.encode())
    asked = ("report", log, url.replace("a.jsonl", name), "--cluster", poor_cluster)
    answer, document = in_process(capsys, *asked), in_process(capsys, *asked, "--json").document
    assert (answer.code, answer.out) == (2, "")
    assert re.fullmatch(
        rf"costkit: worker tcp://127\.0\.0\.1:\d+ is refused: it can't read {re.escape(url)}: no credentials"
        r" \(give the workers what this process has: [^\n]*AWS_PROFILE[^\n]*\)\n",
        answer.err,
    )
    assert (document["error"]["code"], document["exit"]) == ("worker-refused", 2)


@pytest.mark.parametrize(("more", "code"), [(["--json"], 0), (["--json", "--strict"], 4)], ids=["as-it-is", "strict"])
def test_objects_that_workers_lose_sight_of_later_are_named(
    poor_cluster: str,
    bucket: Callable[[str, bytes], str],
    log: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    more: list[str],
    code: int,
) -> None:
    monkeypatch.setattr(summaries, "samples_of", lambda _places: [])
    urls = [bucket("a.jsonl", LINE.encode()), bucket("b.jsonl.gz", gzip.compress(LINE.encode()))]
    log.write_text(LINE)
    answer = in_process(capsys, "report", log, *urls, "--cluster", poor_cluster, *more)
    assert answer.code == code
    assert answer.document["result"]["skipped"] == [
        {"reason": "read-failed: no credentials", "count": 2, "examples": urls}
    ]


def test_a_report_of_nothing_but_such_objects_fails(
    poor_cluster: str, bucket: Callable[[str, bytes], str], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "samples_of", lambda _places: [])
    url = bucket("a.jsonl", LINE.encode())
    answer = in_process(capsys, "report", url, "--cluster", poor_cluster)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"costkit: {url}: nothing could be read: no credentials\n"


def test_a_missing_extra_is_said_with_the_command_that_installs_it(
    log: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "costkit.adapters.cluster.engine.find_spec",
        lambda name: real("no_such_module") if name == "dask" else real(name),
    )
    answer = in_process(capsys, "report", log, "--cluster", "local", "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "missing-extra"
    assert answer.document["error"]["hint"] == "pip install 'costkit[cluster]'"


def test_nothing_of_a_cluster_is_imported_without_one(log: Path) -> None:
    program = (
        "import sys; from costkit.cli.main import main; main(sys.argv[1:]);"
        "sys.exit(bool({'dask', 'distributed', 'fsspec', 'costkit.adapters.cluster'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "report", log, "--json"], env=os.environ, capture_output=True, check=False
    )
    assert done.returncode == 0
