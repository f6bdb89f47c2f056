"""Every rule of the cache, one by one. Times are minutes unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from costkit.cache.marks import SECOND, Mark, check_marks
from costkit.cache.prompt import Prefixes, Prompt, shared_blocks
from costkit.cache.store import CacheStore, Served, serve_all, step_of
from costkit.errors import InvalidInput

MINUTE = 60 * SECOND
MINIMUM = 512
Marks = Sequence[Mark]
Build = Callable[..., Prompt]


@pytest.fixture
def prompt() -> Build:
    """`prompt("tools 1000", "question 50")`: a word that stands for the content, and its tokens."""
    prefixes = Prefixes()

    def build(*blocks: str, pool: object = "claude-opus-5-5") -> Prompt:
        return prefixes.prompt(pool, [(block, int(block.split()[1])) for block in blocks])

    return build


def serve(*requests: tuple[int, Prompt, Marks], first_byte: int = 0, minimum: int = MINIMUM) -> list[Served]:
    """Serve (start, prompt, marks) from an empty cache."""
    return list(serve_all(((at, step_of(prompt, marks, minimum)) for at, prompt, marks in requests), first_byte))


def test_the_first_request_writes_up_to_its_mark_and_pays_plain_input_behind_it(prompt: Build) -> None:
    (first,) = serve((0, prompt("tools 1000", "question 50"), [Mark(0)]))
    assert first == Served(input_tokens=50, read_tokens=0, write_5m_tokens=1000, write_1h_tokens=0)


def test_the_same_prefix_is_read_whatever_stands_behind_the_mark(prompt: Build) -> None:
    _, second = serve(
        (0, prompt("tools 1000", "question 50"), [Mark(0)]), (MINUTE, prompt("tools 1000", "other 70"), [Mark(0)])
    )
    assert second == Served(input_tokens=70, read_tokens=1000, write_5m_tokens=0, write_1h_tokens=0)


@pytest.mark.parametrize("changed", [("tools 1001", "system 600"), ("tools 1000", "System 600")])
def test_an_entry_is_everything_up_to_its_mark(prompt: Build, changed: tuple[str, ...]) -> None:
    _, second = serve((0, prompt("tools 1000", "system 600"), [Mark(1)]), (MINUTE, prompt(*changed), [Mark(1)]))
    assert second.read_tokens == 0
    assert second.write_5m_tokens == prompt(*changed).tokens


def test_entries_are_written_at_marks_only(prompt: Build) -> None:
    """Both prompts begin with the same tools, but nobody marked them."""
    _, second = serve(
        (0, prompt("tools 1000", "system 600"), [Mark(1)]), (MINUTE, prompt("tools 1000", "other 600"), [Mark(0)])
    )
    assert second == Served(input_tokens=600, read_tokens=0, write_5m_tokens=1000, write_1h_tokens=0)


def test_without_a_mark_nothing_is_written_and_nothing_read(prompt: Build) -> None:
    marked, bare = prompt("tools 1000"), prompt("tools 1000")
    assert serve((0, marked, [Mark(0)]), (MINUTE, bare, []))[1] == Served(1000, 0, 0, 0)


@pytest.mark.parametrize(("blocks_between", "read"), [(18, 1000), (19, 0)])
def test_a_mark_looks_back_twenty_positions_counting_its_own(prompt: Build, blocks_between: int, read: int) -> None:
    """With 18 blocks between the two marks the entry is the twentieth position, with 19 the twenty-first."""
    long = prompt("tools 1000", *(f"turn{number} 10" for number in range(blocks_between + 1)))
    _, second = serve((0, prompt("tools 1000"), [Mark(0)]), (MINUTE, long, [Mark(blocks_between + 1)]))
    assert second.read_tokens == read


def test_each_mark_looks_back_for_itself(prompt: Build) -> None:
    long = prompt("tools 1000", *(f"turn{number} 10" for number in range(40)))
    _, second = serve((0, prompt("tools 1000"), [Mark(0)]), (MINUTE, long, [Mark(10), Mark(40)]))
    assert second == Served(0, 1000, 400, 0)


def test_the_longest_entry_is_read(prompt: Build) -> None:
    whole = prompt("tools 1000", "system 600", "question 50")
    _, second = serve((0, whole, [Mark(0), Mark(1)]), (MINUTE, whole, [Mark(0), Mark(1)]))
    assert second == Served(50, 1600, 0, 0)


def test_requests_at_the_same_instant_never_see_each_other(prompt: Build) -> None:
    whole = prompt("tools 1000")
    served = serve(*[(0, whole, [Mark(0)])] * 3)
    assert [(one.write_5m_tokens, one.pending) for one in served] == [(1000, False), (1000, True), (1000, True)]


@pytest.mark.parametrize(("start", "read"), [(2 * SECOND - 1, 0), (2 * SECOND, 1000)])
def test_an_entry_is_visible_from_the_first_byte_of_the_answer(prompt: Build, start: int, read: int) -> None:
    whole = prompt("tools 1000")
    _, second = serve((0, whole, [Mark(0)]), (start, whole, [Mark(0)]), first_byte=2 * SECOND)
    assert (second.read_tokens, second.pending) == (read, not read)


def test_the_first_of_two_writers_makes_the_entry_visible(prompt: Build) -> None:
    whole = prompt("tools 1000")
    starts = (0, SECOND, 2 * SECOND)
    served = serve(*((at, whole, [Mark(0)]) for at in starts), first_byte=2 * SECOND)
    assert [one.read_tokens for one in served] == [0, 0, 1000]


@pytest.mark.parametrize(("ttl", "minutes"), [("5m", 5), ("1h", 60)])
def test_an_entry_expires_exactly_when_its_ttl_has_passed_since_the_start_of_its_writer(
    prompt: Build, ttl: str, minutes: int
) -> None:
    whole, marks = prompt("tools 1000"), [Mark(0, ttl)]
    just_in_time = serve((0, whole, marks), (minutes * MINUTE - 1, whole, marks), first_byte=SECOND)[1]
    too_late = serve((0, whole, marks), (minutes * MINUTE, whole, marks), first_byte=SECOND)[1]
    assert (just_in_time.read_tokens, just_in_time.expired) == (1000, False)
    assert (too_late.read_tokens, too_late.write_tokens, too_late.expired) == (0, 1000, True)


def test_a_read_refreshes_for_free(prompt: Build) -> None:
    whole = prompt("tools 1000")
    served = serve(*((minutes * MINUTE, whole, [Mark(0)]) for minutes in (0, 4, 8, 12, 17)))
    assert [one.read_tokens for one in served] == [0, 1000, 1000, 1000, 0]
    assert [one.write_tokens for one in served] == [1000, 0, 0, 0, 1000]


def test_a_read_refreshes_at_the_ttl_of_its_entry_not_of_its_mark(prompt: Build) -> None:
    whole = prompt("tools 1000")
    served = serve((0, whole, [Mark(0, "1h")]), (MINUTE, whole, [Mark(0)]), (50 * MINUTE, whole, [Mark(0)]))
    assert [one.read_tokens for one in served] == [0, 1000, 1000]
    served = serve((0, whole, [Mark(0)]), (MINUTE, whole, [Mark(0, "1h")]), (50 * MINUTE, whole, [Mark(0, "1h")]))
    assert [one.read_tokens for one in served] == [0, 1000, 0]


def test_using_a_longer_entry_keeps_the_marked_shorter_ones_alive(prompt: Build) -> None:
    """An hour of short gaps, then one of ten minutes: the head is still there, the tail is not."""
    whole, marks = prompt("tools 1000", "system 600"), [Mark(0, "1h"), Mark(1, "5m")]
    starts = [*range(0, 80, 4), 76 + 10]
    last = serve(*((minutes * MINUTE, whole, marks) for minutes in starts))[-1]
    assert last == Served(0, 1000, 600, 0, expired=True)


@pytest.mark.parametrize(("tokens", "written"), [(511, 0), (512, 512)])
def test_below_the_minimum_of_the_model_a_mark_does_nothing_and_costs_nothing(
    prompt: Build, tokens: int, written: int
) -> None:
    whole = prompt(f"tools {tokens}", "question 50")
    first, second = serve((0, whole, [Mark(0)]), (MINUTE, whole, [Mark(0)]))
    assert (first.write_tokens, second.read_tokens) == (written, written)
    assert first.input_tokens == 50 + tokens - written


def test_the_minimum_counts_the_whole_prefix_not_the_block(prompt: Build) -> None:
    (first,) = serve((0, prompt("tools 500", "system 12"), [Mark(0), Mark(1)]))
    assert first == Served(0, 0, 512, 0)


def test_mixed_ttls_are_billed_read_then_1h_then_5m_then_input(prompt: Build) -> None:
    """A is what is read, B the last 1h mark beyond it, C the last mark: read A, 1h B-A, 5m C-B, input the rest."""
    marks = [Mark(0, "1h"), Mark(1, "1h"), Mark(2, "5m")]
    first, second = serve(
        (0, prompt("tools 1000", "system 600", "history 300", "question 50"), marks),
        (MINUTE, prompt("tools 1000", "other 700", "history 300", "question 50"), marks),
    )
    assert first == Served(input_tokens=50, read_tokens=0, write_5m_tokens=300, write_1h_tokens=1600)
    assert second == Served(input_tokens=50, read_tokens=1000, write_5m_tokens=300, write_1h_tokens=700)


def test_a_1h_mark_that_was_read_writes_nothing_again(prompt: Build) -> None:
    marks = [Mark(0, "1h"), Mark(1, "5m")]
    served = serve(
        (0, prompt("tools 1000", "system 600"), marks), (10 * MINUTE, prompt("tools 1000", "system 600"), marks)
    )
    assert served[1] == Served(0, 1000, 600, 0, expired=True)


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ("claude-opus-5-5", "claude-sonnet-5-5"),
        (("claude-opus-5-5", "fast"), ("claude-opus-5-5", "standard")),
        (("claude-opus-5-5", "batch"), ("claude-opus-5-5", "synchronous")),
    ],
)
def test_models_speeds_and_batches_never_share(prompt: Build, writer: object, reader: object) -> None:
    served = serve(
        (0, prompt("tools 1000", pool=writer), [Mark(0)]), (MINUTE, prompt("tools 1000", pool=reader), [Mark(0)])
    )
    assert served[1].read_tokens == 0


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([Mark(i) for i in range(5)], "5 breakpoints; the API allows 4"),
        ([Mark(0, "5m"), Mark(1, "1h")], "1h stands after one of 5m"),
        ([Mark(0, "2h")], "not '2h'"),
        ([Mark(9)], "position 9 of 6"),
        ([Mark(1), Mark(1)], "one for each block"),
    ],
)
def test_marks_that_the_api_refuses_are_refused(marks: list[Mark], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        check_marks(marks, 6)


def test_four_marks_in_order_are_allowed() -> None:
    check_marks([Mark(0, "1h"), Mark(1, "1h"), Mark(2), Mark(5)], 6)


def test_the_store_can_be_asked_what_it_holds(prompt: Build) -> None:
    whole = prompt("tools 1000", "question 50")
    store = CacheStore(first_byte=SECOND)
    assert store.entry(whole.keys[0]) is None
    store.serve(MINUTE, step_of(whole, [Mark(0)], MINIMUM))
    entry = store.entry(whole.keys[0])
    assert entry is not None
    assert (entry.visible_at, entry.expires_at) == (61 * SECOND, 6 * MINUTE)


def test_prompts_know_how_far_they_agree(prompt: Build) -> None:
    assert shared_blocks(prompt("a 1", "b 2", "c 3"), prompt("a 1", "b 2", "d 3")) == 2
    assert shared_blocks(prompt("a 1", "b 2"), prompt("x 1", "b 2")) == 0
    assert shared_blocks(prompt("a 1", "b 2"), prompt("a 1", "b 2", "c 3")) == 2
