"""Lines of logs for advice: requests whose tokens can be read off their texts, and bills that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cache_requests import DAY, StatedCounter

from costkit.adapters.call_log import read_calls
from costkit.adapters.pricing_yaml import built_in_book
from costkit.advise import Advice, AdviseOptions, Finding, advise_on
from costkit.core.pricebook import ModelPrice
from costkit.core.request import Request
from costkit.core.tokens import PartCount, TokenCount, TokenCounter

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(second: float) -> str:
    """A moment, counted from noon."""
    return (NOON + timedelta(seconds=second)).isoformat()


def request(second: float, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A line with a request whose response is not in the log."""
    return {"ts": at(second), "request": body, **more}


def response(second: float, number: int, model: str = "claude-opus-5-5", **more: Any) -> dict[str, Any]:
    """A line of a usage log; counts are those of `usage`, `w5` and `w1` cache writes, everything else of the line."""
    short, long = more.pop("w5", 0), more.pop("w1", 0)
    usage = {
        "input_tokens": more.pop("input", 0),
        "output_tokens": more.pop("output", 0),
        "cache_read_input_tokens": more.pop("read", 0),
        "cache_creation_input_tokens": short + long,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        **more.pop("usage", {}),
    }
    return {"ts": at(second), "model": model, "id": f"msg_{number}", "usage": usage, **more}


def answered(second: float, number: int, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A line with a request and the message that came back."""
    line = response(second, number, body["model"], **more)
    message = {name: line.pop(name) for name in ("id", "model", "usage")} | {"type": "message", "role": "assistant"}
    message["stop_reason"] = line.pop("stop_reason", "end_turn")
    return {**line, "request": body, "response": message}


class CharacterCounter(StatedCounter):
    """Takes every character of a text for a token."""

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:  # noqa: ARG002  the protocol
        sizes = [len(str(block.value.get("text", ""))) for block in request.blocks]
        counts = [TokenCount(size, size, size, "offline") for size in sizes]
        return [PartCount(block.path, block, count) for block, count in zip(request.blocks, counts, strict=True)]


def advice_of(folder: Path, lines: list[dict[str, Any]], counter: TokenCounter | None = None) -> Advice:
    """Write the lines to a file, read it as the command does, and advise."""
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return advise_on(read_calls([str(path)]), counter or StatedCounter(), built_in_book(), AdviseOptions(DAY))


def finding(advice: Advice, code: str) -> Finding:
    """The finding of this code."""
    return next(found for found in advice.findings if found.code == code)


def codes(advice: Advice) -> list[str]:
    """The codes of all findings, in the order in which the remedies were applied."""
    return [found.code for found in sorted(advice.findings, key=lambda found: found.order)]
