"""SHA-256 beside other work: that of a large file takes as long as reading its JSON, and needs only another core."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor


class Digest:
    """A SHA-256 whose updates are computed in a thread of its own, in order, one at a time.

    Updates of some hundred kilobytes let other threads run meanwhile; of very small ones the handing over costs more
    than they do.
    """

    def __init__(self, start: bytes = b"") -> None:
        self._digest = hashlib.sha256(start)
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def update(self, data: bytes) -> None:
        """Go on with these bytes; waits for those before, so that no more than one piece is ever held."""
        self._wait()
        self._last = self._thread.submit(self._digest.update, data)

    def hexdigest(self) -> str:
        """The digest of everything so far."""
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()
