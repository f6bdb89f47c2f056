"""The machine's clock, for what waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Real time; satisfies `Clock` of `costkit.batch.ports`."""

    def now(self) -> datetime:
        """The current moment, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
