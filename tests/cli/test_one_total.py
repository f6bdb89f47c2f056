"""However a log is cut, written out or divided, it comes to the same tokens and the same dollars to the last digit."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import random_logs
from hypothesis import given, settings
from hypothesis import strategies as st

from costkit.cli.main import main

DIMENSIONS = (
    "model",
    "hour",
    "day",
    "week",
    "month",
    "project",
    "session",
    "tier",
    "speed",
    "file",
    "tag:team",
    "key:uuid",
)
CHANCES = st.integers(0, 2**32).map(random.Random)
FEW = settings(max_examples=10, deadline=None)
DAY = "--as-of=2026-11-21"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


def _write(folder: Path, chance: random.Random) -> list[str]:
    """Two random logs that share some of their responses."""
    first, second = random_logs.log(chance, 25), random_logs.log(chance, 10)
    paths = [folder / "a.jsonl", folder / "b.log"]
    paths[0].write_bytes(first)
    paths[1].write_bytes(second + first[: len(first) // 3])
    return [str(path) for path in paths]


def _answer(folder: Path, *arguments: str) -> str:
    out = folder / "answer"
    assert main(["report", DAY, "-q", "-o", str(out), *arguments]) == 0
    return out.read_text(encoding="utf-8")


def _result(folder: Path, *arguments: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(_answer(folder, "--json", *arguments))["result"]
    return result


def _sum(rows: Iterable[Mapping[str, Any]]) -> tuple[Counter[str], dict[str, Decimal]]:
    """Tokens and requests, dollars, and what was saved."""
    tokens, kinds = Counter[str](), ("cost_usd", "saved_by_cache_usd", "saved_by_batch_usd")
    usd = dict.fromkeys(kinds, Decimal(0))
    for row in rows:
        tokens.update({"requests": row["requests"], **row["usage"]})
        for kind in kinds:
            usd[kind] += Decimal(row[kind])
    return tokens, usd


@FEW
@given(CHANCES)
def test_every_grouping_has_the_same_total(folder: Path, chance: random.Random) -> None:
    paths = _write(folder, chance)
    whole = _result(folder, *paths)
    zone = chance.choice(("UTC", "Asia/Kathmandu", "America/St_Johns"))
    combinations = [(name,) for name in DIMENSIONS] + [tuple(chance.sample(DIMENSIONS, size)) for size in (2, 3, 12)]
    for by in combinations:
        result = _result(folder, *chance.sample(paths, 2), "--by", ",".join(by), "--tz", zone)
        assert {**result, "by": None, "rows": None} == {**whole, "by": None, "rows": None}
        assert _sum(result["rows"]) == _sum([whole["total"]])
        folded = _result(folder, *paths, "--by", ",".join(by), "--top", "2")
        assert _sum(folded["rows"]) == _sum([whole["total"]])


@FEW
@given(CHANCES)
def test_the_parts_of_a_date_range_add_up(folder: Path, chance: random.Random) -> None:
    paths = _write(folder, chance)
    moments = ("2025-06-01T00:00:00Z", "2026-10-31T23:59:59.999Z", "2026-11-01T04:00:00Z", "2026-11-10T12:00:00Z")
    cuts = sorted(chance.sample(moments, 2))
    ranges = (("--until", cuts[0]), ("--since", cuts[0], "--until", cuts[1]), ("--since", cuts[1]))
    parts = [_result(folder, *paths, *part) for part in ranges]
    days = _result(folder, *paths, "--by", "day")["rows"]

    assert _sum(part["total"] for part in parts) == _sum(row for row in days if row["day"] is not None)


@FEW
@given(CHANCES, st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=3, unique=True).map(",".join))
def test_every_format_says_the_same(folder: Path, chance: random.Random, by: str) -> None:
    arguments = (*_write(folder, chance), "--by", by)
    result = _result(folder, *arguments)
    rows = list(csv.DictReader(io.StringIO(_answer(folder, *arguments, "-f", "csv"))))
    names = (
        "requests",
        *(name for name in result["total"]["usage"]),
        "cost_usd",
        "saved_by_cache_usd",
        "saved_by_batch_usd",
    )
    flat = [{**entry, **entry["usage"]} for entry in result["rows"]]

    assert [[row[name] for name in names] for row in rows if row["status"] == "priced"] == [
        [str(entry[name]) for name in names] for entry in flat
    ]
    assert [[row[name] for name in names[:8]] for row in rows if row["status"] == "unpriced"] == [
        [str({**entry, **entry["usage"]}[name]) for name in names[:8]] for entry in result["unpriced"]
    ]
    headlines = {_answer(folder, *arguments, "-f", name).lstrip("*# ").split("\n")[0] for name in ("table", "markdown")}
    assert len({line.replace("*", "").replace("\\", "").strip() for line in headlines}) == 1


@FEW
@given(CHANCES)
def test_files_in_any_order_and_in_one_come_to_the_same(folder: Path, chance: random.Random) -> None:
    paths = _write(folder, chance)
    glued = folder / "both.jsonl"
    glued.write_bytes(b"\n".join(Path(path).read_bytes() for path in paths))

    assert _result(folder, *paths)["total"] == _result(folder, *paths[::-1])["total"]
    assert _sum([_result(folder, str(glued))["total"]])[0]["requests"] == _result(folder, *paths)["total"]["requests"]
