"""Which rule decides, and that it says so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.core.request import parse_request
from costkit.route import Decision, Kind, Route, Routes, Verdict, classify, decide
from costkit.route.kinds import ALL_KINDS, Reason
from costkit.route.routes import gaps, never_taken
from costkit.route.rules import OwnRule, Sizes

LOOK = {"name": "look", "input_schema": {"type": "object"}}


def verdict(task: str, own: tuple[OwnRule, ...] = (), sizes: Sizes | None = None, **body: Any) -> Verdict:
    messages = body.pop("messages", [{"role": "user", "content": task}])
    return classify(parse_request({"messages": messages, **body}), sizes, own)


def rules(found: Verdict) -> dict[str, str]:
    return {reason.about: reason.rule for reason in found.reasons}


@pytest.mark.parametrize(
    ("task", "body", "complexity", "rule"),
    [
        ("Translate to French: good morning", {}, "simple", "plain-verb"),
        ("Please summarise this. " + "The cat sat on the mat. " * 40, {}, "simple", "plain-verb"),
        ("Say something nice. " * 30, {"max_tokens": 100}, "simple", "short-answer"),
        ("When was Oslo founded?", {}, "simple", "short-task"),
        ("When was Oslo founded?", {"tools": [LOOK]}, "moderate", "otherwise"),
        ("Write a letter to the town. " * 30, {}, "moderate", "otherwise"),
        ("Hi", {"output_config": {"effort": "high"}}, "complex", "high-effort"),
        ("Summarise: " + "word " * 10_000, {}, "complex", "long-prompt"),
        ("Summarise: " + "word " * 3_000, {}, "moderate", "otherwise"),
        ("Do this", {"tools": [LOOK] * 10}, "complex", "many-tools"),
        ("Make:\n- one\n- two\n- three\n- four\n- five", {}, "complex", "several-parts"),
        ("Why? Who? When? Where?", {}, "complex", "several-questions"),
        ("Debug this step by step", {}, "complex", "code-and-reasoning"),
    ],
)
def test_the_rule_that_decides_how_complex_a_request_is(
    task: str, body: dict[str, Any], complexity: str, rule: str
) -> None:
    found = verdict(task, **body)
    assert (found.kind and found.kind.complexity, rules(found)["complexity"]) == (complexity, rule)


@pytest.mark.parametrize(
    ("task", "body", "rule"),
    [
        ("What does this do?\n```\nx = 1\n```", {}, "code-fence"),
        ("It fails with\nTraceback (most recent call last)", {}, "code-line"),
        ("SELECT name FROM users", {}, "code-line"),
        ("Write it in TypeScript", {}, "code-word"),
        ("Go on", {"tools": [{"type": "bash_20250124", "name": "bash"}]}, "code-tool"),
    ],
)
def test_what_says_that_code_is_needed(task: str, body: dict[str, Any], rule: str) -> None:
    found = verdict(task, **body)
    assert found.kind is not None
    assert (found.kind.code, rules(found)["code"]) == (True, rule)


@pytest.mark.parametrize(
    ("task", "body", "rule"),
    [
        ("Prove that there is no largest prime", {}, "reasoning-word"),
        ("What is new?", {"thinking": {"type": "adaptive"}}, "thinking-on"),
    ],
)
def test_what_says_that_reasoning_is_needed(task: str, body: dict[str, Any], rule: str) -> None:
    found = verdict(task, **body)
    assert found.kind is not None
    assert (found.kind.reasoning, rules(found)["reasoning"]) == (True, rule)


@pytest.mark.parametrize(
    "body", [{"thinking": {"type": "disabled"}}, {"messages": [{"role": "user", "content": "An improvement"}]}]
)
def test_what_does_not_say_that_reasoning_is_needed(body: dict[str, Any]) -> None:
    found = verdict("Improve it", **body)
    assert found.kind is not None
    assert not found.kind.reasoning


def test_the_task_is_the_last_thing_that_the_user_said_not_what_a_tool_returned() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "```python\nprint(1)\n```"}
    messages = [
        {"role": "user", "content": "What is the weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {}}]},
        {"role": "user", "content": [result]},
    ]
    found = verdict("", messages=messages)
    assert found.kind == Kind("simple")


def test_own_rules_win_over_the_built_in_ones_and_the_first_one_wins() -> None:
    own = (
        OwnRule("legal", ("contract",), "complex", reasoning=True),
        OwnRule("short", ("translate",), "simple", code=False),
    )
    found = verdict("Translate this Contract with SQL in it", own)
    assert found.kind == Kind("complex", code=False, reasoning=True)
    assert rules(found) == {"complexity": "legal", "code": "short", "reasoning": "legal"}
    assert found.reasons[0].because == "the task contains 'contract'"


@pytest.mark.parametrize("task", ["\n" * 200_000, " " * 200_000 + "x", "- \n" * 100_000, "SELECT " * 50_000])
def test_odd_texts_are_read_in_one_pass(task: str) -> None:
    """Patterns that try every start again would take hours here."""
    assert verdict(f"x\n{task}").kind in ALL_KINDS


def test_own_rules_find_whole_words_only() -> None:
    assert (
        rules(verdict("Contractors are here", (OwnRule("legal", ("contract",), "complex"),)))["complexity"] != "legal"
    )


def test_sizes_can_be_moved() -> None:
    task = "Tell me about Oslo. " * 5
    assert verdict(task).kind == Kind("simple")
    assert verdict(task, sizes=Sizes(short_task=20)).kind == Kind("moderate")
    assert verdict(task, sizes=Sizes(long_prompt=50)).kind == Kind("complex")


@given(st.text(max_size=500), st.sampled_from([None, 1, 100, 4096]), st.integers(0, 12))
def test_every_request_gets_a_kind_with_a_reason_and_the_same_one_each_time(
    task: str, max_tokens: int | None, tools: int
) -> None:
    body: dict[str, Any] = {"max_tokens": max_tokens, "tools": [LOOK] * tools}
    found = verdict(task, **body)
    assert found.kind in ALL_KINDS
    assert found.reasons[0].about == "complexity"
    assert found == verdict(task, **body)


ROUTES = st.lists(
    st.builds(
        Route,
        st.just("r"),
        st.just("m"),
        st.sampled_from([None, ("simple",), ("moderate", "complex"), ("complex",)]),
        st.sampled_from([None, True, False]),
        st.sampled_from([None, True, False]),
    ),
    max_size=5,
)


@given(ROUTES)
def test_routes_have_no_gap_exactly_where_every_kind_has_a_first_route(routes: list[Route]) -> None:
    taken = [next((at for at, route in enumerate(routes) if route.fits(kind)), None) for kind in ALL_KINDS]
    assert gaps(routes) == tuple(kind for kind, at in zip(ALL_KINDS, taken, strict=True) if at is None)
    assert set(never_taken(routes)) == set(range(len(routes))) - set(taken)


@given(ROUTES, st.sampled_from(ALL_KINDS))
def test_the_first_route_that_fits_is_taken(routes: list[Route], kind: Kind) -> None:
    routes.append(Route("last", "other"))
    found = decide(Routes(tuple(routes), "safe-model"), Verdict(kind, (Reason("complexity", "x", "y"),)))
    first = next(route for route in routes if route.fits(kind))
    assert (found.model, found.route) == (first.model, first.name)


def test_no_verdict_goes_to_the_safe_model() -> None:
    found = decide(
        Routes((Route("all", "m"),), "safe-model"), Verdict(None, (Reason("fallback", "no-answer", "cut off"),))
    )
    assert found == Decision("safe-model", "safe", None, (Reason("fallback", "no-answer", "cut off"),))
    assert found.rule == "no-answer"
