"""Line charts in plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from costkit.core.money import display

MARKERS = "●○▲△■□"
"""One for each series; told apart without colour."""
_WIDTH, _HEIGHT = 64, 12


@dataclass(frozen=True, slots=True)
class Series:
    """A line: one amount in US dollars for each step, from the first."""

    name: str
    amounts: Sequence[Decimal]


def line_chart(series: Sequence[Series], x_title: str) -> tuple[str, ...]:
    """Draw series of equal length over each other, the first one on top, with axes and a legend."""
    count = len(series[0].amounts)
    top = max(max(line.amounts) for line in series) or Decimal(1)
    columns = min(_WIDTH, max(count, 2) * 6)
    grid = [[" "] * columns for _ in range(_HEIGHT)]
    for marker, line in reversed(list(zip(MARKERS, series, strict=False))):
        for column in range(columns):
            index = round(column * (count - 1) / (columns - 1))
            row = _HEIGHT - 1 - int(line.amounts[index] / top * (_HEIGHT - 1) + Decimal("0.5"))
            grid[row][column] = marker
    labels = {
        0: display(top),
        _HEIGHT // 2: display(top * (_HEIGHT - 1 - _HEIGHT // 2) / (_HEIGHT - 1)),
        _HEIGHT - 1: "$0",
    }
    margin = max(map(len, labels.values()))
    lines = [
        f" {labels.get(number, ''):>{margin}} {'┤' if number in labels else '│'}{''.join(row).rstrip()}"
        for number, row in enumerate(grid)
    ]
    lines.append(f" {'':>{margin}} └{'─' * columns}")
    end = f"{count:,}"
    title = f"1{x_title:^{columns - 1 - len(end)}}{end}"
    lines.append(f" {'':>{margin}}  {title}")
    legend = "   ".join(f"{marker} {line.name}" for marker, line in zip(MARKERS, series, strict=False))
    lines.append(f" {'':>{margin}}  {legend}")
    return tuple(lines)
