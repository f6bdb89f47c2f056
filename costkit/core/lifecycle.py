"""What to say about a model that is about to go, or gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice


def lifecycle_notices(model: ModelPrice, day: date) -> Iterator[Notice]:
    """Say when a model is deprecated or retired."""
    status = model.lifecycle.status(day)
    if status == "retired":
        message = f"{model.id} is retired since {model.lifecycle.retired}: requests to it fail"
        yield Notice("model-retired", message)
    elif status == "deprecated":
        until = f", retires on {model.lifecycle.retired}" if model.lifecycle.retired else ""
        yield Notice("model-deprecated", f"{model.id} is deprecated{until}")
