"""What did we spend? A log becomes a mergeable summary of whole tokens; the summary is priced once, at the end."""

from costkit.report.beside import Amounts, SourceComparison
from costkit.report.charge import Charge
from costkit.report.fold import summarize
from costkit.report.group import parse_by, parse_since, parse_until, parse_zone
from costkit.report.options import FoldOptions, ReportOptions
from costkit.report.quality import Places, Quality, SkippedReason
from costkit.report.recorded import Comparison, SessionComparison
from costkit.report.records import FileRead, Item, Record, RecordedCost, Remark, Skipped
from costkit.report.result import Figures, Period, Report, Row, Unpriced
from costkit.report.settle import report_on, settle
from costkit.report.summary import UsageSummary, merge

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
