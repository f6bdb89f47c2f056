"""`report --input` and `report --explain`, as a person at a terminal and a script meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foreign_logs import MODEL, gen_ai, lines, llm_database, llm_row, otlp, otlp_span, spend_row


def test_a_span_file_with_ten_vendors_prices_claude_and_names_the_others(program: Any, tmp_path: Path) -> None:
    vendors = [f"vendor-{number}" for number in range(9)]
    spans = [otlp_span(name, gen_ai(**{"gen_ai.request.model": name})) for name in (MODEL, *vendors)]
    (tmp_path / "spans.json").write_text(json.dumps(otlp(*spans), indent=1))
    answer = program("report", "spans.json", "--json")

    assert answer.code == 0
    assert [row["model"] for row in answer.document["result"]["unpriced"]] == vendors
    assert answer.document["result"]["total"]["complete"] is False
    assert answer.document["result"]["total"]["requests"] == 1
    assert program("report", "spans.json", "--max-cost", "1", "--json").code == 5
    assert program("report", "spans.json", "--max-cost", "1", "--model", "*claude*", "--json").code == 0


def test_a_gateways_cost_is_never_taken_for_ours(program: Any, tmp_path: Path) -> None:
    (tmp_path / "spend.jsonl").write_bytes(lines(spend_row(spend=0.01)) + lines(spend_row(request_id="b", spend=4e9)))
    costs = [
        program("report", "spend.jsonl", "--json", "--dedupe", how).document["result"]["total"]["cost_usd"]
        for how in ("auto", "none")
    ]

    assert costs[0] == costs[1]


def test_costs_in_many_units_take_one_line_and_the_names_of_a_few(program: Any, tmp_path: Path) -> None:
    units = ["EUR", "JPY", "KRW", "INR", "GBP", "CHF", "\x1b[31m", *(f"unit {number}" for number in range(20))]
    rows = [spend_row(request_id=f"r{number}", currency=unit) for number, unit in enumerate(units)]
    (tmp_path / "spend.jsonl").write_bytes(lines(*rows))

    (line,) = (line for line in program("report", "spend.jsonl").out.splitlines() if line.startswith("recorded by"))

    assert line == (
        "recorded by LiteLLM: not compared: 21 not known to be US dollars, 1 in CHF, 1 in EUR, 1 in GBP, 1 in INR, "
        "2 for other reasons"
    )


def test_the_database_of_llm_is_a_log_like_any_other(program: Any, tmp_path: Path) -> None:
    llm_database(tmp_path / "logs.db", (llm_row(),))
    result = program("report", "logs.db", "--json", "--by", "session").document["result"]

    assert [(row["session"], row["requests"]) for row in result["rows"]] == [("conv-1", 1)]


def test_an_unknown_dialect_is_refused_with_what_was_meant(program: Any, tmp_path: Path) -> None:
    (tmp_path / "spend.jsonl").write_bytes(lines(spend_row()))

    for flags in ((), ("--explain",)):
        answer = program("report", "spend.jsonl", "--input", "lite-llm", "--json", *flags)
        assert answer.code == 2
        assert "did you mean litellm" in answer.document["error"]["hint"]


def test_an_explanation_is_a_table_for_people_and_one_document_for_programs(program: Any, tmp_path: Path) -> None:
    (tmp_path / "spend.jsonl").write_bytes(lines(spend_row(), spend_row(), {"level": "info"}))
    table = program("report", "spend.jsonl", "--explain").out
    result = program("report", "spend.jsonl", "--explain", "--json").document["result"]

    assert table.startswith("1 response counted · 2 left out · 3 documents read\n")
    assert "litellm" in table
    assert "copy: a copy of a response that counts once" in table
    assert [reason["reason"] for reason in result["files"][0]["not_counted"]] == ["copy", "no-usage"]


def test_a_limit_is_not_silently_left_unjudged_by_an_explanation(program: Any, tmp_path: Path) -> None:
    (tmp_path / "spend.jsonl").write_bytes(lines(spend_row()))

    for flags in (("--max-cost", "1"), ("--strict",), ("-o", "a.svg")):
        assert program("report", "spend.jsonl", "--explain", *flags).code == 2


def test_an_explanation_reads_a_pipe(program: Any) -> None:
    answer = program("report", "-", "--explain", "--json", stdin=lines(spend_row()))

    assert answer.document["result"]["files"][0]["counted"] == {"count": 1, "examples": ["<stdin>:1"]}


def test_csv_has_the_codes_of_the_reasons(program: Any, tmp_path: Path) -> None:
    (tmp_path / "spend.jsonl").write_bytes(lines(spend_row(), spend_row()))
    rows = program("report", "spend.jsonl", "--explain", "--format", "csv").out.splitlines()

    assert [row.split(",")[2:4] for row in rows[1:]] == [["counted", "1"], ["copy", "1"]]
