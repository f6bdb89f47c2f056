"""`costkit.advise_on_logs`: the same answers as the command, from Python."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costkit import advise_on_logs, summarize_logs
from costkit.errors import CostkitError, InvalidInput

LOGS = [Path(__file__).parents[1] / "examples" / name for name in ("usage.jsonl", "requests.jsonl")]
DAY = date(2026, 11, 21)


def test_the_library_says_what_the_command_says(costkit: Any) -> None:
    result = json.loads(costkit("advise", *LOGS, "--as-of", str(DAY), "--json").stdout)["result"]
    advice = advise_on_logs(LOGS, as_of=DAY)
    assert [(one.code, one.saving_usd) for one in advice.findings] == [
        (one["code"], Decimal(one["saving_usd"])) for one in result["findings"]
    ]
    assert [advice.spent_usd, advice.saving_usd] == [Decimal(result[name]) for name in ("spent_usd", "saving_usd")]
    assert advice.findings


def test_a_range_of_days_is_half_open() -> None:
    whole = advise_on_logs(LOGS[:1], as_of=DAY)
    days = [day.day for day in whole.days]
    first = advise_on_logs(LOGS[:1], until=days[0], as_of=DAY)
    rest = advise_on_logs(LOGS[:1], since=days[1], as_of=DAY)
    assert [day.day for day in first.days + rest.days] == days
    assert first.spent_usd + rest.spent_usd == whole.spent_usd


def test_what_can_not_be_read_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "torn.jsonl"
    log.write_text(json.dumps({"id": "msg_1", "usage": {"input_tokens": 1, "output_tokens": 1}, "model": "x"})[:-9])
    advice = advise_on_logs([log])
    assert (advice.requests, len(advice.skipped)) == (0, 1)


@pytest.mark.parametrize("verb", [advise_on_logs, summarize_logs])
def test_paths_that_are_none_are_refused(verb: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="paths must be a list, even of one"):
        verb("usage.jsonl")
    with pytest.raises(CostkitError, match="gone"):
        verb([tmp_path / "gone"])
