"""Every foreign dialect comes to the same however it is read: exactly, quickly, in ranges, by several processes."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from foreign_logs import (
    MODEL,
    console_span,
    evaluation,
    gen_ai,
    inspect_log,
    invocation,
    lines,
    llm_row,
    model_event,
    observation,
    open_inference,
    otlp,
    otlp_span,
    promptfoo_result,
    sample,
    spend_row,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from costkit.adapters.logs import early, pieces, read_logs
from costkit.adapters.logs.detect import DIALECTS, check_dialect
from costkit.adapters.logs.summaries import summarize_logs
from costkit.errors import InvalidInput
from costkit.report import FileRead, FoldOptions, Record, Remark, Skipped, UsageSummary, summarize
from costkit.report.fold import close

LONG = {"text": "x" * 2000}


def _otel(number: int) -> dict[str, object]:
    return otlp(otlp_span(f"s{number}", {"gen_ai.input.messages": LONG["text"], **gen_ai()}, trace=f"t{number}"))


def _console(number: int) -> dict[str, object]:
    return console_span(f"s{number}", {**LONG, **gen_ai()}, f"s{number + 1}" if number % 3 else None, "0x1")


def _phoenix(number: int) -> dict[str, object]:
    return console_span(f"s{number}", {**LONG, **open_inference()}, None, f"0x{number}")


DOCUMENTS: dict[str, Callable[[int], dict[str, object]]] = {
    "otel": _otel,
    "console": _console,
    "openinference": _phoenix,
    "litellm": lambda number: spend_row(request_id=f"r{number}", messages=LONG),
    "litellm-flat": lambda number: spend_row(request_id=f"r{number}", metadata={}, messages=LONG),
    "litellm-answer": lambda number: {
        **LONG,
        "response": {
            "id": f"c{number}",
            "object": "chat.completion",
            "model": MODEL,
            "usage": {"prompt_tokens": 5, "completion_tokens": 6},
        },
    },
    "langfuse": lambda number: observation(id=f"o{number}", input=LONG),
    "llm": lambda number: {**LONG, **llm_row(f"l{number}")},
    "bedrock": lambda number: invocation(None, requestId=f"q{number}", extra=LONG),
    "bedrock-text": lambda number: {"message": json.dumps(invocation(None, requestId=f"q{number}", extra=LONG))},
    "promptfoo": lambda number: promptfoo_result(number, vars=LONG),
    "promptfoo-whole": lambda number: evaluation(promptfoo_result(number, vars=LONG)),
    "inspect": lambda number: inspect_log(sample(**LONG, uuid=f"u{number}")),
    "inspect-sample": lambda number: sample(model_event(input=LONG, output={}), uuid=f"u{number}"),
}
NAMES = sorted(DOCUMENTS)
LINES = 60


@pytest.fixture(params=NAMES)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A log of one dialect, one document a line, with copies and lines that bill nothing among them."""
    make = DOCUMENTS[request.param]
    path = tmp_path / "log.jsonl"
    start = json.dumps({"level": "info", **LONG, "more": "y" * 3000})  # nothing tells what is to come
    rest = "".join(f"{json.dumps(make(n))}\n" + '{"level": "info"}\n' for n in [*range(LINES), 3])
    path.write_text(f"{start}\n{rest}")
    return path


def _exact(path: Path) -> UsageSummary:
    summary = summarize(read_logs([str(path)]), FoldOptions())
    close(summary)
    return summary


def test_as_many_responses_as_were_logged_are_counted(log: Path) -> None:
    summary = _exact(log)

    assert summary.records - summary.merged + sum(summary.unbilled.values()) in (LINES, LINES + 1)
    assert summary.skipped == {}


def test_the_quick_way_comes_to_the_same(log: Path) -> None:
    assert summarize_logs([str(log)], FoldOptions(), workers=1) == _exact(log)


def test_ranges_and_workers_come_to_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "WORTH_A_WORKER", 1)
    monkeypatch.setattr(pieces, "RANGE", 20_000)

    assert summarize_logs([str(log)], FoldOptions(), workers=2) == _exact(log)


def test_a_dialect_that_is_named_is_the_only_one_that_is_read(log: Path) -> None:
    everything = [summarize_logs([str(log)], FoldOptions(dialect=name), workers=1) for name in DIALECTS]
    billing = [name for name, summary in zip(DIALECTS, everything, strict=True) if summary.records]

    assert len(billing) in (1, 2)
    assert all(summary.documents == 2 * (LINES + 1) + 1 for summary in everything)
    assert (_exact(log).records, _exact(log).merged) in [(summary.records, summary.merged) for summary in everything]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("litelm", "litellm"), ("open-inference", "openinference"), ("LLM", "llm"), ("otel-json", "otel")],
)
def test_an_unknown_dialect_is_refused_with_those_that_come_close(written: str, meant: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_dialect(written)

    assert f"did you mean {meant}" in str(refused.value.hint)


ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 0, 2.5, 10**30, "", "7", "x", "\ud800", [], {}, [None], {"a": {}}, {"usage": 1}, float("inf")]
)


def _damaged(value: object, chance: random.Random, odd: object) -> object:
    """The same with one thing in it replaced."""
    parts = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    where = chance.choice([name for name, _ in parts]) if parts and chance.random() < 0.95 else None
    changed = {name: _damaged(part, chance, odd) if name == where else part for name, part in parts}
    kinds: dict[type, Callable[[], object]] = {dict: lambda: changed, list: lambda: list(changed.values())}
    return odd if where is None else kinds[type(value)]()


@given(st.sampled_from(NAMES), st.integers(0, 2**32).map(random.Random), ODD)
@settings(max_examples=600, deadline=None)
def test_no_value_in_any_place_stops_the_reader(name: str, chance: random.Random, odd: object) -> None:
    document = DOCUMENTS[name](1)
    where = chance.choice(sorted(document))
    document[where] = _damaged(document[where], chance, odd)
    *items, last = read_logs(["-"], stdin=io.BytesIO(lines(document, DOCUMENTS[name](2))))

    assert isinstance(last, FileRead)
    assert last.documents == 2
    assert last.other <= 2
    assert all(isinstance(item, Record | Skipped | Remark) for item in items)
