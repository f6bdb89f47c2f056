"""Logs of Claude responses, whoever wrote them: `read_logs` turns files and folders into records for a report.

From outside to inside: `sources` finds files, `unpack` and `feed` make bytes and lines of them, `documents` makes JSON
documents, `detect` asks the `dialects` what they bill. That is the exact way, `reader`. `summaries` reads the same with
several processes (`early`, `crew`, `worker`, `pieces`) and most lines by the quick way (`plain`, `teller`, `turns`,
`rows`, `bills`, `shapes`), which comes to the same or hands a line to the exact one; it recalls files that have not
changed (`remembered`, `frozen`). How to add a system: `dialects`.
"""

from typing import TYPE_CHECKING

from costkit.lazy import loader

if TYPE_CHECKING:
    from costkit.adapters.logs.reader import read_logs

__all__ = ["read_logs"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loader(globals(), {"read_logs": "costkit.adapters.logs.reader"})
