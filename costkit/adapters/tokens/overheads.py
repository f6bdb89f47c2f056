"""The measured constants around the text of a request, as one `Profile` per model.

The data, with their sources, are in `overheads.yaml` and `bands.yaml`; this module picks what holds for a model and
its family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from costkit.adapters.compiled import shipped_data
from costkit.core.modelname import spellings
from costkit.core.pricebook import ModelPrice

KINDS = (
    "text",
    "tools",
    "thinking",
    "structured",
    "images",
    "documents",
    "special_tools",
    "other",
    "tool_search",
    "server_tools",
)
"""Kinds of request with a band of their own, from the best understood to the least."""


@dataclass(frozen=True, slots=True)
class Band:
    """How far at least 90 % of the requests of a kind may be off: shares of the count, and tokens on top."""

    below: float
    above: float
    absolute: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that the layout of a request must know about a model; token numbers unless noted."""

    family: str
    generation: str
    frame: int
    turn: int
    merged: int
    system_message: int
    system: int
    system_after_tools: int
    wrapper: int
    listed_calls: bool
    """The tool calls of a message stand inside a list of their own."""
    patch: int
    """Side of the squares that pictures are cut into, in pixels; a bigger one costs as many tokens as it holds."""
    escape_non_ascii: bool
    """Tool definitions are counted as ASCII with escapes."""
    forgets_thinking: bool
    """Thinking blocks of finished turns aren't counted."""
    thinking: int
    adaptive: int
    interleaved: int
    round: int
    """Correction of each tool call."""
    tool_prompt: int
    """With `tool_choice` auto or none."""
    forced_tool_prompt: int
    """With `tool_choice` any or tool."""
    unsure: int
    """Half-width of an unpublished tool prompt."""
    newer: bool
    """The model is newer than the recorded requests."""
    image_tier: str
    rules: Mapping[str, Any]
    """The whole data file, for the groups that don't depend on the model."""

    def rule(self, group: str, name: str) -> float:
        """A constant of this family: `rules[group][family][name]`."""
        return float(self.rules[group][self.family][name])


def profile_for(model: ModelPrice) -> Profile:
    """The constants of a model; a model without an entry gets its family's, marked as newer than the data."""
    rules = load_rules()
    models = rules["models"]
    entry = next((models[name] for name in spellings(model.id) if name in models), None)
    if entry is None or rules["generations"][entry["generation"]]["family"] != model.tokenizer:
        entry = models[model.tokenizer]
    generation = rules["generations"][entry["generation"]]
    family = rules["families"][model.tokenizer]
    relaxed, forced = entry["tool_prompt"]
    return Profile(
        family=model.tokenizer,
        generation=entry["generation"],
        frame=family["frame"],
        turn=family["turn"],
        merged=family["merged"],
        system_message=family["system_message"],
        system=generation["system"],
        system_after_tools=generation["system_after_tools"],
        listed_calls=generation["listed_calls"],
        patch=entry.get("patch", rules["images"]["patch"]),
        wrapper=generation["wrapper"],
        escape_non_ascii=generation["escape"],
        forgets_thinking=generation["forgets_thinking"],
        thinking=generation["thinking"],
        adaptive=generation["adaptive"],
        interleaved=generation["interleaved"],
        round=entry.get("round", 0),
        tool_prompt=relaxed,
        forced_tool_prompt=forced,
        unsure=entry.get("unsure", 0),
        newer=entry.get("newer", False),
        image_tier=model.image_tier if model.image_tier in rules["images"] else "high_resolution",
        rules=rules,
    )


def band_for(engine: str, profile: Profile, kind: str) -> Band:
    """The band of an engine for one kind of request, wider for models newer than the data."""
    bands = profile.rules["bands"]
    below, above, absolute = bands[engine][profile.family][kind]
    newer = bands["newer"] if profile.newer else 0.0
    return Band(min(1.0, below + newer), above + newer, absolute)


@cache
def load_rules() -> Mapping[str, Any]:
    """Read `overheads.yaml` and `bands.yaml` once."""
    rules = cast("Mapping[str, Any]", shipped_data(Path(__file__).with_name("overheads.yaml")))
    return {**rules, "bands": shipped_data(Path(__file__).with_name("bands.yaml"))}
