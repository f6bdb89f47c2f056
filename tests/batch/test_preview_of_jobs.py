"""What a job will cost before it is sent: at batch prices, with an honest ceiling, counted in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer

from costkit.adapters.batches.input import CheckedInput, open_batch_input
from costkit.adapters.batches.preview_child import Counting, start_preview
from costkit.adapters.pricing_yaml import built_in_book
from costkit.batch.preview import Preview, PreviewOptions
from costkit.batch.rules import Rules
from costkit.core.money import price_of_tokens
from costkit.errors import InputChanged, InvalidInput, OperationFailed

BOOK = built_in_book()
DAY = date(2026, 11, 21)
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"
MARK = {"type": "ephemeral", "ttl": "1h"}
OFFLINE = Counting("fast", offline=True, cache_dir=None)


def line(number: int, words: str, model: str = OPUS, **more: object) -> str:
    body = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": words}], **more}
    return json.dumps({"custom_id": f"id-{number}", "params": body})


@contextmanager
def checked(folder: Path, lines: list[str]) -> Iterator[CheckedInput]:
    path = folder / "in.jsonl"
    path.write_text("\n".join(lines))
    with open_batch_input(str(path), spool=folder) as source:
        manifest = source.lint(Rules(BOOK, DAY)).manifest
        assert manifest is not None
        yield source.checked(manifest)


def counted_by(counting: Counting, *job: Any, **more: Any) -> Preview:
    with start_preview(counting) as child:
        return child.preview(*job, **more)


def preview(folder: Path, lines: list[str], choice: str | int = "off", **options: Any) -> Preview:
    with checked(folder, lines) as source:
        return counted_by(OFFLINE, source, choice, BOOK, PreviewOptions(DAY, **options))


def codes(found: Preview) -> list[str]:
    return [notice.code for notice in found.notices]


def test_the_ceiling_holds_the_high_end_of_the_tokens_and_every_output_limit(tmp_path: Path) -> None:
    found = preview(tmp_path, [line(number, "Say hello. " * 40) for number in range(10)])
    rates = BOOK.resolve(OPUS).period(DAY).tiers[0].rates
    tokens, half = found.input_tokens, BOOK.batch_multiplier
    assert (found.requests, found.counted) == (10, 10)
    assert found.cost_usd.expected == price_of_tokens(tokens.tokens, rates.input) * half
    high = price_of_tokens(tokens.high, rates.input) + price_of_tokens(10 * 100, rates.output)
    assert found.cost_usd.ceiling == high * half
    assert found.synchronous_usd == found.cost_usd.expected * 2


def test_expected_output_is_in_the_expected_cost(tmp_path: Path) -> None:
    lines = [line(number, "Say hello.") for number in range(10)]
    without, having = preview(tmp_path, lines), preview(tmp_path, lines, output_tokens=40)
    rate = BOOK.resolve(OPUS).period(DAY).tiers[0].rates.output
    assert having.cost_usd.expected - without.cost_usd.expected == price_of_tokens(400, rate) * BOOK.batch_multiplier
    assert having.cost_usd.ceiling == without.cost_usd.ceiling
    assert "output-not-estimated" in codes(without)
    assert "output-not-estimated" not in codes(having)


def test_models_are_told_apart_and_sum_to_the_whole(tmp_path: Path) -> None:
    lines = [line(number, "Say hello.", (OPUS, HAIKU, HAIKU)[number % 3]) for number in range(9)]
    found = preview(tmp_path, lines)
    assert {model.model: model.requests for model in found.models} == {OPUS: 3, HAIKU: 6}
    assert sum(model.cost_usd.expected for model in found.models) == found.cost_usd.expected
    assert sum(model.cost_usd.ceiling or Decimal(0) for model in found.models) == found.cost_usd.ceiling
    assert sum(model.input_tokens.tokens for model in found.models) == found.input_tokens.tokens


def test_breakpoints_are_left_out_of_the_expected_cost_and_written_in_the_ceiling(tmp_path: Path) -> None:
    """An hour's write costs twice the input; whether a batch reads it again is luck."""
    system = [{"type": "text", "text": "Be brief, be kind. " * 400}]
    marked = [{**system[0], "cache_control": MARK}]
    plain = preview(tmp_path, [line(number, "Hi", system=system) for number in range(5)])
    cached = preview(tmp_path, [line(number, "Hi", system=marked) for number in range(5)])
    assert cached.cost_usd.expected == plain.cost_usd.expected
    assert cached.cost_usd.ceiling is not None
    assert plain.cost_usd.ceiling is not None
    assert cached.cost_usd.ceiling > plain.cost_usd.ceiling + cached.cost_usd.expected * Decimal("0.9")
    assert "cache-uncertain" in codes(cached)
    assert "cache-uncertain" not in codes(plain)


def test_tools_that_the_api_runs_leave_no_ceiling(tmp_path: Path) -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    found = preview(tmp_path, [line(1, "Hi"), line(2, "Hi", tools=tools)])
    assert found.cost_usd.ceiling is None
    assert "no-ceiling" in codes(found)


def test_a_sample_stands_for_all_and_says_so(tmp_path: Path) -> None:
    lines = [line(number, "word " * (20 + number % 50)) for number in range(600)]
    whole, some = preview(tmp_path, lines), preview(tmp_path, lines, 60)
    assert (some.requests, some.counted) == (600, 60)
    assert "sampled" in codes(some)
    assert some.input_tokens.low <= whole.input_tokens.tokens <= some.input_tokens.high
    assert some.cost_usd.ceiling is not None
    assert whole.cost_usd.ceiling is not None
    assert whole.cost_usd.ceiling <= some.cost_usd.ceiling < whole.cost_usd.ceiling * Decimal("1.1")


def test_exact_counts_come_from_the_api_once_for_each_counted_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ApiServer() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        lines = [line(number, f"Number {number}") for number in range(300)]
        with checked(tmp_path, lines) as source:
            exact = Counting("exact", offline=False, cache_dir=None)
            found = counted_by(exact, source, 40, BOOK, PreviewOptions(DAY))
        assert len(server.requests) == found.counted == 40
    assert found.input_tokens.method == "exact"


def test_a_failure_of_the_counting_is_told_as_it_is(tmp_path: Path) -> None:
    exact = Counting("exact", offline=False, cache_dir=None)
    with (
        checked(tmp_path, [line(1, "Hi")]) as source,
        pytest.raises(InvalidInput, match="need an API key") as caught,
    ):
        counted_by(exact, source, "auto", BOOK, PreviewOptions(DAY))
    assert caught.value.code == "no-api-key"


def test_a_file_that_changed_is_noticed_before_anything_is_priced(tmp_path: Path) -> None:
    with checked(tmp_path, [line(1, "Hello"), line(2, "Hello")]) as source:
        (tmp_path / "in.jsonl").write_text("\n".join([line(1, "Hello"), line(2, "Hullo")]))
        with pytest.raises(InputChanged, match="line 2"):
            counted_by(OFFLINE, source, "off", BOOK, PreviewOptions(DAY))


def test_something_else_can_be_done_once_while_the_other_process_counts(tmp_path: Path) -> None:
    done: list[str] = []
    with checked(tmp_path, [line(1, "Hello")]) as source:
        options = PreviewOptions(DAY)
        found = counted_by(OFFLINE, source, "off", BOOK, options, meanwhile=lambda: done.append("loaded"))
    assert (found.counted, done) == (1, ["loaded"])


def test_a_counting_process_that_dies_is_an_error_and_no_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with (
        checked(tmp_path, [line(1, "Hello")]) as source,
        pytest.raises(OperationFailed, match="ended without an answer"),
    ):
        counted_by(OFFLINE, source, "off", BOOK, PreviewOptions(DAY))


def test_a_folder_with_modules_of_the_same_names_does_not_disturb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('wrong json')")
    (tmp_path / "costkit").mkdir()
    (tmp_path / "costkit" / "__init__.py").write_text("raise SystemExit('wrong costkit')")
    monkeypatch.chdir(tmp_path)
    assert preview(tmp_path, [line(1, "Hello")]).requests == 1
