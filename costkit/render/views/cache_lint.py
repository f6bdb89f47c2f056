"""The page of `costkit cache lint`: what to put right, and where."""

from __future__ import annotations

from costkit.cache.lint import CacheLint
from costkit.render.text import plural
from costkit.render.view import Column, Kind, Table, View


def cache_lint_view(lint: CacheLint) -> View:
    """One row per finding; many requests with the same one are a number."""
    several = any(finding.requests > 1 for finding in lint.findings)
    columns = (
        Column("where", "where"),
        Column("code", "code"),
        Column("requests", "requests", Kind.COUNT, for_people=several),
        Column("model", "model", for_people=False),
        Column("missing tokens", "missing_tokens", Kind.COUNT, for_people=False),
        Column("finding", "message"),
    )
    rows = tuple((f.where, f.code, f.requests, f.model, f.missing_tokens, f.message) for f in lint.findings)
    findings = plural(len(rows), "finding") if rows else "nothing to put right"
    headline = f"{plural(lint.requests, 'request')} · {plural(lint.breakpoints, 'breakpoint')} · {findings}"
    idle = lint.requests and not lint.breakpoints
    return View(
        headline,
        (Table(columns, rows),),
        next_command="costkit cache plan   says where breakpoints would pay" if idle else None,
    )
