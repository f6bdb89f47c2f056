"""How accurate are the local token counts? Measured on recorded requests, beside what one would use instead.

    python bench/token_accuracy.py RECORDS.jsonl [--engine offline|tiktoken|characters] [--held-out]

By tokenizer family and kind of request: number of requests, median and 90th percentile of the relative error, share
within one token, error of the sum, and how many of the counts lie inside their band. `--held-out` divides the records
into halves that share no prompt, fits everything that is fitted (weights, the constants around a text, bands) on one
half and shows the other half, both ways. Where a request has a constant that the other half doesn't tell, such as the
tool prompt of a model that occurs in one half only, the package's value stands in; such requests are counted and left
out of the tables. What the provider publishes, what server tools add, and the size that is assumed for an image
elsewhere are the package's in either case.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fit_token_bands import banded, counted, fit_bands, out_of_fold
from fit_token_overheads import Values, fit_halves
from token_records import FORMAT, Case, grouped, read

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.tokens import NO_TOKENS, TokenCount

_ENGINES = ("offline", "tiktoken", "characters")
_COLUMNS = f"{'':24}{'n':>6}{'median':>9}{'p90':>9}{'±1':>8}{'sum':>9}{'covered':>9}"
_VOCABULARIES = ("cl100k_base", "o200k_base")
_LARGE = 3_000


def main() -> int:
    """Print one table per engine, by family and kind, then the alternatives."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{FORMAT}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", type=Path)
    parser.add_argument("--engine", choices=_ENGINES, action="append")
    parser.add_argument("--held-out", action="store_true", help="fit on one half, show the other")
    options = parser.parse_args()
    left_out: Counter[str] = Counter()
    cases = list(read(options.records, built_in_book(), left_out))
    versions = ", ".join(f"{name} {_version(name)}" for name in ("ctok", "tiktoken", "costkit"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}")
    print(f"{len(cases)} requests of {options.records.name}; left out: {dict(left_out) or 'none'}")
    engines = options.engine or _ENGINES
    doubtful = set[int]()
    if options.held_out:
        overheads, doubtful = fit_halves(cases)
        counts = held_out(cases, overheads, engines)
        kinds = Counter(cases[place].label for place in doubtful)
        print(f"with constants that the other half doesn't tell, so not in these tables: {dict(kinds) or 'none'}")
    else:
        counts = {engine: list(counted(engine, cases)) for engine in engines}
    for engine in engines:
        split = ", everything fitted on the other half" if options.held_out else ""
        print(f"\n{engine}{split}\n{_COLUMNS}")
        pairs = list(zip(cases, counts[engine], strict=True))
        show([pair for place, pair in enumerate(pairs) if place not in doubtful])
    for name, guesses in alternatives(cases).items():
        print(f"\n{name}, the whole body as text\n{_COLUMNS}")
        show([(case, TokenCount(guess, 0, 0, "")) for case, guess in zip(cases, guesses, strict=True)], banded=False)
    return 0


def held_out(cases: Sequence[Case], overheads: Sequence[Values], engines: Sequence[str]) -> dict[str, list[TokenCount]]:
    """Counts of each half with the weights, the constants and the bands of the other."""
    found: dict[str, list[TokenCount]] = {}
    for engine, raw in out_of_fold(cases, overheads, engines).items():
        found[engine] = [NO_TOKENS] * len(cases)
        for half in (0, 1):
            known = [place for place, case in enumerate(cases) if case.half != half]
            bands = fit_bands(engine, [cases[place] for place in known], [raw[place] for place in known])
            for place, case in enumerate(cases):
                if case.half == half:
                    found[engine][place] = banded(raw[place], bands[case.model.tokenizer][case.kind])
    return found


def show(pairs: list[tuple[Case, TokenCount]], *, banded: bool = True) -> None:
    """The lines of one engine: families and kinds, then the large requests."""
    for key, group in grouped(pairs, lambda pair: f"{pair[0].model.tokenizer} {pair[0].label}").items():
        report(key, [(case.true, count) for case, count in group], banded=banded)
    large = [(case.true, count) for case, count in pairs if case.true >= _LARGE and case.kind in ("text", "tools")]
    report("≥ 3,000, text and tools", large, banded=banded)


def report(name: str, pairs: list[tuple[int, TokenCount]], *, banded: bool) -> None:
    """One line: number, median and p90 of the relative error, share within ±1, error of the sum, coverage."""
    if not pairs:
        return
    errors = sorted(abs(count.tokens - true) / true for true, count in pairs)
    near = sum(abs(count.tokens - true) <= 1 for true, count in pairs) / len(pairs)
    total = sum(count.tokens for _, count in pairs) / sum(true for true, _ in pairs) - 1
    covered = sum(count.low <= true <= count.high for true, count in pairs) / len(pairs)
    shown = f"{covered:>9.1%}" if banded else f"{'':>9}"
    median, high = errors[len(errors) // 2], errors[min(len(errors) - 1, len(errors) * 9 // 10)]
    print(f"{name:24}{len(pairs):>6}{median:>9.2%}{high:>9.2%}{near:>8.1%}{total:>+9.2%}{shown}")


def alternatives(cases: Sequence[Case]) -> dict[str, list[int]]:
    """What one would use instead: raw and scaled tiktoken, where a vocabulary is at hand, and characters / 4."""
    found: dict[str, list[int]] = {}
    for name in _VOCABULARIES:
        try:
            count = _encoder(name)
        except Exception as problem:  # noqa: BLE001 - whatever keeps a vocabulary away, there is no comparison then
            print(f"\nno comparison with tiktoken {name}: {type(problem).__name__}")
            continue
        raw = found[f"tiktoken {name}"] = [count(case.body) for case in cases]
        found[f"tiktoken {name}, scaled to the median of each family"] = _scaled(cases, raw)
    found["characters / 4"] = [-(-len(case.body) // 4) for case in cases]
    return found


def _encoder(name: str) -> Callable[[str], int]:
    import tiktoken

    encoding = tiktoken.get_encoding(name)
    return lambda text: len(encoding.encode_ordinary(text))


def _scaled(cases: Sequence[Case], raw: Sequence[int]) -> list[int]:
    """The best single factor for each family, found on the same records: more than a user could know."""
    factors = {}
    for family, group in grouped(list(zip(cases, raw, strict=True)), lambda pair: pair[0].model.tokenizer).items():
        ratios = sorted(case.true / max(1, count) for case, count in group)
        factors[family] = ratios[len(ratios) // 2]
    return [round(count * factors[case.model.tokenizer]) for case, count in zip(cases, raw, strict=True)]


def _version(name: str) -> Any:
    try:
        return version(name)
    except ImportError:
        return "from source"


if __name__ == "__main__":
    sys.exit(main())
