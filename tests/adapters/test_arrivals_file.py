"""Recorded arrivals: what a line may be, and what is said about one that is not."""

from __future__ import annotations

import pytest

from costkit.adapters.arrivals_file import read_arrivals
from costkit.cache.marks import SECOND
from costkit.errors import InvalidInput

TIMES = b"""# an hour of Tuesday
2026-11-21T09:30:00Z

2026-11-21T10:30:00.5+01:00
2026-11-21T09:31:00
"""
LOG = b"""{"ts": "2026-11-21T09:30:00Z", "model": "m"}
{"ts": "2026-11-21T09:30:02.25Z"}
"""


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (b"0\n12.5\n60\n", [0, 12.5, 60]),
        (b"100\n100\n100.000001", [0, 0, 0.000001]),
        (b"-3\n0\n", [0, 3]),
        (b"\xef\xbb\xbf5\r\n6\r\n", [0, 1]),
        (TIMES, [0, 0.5, 60]),
        (LOG, [0, 2.25]),
        (b'{"ts": 1763717400.1}\n{"ts": 1763717401}\n', [0, 0.9]),
    ],
)
def test_moments_are_counted_from_the_first(data: bytes, seconds: list[float]) -> None:
    assert read_arrivals("gaps.txt", data).starts == tuple(round(second * SECOND) for second in seconds)


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (b"0\n9\n4.5\n", "gaps.txt:3", "4.5 s before the one above it"),
        (b"2026-11-21T09:30:00Z\n2026-11-20T09:30:00Z\n", "gaps.txt:2", "86400 s before"),
        (b"0\nsoon\n", "gaps.txt:2", "'soon' is not a moment"),
        (b"nan\n", "gaps.txt:1", "not a moment"),
        (b"1e999999999\n", "gaps.txt:1", "not a moment"),
        (b"9" * 5000, "gaps.txt:1", "not a moment"),
        (b'{"at": 5}\n', "gaps.txt:1", "has no ts"),
        (b'{"ts": true}\n', "gaps.txt:1", "has no ts"),
        (b'{"ts": [1]}\n', "gaps.txt:1", "not a moment"),
        (b'{"ts": 5\n', "gaps.txt:1", "not valid JSON"),
        (b"# nothing\n\n", "gaps.txt", "holds no arrivals"),
        (b"\xff\xfe", "gaps.txt", "not UTF-8"),
        (b"0\n99999999999\n", "gaps.txt", "more than ten years"),
    ],
)
def test_a_bad_line_is_named(data: bytes, place: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        read_arrivals("gaps.txt", data)
    assert caught.value.where == place
