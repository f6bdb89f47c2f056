"""Corrections learnt from exact counts: bias goes, the band holds for new requests, thin evidence teaches nothing."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costkit.core.tokens import TokenCount
from costkit.estimate.calibration import FEWEST, METHOD, Compared, learn_corrections

DAY = date(2026, 11, 21)


def compared(exact: int, local: int, family: str = "v4.8", kind: str = "text", method: str = "offline") -> Compared:
    return Compared(family, kind, exact, TokenCount(local, local, local, method))


def requests(seed: int, count: int, ratio: float = 1.03, noise: float = 0.01) -> list[Compared]:
    dice = random.Random(seed)  # noqa: S311
    sizes = [dice.randint(50, 5_000) for _ in range(count)]
    return [compared(round(size * ratio * dice.gauss(1, noise)), size) for size in sizes]


def test_a_constant_factor_is_learnt_and_taken_out() -> None:
    [learnt] = learn_corrections([compared(size * 110, size * 100) for size in range(1, 41)], DAY)
    assert (learnt.ratio, learnt.below, learnt.above) == (Decimal("1.1"), Decimal(0), Decimal(0))
    assert (learnt.error_before, learnt.error_after) == (Decimal("0.1"), Decimal(0))
    assert learnt.applied(TokenCount(1_000, 900, 1_300, "offline")) == TokenCount(1_100, 1_099, 1_101, METHOD)


def test_nine_of_ten_new_requests_lie_in_the_band() -> None:
    """Of 40 users with 100 new requests each: 90 % on average, and below 88 % with one chance in a thousand."""
    inside = 0
    for seed in range(40):
        [learnt] = learn_corrections(requests(seed, 100), DAY)
        for one in requests(seed + 1_000, 100):
            count = learnt.applied(one.local)
            inside += count.low <= one.exact <= count.high
    assert inside >= 3_520


def test_each_tokenizer_and_each_way_of_counting_has_a_correction_of_its_own() -> None:
    many = [compared(110, 100), compared(90, 100, "v3"), compared(120, 100, method="tiktoken")] * 30
    learnt = {(one.family, one.method): one.ratio for one in learn_corrections(many, DAY)}
    assert learnt == {
        ("v4.8", "offline"): Decimal("1.1"),
        ("v3", "offline"): Decimal("0.9"),
        ("v4.8", "tiktoken"): Decimal("1.2"),
    }


def test_thin_evidence_teaches_nothing() -> None:
    assert learn_corrections([compared(110, 100)] * (FEWEST - 1), DAY) == ()
    assert learn_corrections([compared(110, 100), compared(110, 100, "v3")] * 20, DAY) == ()


def test_rare_kinds_neither_teach_nor_are_corrected() -> None:
    [learnt] = learn_corrections([compared(110, 100)] * 40 + [compared(900, 100, kind="images")] * 9, DAY)
    assert (learnt.ratio, learnt.kinds, learnt.requests) == (Decimal("1.1"), ("text",), 40)


def test_requests_without_tokens_are_left_out() -> None:
    [learnt] = learn_corrections([compared(110, 100)] * 40 + [compared(5, 0)] * 40, DAY)
    assert learnt.requests == 40


@given(
    pairs=st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 10**7)), min_size=FEWEST, max_size=60),
    tokens=st.integers(0, 10**9),
)
def test_the_band_always_holds_the_count(pairs: list[tuple[int, int]], tokens: int) -> None:
    [learnt] = learn_corrections([compared(exact, local) for exact, local in pairs], DAY)
    count = learnt.applied(TokenCount(tokens, tokens, tokens, "offline"))
    assert 0 <= count.low <= count.tokens <= count.high
