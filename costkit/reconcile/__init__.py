"""Does it agree with the invoice? What logs come to, beside what the API's own usage and cost reports say."""

from costkit.reconcile.compare import Books, compare
from costkit.reconcile.pages import CostLine, UsageLine, read_cost_page, read_usage_page
from costkit.reconcile.result import Cause, ReconciledRow, Reconciliation, WorkspaceShare

__all__ = [
    "Books",
    "Cause",
    "CostLine",
    "ReconciledRow",
    "Reconciliation",
    "UsageLine",
    "WorkspaceShare",
    "compare",
    "read_cost_page",
    "read_usage_page",
]
