"""From a request as it is written to what repeats: what stays the same, and where each strategy marks it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.cache import ModelSimulation, SimulateOptions, WrittenPrompt, simulate_repeats
from costkit.cache.marks import Mark
from costkit.cache.shape import lay_out, shape_of_request, shape_of_sizes
from costkit.cache.strategy import marks_of_strategy, strategies_for
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import Request, parse_request
from costkit.core.tokens import NO_TOKENS, PartCount, TokenCount
from costkit.errors import InvalidInput, Undecidable

EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
QUESTION = {"role": "user", "content": "50 question"}


class Stated:
    """Believes the number that each block begins with; 7 tokens surround the blocks."""

    def count_many(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[TokenCount]:
        return [sum((part.count for part in self.count_parts(*job)), NO_TOKENS) for job in jobs]

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:  # noqa: ARG002  the protocol
        words = [
            (str(b.value.get("text") or b.value.get("description") or "0 ") + " ").split(" ")[0] for b in request.blocks
        ]
        counts = [int(word) if word.isdigit() else 0 for word in words]
        blocks = zip(request.blocks, counts, strict=True)
        around = PartCount("", None, TokenCount(7, 7, 7, "offline"))
        return [around, *(PartCount(b.path, b, TokenCount(n, n, n, "offline")) for b, n in blocks)]


def body(**parts: Any) -> dict[str, Any]:
    return {"model": "claude-opus-5-5", "messages": [QUESTION], **parts}


def tool(tokens: int, **more: Any) -> dict[str, Any]:
    return {"name": f"t{tokens}", "description": f"{tokens} tool", "input_schema": {"type": "object"}, **more}


def text(tokens: int, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": f"{tokens} text", **more}


@pytest.fixture
def run(book: PriceBook) -> Any:
    def simulate(request: dict[str, Any], **options: Any) -> ModelSimulation:
        chosen = SimulateOptions(as_of=date(2026, 11, 21), output_tokens=500, **options)
        prompt = WrittenPrompt("body.json", parse_request(request))
        return simulate_repeats(prompt, Stated(), book, chosen).models[0]

    return simulate


def marks(request: dict[str, Any], name: str, growth: int = 0, repeat: int = 0) -> tuple[Mark, ...]:
    """Where a strategy marks one of the repeats."""
    parsed = parse_request(request)
    counts = Stated().count_parts(parsed, built_in_book().resolve("claude-opus-5-5"))
    shape = shape_of_request(parsed, counts, growth)
    return marks_of_strategy(name, shape, lay_out(shape, [1] * (repeat + 1), "pool")[repeat][0])


TOOLS_AND_SYSTEM = body(tools=[tool(1000), tool(500)], system=[text(2000)])


def test_tools_and_system_stay_and_messages_are_new_every_time(run: Any) -> None:
    found = run(TOOLS_AND_SYSTEM).strategy("5m")
    assert found.usage.ephemeral_5m_input_tokens == 3507  # what surrounds the blocks is counted with the first
    assert found.usage.input_tokens == 10 * 50
    assert (found.reads, found.writes) == (9, 1)


def test_a_bare_prompt_stays_as_a_whole(run: Any) -> None:
    found = run({"model": "claude-opus-5-5", "messages": [{"role": "user", "content": "3000 words"}]})
    assert found.strategy("automatic").usage == found.strategy("5m").usage
    assert found.strategy("5m").usage.cache_read_input_tokens == 9 * 3007


def test_what_the_writer_marked_stays(run: Any) -> None:
    marked = body(
        system=[text(2000)], messages=[{"role": "user", "content": [text(800, cache_control=EPHEMERAL), text(50)]}]
    )
    found = run(marked)
    assert found.strategy("as-written").usage.cache_read_input_tokens == 9 * 2807
    assert found.strategy("as-written").usage.input_tokens == 10 * 50
    assert found.best.name == "as-written"  # the same as 5m, and nothing to change


def test_automatic_caching_in_the_body_says_nothing_about_what_stays(run: Any) -> None:
    found = run(body(system=[text(2000)], cache_control=EPHEMERAL))
    assert found.strategy("as-written").cost_usd == found.strategy("automatic").cost_usd
    assert found.strategy("as-written").reads == 0


def test_strategies_mark_the_end_of_what_stays_and_automatic_the_end(run: Any) -> None:
    assert marks(TOOLS_AND_SYSTEM, "none") == ()
    assert marks(TOOLS_AND_SYSTEM, "5m") == (Mark(2, "5m"),)
    assert marks(TOOLS_AND_SYSTEM, "1h") == (Mark(2, "1h"),)
    assert marks(TOOLS_AND_SYSTEM, "mixed") == (Mark(1, "1h"), Mark(2, "5m"))
    assert marks(TOOLS_AND_SYSTEM, "automatic") == (Mark(3, "5m"),)
    assert run(TOOLS_AND_SYSTEM).strategy("mixed").writes == 1


def test_own_breakpoints_keep_their_places_and_ttls() -> None:
    own = body(tools=[tool(1000, cache_control=HOUR)], system=[text(2000, cache_control=EPHEMERAL)])
    assert marks(own, "as-written") == (Mark(0, "1h"), Mark(1, "5m"))


def test_in_a_conversation_marks_move_with_its_end_and_the_hour_stays_at_the_start() -> None:
    request = body(system=[text(2000)])
    assert marks(request, "mixed", growth=300) == (Mark(0, "1h"), Mark(1, "5m"))
    assert marks(request, "mixed", growth=300, repeat=3) == (Mark(0, "1h"), Mark(4, "5m"))
    assert marks(request, "automatic", growth=300, repeat=3) == (Mark(4, "5m"),)


def test_blocks_that_cannot_be_marked_are_passed_over() -> None:
    request = body(
        system=[text(2000), {"type": "text", "text": " "}],
        messages=[
            QUESTION,
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}]},
        ],
    )
    assert marks(request, "5m") == (Mark(0, "5m"),)
    assert marks(request, "automatic") == (Mark(2, "5m"),)


def test_only_strategies_that_make_sense_are_compared() -> None:
    assert strategies_for(shape_of_sizes(1000, 50)) == ("none", "5m", "1h", "automatic")
    assert strategies_for(shape_of_sizes(1000, 50, growth=100)) == ("none", "5m", "1h", "mixed", "automatic")
    assert strategies_for(shape_of_sizes(1000, 50), "none") == ("none",)


def test_a_small_turn_does_not_keep_its_question(run: Any) -> None:
    assert shape_of_sizes(1000, 50, growth=60).keeps_questions
    assert not shape_of_sizes(1000, 50, growth=40).keeps_questions
    assert run(body(system=[text(2000)]), growth=60).strategy("automatic").reads == 9


def test_the_speed_and_geography_of_the_body_are_priced(run: Any) -> None:
    plain = run(TOOLS_AND_SYSTEM).best.cost_usd
    assert run({**TOOLS_AND_SYSTEM, "speed": "fast"}).best.cost_usd == 2 * plain
    assert run({**TOOLS_AND_SYSTEM, "inference_geo": "us"}).best.cost_usd * 10 == 11 * plain
    with pytest.raises(Undecidable, match="no fast-mode price"):
        run({**TOOLS_AND_SYSTEM, "speed": "fast", "model": "claude-haiku-4-5"})


FIVE = [text(600 + number, cache_control=EPHEMERAL) for number in range(5)]
THINKING = [{"type": "thinking", "thinking": "hm", "signature": "", "cache_control": EPHEMERAL}]


@pytest.mark.parametrize(
    ("request_body", "place", "words"),
    [
        (body(system=FIVE), "system[4].cache_control", "5 breakpoints; the API allows 4"),
        (body(system=FIVE[:4], cache_control=EPHEMERAL), "cache_control", "automatic caching included"),
        (
            body(tools=[tool(9, cache_control=EPHEMERAL)], system=[text(9, cache_control=HOUR)]),
            "system[0].cache_control",
            "a 1h breakpoint stands after a 5m one",
        ),
        (body(system=[{"type": "text", "text": "", "cache_control": EPHEMERAL}]), "system[0].cache_control", "empty"),
        (body(messages=[QUESTION, {"role": "assistant", "content": THINKING}]), "messages[1].content[0]", "thinking"),
        (
            body(messages=[{"role": "user", "content": [text(9, cache_control=HOUR)]}], cache_control=EPHEMERAL),
            "cache_control",
            "meets a block that is marked with 1h",
        ),
    ],
)
def test_breakpoints_that_the_api_refuses_are_named_by_their_place(
    run: Any, request_body: dict[str, Any], place: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        run(request_body)
    assert f"body.json:{place}" in str(caught.value.where)
