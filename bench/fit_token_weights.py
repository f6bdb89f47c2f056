"""Fit the weights of the coarser token counters on recorded texts and print them as `weights.yaml`.

    python bench/fit_token_weights.py RECORDS.jsonl > costkit/adapters/tokens/weights.yaml && .ci/compile-data

What is fitted to is ctok's count of each text that occurs in a request, so Python 3.12 and tiktoken's vocabulary are
needed. Weights are never negative, so that a longer text never costs less, and errors are weighed relative to the
count and linearly, so that no odd text pulls at the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from token_records import FORMAT, Case, read

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens.ctok_engine import CtokEngine
from costkit.adapters.tokens.features import features
from costkit.adapters.tokens.overheads import profile_for
from costkit.adapters.tokens.structure import lay_out
from costkit.adapters.tokens.tiktoken_engine import TiktokenEngine

FAMILIES = ("v3", "v4.7", "v4.8")
_LONGEST = 60_000
_SHORTEST = 4
_SEEN = 8
"""Texts that must show a feature before it gets a weight."""
_FLOOR = 4.0
"""Tokens added to the count when errors are made relative: a token more or less in a tiny text says nothing."""
_ROUNDS, _SWEEPS = 8, 60
_SMALLEST_ERROR = 0.02

Weights = dict[str, dict[str, dict[str, float]]]


def main() -> int:
    """Fit on all records and print the file."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{FORMAT}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", type=Path)
    cases = list(read(parser.parse_args().records, built_in_book(), Counter()))
    weights = fit_weights(cases)
    print("# Tokens per run, character or token of a kind (features.py, token_classes.py), by engine and family.")
    print("# source: bench/fit_token_weights.py on recorded requests; the target is ctok's count of each text")
    print(f"# checked: {datetime.now(tz=UTC).date()}")
    for engine, families in weights.items():
        print(f"{engine}:")
        for family, found in families.items():
            print(f"  {family}:")
            for name, weight in sorted(found.items()):
                print(f"    {name}: {weight:.4f}")
    return 0


def fit_weights(cases: Sequence[Case]) -> Weights:
    """The weights of both engines for every family, from the texts of these requests."""
    texts = sorted({text for case in cases for text in _texts(case)})
    exact = CtokEngine()
    tiktoken = TiktokenEngine(offline=False, environ=os.environ)
    if not tiktoken.supports("v3"):
        sys.exit("tiktoken's vocabulary is neither in its cache nor to be had")
    measured = {"tiktoken": [tiktoken.measure(text) for text in texts], "characters": list(map(features, texts))}
    targets = {family: [exact.count(text, family) for text in texts] for family in FAMILIES}
    return {engine: {family: _fit(found, targets[family]) for family in FAMILIES} for engine, found in measured.items()}


def _texts(case: Case) -> Iterable[str]:
    for piece in lay_out(case.request, profile_for(case.model)).pieces:
        if _SHORTEST <= len(piece.text) <= _LONGEST:
            yield piece.text


def _fit(measured: Sequence[Mapping[str, int]], targets: Sequence[int]) -> dict[str, float]:
    """Least absolute relative error by reweighted least squares, without negative weights."""
    seen = Counter(name for found in measured for name, amount in found.items() if amount)
    names = sorted(name for name, times in seen.items() if times >= _SEEN)
    place = {name: index for index, name in enumerate(names)}
    rows = [[(place[name], amount) for name, amount in found.items() if name in place] for found in measured]
    scales = [1 / (target + _FLOOR) for target in targets]
    trust = [1.0] * len(rows)
    weights = [0.0] * len(names)
    for _ in range(_ROUNDS):
        weights = _solve(rows, targets, [scale * scale * t for scale, t in zip(scales, trust, strict=True)], weights)
        errors = [
            abs(sum(weights[index] * amount for index, amount in row) - target) * scale
            for row, target, scale in zip(rows, targets, scales, strict=True)
        ]
        trust = [1 / max(error, _SMALLEST_ERROR) for error in errors]
    return {name: weight for name, weight in zip(names, weights, strict=True) if weight > 0.00005}


def _solve(
    rows: Sequence[Sequence[tuple[int, int]]], targets: Sequence[int], trust: Sequence[float], start: Sequence[float]
) -> list[float]:
    """Non-negative weighted least squares by coordinate descent on the normal equations."""
    size = len(start)
    gram = [[0.0] * size for _ in range(size)]
    moment = [0.0] * size
    for row, target, weight in zip(rows, targets, trust, strict=True):
        for index, amount in row:
            weighed, line = weight * amount, gram[index]
            moment[index] += weighed * target
            for other, again in row:
                line[other] += weighed * again
    weights = list(start)
    for index in range(size):
        gram[index][index] *= 1.0001
    for _ in range(_SWEEPS * size):
        moved = 0.0
        for index, line in enumerate(gram):
            slope = moment[index] - sum(a * b for a, b in zip(line, weights, strict=True) if b)
            better = max(0.0, weights[index] + slope / line[index])
            moved = max(moved, abs(better - weights[index]))
            weights[index] = better
        if moved < 1e-5:
            break
    return weights


if __name__ == "__main__":
    sys.exit(main())
