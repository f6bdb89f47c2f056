"""Stacked bars in plain text, one line each, in the width that there is: spend over time, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from costkit.core.money import display, total
from costkit.render.harmless import harmless

_BLOCKS, _ASCII = "█▒▓░▚▞", "#=+-%o"
"""One mark for each series; neighbours are told apart without colour."""
_FEWEST, _MOST = 10, 100
"""Columns of the longest bar."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A series: its name, and one amount in US dollars for each bar."""

    name: str
    amounts: Sequence[Decimal]


def bar_chart(
    title: str, labels: Sequence[str], layers: Sequence[Layer], *, width: int, plain: bool = False
) -> tuple[str, ...]:
    """Draw a bar for each label, with a legend below; `plain` uses no character beyond ASCII.

    An amount that is not zero is always seen: each layer of a bar takes at least one column.
    """
    marks = _ASCII if plain else _BLOCKS
    sums = [total(layer.amounts[number] for layer in layers) for number in range(len(labels))]
    amounts = [display(amount) if amount else "" for amount in sums]
    margin = max(map(len, labels), default=0)
    room = width - margin - max(map(len, amounts), default=0) - 3
    longest = max(_FEWEST, min(_MOST, room)) - len(layers)
    top = max(sums, default=Decimal(0))
    lines = [title]
    for number, label in enumerate(labels):
        bar = _bar([layer.amounts[number] for layer in layers], top, longest, marks)
        lines.append(f" {label:<{margin}} {bar}{' ' if bar else ''}{amounts[number]}".rstrip())
    return (*lines, *_legend(layers, marks, width))


def _bar(parts: Sequence[Decimal], top: Decimal, longest: int, marks: str) -> str:
    """Each end is rounded by itself, so that rounding never adds up."""
    drawn, reached, spent = "", 0, Decimal(0)
    for mark, part in zip(marks, parts, strict=False):
        if part <= 0:
            continue
        spent += part
        end = max(reached + 1, round(spent / top * longest))
        drawn += mark * (end - reached)
        reached = end
    return drawn


def _legend(layers: Sequence[Layer], marks: str, width: int) -> list[str]:
    entries = [f"{mark} {harmless(layer.name)}" for mark, layer in zip(marks, layers, strict=False)]
    lines = [""]
    for entry in entries:
        longer = f"{lines[-1]}   {entry}" if lines[-1].strip() else f" {entry}"
        if len(longer) > width and lines[-1].strip():
            lines.append(f" {entry}")
        else:
            lines[-1] = longer
    return [line for line in lines if line]
