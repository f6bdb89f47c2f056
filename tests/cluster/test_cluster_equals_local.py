"""A report from a cluster equals that of one machine to the last digit, whatever became of loads and workers."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import random_logs
from foreign_logs import eval_archive, llm_database, llm_row, model_event, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costkit.adapters.cluster import summarize_on_cluster
from costkit.adapters.cluster.summaries import Sizes
from costkit.adapters.logs.summaries import summarize_logs
from costkit.adapters.pricing_yaml import built_in_book
from costkit.report import ReportOptions, parse_by, settle

SMALL = Sizes(smallest_load=700, largest_load=700, most_buckets=3, responses=4, loads=2)
"""Every file is cut into many ranges, every bucket is parted again."""
MEDIUM = Sizes(smallest_load=1 << 20, largest_load=1 << 20, most_buckets=4, responses=2_000, loads=8)
BY = ["model", "model,day", "session,file", "hour", "tag:team,project"]


def _options(by: str = "model", dedupe: str = "auto", since: int | None = None) -> ReportOptions:
    return ReportOptions(as_of=date(2026, 11, 21), by=parse_by(by), dedupe=dedupe, since=since)


def _document(summary: Any, options: ReportOptions) -> str:
    return json.dumps(settle(summary, built_in_book(), options).as_json(), indent=1)


def _here(paths: list[str], options: ReportOptions) -> str:
    return _document(summarize_logs(paths, options.fold(built_in_book()), workers=1), options)


def _there(cluster: str, paths: list[str], options: ReportOptions, sizes: Sizes = SMALL, **more: Any) -> str:
    summary = summarize_on_cluster(paths, options.fold(built_in_book()), cluster, sizes=sizes, **more)
    return _document(summary, options)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chance=st.integers(0, 2**32).map(random.Random),
    by=st.sampled_from(BY),
    dedupe=st.sampled_from(["auto", "auto", "id", "file", "none"]),
    since=st.sampled_from([None, int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000]),
)
def test_any_logs_come_to_the_same_document(
    cluster: str,
    tmp_path_factory: pytest.TempPathFactory,
    chance: random.Random,
    by: str,
    dedupe: str,
    since: int | None,
) -> None:
    """With copies within a file and across files, dialects that keep state, damage, and packed files."""
    folder = tmp_path_factory.mktemp("logs")
    whole = random_logs.log(chance, 25)
    (folder / "a.jsonl").write_bytes(whole)
    (folder / "b.jsonl").write_bytes(random_logs.log(chance, 8) + b"\n" + whole[: len(whole) // 2])
    (folder / "c.jsonl.gz").write_bytes(gzip.compress(random_logs.log(chance, 5)))
    (folder / "d.json").write_text(json.dumps([random_logs.message(chance) for _ in range(4)], indent=2))
    options = _options(by, dedupe, since)
    assert _there(cluster, [str(folder)], options) == _here([str(folder)], options)


def _line(number: int) -> bytes:
    usage = {"input_tokens": number % 1000, "output_tokens": number % 7, "cache_read_input_tokens": 3}
    message = {"id": f"msg_{number}", "type": "message", "model": "claude-opus-5-5", "usage": usage}
    return json.dumps({"timestamp": "2026-11-03T00:00:00Z", **message, "text": "x" * 300}).encode() + b"\n"


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Twelve megabytes: four files, each response in two of them, with a broken line at the end."""
    folder = tmp_path_factory.mktemp("dense")
    for name in range(4):
        lines = b"".join(_line(number) for number in range(name * 2_000, name * 2_000 + 6_000))
        (folder / f"{name}.jsonl").write_bytes(lines + b'{"usage": nothing}\n' + _line(name))
    return str(folder)


@pytest.mark.parametrize("when", ["in the middle of reading", "when all is read"])
def test_a_worker_that_is_killed_changes_nothing(cluster: str, dense: str, when: str) -> None:
    """Its loads are read again, and what it held is too."""
    from distributed import Client

    with Client(cluster, set_as_default=False) as client:
        victim = min(client.run(os.getpid).values())
    threshold = {"in the middle of reading": 3, "when all is read": 12}[when]
    calls: list[int] = []

    def kill_once(_done: int, _whole: int | None) -> None:
        calls.append(1)
        if len(calls) == threshold:
            os.kill(victim, signal.SIGKILL)

    options = _options("model,file")
    assert _there(cluster, [dense], options, MEDIUM, progress=kill_once) == _here([dense], options)
    assert len(calls) >= threshold


def test_objects_of_a_store_come_to_the_same_document_as_files(
    cluster: str, bucket: Callable[[str, bytes], str], tmp_path: Path
) -> None:
    """Plain objects are read in ranges, compressed ones whole; a pattern goes through folders."""
    plain = b"".join(_line(number) for number in range(300)) + b"{torn\n" + _line(1)
    contents = {"2026/11/a.jsonl": plain, "2026/b.jsonl.gz": gzip.compress(plain), "2026/c.jsonl": b"", "d.txt": b"no"}
    for key, content in contents.items():
        url = bucket(key, content)
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    root = url.removesuffix("/d.txt")
    options = _options("model,file")
    there = _there(
        cluster,
        [f"{root}/2026/**/*.jsonl*", f"{root}/2026/b.jsonl.gz"],
        options,
        SMALL._replace(smallest_load=20_000, largest_load=20_000),
    )
    assert there.replace(root, str(tmp_path)) == _here([str(tmp_path / "2026")], options)


def test_databases_and_archives_of_a_store_come_to_the_same_document_as_files(
    cluster: str, bucket: Callable[[str, bytes], str], tmp_path: Path
) -> None:
    """Workers read them by way of a copy; files that they see are opened where they are."""
    llm_database(tmp_path / "llm.db", (llm_row("a"), llm_row("b")))
    eval_archive(tmp_path / "one.eval", sample(model_event()))
    (tmp_path / "torn.eval").write_bytes((tmp_path / "one.eval").read_bytes()[:400])
    (tmp_path / "z.jsonl").write_bytes(_line(1))
    paths = sorted(tmp_path.iterdir())
    urls = [bucket(path.name, path.read_bytes()) for path in paths]
    options, here = _options("model,file"), _here([str(path) for path in paths], _options("model,file"))
    assert _there(cluster, urls, options).replace(urls[-1].removesuffix("/z.jsonl"), str(tmp_path)) == here
    assert _there(cluster, [str(path) for path in paths], options) == here
    assert '"requests": 4' in here


def test_a_folder_of_a_store_is_searched_like_a_folder(
    cluster: str, bucket: Callable[[str, bytes], str], tmp_path: Path
) -> None:
    url = bucket("in/a.jsonl", _line(1))
    bucket("in/picture.png", b"\x89PNG")
    (tmp_path / "a.jsonl").write_bytes(_line(1))
    options = _options()
    assert _there(cluster, [url.removesuffix("a.jsonl")], options) == _here([str(tmp_path)], options)


def test_a_url_of_a_file_is_read_like_the_file(cluster: str, tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(map(_line, range(50))))
    options = _options()
    assert _there(cluster, [f"file://{log}"], options) == _here([str(log)], options)
