"""How accurate are the local token counts? Measured on recorded requests, beside what one would use instead.

    python bench/token_accuracy.py RECORDS.jsonl [--engine offline|fast|characters]

Each line of the file is an object with `request` (a Messages body), `model`, `tokenizer_family`,
`total_input_tokens` (what the API counted) and optionally `kind`, `beta`, `flags`, `endpoint`. Base64 payloads may have
been replaced by `BASE64_REMOVED … chars=N dims=WxH …`. Requests in another shape than the Messages API's, flagged ones
and those of unknown models are left out and counted.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import re
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens import make_counter
from costkit.adapters.tokens.overheads import profile_for
from costkit.adapters.tokens.structure import lay_out
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import Request, parse_request
from costkit.core.tokens import TokenCount
from costkit.errors import CostkitError, UnknownModel

_BAD_FLAGS = frozenset(("dupes_disagree", "impossible_more_tokens_than_bytes"))
_FAMILIES = frozenset(("v3", "v4.7", "v4.8"))
_OTHER_SHAPES = frozenset(("bedrock_converse",))
_T = TypeVar("_T")
_COLUMNS = f"{'':24}{'n':>6}{'median':>9}{'p90':>9}{'±1':>8}{'sum':>9}{'covered':>9}"


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded request with the API's own count."""

    request: Request
    model: ModelPrice
    true: int
    kind: str
    body: str


def main() -> int:
    """Print one table per engine, by family and kind, then the alternatives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path)
    parser.add_argument("--engine", choices=["offline", "fast", "characters"], action="append")
    options = parser.parse_args()
    left_out: Counter[str] = Counter()
    cases = list(read(options.records, built_in_book(), left_out))
    names = ("ctok", "tiktoken", "costkit")
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}")
    print(f"{len(cases)} requests of {options.records.name}; left out: {dict(left_out) or 'none'}")
    for engine in options.engine or ["offline", "fast", "characters"]:
        measure(engine, cases)
    for name, count in alternatives().items():
        print(f"\n{name}, the whole body as text\n{_COLUMNS}")
        for family, group in grouped(cases, lambda case: case.model.tokenizer).items():
            report(family, [(case.true, TokenCount(count(case.body), 0, 0, "")) for case in group], banded=False)
    return 0


def measure(engine: str, cases: list[Case]) -> None:
    """Count everything with one engine and print its table."""
    environ = {"TIKTOKEN_CACHE_DIR": "/nonexistent"} if engine == "characters" else os.environ
    mode = "fast" if engine == "characters" else engine
    counter = make_counter(mode, offline=True, cache_dir=None, environ=environ)
    counts = counter.count_many((case.request, case.model) for case in cases)
    pairs = list(zip(cases, counts, strict=True))
    print(f"\n{engine} (method {', '.join(sorted({count.method for count in counts}))})\n{_COLUMNS}")
    for key, group in grouped(pairs, lambda pair: f"{pair[0].model.tokenizer} {pair[0].kind}").items():
        report(key, [(case.true, count) for case, count in group])
    large = [(case.true, count) for case, count in pairs if case.true >= 3000 and case.kind in ("text", "tools")]
    report("≥ 3,000, text and tools", large)


def report(name: str, pairs: list[tuple[int, TokenCount]], *, banded: bool = True) -> None:
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


def read(path: Path, book: PriceBook, left_out: Counter[str]) -> Iterator[Case]:
    """The usable records; the others are counted by reason in `left_out`."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            reason = _unusable(record)
            if reason:
                left_out[reason] += 1
                continue
            body = restored(record["request"])
            beta = record.get("beta")
            if isinstance(beta, str) and "REDACTED" not in beta:
                body["betas"] = beta.split(",")
            try:
                model = book.resolve(record["model"].rsplit("inference-profile/", 1)[-1])
                request = parse_request(body)
            except UnknownModel:
                left_out["unknown model"] += 1
            except CostkitError:
                left_out["unreadable"] += 1
            else:
                kind = lay_out(request, profile_for(model)).kind
                yield Case(request, model, record["total_input_tokens"], kind, _prompt_text(body))


def _unusable(record: Mapping[str, Any]) -> str | None:
    if record["tokenizer_family"] not in _FAMILIES:
        return "unknown family"
    if record.get("endpoint") in _OTHER_SHAPES:
        return "other shape"
    return "flagged" if _BAD_FLAGS & set(record.get("flags") or ()) else None


def _prompt_text(body: Mapping[str, Any]) -> str:
    """What someone would feed to a tokenizer: the one message's text, else the JSON of the prompt."""
    messages = body["messages"]
    if len(messages) == 1 and isinstance(messages[0]["content"], str) and set(body) <= {"model", "messages"}:
        return str(messages[0]["content"])
    return json.dumps({name: body[name] for name in ("tools", "system", "messages") if body.get(name)})


def restored(value: Any) -> Any:
    """Put a header of the recorded size, or as many bytes, where a base64 payload was removed."""
    if isinstance(value, dict):
        return {name: restored(item) for name, item in value.items()}
    if isinstance(value, list):
        return [restored(item) for item in value]
    if not isinstance(value, str) or not value.startswith("BASE64_REMOVED"):
        return value
    size = re.search(r"dims=(\d+)x(\d+)", value)
    if size:
        header = struct.pack(">I4sIIBBBBB", 13, b"IHDR", int(size[1]), int(size[2]), 8, 2, 0, 0, 0)
        return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + bytes(4)).decode()
    length = re.search(r"chars=(\d+)", value)
    return "A" * int(length[1]) if length else value


def alternatives() -> dict[str, Callable[[str], int]]:
    """What one would use instead: raw tiktoken, where its vocabulary is at hand, and characters / 4."""
    found: dict[str, Callable[[str], int]] = {}
    try:
        import tiktoken

        for name in ("cl100k_base", "o200k_base"):
            encoding = tiktoken.get_encoding(name)
            found[f"tiktoken {name}"] = partial(_encoded_length, encoding)
    except Exception as problem:  # noqa: BLE001 - no vocabulary, no comparison
        print(f"\nno comparison with tiktoken: {type(problem).__name__}")
    found["characters / 4"] = lambda text: -(-len(text) // 4)
    return found


def _encoded_length(encoding: Any, text: str) -> int:
    return len(encoding.encode_ordinary(text))


def grouped(items: list[_T], key: Callable[[_T], str]) -> dict[str, list[_T]]:
    """Items by key, in the order of the keys."""
    groups: defaultdict[str, list[_T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(sorted(groups.items()))


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return "from source"


if __name__ == "__main__":
    sys.exit(main())
