"""The library's live side: records every response of an SDK client, and keeps it within its budget.

`costkit.track(client, "usage.jsonl")` gives a client that writes one line for each response; `costkit.tags(team="a")`
labels what is sent within it. The package is not called `track` so that the function can be.
"""

from costkit.tracking.client import track
from costkit.tracking.labels import tags

__all__ = ["tags", "track"]
