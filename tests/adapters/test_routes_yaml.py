"""Files of routes: what is refused, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.routing.routes_yaml import load_routes
from costkit.errors import InvalidInput
from costkit.route.routes import Route
from costkit.route.rules import OwnRule, Sizes

BOOK = built_in_book()
ROUTES = """\
schema: costkit/routes@1
classifier: api
classifier_model: claude-haiku-4-5
safe: claude-opus-5-5
routes:
  - name: quick
    when: {complexity: simple, code: false}
    model: claude-haiku-5-5
  - name: code
    when: {complexity: [moderate, complex], code: true}
    model: anthropic/claude-opus-5.5
  - name: rest
    model: claude-sonnet-5-5
rules:
  - name: legal
    contains: [contract, law suit]
    then: {complexity: complex, reasoning: true}
sizes: {short_task: 100}
"""
LAST = "  - name: rest\n    model: claude-sonnet-5-5\n"


def test_a_file_of_routes_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)
    found = load_routes(str(path), BOOK)
    assert found.routes == (
        Route("quick", "claude-haiku-5-5", ("simple",), code=False),
        Route("code", "claude-opus-5-5", ("moderate", "complex"), code=True),
        Route("rest", "claude-sonnet-5-5"),
    )
    assert (found.safe, found.classifier) == ("claude-opus-5-5", "api")
    assert found.classifier_model == "claude-haiku-4-5-20251001"
    assert found.own_rules == (OwnRule("legal", ("contract", "law suit"), "complex", reasoning=True),)
    assert found.sizes == Sizes(short_task=100)


def test_the_example_is_valid(examples: Path) -> None:
    assert load_routes(str(examples / "routes.yaml"), BOOK).classifier == "rules"


@pytest.mark.parametrize(
    ("wrong", "right", "message", "hint"),
    [
        (
            "claude-sonnet-5-5",
            "claude-sonet-5-5",
            "13: routes[2]: model: unknown model",
            "did you mean claude-sonnet-5-5",
        ),
        ("safe: claude-opus-5-5", "safe: gpt-5", "4: safe: unknown model 'gpt-5'", "costkit pricing list"),
        (LAST, "", "6: no route for a request that is simple, code (and 5 more kinds)", "add a last route"),
        ("code: false", "speed: 1", "7: routes[0]: when has an unknown key 'speed'", "known: complexity"),
        ("complexity: simple", "complexity: easy", "7: routes[0]: complexity is unknown: 'easy'", "known: simple"),
        ("complexity: [moderate, complex]", "complexity: []", "10: routes[1]: complexity is empty", ""),
        ("code: true", "code: yes", "10: routes[1]: code is unknown: 'yes'", "known: true, false"),
        ("[moderate, complex], code: true", "simple, code: false", "9: the route 'code' is never taken", ""),
        ("name: rest", "name: quick", "12: the name 'quick' is used twice", ""),
        ("name: rest", "name: safe", "12: the name 'safe' is reserved", ""),
        ("contains: [contract, law suit]", "contains: []", "16: rules[0]: contains is empty", ""),
        ("{complexity: complex, reasoning: true}", "{}", "17: rules[0]: then is empty", ""),
        ("short_task: 100", "short_task: 0.5", "18: sizes: short_task must be a whole number", ""),
        ("classifier: api", "classifier: magic", "2: classifier is unknown: 'magic'", "known: rules, api"),
        ("routes@1", "routes@9", "1: schema is unknown", ""),
        ("safe: claude-opus-5-5\n", "", "1: the file of routes has no safe", ""),
        ("routes:\n", "routes: &x\n", "5: anchors and aliases", ""),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, right: str, message: str, hint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("routes.yaml").write_text(ROUTES.replace(wrong, right, 1))
    with pytest.raises(InvalidInput) as caught:
        load_routes("routes.yaml", BOOK)
    assert str(caught.value).startswith(f"routes.yaml:{message}")
    assert (caught.value.hint or "").startswith(hint)
    assert caught.value.code == "invalid-routes"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("big.yaml", b"#" * (1024 * 1024 + 1), "big.yaml: is larger than 1 MiB: not a file of routes"),
        ("binary.yaml", b"\xff\xfe\x00", "binary.yaml:1: not valid UTF-8"),
        ("empty.yaml", b"\n", "empty.yaml: the file is empty"),
        ("torn.yaml", b"routes: [", "torn.yaml:2: not valid YAML"),
    ],
)
def test_a_file_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(data)
    with pytest.raises(InvalidInput) as caught:
        load_routes(name, BOOK)
    assert str(caught.value).startswith(message)


def test_a_file_that_does_not_exist() -> None:
    with pytest.raises(InvalidInput, match=r"gone\.yaml: no such file"):
        load_routes("gone.yaml", BOOK)
