"""What a classifier answered is remembered, and a broken memory is no obstacle."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from costkit.adapters.routing.answer_cache import FILE_NAME, AnswerCache
from costkit.core.usage import Usage
from costkit.route import Kind, Reason, Verdict

USAGE = Usage(input_tokens=500, cache_read_input_tokens=7, output_tokens=20)
VERDICT = Verdict(Kind("complex", code=True), (Reason("complexity", "model", "so"),), USAGE, is_batch=True)


def test_a_verdict_comes_back_with_its_bill(tmp_path: Path) -> None:
    AnswerCache(tmp_path).keep({"a": VERDICT})
    found = AnswerCache(tmp_path).find(["a", "b"])
    assert set(found) == {"a"}
    assert (found["a"].kind, found["a"].usage) == (VERDICT.kind, USAGE)
    assert (found["a"].is_remembered, found["a"].is_batch) == (True, True)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_what_has_no_kind_or_no_bill_is_asked_again(tmp_path: Path) -> None:
    AnswerCache(tmp_path).keep(
        {"a": Verdict(None, VERDICT.reasons, USAGE), "b": Verdict(VERDICT.kind, VERDICT.reasons)}
    )
    assert AnswerCache(tmp_path).find(["a", "b"]) == {}


def test_thousands_are_found_at_once(tmp_path: Path) -> None:
    AnswerCache(tmp_path).keep({str(number): VERDICT for number in range(1200)})
    assert len(AnswerCache(tmp_path).find([str(number) for number in range(2000)])) == 1200


@pytest.mark.parametrize(
    "answer",
    [
        "torn",
        "[]",
        '["easy", true, true, false, 1]',
        '["simple", 1, true, false, 1]',
        '["simple", true, true, true, -1]',
    ],
)
def test_entries_that_make_no_sense_are_left_out(tmp_path: Path, answer: str) -> None:
    AnswerCache(tmp_path).keep({"a": VERDICT})
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE answers SET answer = ?", (answer,))
    connection.close()
    assert AnswerCache(tmp_path).find(["a"]) == {}


def test_a_file_that_is_no_database_is_started_afresh(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database, certainly not one" * 100)
    AnswerCache(tmp_path).keep({"a": VERDICT})
    assert set(AnswerCache(tmp_path).find(["a"])) == {"a"}


def test_without_a_folder_nothing_is_remembered_and_nothing_fails(tmp_path: Path) -> None:
    for cache in (AnswerCache(None), AnswerCache(tmp_path / "file" / "below")):
        (tmp_path / "file").write_text("in the way")
        cache.keep({"a": VERDICT})
        assert cache.find(["a"]) == {}
