"""`costkit.track`: a client of the Anthropic SDK that keeps a usage log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from costkit.adapters.usage_writer import UsageWriter
from costkit.errors import InvalidInput
from costkit.tracking.labels import checked_tags

if TYPE_CHECKING:
    from costkit.adapters.budgets.handle import Budget
    from costkit.tracking.guard import Guard


class _Trackable(Protocol):
    def with_middleware(self, *middleware: Any) -> Any: ...


Client = TypeVar("Client", bound=_Trackable)


def track(
    client: Client,
    path: str | os.PathLike[str] | None = None,
    *,
    tags: Mapping[str, str | float | bool] | None = None,
    content: bool = False,
    max_bytes: int | None = None,
    keep: int = 10,
    budget: str | Budget | None = None,
) -> Client:
    """Give a client like this one that appends a line to a usage log for every response; use it from then on.

        client = costkit.track(anthropic.Anthropic(), "usage.jsonl", tags={"service": "search"})

    Synchronous and asynchronous clients alike, with streams, beta messages, `parse`, tools, and the results of batches
    as they are read. A line has the time, model, ids, the API's usage, stop reason, duration, tags, and for each block
    of the request a digest with its share of the tokens, so that `costkit report`, `cache why`, `cache plan` and
    `advise` can read it; the request and the message themselves only with `content=True`. A stream that was given up
    or broke is marked `incomplete`, with the counts known until then.

    The log may be shared by threads, processes and forks. With `max_bytes` it is rotated, and of the rotated files,
    compressed, the newest `keep` stay; without, it only grows. Recording never raises into a call: a full disk is told
    once to the logger `costkit`. Keys and headers are never written. A line is in the file when the call returns or
    its stream ends; only the outline of the request is made beside, in one thread, while the call waits for the API.

    With a `budget` (of `costkit budget`, by name; by default that of the variable `COSTKIT_BUDGET`, which
    `costkit budget run` sets) each call first holds the most that it can cost and settles what it did cost; one that
    doesn't fit raises `BudgetExceeded` before anything is sent. The `path` may then be left out. Such a client sends no
    batches. Raises `InvalidInput` for arguments that mean nothing.
    """
    if not hasattr(client, "with_middleware"):
        raise InvalidInput("track needs a client of the anthropic SDK, version 2.12 or newer")
    if path is not None and not os.fspath(path):
        raise InvalidInput("the path of the log is empty")
    if max_bytes is not None and max_bytes < 1:
        raise InvalidInput(f"max_bytes must be at least 1, not {max_bytes}")
    if keep < 0:
        raise InvalidInput(f"keep must not be negative, not {keep}")
    labels = checked_tags(tags or {})
    from costkit.tracking.recorder import Recorder

    guard = _guard(budget)
    if path is None and guard is None:
        raise InvalidInput("track needs the path of a log, or a budget")
    write = None
    if path is not None:
        writer = UsageWriter(os.fspath(path), max_bytes=max_bytes, keep=keep)
        writer.check()
        write = writer.append
    tracked: Client = client.with_middleware(Recorder(write, labels, content=content, guard=guard))
    return tracked


def _guard(budget: str | Budget | None) -> Guard | None:
    from costkit.adapters.budgets.handle import VARIABLE, Budget
    from costkit.tracking.guard import Guard

    chosen = budget if budget is not None else os.environ.get(VARIABLE)
    if not chosen:
        return None
    return Guard(Budget(chosen) if isinstance(chosen, str) else chosen)
