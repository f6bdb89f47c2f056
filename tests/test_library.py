"""The functions of `import costkit`: bad values are errors of ours, whatever their type."""

from __future__ import annotations

from typing import Any

import pytest

import costkit
from costkit.errors import CostkitError, InvalidInput


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_tokens": -1}, "output_tokens must be a whole number from 0, not -1"),
        ({"output_tokens": 1.5}, "output_tokens must be a whole number from 0, not 1.5"),
        ({"max_tokens": "10"}, "max_tokens must be a whole number from 0, not '10'"),
        ({"repeat": 0}, "the number of requests must be a whole number from 1, not 0"),
        ({"repeat": True}, "the number of requests must be a whole number from 1, not True"),
        ({"models": "claude-opus-5-5"}, "models must be a list, even of one"),
        ({"requests": "Hello"}, "requests must be a list, even of one"),
        ({"requests": {"messages": []}}, "requests must be a list, even of one"),
    ],
)
def test_values_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"requests": ["Hello"], "models": ["claude-opus-5-5"], "tokens": "fast"} | arguments
    with pytest.raises(InvalidInput, match=message):
        costkit.estimate_requests(given.pop("requests"), **given)


@pytest.mark.parametrize("request_", [5, None, {"messages": "x"}, {"messages": [{"role": "user", "content": 5}]}])
def test_a_request_that_is_none_is_refused(request_: Any) -> None:
    with pytest.raises(CostkitError):
        costkit.estimate_requests([request_], ["claude-opus-5-5"], tokens="fast")


def test_a_request_without_any_model_is_refused_and_not_left_out() -> None:
    named = {"model": "claude-opus-5-5", "messages": [{"role": "user", "content": "Hello"}]}
    with pytest.raises(InvalidInput, match=r"requests\[1\]: no model is named"):
        costkit.estimate_requests([named, "Hello"], tokens="fast")


def test_a_usage_cannot_lower_a_bill() -> None:
    with pytest.raises(CostkitError):
        costkit.Usage(input_tokens=-5)
