"""Documents against the schemas that the program publishes."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator


def problems(document: Any) -> list[str]:
    """What a document gets wrong about the schema that it names."""
    name = document["schema"].removeprefix("costkit/").removesuffix("@1")
    schema = json.loads((resources.files("costkit") / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
