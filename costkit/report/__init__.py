"""What did we spend? A log becomes a mergeable summary of whole tokens; the summary is priced once, at the end."""

from typing import TYPE_CHECKING

from costkit.lazy import loader

if TYPE_CHECKING:
    from costkit.report.beside import Amounts, SourceComparison
    from costkit.report.charge import Charge
    from costkit.report.fold import summarize
    from costkit.report.group import parse_by, parse_since, parse_until, parse_zone
    from costkit.report.options import FoldOptions, ReportOptions
    from costkit.report.quality import Places, Quality, SkippedReason
    from costkit.report.recorded import Comparison, SessionComparison
    from costkit.report.records import FileRead, Item, Record, RecordedCost, Remark, Skipped
    from costkit.report.result import Figures, Period, Report, Row, Unpriced
    from costkit.report.settlement import report_on, settle
    from costkit.report.summary import UsageSummary, merge

_HOMES = {
    "Amounts": "costkit.report.beside",
    "Charge": "costkit.report.charge",
    "Comparison": "costkit.report.recorded",
    "Figures": "costkit.report.result",
    "FileRead": "costkit.report.records",
    "FoldOptions": "costkit.report.options",
    "Item": "costkit.report.records",
    "Period": "costkit.report.result",
    "Places": "costkit.report.quality",
    "Quality": "costkit.report.quality",
    "Record": "costkit.report.records",
    "RecordedCost": "costkit.report.records",
    "Remark": "costkit.report.records",
    "Report": "costkit.report.result",
    "ReportOptions": "costkit.report.options",
    "Row": "costkit.report.result",
    "SessionComparison": "costkit.report.recorded",
    "Skipped": "costkit.report.records",
    "SkippedReason": "costkit.report.quality",
    "SourceComparison": "costkit.report.beside",
    "Unpriced": "costkit.report.result",
    "UsageSummary": "costkit.report.summary",
    "merge": "costkit.report.summary",
    "parse_by": "costkit.report.group",
    "parse_since": "costkit.report.group",
    "parse_until": "costkit.report.group",
    "parse_zone": "costkit.report.group",
    "report_on": "costkit.report.settlement",
    "settle": "costkit.report.settlement",
    "summarize": "costkit.report.fold",
}

__all__ = [
    "Amounts",
    "Charge",
    "Comparison",
    "Figures",
    "FileRead",
    "FoldOptions",
    "Item",
    "Period",
    "Places",
    "Quality",
    "Record",
    "RecordedCost",
    "Remark",
    "Report",
    "ReportOptions",
    "Row",
    "SessionComparison",
    "Skipped",
    "SkippedReason",
    "SourceComparison",
    "Unpriced",
    "UsageSummary",
    "merge",
    "parse_by",
    "parse_since",
    "parse_until",
    "parse_zone",
    "report_on",
    "settle",
    "summarize",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loader(globals(), _HOMES)
