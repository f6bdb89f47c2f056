"""Whether counting word by word comes to what ctok says of the whole text, on every text of recorded requests.

    python bench/token_words.py FILE.jsonl [MOST_CHARACTERS]

Every different text of the requests in a file (see bench/token_accuracy.py for its format), of at most 65,536
characters, is counted both ways by each of ctok's tokenizers. Printed are the texts that differ, and how much time
either way took.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import ctok  # type: ignore[import-untyped]
from machine import describe_machine

from costkit.adapters.tokens.ctok_words import WordCounter

ENGINES = ("3.0", "4.7", "4.8")


def main() -> None:
    """Count both ways and print."""
    most = int(sys.argv[2]) if len(sys.argv) > 2 else 65_536
    print(describe_machine("costkit", "ctok"))
    texts = sorted({text for text in _texts(Path(sys.argv[1])) if 0 < len(text) <= most}, key=len)
    differing = 0
    for engine in ENGINES:
        whole_count = partial(_content, engine)
        words = WordCounter(whole_count)
        whole_seconds = word_seconds = 0.0
        for text in texts:
            started = time.process_time()
            whole = whole_count(text)
            between = time.process_time()
            by_words = words.count(text)
            word_seconds += time.process_time() - between
            whole_seconds += between - started
            if whole != by_words:
                differing += 1
                print(f"{engine}: {whole:,} whole, {by_words:,} by words: {text[:60]!r}")
        print(f"{engine}: {len(texts):,} texts, by words in {word_seconds / whole_seconds:.2f} of the time", flush=True)
    print(f"{differing:,} counts differ")
    sys.exit(bool(differing))


def _content(engine: str, text: str) -> int:
    """Tokens without the frame of a message, which one letter alone shows."""
    return int(ctok.token_count(text, engine)) - int(ctok.token_count("a", engine)) + 1


def _texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield from _strings(json.loads(line)["request"])


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


if __name__ == "__main__":
    main()
