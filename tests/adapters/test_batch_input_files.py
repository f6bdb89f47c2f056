"""The input of a job as files: read twice, never held, and noticed when it changes in between."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from costkit.adapters.batches.input import CheckedInput, open_batch_input
from costkit.adapters.pricing_yaml import built_in_book
from costkit.batch.lint import LintReport
from costkit.batch.ports import Body
from costkit.batch.rules import Rules
from costkit.errors import InputChanged, InvalidInput, OperationFailed

BODY = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
RULES = Rules(built_in_book(), date(2026, 11, 21))


def line(custom_id: str, words: str = "Hello") -> bytes:
    body = {**BODY, "messages": [{"role": "user", "content": words}]}
    return json.dumps({"custom_id": custom_id, "params": body}).encode()


def lines(count: int, words: str = "Hello") -> list[bytes]:
    return [line(f"id-{number}", words) for number in range(count)]


def canonical(own: bytes) -> bytes:
    value = json.loads(own)
    return b'{"custom_id":"%s","params":%s}' % (value["custom_id"].encode(), json.dumps(value["params"]).encode())


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "in.jsonl"
        path.write_bytes(data)
        return path

    return write


@contextmanager
def checked(path: Path | str, spool: Path, **shape: Any) -> Iterator[CheckedInput]:
    with open_batch_input(str(path), spool=spool, **shape) as source:
        manifest = source.lint(RULES).manifest
        assert manifest is not None
        yield source.checked(manifest)


def report_of(path: Path | str, spool: Path, **shape: Any) -> LintReport:
    with open_batch_input(str(path), spool=spool, **shape) as source:
        return source.lint(RULES).report


def test_a_job_within_the_limits_is_one_body_of_exactly_the_bytes_that_were_hashed(
    file: Callable[[bytes], Path], spool: Path
) -> None:
    own = lines(50)
    expected = b'{"requests":[' + b",".join(map(canonical, own)) + b"]}"
    with checked(file(b"\n".join(own)), spool) as source:
        [batch] = source.plan()
        body = source.body(batch)
        assert b"".join(body.chunks()) == b"".join(body.chunks()) == expected
        assert body.length == batch.bytes == len(expected)
        assert batch.sha256 == hashlib.sha256(expected).hexdigest()


def test_a_larger_job_is_several_bodies_with_all_items_in_order(file: Callable[[bytes], Path], spool: Path) -> None:
    own = lines(10)
    with checked(file(b"\n".join(own)), spool) as source:
        batches = source.plan(most_requests=4)
        bodies = [b"".join(source.body(batch).chunks()) for batch in batches]
        assert [(batch.number, batch.first, batch.requests) for batch in batches] == [(1, 0, 4), (2, 4, 4), (3, 8, 2)]
    assert [hashlib.sha256(body).hexdigest() for body in bodies] == [batch.sha256 for batch in batches]
    assert [len(body) for body in bodies] == [batch.bytes for batch in batches]
    sent = [item["custom_id"] for body in bodies for item in json.loads(body)["requests"]]
    assert sent == [f"id-{number}" for number in range(10)]


def test_a_body_is_handed_out_in_pieces(file: Callable[[bytes], Path], spool: Path) -> None:
    with checked(file(b"\n".join(lines(2_000, "word " * 100))), spool) as source:
        [batch] = source.plan()
        pieces = [len(piece) for piece in source.body(batch).chunks()]
    assert len(pieces) > 5
    assert max(pieces) < 200_000
    assert sum(pieces) == batch.bytes


def test_any_run_of_items_can_be_cut_out(file: Callable[[bytes], Path], spool: Path) -> None:
    own = lines(10)
    expected = b'{"requests":[' + b",".join(map(canonical, own[3:7])) + b"]}"
    with checked(file(b"\n".join(own)), spool) as source:
        half = source.cut(5, 3, 4)
        assert b"".join(source.body(half).chunks()) == expected
    assert (half.number, half.first, half.requests, half.bytes) == (5, 3, 4, len(expected))


WRITTEN = b"\n".join(lines(3)) + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        WRITTEN,
        WRITTEN.rstrip(b"\n"),
        WRITTEN.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + WRITTEN,
        b"\n \n\t\r\n" + WRITTEN.replace(b"\n", b"\n\n") + b"\n",
        b"  " + WRITTEN,
        gzip.compress(WRITTEN),
        gzip.compress(WRITTEN[:100]) + gzip.compress(WRITTEN[100:]),
    ],
    ids=["plain", "torn", "crlf", "bom", "blank-lines", "indented", "gzip", "gzip-in-parts"],
)
def test_how_the_lines_are_packed_does_not_change_the_job(
    data: bytes, file: Callable[[bytes], Path], spool: Path
) -> None:
    expected = hashlib.sha256(b"".join(canonical(own) + b"\n" for own in lines(3))).hexdigest()
    assert report_of(file(data), spool).digest == expected


def test_lines_keep_the_numbers_of_the_file(file: Callable[[bytes], Path], spool: Path) -> None:
    data = b"\n" + line("a") + b"\n\n\n" + line("b") + b"\n"
    with checked(file(data), spool) as source:
        assert [(item.index, item.number, item.custom_id) for item in source.lines()] == [(0, 2, "a"), (1, 5, "b")]


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_missing_ids_are_made_from_the_whole_content_and_the_line(
    packed: Callable[[bytes], bytes], file: Callable[[bytes], Path], spool: Path
) -> None:
    data = line("given") + b"\n" + json.dumps(BODY).encode() + b"\n"
    made = hashlib.sha256(data).hexdigest()[:8] + "-2"
    with checked(file(packed(data)), spool) as source:
        assert [item.custom_id for item in source.lines()] == ["given", made]


def test_lines_with_content_only_take_model_and_limit_from_the_flags(
    file: Callable[[bytes], Path], spool: Path
) -> None:
    data = b'{"id":"a","content":"Hello"}\n'
    with checked(file(data), spool, model="claude-haiku-5-5", max_tokens=9) as source:
        [item] = source.lines()
    assert json.loads(item.data)["params"] == {**BODY, "max_tokens": 9}
    assert report_of(file(data), spool).problems[0].code == "missing-parameter"


def change_to(path: Path, data: bytes) -> None:
    """Write into the same file, as an editor or a running export would."""
    with path.open("r+b") as handle:
        handle.write(data)
        handle.truncate()


def sent_until_noticed(body: Body) -> tuple[bytes, str]:
    """What is handed out before `InputChanged`, and what that says."""
    sent = io.BytesIO()
    with pytest.raises(InputChanged) as caught:
        sent.writelines(body.chunks())
    return sent.getvalue(), str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ([*lines(500, "word " * 200)[:400], *lines(500, "ward " * 200)[400:]], "line 401 is not what it was"),
        ([*lines(500, "word " * 200)[:400], line("id-400", "word " * 199)], "line 401 is not what it was"),
        (lines(500, "word " * 200)[:400], "fewer lines"),
        ([*lines(500, "word " * 200)[:400], b"{torn"], "line 401 is not valid JSON"),
        (list(reversed(lines(500, "word " * 200))), "line 1 is not what it was"),
    ],
    ids=["other words", "other length", "cut off", "torn", "turned round"],
)
def test_a_file_that_changed_stops_before_the_changed_part_is_sent(
    changed: list[bytes], said: str, file: Callable[[bytes], Path], spool: Path
) -> None:
    own = lines(500, "word " * 200)
    path = file(b"\n".join(own) + b"\n")
    with checked(path, spool) as source:
        [batch] = source.plan()
        whole = b"".join(source.body(batch).chunks())
        change_to(path, b"\n".join(changed) + b"\n")
        sent, problem = sent_until_noticed(source.body(batch))
    assert said in problem
    assert "\n" not in problem
    assert whole.startswith(sent)
    assert len(sent) < len(whole)


def test_a_file_that_changed_is_noticed_while_it_is_planned(file: Callable[[bytes], Path], spool: Path) -> None:
    path = file(b"\n".join(lines(10)))
    with checked(path, spool) as source:
        change_to(path, b"\n".join(lines(10, "Hullo")))
        with pytest.raises(InputChanged):
            source.plan(most_requests=4)
        with pytest.raises(InputChanged):
            source.cut(1, 0, 5)


def test_lines_that_were_added_behind_do_not_belong_to_the_job(file: Callable[[bytes], Path], spool: Path) -> None:
    path = file(b"\n".join(lines(3)) + b"\n")
    with checked(path, spool) as source:
        change_to(path, b"\n".join(lines(4)) + b"\n")
        [batch] = source.plan()
        assert len(json.loads(b"".join(source.body(batch).chunks()))["requests"]) == 3


def test_the_last_bytes_are_kept_back_where_the_digest_is_not_the_planned_one(
    file: Callable[[bytes], Path], spool: Path
) -> None:
    """A plan from a ledger may be about another content."""
    with checked(file(b"\n".join(lines(5))), spool) as source:
        strange = source.cut(1, 0, 4)
        wrong = type(strange)(1, 0, 5, strange.bytes, strange.sha256)
        sent, problem = sent_until_noticed(source.body(wrong))
    assert "batch 1" in problem
    assert not sent.endswith(b"]}")


def test_a_line_over_the_limit_is_refused_without_being_held(file: Callable[[bytes], Path], spool: Path) -> None:
    path = file(line("a") + b"\n")
    with path.open("ab") as handle:
        handle.write(b'{"custom_id":"b","params":{"x":"')
        handle.truncate(150_000_000)
        handle.seek(0, os.SEEK_END)
        handle.write(b'"}}\n' + line("c") + b"\n")
    tracemalloc.start()
    report = report_of(path, spool)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(problem.line, problem.code) for problem in report.problems] == [(2, "item-too-large")]
    assert "149,999,873 bytes" in report.problems[0].message
    assert report.requests == 3
    assert peak < 100_000_000


@pytest.mark.parametrize("data", [b"", b"\n\n \n", gzip.compress(b"")], ids=["empty", "blank", "empty gzip"])
def test_an_input_without_lines_is_a_problem(data: bytes, file: Callable[[bytes], Path], spool: Path) -> None:
    assert [problem.code for problem in report_of(file(data), spool).problems] == ["empty-input"]


@pytest.mark.parametrize(
    "data",
    [gzip.compress(WRITTEN)[:-9], gzip.compress(WRITTEN)[:40], b"\x1f\x8bnonsense", gzip.compress(WRITTEN) + b"x"],
)
def test_a_damaged_gzip_file_is_named(data: bytes, file: Callable[[bytes], Path], spool: Path) -> None:
    with pytest.raises(InvalidInput, match=r"in\.jsonl: is a damaged gzip file"):
        report_of(file(data), spool)


def test_files_that_can_not_be_opened_are_named(tmp_path: Path, spool: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        report_of(tmp_path / "missing.jsonl", spool)
    with pytest.raises(InvalidInput, match="directory"):
        report_of(tmp_path, spool)


def test_standard_input_is_copied_and_nothing_is_left_of_the_copy(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WRITTEN)))
    with checked("-", spool) as source:
        [batch] = source.plan()
        assert len(json.loads(b"".join(source.body(batch).chunks()))["requests"]) == 3
        assert list(spool.iterdir()) == []
    assert list(spool.iterdir()) == []
    assert spool.stat().st_mode & 0o077 == 0


def test_a_pipe_is_read_once_and_can_be_sent_all_the_same(tmp_path: Path, spool: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(WRITTEN,))
    writer.start()
    with checked(pipe, spool) as source:
        writer.join()
        assert [item.custom_id for item in source.lines()] == ["id-0", "id-1", "id-2"]
        assert [item.custom_id for item in source.pick([2])] == ["id-2"]


def test_a_copy_that_can_not_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").write_text("a file, not a folder")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WRITTEN)))
    with pytest.raises(OperationFailed, match="can't copy <stdin> to a private file"):
        report_of("-", tmp_path / "state")


def test_progress_ends_with_the_whole_file(file: Callable[[bytes], Path], spool: Path) -> None:
    path, seen = file(b"\n".join(lines(1_000))), []
    with open_batch_input(str(path), spool=spool) as source:
        source.lint(RULES, lambda done, whole: seen.append((done, whole)))
    size = path.stat().st_size
    assert seen[-1] == (size, size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
