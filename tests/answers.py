"""What a command line answers, whoever runs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Stdout as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def items(self) -> list[Any]:
        """The items of an estimate."""
        items: list[Any] = self.document["result"]["items"]
        return items

    @property
    def warnings(self) -> list[str]:
        """The codes of the warnings of a document, in order."""
        return [warning["code"] for warning in self.document["warnings"]]
