"""Fit how far the local token counts may be off, and print it as `bands.yaml`.

    python bench/fit_token_bands.py RECORDS.jsonl > costkit/adapters/tokens/bands.yaml && .ci/compile-data

A band is [below, above, absolute]: shares of the count on either side, and tokens on top of both. The shares are
split-conformal quantiles of the errors of each engine, tokenizer family and kind of request, 96.5 % on each side and
one rank higher than the plain quantile, so that at least 92 % of requests like these lie inside. Kinds with fewer
than 30 requests in a family borrow from the other families, and nothing is narrower than what is said to be the least:
the records come from few repositories, and unseen ones differ more than a quantile can know. Errors are those of counts
with weights and constants around the text that were fitted on the other half of the records, and they are taken beyond
what the request itself leaves open, such as the size of a picture that is elsewhere.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, cast

from fit_token_overheads import Values, constants, fit_halves
from fit_token_weights import FAMILIES, fit_weights
from token_records import FORMAT, Case, read

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens import make_counter
from costkit.adapters.tokens.features import load_weights
from costkit.adapters.tokens.overheads import KINDS, load_rules
from costkit.core.tokens import NO_TOKENS, TokenCount

ENGINES = ("offline", "tiktoken", "characters")
SIDE = 0.965
"""The quantile on each side."""
ENOUGH = 30
UNSEEN = 2.0
"""What a borrowed band is widened by."""
NEWER = 0.02
"""Added to both shares for models newer than the records."""
ABSOLUTE = {"text": 1, "tools": 4, "thinking": 4, "structured": 6, "images": 10, "documents": 20}
"""Tokens on top; 20 for the kinds that aren't modelled."""
LEAST = {"text": 0.015, "tools": 0.006, "thinking": 0.02, "structured": 0.03, "images": 0.02, "documents": 0.05}
"""The least share of the offline engine; 0.05 for the kinds that aren't modelled."""
LEAST_ESTIMATED = {"text": 0.1}
"""The least share of the coarser engines; 0.05 for other kinds."""
LEAST_UNSEEN, LEAST_SELDOM = 0.03, 0.02
"""The least share where a kind was never, or fewer than 30 times, recorded in a family."""
ONE_SIDE = 0.94
OPEN_UPWARDS = frozenset(("server_tools", "tool_search", "other"))
"""Kinds whose error lies on one side: what comes in while the request runs can't be known before."""

HEAD = """\
# low = tokens - floor(tokens x below) - absolute and high = tokens + floor(tokens x above) + absolute, as
# [below, above, absolute] by engine, family and kind of request. newer: added to below and above for models newer than
# the recorded requests. What server tools bring back is billed within the same request, so their kinds are open
# upwards."""

Band = tuple[float, float, int]
_NO_BANDS = {engine: {family: dict.fromkeys(KINDS, (0.0, 0.0, 0)) for family in FAMILIES} for engine in ENGINES}


def main() -> int:
    """Fit on all records and print the file."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{FORMAT}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", type=Path)
    cases = list(read(parser.parse_args().records, built_in_book(), Counter()))
    raw = out_of_fold(cases, fit_halves(cases)[0])
    print(HEAD)
    print("source: bench/fit_token_bands.py on recorded requests")
    print(f"checked: {datetime.now(tz=UTC).date()}")
    print(f"newer: {NEWER}")
    for engine, counts in raw.items():
        print(f"{engine}:")
        for family, kinds in fit_bands(engine, cases, counts).items():
            print(f"  {family}:")
            for kind, (below, above, absolute) in kinds.items():
                print(f"    {kind}: [{below:.4g}, {above:.4g}, {absolute}]")
    return 0


def out_of_fold(
    cases: Sequence[Case], overheads: Sequence[Values], engines: Sequence[str] = ENGINES
) -> dict[str, list[TokenCount]]:
    """Counts by engine without any band, with weights and constants that were fitted on the other half of the cases.

    `overheads` are the constants for either half.
    """
    coarse = [engine for engine in engines if engine != "offline"]
    weights = [fit_weights([case for case in cases if case.half != half]) if coarse else {} for half in (0, 1)]
    found = {engine: [NO_TOKENS] * len(cases) for engine in engines}
    for engine, half in product(engines, (0, 1)):
        places = [place for place, case in enumerate(cases) if case.half == half]
        unbanded = replaced(load_rules()["bands"], _NO_BANDS)
        with replaced(load_weights(), weights[half]), constants(overheads[half]), unbanded:
            counts = counted(engine, [cases[place] for place in places])
        for place, count in zip(places, counts, strict=True):
            found[engine][place] = count
    return found


@contextmanager
def replaced(data: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[None]:
    """Put other values into data that costkit has read and keeps."""
    shared = cast("dict[str, Any]", data)
    before = dict(shared)
    shared.update(other)
    try:
        yield
    finally:
        shared.update(before)


def counted(engine: str, cases: Sequence[Case]) -> Sequence[TokenCount]:
    """Each case counted by one engine."""
    environ = {"TIKTOKEN_CACHE_DIR": "/nonexistent"} if engine == "characters" else os.environ
    mode = "offline" if engine == "offline" else "fast"
    counter = make_counter(mode, offline=True, cache_dir=None, environ=environ)
    counts = counter.count_many([(case.request, case.model) for case in cases])
    if {count.method for count in counts} - {engine}:
        sys.exit(f"{engine} can't count here")
    return counts


def fit_bands(engine: str, cases: Sequence[Case], counts: Sequence[TokenCount]) -> dict[str, dict[str, Band]]:
    """The bands of one engine by family and kind, from counts whose own ends are those of what can't be seen."""
    errors: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for case, count in zip(cases, counts, strict=True):
        absolute = _absolute(engine, case.kind)
        below = (count.low - absolute - case.true) / max(1, count.low)
        above = (case.true - absolute - count.high) / max(1, count.high)
        errors[case.model.tokenizer, case.kind].append((below, above))
    return {family: {kind: _band(engine, family, kind, errors) for kind in KINDS} for family in FAMILIES}


def banded(count: TokenCount, band: Band) -> TokenCount:
    """A raw count with a band, as the local counter does it."""
    below, above, absolute = band
    low = count.low - math.floor(count.low * below) - absolute
    high = count.high + math.floor(count.high * above) + absolute
    return TokenCount(count.tokens, max(0, low), high, count.method)


def _absolute(engine: str, kind: str) -> int:
    return ABSOLUTE.get(kind, 20) + (0 if engine == "offline" else 4)


def _band(engine: str, family: str, kind: str, errors: Mapping[tuple[str, str], list[tuple[float, float]]]) -> Band:
    own = errors.get((family, kind), [])
    widen, least = 1.0, (LEAST if engine == "offline" else LEAST_ESTIMATED).get(kind, 0.05)
    if len(own) < ENOUGH:
        least = max(LEAST_SELDOM if own else LEAST_UNSEEN, least)
        own = [pair for (_, other), pairs in errors.items() if other == kind for pair in pairs]
        widen = 1.0 if kind in OPEN_UPWARDS else UNSEEN
    below = max(least, widen * _quantile([low for low, _ in own], SIDE))
    above = max(least, widen * _quantile([high for _, high in own], ONE_SIDE if kind in OPEN_UPWARDS else SIDE))
    return min(0.9, _rounded(below)), _rounded(above), _absolute(engine, kind)


def _quantile(errors: list[float], level: float) -> float:
    """The conformal quantile: where it would lie beyond the largest error, that one and half as much again."""
    if not errors:
        return 0.0
    rank = math.ceil((len(errors) + 1) * level)
    ordered = sorted(max(0.0, error) for error in errors)
    return ordered[rank - 1] if rank <= len(ordered) else 1.5 * ordered[-1]


def _rounded(share: float) -> float:
    """Upwards to two significant digits."""
    digits = 1 - math.floor(math.log10(share))
    return round(math.ceil(share * 10.0**digits) / 10.0**digits, digits)


if __name__ == "__main__":
    sys.exit(main())
