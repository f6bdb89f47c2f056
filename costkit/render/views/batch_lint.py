"""The page of `costkit batch lint`: what is in the file, and what is wrong with it."""

from __future__ import annotations

from costkit.batch.lint import LintReport
from costkit.render.text import plural
from costkit.render.view import Column, Kind, Table, View

_MB = 1_000_000


def lint_view(report: LintReport, next_command: str | None, footer: str) -> View:
    """The problems by line, first ones in full; else the requests by model."""
    headline = f"{report.path} · {plural(report.requests, 'request')}"
    if report.problems_total:
        return View(f"{headline} · {plural(report.problems_total, 'problem')}", (_problems(report),), _more(report))
    facts = (f"sha256 {report.digest} of the canonical lines", footer)
    return View(f"{headline} · {_size(report.bytes or 0)} · no problems", (_models(report),), facts, next_command)


def _problems(report: LintReport) -> Table:
    columns = (
        Column("line", "line", Kind.COUNT),
        Column("custom_id", "custom_id"),
        Column("code", "code"),
        Column("problem", "message"),
    )
    return Table(columns, tuple((p.line or None, p.custom_id, p.code, p.message) for p in report.problems))


def _more(report: LintReport) -> tuple[str, ...]:
    hidden = report.problems_total - len(report.problems)
    if not hidden:
        return ()
    kinds = ", ".join(f"{count.count:,} {count.code}" for count in report.problem_counts)
    return (f"{hidden:,} more; in all {kinds}",)


def _models(report: LintReport) -> Table:
    columns = (Column("model", "model"), Column("requests", "requests", Kind.COUNT))
    return Table(columns, tuple((row.model, row.requests) for row in report.models))


def _size(size: int) -> str:
    return f"{size / _MB:,.1f} MB" if size >= _MB else plural(size, "byte")
