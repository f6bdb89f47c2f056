"""What a job is going to cost, for a person who is about to decide."""

from __future__ import annotations

from costkit.batch.job import Job
from costkit.batch.preview import Preview
from costkit.render.text import plural
from costkit.render.view import Column, Kind, Table, View


def preview_view(job: Job, preview: Preview) -> View:
    """One row for each model, the price outside of a batch beside it."""
    counted = "all counted"
    if preview.counted < preview.requests:
        counted = f"{preview.counted:,} of them counted"
    parts = (plural(job.requests, "request"), counted, f"in {plural(len(job.batches), 'batch', 'batches')}")
    return View(" · ".join(parts), (preview_table(preview),))


def preview_table(preview: Preview) -> Table:
    """Requests, tokens, expected cost, ceiling and the synchronous price by model."""
    columns = (
        Column("model", "model"),
        Column("requests", "requests", Kind.COUNT),
        Column("tokens in", "input_tokens", Kind.TOKENS),
        Column("counted", "method"),
        Column("expected", "expected_usd", Kind.USD),
        Column("at most", "ceiling_usd", Kind.USD),
        Column("outside of a batch", "synchronous_usd", Kind.USD),
    )
    rows = tuple(
        (
            model.model,
            model.requests,
            model.input_tokens.tokens,
            model.input_tokens.method,
            model.cost_usd.expected,
            model.cost_usd.ceiling,
            model.synchronous_usd,
        )
        for model in preview.models
    )
    total = (
        "all",
        preview.requests,
        preview.input_tokens.tokens,
        preview.input_tokens.method,
        preview.cost_usd.expected,
        preview.cost_usd.ceiling,
        preview.synchronous_usd,
    )
    several = len(rows) > 1
    return Table(columns, (*rows, total) if several else rows, total_rows=int(several))
