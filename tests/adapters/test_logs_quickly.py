"""The quick way through logs, with ranges, workers and a memory, comes to what the exact reader comes to."""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import random_logs
from hypothesis import given, settings
from hypothesis import strategies as st

from costkit.adapters.logs import early, pieces, plain, read_logs, remembered, summaries
from costkit.adapters.logs.crew import Crew, Worker, finish
from costkit.adapters.logs.pieces import Folder, Piece, fit_together
from costkit.adapters.logs.plain import PlainReader, Range
from costkit.adapters.logs.sources import Source
from costkit.adapters.logs.summaries import summarize_logs
from costkit.api import load_price_book
from costkit.report import FoldOptions, ReportOptions, UsageSummary, summarize
from costkit.report.fold import close
from costkit.report.recorded import sessions_in

BRACKETS = (1_000, 100_000)
OPTIONS = FoldOptions(brackets=BRACKETS)
DEDUPE = st.sampled_from(["auto", "id", "none"])
SINCE = st.sampled_from([None, 1_780_000_000_000_000])
CHANCE = st.integers(0, 2**32).map(random.Random)


def _log(chance: random.Random) -> bytes:
    data = random_logs.log(chance, chance.choice((1, 3, 20)))
    lines = data.split(b"\n")
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(lines))
        lines[at] = random_logs.damaged(chance, lines[at], chance.choice(lines))
    return chance.choice((b"\n", b"\n", b"\r\n", b"\n\n")).join(lines)


def _exact(path: Path, options: FoldOptions) -> UsageSummary:
    return summarize(read_logs([str(path)], labels=options.labels), options)


def _closed(path: Path, options: FoldOptions) -> UsageSummary:
    summary = _exact(path, options)
    close(summary, (), sessions_in(summary.recorded))
    return _without_lines_of_costs(summary)


def _without_lines_of_costs(summary: UsageSummary) -> UsageSummary:
    """The line of a recorded cost is not shown; a range does not know it."""
    summary.recorded = {key: cost._replace(line=1) for key, cost in summary.recorded.items()}
    return summary


def _whole(path: Path, options: FoldOptions, buffer: int) -> UsageSummary:
    summary = UsageSummary(options)
    with io.FileIO(str(path)) as file:
        PlainReader(file, str(path), summary, bytearray(buffer)).read()
    return summary


@given(CHANCE, DEDUPE, SINCE, st.sampled_from([(), (), ("tag:team",)]), st.sampled_from([40, 300, 5000, 1 << 20]))
@settings(max_examples=150, deadline=None)
def test_a_log_comes_to_the_same_by_the_quick_way(
    tmp_path_factory: pytest.TempPathFactory,
    chance: random.Random,
    dedupe: str,
    since: int | None,
    labels: tuple[str, ...],
    buffer: int,
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n' + _log(chance))
    options = FoldOptions(dedupe, labels, since, brackets=BRACKETS)

    assert _whole(path, options, buffer) == _exact(path, options)


@given(CHANCE)
@settings(max_examples=50, deadline=None)
def test_a_log_comes_to_the_same_without_the_optional_search(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n' + _log(chance))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "find", bytearray.find)
        patch.setattr(plain, "is_fast", False)
        assert _whole(path, OPTIONS, 1 << 20) == _exact(path, OPTIONS)


@given(CHANCE, DEDUPE, SINCE, st.lists(st.floats(0, 1), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_ranges_of_a_file_come_to_the_same_wherever_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    chance: random.Random,
    dedupe: str,
    since: int | None,
    cuts: list[float],
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_bytes(_log(chance))
    size, options = path.stat().st_size, FoldOptions(dedupe, (), since, brackets=BRACKETS)
    starts = sorted({0, *(int(cut * size) for cut in cuts)})
    source, folder = Source(str(path), named=True, size=size), Folder(options)
    load = [Piece(source, *ends, ranged=True) for ends in zip(starts, [*starts[1:], None], strict=True)]

    nobody = Crew((), options, None, deque())
    summary = finish(nobody, folder, [(load, [folder.fold(piece) for piece in load])])
    summaries.number_lines(summary, [source])

    assert _without_lines_of_costs(summary) == _closed(path, options)


def _usage_line(number: int, **changes: object) -> dict[str, Any]:
    usage = {"input_tokens": number, "output_tokens": 7, "cache_creation_input_tokens": 3, **changes}
    message = {"id": f"msg_{number}", "model": "claude-lark-1", "stop_reason": "end_turn", "usage": usage}
    envelope = {"sessionId": "s", "cwd": "/p", "requestId": f"req_{number}", "timestamp": "2026-11-01T08:00:00.5Z"}
    return {"type": "assistant", **envelope, "message": message}


def _lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


@pytest.mark.parametrize(
    "document",
    [
        _usage_line(1),
        _usage_line(1, input_tokens=5.0),
        _usage_line(1, input_tokens=-5),
        _usage_line(1, input_tokens=10**11),
        _usage_line(1, input_tokens=True),
        _usage_line(1, iterations=[{"model": None, "input_tokens": 4}, {"model": "claude-wren-2", "output_tokens": 2}]),
        _usage_line(1, cache_creation={"ephemeral_1h_input_tokens": 3}, server_tool_use={"web_search_requests": 2}),
        {**_usage_line(1), "requestId": 17},
        {**_usage_line(1), "requestId": "", "request_id": "other"},
        {**_usage_line(1), "timestamp": "nonsense", "created_at": 1_793_520_000},
        {**_usage_line(1), "timestamp": " 2026-11-01 "},
        {**_usage_line(1), "timestamp": "1969-01-01T00:00:00Z"},
        {**_usage_line(1), "sessionId": None, "session": "other", "cwd": "", "project": "q"},
        {**_usage_line(1), "isSidechain": True, "message": {**_usage_line(1)["message"], "stop_reason": None}},
        {**_usage_line(1), "message": {**_usage_line(1)["message"], "stop_reason": "refusal"}},
        {**_usage_line(1), "message": {**_usage_line(1)["message"], "model": "<synthetic>"}},
        {**_usage_line(1), "message": {**_usage_line(1)["message"], "usage": None}},
        {"type": "progress", "data": {"type": "agent_progress", "message": _usage_line(1)}, "sessionId": "outer"},
        {"type": "progress", "data": {"type": "bash_progress", "message": _usage_line(1)}, "sessionId": "outer"},
        {"type": "user", "toolUseResult": {"usage": {"input_tokens": 4}}, "uuid": "u"},
        {"type": "user", "toolUseResult": {"usage": {"input_tokens": 4}}},
        {"type": "message", **_usage_line(1)["message"], "created_at": "2026-11-02T00:00:00Z"},
        {**_usage_line(1)["message"], "type": "message", "ts": "2026-11-02T00:00:00Z"},
        {"type": "message", "custom_id": "a", "result": {"type": "errored"}, "usage": {"input_tokens": 4}},
        {"type": "result", "session_id": "s", "usage": {"input_tokens": 99}},
        {**_usage_line(1)["message"], "type": "message", "trace_id": "t", "span_id": "s", "attributes": {"host": "a"}},
    ],
)
def test_every_shape_of_a_line_comes_to_the_same(tmp_path: Path, document: dict[str, Any]) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(_lines({"a": 1}, document, document, _usage_line(2)))

    assert _whole(path, OPTIONS, 1 << 20) == _exact(path, OPTIONS)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"timestamp": "2026-11-01T08:00:00,900Z"}, {"timestamp": "2026-11-01T08:00:00.100Z"}),
        ({"timestamp": "1970-01-01T00:00:00.000Z"}, {"timestamp": "1970-01-01T00:00:00.001Z"}),
        (
            {"timestamp": "1969-11-01T08:00:00.000Z"},
            {"timestamp": "1969-11-01T08:00:01.000Z", "created_at": "2026-11-01T08:00:00.000Z"},
        ),
    ],
)
def test_the_earlier_of_two_copies_is_told_however_times_are_written(
    tmp_path: Path, first: dict[str, str], second: dict[str, str]
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(_lines({**_usage_line(1), **first}, {**_usage_line(1), **second, "sessionId": "other"}))
    exact = _exact(path, OPTIONS)

    assert [response.attributes.session for response in exact.responses.values()] == ["other"]
    assert _whole(path, OPTIONS, 1 << 20) == exact


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with a file that is cut into many ranges, smaller ones, and copies of responses in all of them."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(5):
        documents = [_usage_line(at, output_tokens=at + number) for at in range(number, 400 - 50 * number)]
        (folder / f"{number}.jsonl").write_bytes(_lines(*documents) + b"{broken}\n" + _lines(*documents[:9]))
    return folder


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even small logs are worth several processes."""
    monkeypatch.setattr(pieces, "RANGE", 20_000)
    monkeypatch.setattr(pieces, "LOAD", 20_000)
    monkeypatch.setattr(early, "WORTH_A_WORKER", 1)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("dedupe", ["auto", "none", "file"])
def test_any_number_of_workers_comes_to_the_same(logs: Path, dedupe: str) -> None:
    options = FoldOptions(dedupe, brackets=BRACKETS)

    assert summarize_logs([str(logs)], options, workers=3) == _closed(logs, options)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("dedupe", ["auto", "none", "file"])
def test_the_dearest_responses_and_their_lines_are_the_same_with_any_number_of_workers(
    logs: Path, memory: Path, dedupe: str
) -> None:
    built_in = load_price_book()
    model = replace(built_in.resolve("claude-opus-5-5"), id="claude-lark-1", aliases=())
    book = replace(built_in, models=(model,))
    options = ReportOptions(date(2026, 11, 21), dedupe=dedupe, dearest=7, over_time=True).fold(book)
    quick = summarize_logs([str(logs)], options, workers=3, remembered=memory)
    again = summarize_logs([str(logs)], options, workers=1, remembered=memory)

    assert quick == again == _closed(logs, options)
    assert len(quick.dearest) == 7
    assert min(ranked.response.line for ranked in quick.dearest) > 0


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("order", ["fold", "join", "close"])
def test_what_a_lost_worker_had_done_is_done_again(logs: Path, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    send: Callable[[Worker, object], None] = Worker._send

    def send_or_die(worker: Worker, what: object) -> None:
        if isinstance(what, tuple) and what[0] == order:
            worker._process.kill()
            worker._process.wait()
        send(worker, what)

    monkeypatch.setattr(Worker, "_send", send_or_die)

    assert summarize_logs([str(logs)], OPTIONS, workers=3) == _closed(logs, OPTIONS)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_no_trouble_in_dealing_with_a_worker_loses_what_it_had_taken(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_worker: Worker) -> None:
        raise MemoryError

    monkeypatch.setattr(Worker, "_receive", fail)
    monkeypatch.setattr(Worker, "answer", lambda _worker: None)

    assert summarize_logs([str(logs)], OPTIONS, workers=3) == _closed(logs, OPTIONS)


@pytest.mark.usefixtures("small_pieces")
def test_a_worker_that_can_not_start_is_no_loss(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "_PROGRAM", "raise SystemExit({path!r} and 3)")

    assert summarize_logs([str(logs)], OPTIONS, workers=2) == _closed(logs, OPTIONS)


@pytest.mark.usefixtures("small_pieces")
def test_where_the_system_gives_no_process_one_reads(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert summarize_logs([str(logs)], OPTIONS, workers=3) == _closed(logs, OPTIONS)


def test_where_the_system_gives_too_few_processes_fewer_start_and_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    given, start = iter(range(1)), early._start

    def start_one() -> subprocess.Popen[bytes]:
        if next(given, None) is None:
            raise BlockingIOError("Resource temporarily unavailable")
        return start()

    monkeypatch.setattr(early, "_start", start_one)
    with early.processes(3) as started:
        codes = [process.poll() for process in started]

    assert codes == [None]
    assert started[0].returncode is not None


@pytest.mark.parametrize(("name", "value"), [("frozen", True), ("executable", None)])
def test_where_python_can_not_be_started_again_one_reads_however_many_may(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    large = [Source("log.jsonl", named=True, size=10**12)]
    may_start = early.worthwhile(large, 3)
    monkeypatch.setattr(sys, name, value, raising=False)

    assert (may_start, early.worthwhile(large, 3), early.worthwhile(large, None)) == (2, 0, 0)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("enough", [0, 1])
def test_where_the_system_gives_too_few_threads_fewer_read(
    logs: Path, monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    given = iter(range(enough))
    deal = Worker.__init__

    def begin(worker: Worker, *told: Any) -> None:
        if next(given, None) is None:
            raise RuntimeError("can't start new thread")
        deal(worker, *told)

    monkeypatch.setattr(Worker, "__init__", begin)

    assert summarize_logs([str(logs)], OPTIONS, workers=3) == _closed(logs, OPTIONS)


@pytest.mark.usefixtures("small_pieces")
def test_a_pretty_printed_file_is_never_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('{"a": 1}\n' + json.dumps([_usage_line(at) for at in range(200)], indent=1))

    assert summarize_logs([str(path)], OPTIONS, workers=3) == _closed(path, OPTIONS)


def test_standard_input_and_pipes_are_files_of_their_own(logs: Path, tmp_path: Path) -> None:
    data = (logs / "3.jsonl").read_bytes()
    pipe, file = tmp_path / "pipe", tmp_path / "file.jsonl"
    file.write_bytes(data)
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    options = OPTIONS._replace(dedupe="file")
    requests = sum(tally.requests for tally in summarize_logs([str(file)], options).tallies.values())

    summary = summarize_logs(["-", str(pipe), str(file)], options, stdin=io.BytesIO(data))
    writer.join()

    assert sum(tally.requests for tally in summary.tallies.values()) == 3 * requests > 0


def test_ranges_fit_only_if_each_begins_where_the_last_one_left() -> None:
    place = Range

    assert fit_together([place(0, 5, alone=True), place(5, 9, alone=True)])
    assert not fit_together([place(0, 6, alone=True), place(5, 9, alone=True)])
    assert not fit_together([place(0, 5, alone=True), place(5, 9, alone=False)])
    assert not fit_together([place(0, 5, alone=True), None])


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for summaries, where files settle at once."""
    monkeypatch.setattr(remembered, "SETTLED_NS", -(10**18))
    monkeypatch.setattr(summaries, "WORTH_REMEMBERING", 0)
    return tmp_path / "memory"


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read from now on."""
    read: list[str] = []
    go_through = PlainReader.read

    def noted(reader: PlainReader) -> Range:
        read.append(Path(reader.name).name)
        return go_through(reader)

    monkeypatch.setattr(PlainReader, "read", noted)
    return read


def test_logs_that_have_not_changed_are_not_read_again(
    logs: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = summarize_logs([str(logs)], OPTIONS, workers=1, remembered=memory)
    read = _reads(monkeypatch)

    assert summarize_logs([str(logs)], OPTIONS, workers=1, remembered=memory) == first == _closed(logs, OPTIONS)
    assert read == []


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(_lines(_usage_line(5000)))


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _rewrite_in_place(path: Path) -> None:
    """The same size, and the time of the last change put back."""
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"input_tokens": 2', b'"input_tokens": 9'))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes().replace(b'"input_tokens": 2', b'"input_tokens": 9'))
    other.replace(path)


@pytest.mark.parametrize("change", [_append, _truncate, _rewrite_in_place, _replace])
def test_a_file_that_has_changed_is_read_and_no_other(
    logs: Path, memory: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    summarize_logs([str(logs)], OPTIONS, workers=1, remembered=memory)
    change(logs / "3.jsonl")
    read = _reads(monkeypatch)

    assert summarize_logs([str(logs)], OPTIONS, workers=1, remembered=memory) == _closed(logs, OPTIONS)
    assert set(read) == {"3.jsonl"}


def test_another_question_is_not_answered_from_memory(logs: Path, memory: Path) -> None:
    summarize_logs([str(logs)], OPTIONS, remembered=memory)
    other = OPTIONS._replace(dedupe="none", apart=())

    assert summarize_logs([str(logs)], other, remembered=memory) == _closed(logs, other)


@pytest.mark.parametrize("place", [0, 40, 5000])
@pytest.mark.parametrize("damage", [b"", b"\0" * 50, b"\x93\xff" * 5000])
def test_a_damaged_memory_is_ignored_and_made_anew(
    logs: Path, memory: Path, place: int, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    summarize_logs([str(logs)], OPTIONS, remembered=memory)
    for file in memory.iterdir():
        file.write_bytes(file.read_bytes()[:place] + damage)

    assert summarize_logs([str(logs)], OPTIONS, remembered=memory) == _closed(logs, OPTIONS)
    summarize_logs([str(logs)], OPTIONS, remembered=memory)
    read = _reads(monkeypatch)
    assert summarize_logs([str(logs)], OPTIONS, remembered=memory) == _closed(logs, OPTIONS)
    assert read == []


def test_a_damaged_entry_is_no_answer(logs: Path, memory: Path) -> None:
    summarize_logs([str(logs)], OPTIONS, remembered=memory)
    with closing(sqlite3.connect(memory / remembered.FILE_NAME)) as database, database:
        changed = database.execute("UPDATE summaries SET data = substr(data, 1, length(data) - 1) || x'00'").rowcount

    assert changed > 1
    assert summarize_logs([str(logs)], OPTIONS, remembered=memory) == _closed(logs, OPTIONS)


def test_a_memory_that_another_process_holds_is_done_without(
    logs: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_HASTE", "PRAGMA busy_timeout = 10")
    summarize_logs([str(logs)], OPTIONS, remembered=memory)
    other = OPTIONS._replace(dedupe="none", apart=())
    with closing(sqlite3.connect(memory / remembered.FILE_NAME)) as database:
        database.execute("BEGIN IMMEDIATE")

        assert summarize_logs([str(logs)], other, remembered=memory) == _closed(logs, other)

    assert (memory / remembered.FILE_NAME).exists()


def test_a_file_that_was_just_written_to_is_not_remembered(
    logs: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "SETTLED_NS", 10**18)
    summarize_logs([str(logs)], OPTIONS, remembered=memory)

    assert not memory.exists()


def test_what_is_remembered_is_the_users_own(logs: Path, memory: Path) -> None:
    summarize_logs([str(logs)], OPTIONS, remembered=memory)

    assert {file.stat().st_mode & 0o777 for file in memory.iterdir()} == {0o600}
    assert memory.stat().st_mode & 0o777 == 0o700


def test_a_memory_that_can_not_be_written_is_no_error(logs: Path, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.touch()

    assert summarize_logs([str(logs)], OPTIONS, remembered=occupied) == _closed(logs, OPTIONS)
