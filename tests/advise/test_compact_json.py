"""Indented JSON loses its white space and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.advise.compact import compact_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    value=st.dictionaries(st.text(), VALUES, min_size=1) | st.lists(VALUES, min_size=1),
    before=st.text(),
    after=st.text(),
)
def test_the_values_stay_the_same_to_the_last_character(value: object, before: str, after: str) -> None:
    text = f"{before}\n{json.dumps(value, indent=2, ensure_ascii=False)}\n{after}"
    compact = compact_json(text) or text
    assert len(compact) <= len(text)
    assert "".join(compact.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "compact"),
    [
        ('{\n  "a": 1.50,\n  "b": 1e5\n}', '{"a":1.50,"b":1e5}'),
        ('See [\n  1,\n  2\n] and {\n "x": "a  \\" b"\n}.', 'See [1,2] and {"x":"a  \\" b"}.'),
        ("if (a) {\n  run();\n}", None),
        ('{"a": 1}', None),
        ("no JSON", None),
        ('{\n  "torn": ', None),
    ],
)
def test_what_is_compacted(text: str, compact: str | None) -> None:
    assert compact_json(text) == compact


def test_a_deep_nest_is_left_alone() -> None:
    assert compact_json("[\n" * 100_000) is None
