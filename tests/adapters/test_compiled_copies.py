"""The compiled copies of the shipped data say what the YAML files say."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

import costkit
from costkit.adapters.compiled import compiled_copy, parse_data
from costkit.adapters.pricing_yaml import built_in_book, parse_book
from costkit.adapters.yaml_tree import from_plain, parse_tree, to_plain

PACKAGE = Path(costkit.__file__).parent
TOKENS = PACKAGE / "adapters" / "tokens"
HINT = "run .ci/compile-data after changing a shipped YAML file"


@pytest.mark.parametrize("path", [TOKENS / "overheads.yaml", TOKENS / "weights.yaml"], ids=lambda path: path.stem)
def test_the_copy_of_a_data_file_is_made_from_its_present_bytes(path: Path) -> None:
    data = path.read_bytes()
    assert compiled_copy(path.stem, sha256(data).hexdigest()) == parse_data(data), HINT


@pytest.mark.parametrize("path", [PACKAGE / "pricing.yaml", PACKAGE / "adapters" / "limits.yaml"], ids=lambda p: p.stem)
def test_the_copy_of_a_strict_file_is_made_from_its_present_bytes(path: Path) -> None:
    data = path.read_bytes()
    assert compiled_copy(path.stem, sha256(data).hexdigest()) == to_plain(parse_tree(data, path.name)), HINT


def test_the_book_from_the_copy_equals_the_book_from_the_file() -> None:
    data = (PACKAGE / "pricing.yaml").read_bytes()
    parsed = parse_book(data, "pricing.yaml", None)
    built_in = built_in_book()
    assert built_in.models == parsed.models
    assert (built_in.checked, built_in.sha256, built_in.sources) == (parsed.checked, parsed.sha256, parsed.sources)


def test_a_copy_is_not_used_for_other_bytes() -> None:
    assert compiled_copy("pricing", sha256(b"changed").hexdigest()) is None


def test_a_tree_survives_the_way_through_json() -> None:
    tree = parse_tree(b"a: 0.20\nb: [x, null, '']\nc: {d: ~}\n", "f.yaml")
    assert to_plain(from_plain(to_plain(tree), "f.yaml")) == {"a": "0.20", "b": ["x", None, ""], "c": {"d": None}}
