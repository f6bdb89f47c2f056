"""An explanation names, for every file, its dialects, what counts, and a reason for everything that doesn't."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from foreign_logs import console_span, gen_ai, lines, llm_database, llm_row, spend_row

from costkit.adapters.logs import explain, read_logs
from costkit.adapters.logs.explain import explain_logs
from costkit.errors import InvalidInput
from costkit.report import FoldOptions, summarize
from costkit.report.explained import ExplainedFile

MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "model": "claude-opus-5-5",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}


def _file(tmp_path: Path, *documents: object, rest: bytes = b"", dialect: str | None = None) -> ExplainedFile:
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines(*documents) + rest)
    (file,) = explain_logs([str(path)], dialect=dialect).files
    return file


def _reasons(file: ExplainedFile) -> dict[str, tuple[int, list[str]]]:
    return {
        reason.reason: (reason.count, [place.rpartition(":")[2] for place in reason.examples]) for reason in file.others
    }


def test_everything_in_a_mixed_file_has_a_reason(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        MESSAGE,
        MESSAGE,
        spend_row(),
        spend_row(cache_hit="True"),
        console_span("inner", gen_ai(), "outer"),
        console_span("outer", gen_ai()),
        console_span("http", {}, "outer"),
        {"level": "info"},
        {"usage": {"cpu": 1}},
        {**MESSAGE, "id": "msg_2", "usage": {"input_tokens": -1}},
        rest=b'{"torn": ',
    )

    assert [place.rpartition(":")[2] for place in file.counted.examples] == ["1", "3", "5"]
    assert _reasons(file) == {
        "copy": (1, ["2"]),
        "replayed": (1, ["4"]),
        "repeated-by-parent-span": (1, ["6"]),
        "no-bill": (1, ["7"]),
        "no-usage": (1, []),
        "unknown": (1, ["9"]),
        "bad-usage: usage.input_tokens is negative": (1, ["10"]),
        "torn-last-line": (1, ["11"]),
    }
    assert [(spoken.name, spoken.documents, spoken.records) for spoken in file.dialects] == [
        ("messages", 3, 2),
        ("litellm", 2, 1),
        ("otel", 3, 1),
    ]
    assert file.documents == 10


def test_what_is_counted_is_what_a_report_counts(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines(*(spend_row(request_id=f"r{number % 7}") for number in range(20))))
    summary = summarize(read_logs([str(path)]), FoldOptions())
    explanation = explain_logs([str(path)])

    assert (explanation.counted, explanation.not_counted) == (len(summary.responses), 13) == (7, 13)
    assert len(explanation.files[0].counted.examples) == explain.MOST_PLACES


def test_copies_in_another_file_are_copies_unless_files_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for path in paths:
        path.write_bytes(lines(MESSAGE))

    assert explain_logs([str(tmp_path)]).counted == 1
    assert explain_logs([str(tmp_path)], dedupe="file").counted == 2
    assert explain_logs([str(tmp_path)], dedupe="none").counted == 2


def test_files_above_the_limit_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "MOST_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.jsonl").write_bytes(lines({**MESSAGE, "id": f"msg_{number}"}))
    explanation = explain_logs([str(tmp_path)])

    assert (len(explanation.files), explanation.more_files, explanation.counted) == (3, 2, 5)


def test_files_that_are_no_logs_say_why(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\x89PNG....")
    llm_database(tmp_path / "b.jsonl", (llm_row(),))
    binary, database = explain_logs([str(tmp_path)]).files

    assert _reasons(binary) == {"binary-file": (1, [str(tmp_path / "a.jsonl")])}
    assert binary.others[0].whole_files
    assert [spoken.name for spoken in database.dialects] == ["llm"]


def test_a_dialect_that_is_named_leaves_the_others_unknown(tmp_path: Path) -> None:
    file = _file(tmp_path, MESSAGE, spend_row(), dialect="litellm")

    assert _reasons(file) == {"unknown": (1, ["1"])}
    with pytest.raises(InvalidInput, match="unknown dialect"):
        _file(tmp_path, MESSAGE, dialect="litelm")


def test_a_recorded_cost_is_told_from_a_bill(tmp_path: Path) -> None:
    file = _file(tmp_path, {"type": "cost-state", "sessionId": "s", "totalCostUSD": 1.5})

    assert _reasons(file) == {"recorded-cost": (1, ["1"])}


def test_glued_documents_are_placed_on_their_line(tmp_path: Path) -> None:
    text = json.dumps(MESSAGE)
    file = _file(tmp_path, rest=f"{text}{text}\n".encode())

    assert (file.counted.times, _reasons(file)) == (1, {"copy": (1, ["1"])})
