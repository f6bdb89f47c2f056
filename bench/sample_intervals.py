"""Do the intervals of samples hold? Measured on recorded requests, drawn again and again.

    python bench/sample_intervals.py RECORDS.jsonl [DRAWS]

The records, and parts of them, stand for files of requests; what is estimated is the sum of the counts that `costkit
estimate --sample off --offline` would say. For each size of a sample: in how many draws the 95 % interval and the upper
bound hold, half of the interval and the median error as shares of the sum. Beside it, what a plain random sample of
the same size and Student's interval of its mean would give. (Of 200 draws, 95 % ± 1.5 % are inside by chance alone.)
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import fmean, median, stdev
from typing import NamedTuple

from fit_token_bands import counted
from machine import describe_machine
from token_records import FORMAT, Case, read

from costkit.adapters.pricing_yaml import built_in_book
from costkit.estimate.interval import half_width, upper_width
from costkit.estimate.sample import draw_sample, text_size

SAMPLES = (30, 50, 100, 200, 400)
UNUSUAL = frozenset(("images", "documents", "special_tools", "server_tools", "tool_search", "other"))
_STUDENT = {30: 2.045, 50: 2.010, 100: 1.984, 200: 1.972, 400: 1.966}


class Draw(NamedTuple):
    """One sample: how far off it is, and how far it says it may be, as shares of the sum."""

    off: float
    half: float
    upper: float


class Row(NamedTuple):
    """A request: bytes that counts go along with, and its count."""

    size: int
    tokens: int


def main() -> None:
    """Print a line for each part of the records and size of sample."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{FORMAT}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", type=Path)
    parser.add_argument("draws", type=int, nargs="?", default=200)
    options = parser.parse_args()
    print(describe_machine("costkit", "ctok"))
    print(
        f"{'':22}{'requests':>9}{'sample':>7}{'95 %':>7}{'bound':>8}{'half':>7}{'off':>7}   a plain sample: 95 %, half"
    )
    for name, rows in parts(options.records).items():
        for wanted in SAMPLES:
            if 2 * wanted <= len(rows):
                ours = [stratified(rows, wanted, draw) for draw in range(options.draws)]
                plain = [simple(rows, wanted, draw) for draw in range(options.draws)]
                show(name, len(rows), wanted, ours, plain)


def parts(path: Path) -> Mapping[str, Sequence[Row]]:
    """All requests, those of each tokenizer family, and those of some kinds."""
    cases = list(read(path, built_in_book(), Counter()))
    rows = [
        (case, Row(_size(case), count.tokens)) for case, count in zip(cases, counted("offline", cases), strict=True)
    ]
    found = {"all": [row for _, row in rows]}
    for family in sorted({case.model.tokenizer for case in cases}):
        found[family] = [row for case, row in rows if case.model.tokenizer == family]
    for kind in ("text", "tools", "thinking"):
        found[kind] = [row for case, row in rows if case.kind == kind]
    found["anything but text"] = [row for case, row in rows if case.kind != "text"]
    found["media, special tools"] = [row for case, row in rows if case.kind in UNUSUAL]
    return found


def _size(case: Case) -> int:
    return text_size(case.request, len(json.dumps(case.request.body, ensure_ascii=False).encode()))


def stratified(rows: Sequence[Row], wanted: int, draw: int) -> Draw:
    """A sample as costkit draws it."""
    sample = draw_sample([row.size for row in rows], [0] * len(rows), [1] * len(rows), wanted, draw=draw)
    counts = [(piece, [Decimal(rows[member].tokens) for member in piece.members]) for piece in sample.slices]
    whole = sum(row.tokens for row in rows)
    guess = sum(weight * value for piece, own in counts for weight, value in zip(piece.weights, own, strict=True))
    return Draw(float(whole - guess) / whole, float(half_width(counts)) / whole, float(upper_width(counts)) / whole)


def simple(rows: Sequence[Row], wanted: int, draw: int) -> Draw:
    """A plain random sample."""
    dice = random.Random(draw)  # noqa: S311  reproducible on purpose
    own, whole = [row.tokens for row in dice.sample(rows, wanted)], sum(row.tokens for row in rows)
    error = stdev(own) * (1 / wanted - 1 / len(rows)) ** 0.5 * len(rows)
    half = _STUDENT[wanted] * error / whole
    return Draw(1 - fmean(own) * len(rows) / whole, half, half)


def show(name: str, requests: int, wanted: int, ours: Sequence[Draw], plain: Sequence[Draw]) -> None:
    """One line."""
    inside = [sum(abs(one.off) <= one.half for one in draws) / len(draws) for draws in (ours, plain)]
    below = sum(one.off <= one.upper for one in ours) / len(ours)
    half, others = (median(one.half for one in draws) for draws in (ours, plain))
    off = median(abs(one.off) for one in ours)
    columns = f"{requests:>9,}{wanted:>7}{inside[0]:>7.1%}{below:>8.2%}{half:>7.1%}{off:>7.1%}"
    print(f"{name:22}{columns}{inside[1]:>24.1%}{others:>6.0%}", flush=True)


if __name__ == "__main__":
    main()
