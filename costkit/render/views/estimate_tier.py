"""The part of `costkit estimate --tier`: how long the requests take in an account, and what limits them."""

from __future__ import annotations

from collections.abc import Iterator

from costkit.estimate.account import AccountTimes, ModelPaces, Pace
from costkit.render.view import Cell, Column, Kind, Labelled, Table
from costkit.render.views.simulate import spoken_gap

_WAYS = {"as-sent": "as sent", "cached-5m": "cached 5m", "batch": "in batches"}
_LIMITS = {
    "requests": "requests per minute",
    "input_tokens": "input tokens per minute",
    "output_tokens": "output tokens per minute",
    "queue": "24 h for each full queue",
}


def times_table(times: AccountTimes) -> Table:
    """One row per model and way of sending."""
    columns = (
        Column("model", "model"),
        Column("sent", "way"),
        Column("requests", "requests", Kind.COUNT),
        Column("takes", "seconds", Kind.COUNT),
        Column("limited by", "limit"),
        Column("requests alone", "requests_seconds", Kind.COUNT, rank=1),
        Column("input alone", "input_tokens_seconds", Kind.COUNT, rank=1),
        Column("output alone", "output_tokens_seconds", Kind.COUNT, rank=1),
    )
    rows = [row for model in times.models for row in _rows(model)]
    return Table(columns, tuple(rows), title=f"in tier {times.tier}")


def _rows(model: ModelPaces) -> Iterator[tuple[Cell, ...]]:
    for pace in model.paces:
        yield (
            model.model,
            Labelled(pace.way, _WAYS[pace.way]),
            model.requests,
            _spoken(pace.seconds, pace),
            Labelled(pace.limit, _LIMITS[pace.limit or ""]),
            _spoken(pace.requests_seconds, pace),
            _spoken(pace.input_tokens_seconds, pace),
            _spoken(pace.output_tokens_seconds, pace),
        )


def _spoken(seconds: int | None, pace: Pace) -> Cell:
    if seconds is None:
        return None
    return Labelled(seconds, f"at most {spoken_gap(seconds)}" if pace.way == "batch" else spoken_gap(seconds))


def times_facts(times: AccountTimes) -> list[str]:
    """Where the limits come from and what they leave out."""
    shared = [f"{model.model} shares its limits with {', '.join(model.shares_with)}" for model in times.models
              if model.shares_with]  # fmt: skip
    return [*shared, f"limits of {times.checked} ({times.source}), at a steady rate"]
