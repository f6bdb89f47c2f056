"""The page of `costkit calibrate`: what was learnt, and how much better counts are for it."""

from __future__ import annotations

from collections.abc import Sequence

from costkit.estimate.calibration import Correction
from costkit.render.text import plural
from costkit.render.view import Column, Kind, Table, View

_COLUMNS = (
    Column("tokenizer", "family"),
    Column("requests", "requests", Kind.COUNT),
    Column("holding", "kinds", rank=2),
    Column("learnt", "day", rank=1),
    Column("ratio", "ratio", Kind.RATIO),
    Column("below", "below", Kind.SHARE, for_people=False),
    Column("above", "above", Kind.SHARE, for_people=False),
    Column("off before", "error_before", Kind.SHARE),
    Column("off now", "error_after", Kind.SHARE),
    Column("method", "method", for_people=False),
)
_NOTHING = "no calibration: local counts are used as they are"


def calibrate_view(corrections: Sequence[Correction], compared: int | None, next_command: str | None) -> View:
    """Lay out corrections; `compared` is how many requests were just counted exactly, if any were."""
    if not corrections:
        return View(_NOTHING, next_command=next_command)
    learnt = "" if compared is None else f" · {plural(compared, 'request')} counted exactly"
    rows = tuple(
        (
            one.family,
            one.requests,
            ", ".join(one.kinds),
            one.day.isoformat(),
            one.ratio.normalize(),
            one.below,
            one.above,
            one.error_before,
            one.error_after,
            one.method,
        )
        for one in corrections
    )
    fact = "off: the error that nine of ten requests stay within, each judged by what the others taught"
    return View(f"local counts are calibrated{learnt}", (Table(_COLUMNS, rows),), (fact,), next_command)
