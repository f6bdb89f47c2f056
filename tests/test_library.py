"""The functions of `import costkit`: bad values are errors of ours, whatever their type."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import mypy.api
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


@pytest.mark.parametrize("package", ["costkit", "costkit.report", "costkit.estimate", "costkit.adapters.logs"])
def test_the_names_of_a_package_that_loads_them_late_can_be_listed(package: str) -> None:
    module = import_module(package)

    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in dir(module))


def test_a_type_checker_knows_which_names_there_are(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import costkit\nfrom costkit.report import settel\ncostkit.Usages(input_tokens=5)\n")
    options = ["--config-file=", "--follow-imports=silent", f"--cache-dir={tmp_path / 'cache'}"]

    said, trouble, _ = mypy.api.run([*options, str(program)])

    assert trouble == ""
    assert 'has no attribute "settel"' in said
    assert 'has no attribute "Usages"' in said
