"""Which requests a budget counts, and that nothing goes uncounted by accident."""

from __future__ import annotations

import pytest

from costkit import load_price_book
from costkit.budget import Traits, covers, parse_scope, scope_text
from costkit.errors import InvalidInput

BOOK = load_price_book()


@pytest.mark.parametrize(
    ("scope", "traits", "covered"),
    [
        ("model=*opus*", Traits("claude-opus-5-5"), True),
        ("model=*OPUS*", Traits("anthropic/claude-opus-5-5"), True),
        ("model=claude-opus-5-5", Traits("anthropic/claude-opus-5-5"), True),
        ("model=*opus*", Traits("claude-haiku-5-5"), False),
        ("model=*opus*,model=*haiku*", Traits("claude-haiku-5-5"), True),
        ("model=private-1", Traits("private-1"), True),
        ("user=ann", Traits(tags={"user": "Ann"}), True),
        ("user=ann", Traits(tags={"user": "bob"}), False),
        ("tag=team:search", Traits(tags={"team": "search"}), True),
        ("tag=team:search", Traits(tags={"group": "search"}), False),
        ("tag=search", Traits(tags={"group": "search"}), True),
        ("tag=search", Traits(), False),
        ("model=*opus*,tag=team:a", Traits("claude-opus-5-5", {"team": "b"}), False),
        ("model=*opus*,tag=team:a", Traits("claude-opus-5-5", {"team": "a"}), True),
    ],
)
def test_terms_of_one_key_are_alternatives_and_every_key_must_fit(scope: str, traits: Traits, *, covered: bool) -> None:
    assert covers(parse_scope(scope), traits, BOOK) is covered


def test_a_budget_without_a_scope_covers_everything() -> None:
    assert covers((), Traits(), BOOK)


@pytest.mark.parametrize("scope", ["model=*", "user=*"])
def test_a_request_that_leaves_out_what_a_scope_asks_for_is_no_exception_from_it(scope: str) -> None:
    with pytest.raises(InvalidInput, match="nothing says which"):
        covers(parse_scope(scope), Traits(), BOOK)


@pytest.mark.parametrize("text", ["model=*opus*,tag=team:search,user=ann", "tag=a", "model=x,model=y"])
def test_a_scope_is_written_as_it_is_read(text: str) -> None:
    assert scope_text(parse_scope(text)) == text


@pytest.mark.parametrize("text", ["model", "model=", "modle=x", "=x", "model=x,,", "tag=:x", "tag=team:"])
def test_anything_else_is_no_scope(text: str) -> None:
    with pytest.raises(InvalidInput, match="--scope"):
        parse_scope(text)
