"""What `costkit calibrate` has learnt, for the commands that count tokens: the corrections, and how they are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from costkit.core.notice import Assumption

if TYPE_CHECKING:
    from costkit.adapters.calibration_file import Calibration
    from costkit.estimate import Estimate
    from costkit.estimate.calibration import Correction

SOURCE = "costkit calibrate"
_CORRECTED = ("calibrated", "mixed")


def calibration_here() -> Calibration:
    """The corrections that hold for this user and this version."""
    from costkit.adapters.calibration_file import read_calibration
    from costkit.adapters.state_folder import state_folder

    return read_calibration(state_folder())


def told(estimate: Estimate, calibration: Calibration) -> Estimate:
    """The estimate with what its counts were corrected by, and why other corrections weren't used."""
    methods = {item.input_tokens.method for item in estimate.items}
    if methods <= {"exact"}:
        return estimate
    assumptions = told_in_assumptions(calibration.corrections, methods)
    return replace(
        estimate,
        assumptions=(*estimate.assumptions, *assumptions),
        notices=(*estimate.notices, *calibration.notices),
    )


def told_in_assumptions(corrections: Iterable[Correction], methods: Iterable[str]) -> Iterator[Assumption]:
    """Say what counts were corrected by, where any was; `methods` are those of the answer's counts."""
    if any(method in _CORRECTED for method in methods):
        for one in corrections:
            yield Assumption("calibration", spoken(one), SOURCE)


def spoken(one: Correction) -> str:
    """A correction in words."""
    how = f"tokenizer {one.family}, ratio {one.ratio.normalize():f}"
    return f"calibrated on {one.requests:,} of your requests, {one.day} ({how})"
