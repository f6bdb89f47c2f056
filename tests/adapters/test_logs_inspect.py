"""Inspect's logs count each call once: not its sample, not its evaluation, and not again from the archive."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from foreign_logs import (
    COUNTS,
    MESSAGE,
    MODEL,
    eval_archive,
    inspect_log,
    items_of,
    model_event,
    records_of,
    sample,
)

from costkit.adapters.logs import read_logs
from costkit.report import FileRead, FoldOptions, Record, Skipped, summarize


def test_calls_count_and_the_sums_above_them_do_not() -> None:
    other = model_event(output={"model": MODEL, "usage": {"input_tokens": 3, "output_tokens": 4}}, uuid="ev-2")
    first, second = records_of(inspect_log(sample(model_event(), other)))

    assert first.usage.counts == COUNTS
    assert (first.model, first.message_id, first.request_id) == (MODEL, "msg_01Ab", "req_7")
    assert (first.session, first.project) == ("smp-1", "rocks")
    assert second.message_id == "ev-2"
    assert first.timestamp


def test_the_answer_of_the_api_is_read_where_it_was_logged() -> None:
    (record,) = records_of(inspect_log(sample(model_event(call={"request": {}, "response": MESSAGE}))))

    assert record.usage.counts.ephemeral_1h_input_tokens == 200
    assert record.usage.inference_geo == "us"


@pytest.mark.parametrize("document", [inspect_log(sample()), inspect_log(), sample()])
def test_sums_count_where_there_is_nothing_below_them(document: object) -> None:
    (record,) = records_of(document)

    assert (record.model, record.usage.counts) == (MODEL, COUNTS)
    assert record.timestamp


def test_calls_out_of_the_cache_were_not_billed() -> None:
    *_, last = items_of(inspect_log(sample(model_event(cache="read"), model_usage={})))

    assert isinstance(last, FileRead)
    assert last.unbilled == (("replayed", 1),)


def test_an_archive_counts_its_samples(tmp_path: Path) -> None:
    eval_archive(tmp_path / "a.eval", sample(model_event()), sample())
    records = [item for item in read_logs([str(tmp_path)]) if isinstance(item, Record)]

    assert [(record.line, record.usage.counts) for record in records] == [(1, COUNTS), (2, COUNTS)]


def test_an_archive_without_samples_counts_its_statistics(tmp_path: Path) -> None:
    path = eval_archive(tmp_path / "a.eval")

    assert [item.usage.counts for item in read_logs([str(path)]) if isinstance(item, Record)] == [COUNTS]


def test_both_forms_of_an_evaluation_count_once(tmp_path: Path) -> None:
    one = sample(model_event())
    archive = eval_archive(tmp_path / "a.eval", one)
    text = tmp_path / "a.json"
    text.write_text(__import__("json").dumps(inspect_log(one), indent=2))
    summary = summarize(read_logs([str(archive), str(text)]), FoldOptions())

    assert (summary.records, len(summary.responses)) == (2, 1)


@pytest.mark.parametrize(("size", "reason"), [(60, "damaged-archive"), (-30, "damaged-archive")])
def test_a_torn_archive_is_named(tmp_path: Path, size: int, reason: str) -> None:
    path = eval_archive(tmp_path / "a.eval", sample(model_event()))
    path.write_bytes(path.read_bytes()[:size])
    (item,) = read_logs([str(path)])

    assert isinstance(item, Skipped)
    assert item.reason.partition(":")[0] == reason


def test_a_sample_that_is_no_json_costs_no_other_one(tmp_path: Path) -> None:
    path = eval_archive(tmp_path / "a.eval", "torn", sample())
    items = list(read_logs([str(path)]))

    assert [(type(item), item.line) for item in items[:2] if isinstance(item, Skipped | Record)] == [
        (Skipped, 1),
        (Record, 2),
    ]


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_sample_costs_no_other_one(tmp_path: Path, how: int) -> None:
    path = tmp_path / "a.eval"
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("samples/1.json", json.dumps(sample(model_event())))
        archive.writestr("samples/2.json", json.dumps(sample()))
        first = archive.getinfo("samples/1.json")
    content = bytearray(path.read_bytes())
    start = first.header_offset + len(first.FileHeader()) + 20
    content[start : start + 60] = b"\xff" * 60
    path.write_bytes(content)

    items = list(read_logs([str(path)]))

    assert [item.reason for item in items if isinstance(item, Skipped)] == ["damaged-sample"]
    assert [item.line for item in items if isinstance(item, Record)] == [2]


def test_an_encrypted_sample_is_named(tmp_path: Path) -> None:
    path = eval_archive(tmp_path / "a.eval", sample())
    content = path.read_bytes()
    entry = content.index(b"PK\x01\x02", content.rindex(b"samples/1_epoch_1.json") - 50)
    path.write_bytes(content[: entry + 8] + b"\1" + content[entry + 9 :])

    assert [item.reason for item in read_logs([str(path)]) if isinstance(item, Skipped)] == ["damaged-sample"]
