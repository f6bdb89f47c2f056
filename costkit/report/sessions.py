"""What the responses of each session come to, for the sessions whose client recorded a cost of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from costkit.core.cost import cost_of
from costkit.core.money import EXACT, ZERO
from costkit.core.pricebook import Quote
from costkit.core.rates import RateKey
from costkit.core.usage import Usage
from costkit.report.options import ReportOptions
from costkit.report.recorded import Comparison, compare, sessions_in
from costkit.report.summary import UsageSummary


class SessionTotals:
    """Collects usage by session and price.

    A recorded cost is that of a whole session, so nothing is compared where the report is asked for a part of the log:
    a date range or some models.
    """

    def __init__(self, summary: UsageSummary, options: ReportOptions) -> None:
        is_whole = options.since is None and options.until is None and options.model_glob is None
        self._recorded = summary.recorded if is_whole else {}
        self._sessions = sessions_in(self._recorded)
        self._usage = defaultdict[tuple[str, RateKey], Usage](Usage)
        self._unpriced = set[str]()

    def add(self, session: str | None, key: RateKey | None, usage: Usage) -> None:
        """Add usage of a session; `key` selects its price, `None` where there is none."""
        if session is None or session not in self._sessions:
            return
        if key is None:
            self._unpriced.add(session)
        else:
            self._usage[session, key] += usage

    def comparison(self, quotes: Mapping[RateKey, Quote]) -> Comparison | None:
        """Recorded and calculated costs side by side; `None` where there is nothing to compare."""
        calculated: dict[str, Decimal] = {}
        for (session, key), usage in self._usage.items():
            cost = cost_of(usage, quotes[key].rates).total_usd
            calculated[session] = EXACT.add(calculated.get(session, ZERO), cost)
        return compare(self._recorded, calculated, self._unpriced)
