"""Which requests a budget covers: those of some models, tags or users; every request where nothing is said."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from costkit.core.pricebook import PriceBook
from costkit.errors import InvalidInput, UnknownModel

USER = "user"
"""The tag that says on whose behalf a request is made."""
_MODEL, _TAG = "model", "tag"
_HINT = "write it as model=*opus*,tag=team:search,user=ann"


class Traits(NamedTuple):
    """What is known about a request before it is sent."""

    model: str | None = None
    """Any name of the model."""
    tags: Mapping[str, str] = {}


class Term(NamedTuple):
    """One condition of a scope; patterns may hold `*` and `?`, and case doesn't matter."""

    key: str
    """`model`, `user` or `tag`."""
    tag: str | None
    """The name of the tag; `None` means any tag."""
    pattern: str

    def __str__(self) -> str:
        return f"{self.key}={f'{self.tag}:' if self.tag else ''}{self.pattern}"


Scope = tuple[Term, ...]
"""Terms of one key are alternatives; every key that is named must fit. Empty covers everything."""


def parse_scope(text: str) -> Scope:
    """Read `model=*opus*,tag=team:search,user=ann`; raises `InvalidInput` for anything else."""
    return tuple(dict.fromkeys(_term(part.strip(), text) for part in text.split(",")))


def _term(part: str, text: str) -> Term:
    key, equals, pattern = (piece.strip() for piece in part.partition("="))
    if not equals or not pattern or key not in (_MODEL, _TAG, USER):
        raise InvalidInput(f"--scope {text!r}: {part!r} is not model=, tag= or user= with a value", hint=_HINT)
    name, colon, value = pattern.partition(":")
    if key == _TAG and colon:
        if not name or not value:
            raise InvalidInput(f"--scope {text!r}: {part!r} is not tag=NAME:VALUE", hint=_HINT)
        return Term(key, name, value)
    return Term(key, None, pattern)


def scope_text(scope: Scope) -> str | None:
    """A scope as it is typed; `None` where it covers everything."""
    return ",".join(map(str, scope)) or None


def covers(scope: Scope, traits: Traits, book: PriceBook) -> bool:
    """Whether a budget with this scope counts a request.

    Raises `InvalidInput` where the request doesn't say what the scope asks for: left out by accident would be
    left uncounted.
    """
    keys = dict.fromkeys(term.key for term in scope)
    return all(_fits([term for term in scope if term.key == key], traits, book) for key in keys)


def _fits(terms: list[Term], traits: Traits, book: PriceBook) -> bool:
    key = terms[0].key
    if key == _MODEL:
        if traits.model is None:
            raise _unsaid(terms, "model")
        names = {traits.model, _canonical(traits.model, book)}
        return any(_like(name, term.pattern) for name in names for term in terms)
    if key == USER:
        if USER not in traits.tags:
            raise _unsaid(terms, "user")
        return any(_like(traits.tags[USER], term.pattern) for term in terms)
    return any(_tagged(term, traits.tags) for term in terms)


def _tagged(term: Term, tags: Mapping[str, str]) -> bool:
    values = tags.values() if term.tag is None else [tags[term.tag]] if term.tag in tags else []
    return any(_like(value, term.pattern) for value in values)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


def _canonical(name: str, book: PriceBook) -> str:
    try:
        return book.resolve(name).id
    except UnknownModel:
        return name


def _unsaid(terms: list[Term], what: str) -> InvalidInput:
    listed = ",".join(map(str, terms))
    return InvalidInput(f"the budget covers only {listed}, and nothing says which {what} this is", code="scope-unsaid")
