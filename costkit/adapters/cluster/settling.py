"""The second step: the copies of a response meet where the hash of its identity says, and become tallies there.

Every load has parted its responses into a few buckets. Few responses: a bucket of all loads is settled by one task.
Many: buckets of some loads at a time are parted once more, so that no task has more than `responses` of them in hand
and tasks don't grow with the square of the loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from costkit.adapters.cluster.tasks import Settling, bucket_of, given, part_of, regroup, settle
from costkit.adapters.cluster.waiting import results
from costkit.report.summary import UsageSummary


class Sharing(NamedTuple):
    """How responses are shared out."""

    buckets: int
    """Into how many shares each load parts its responses."""
    responses: int
    """How many responses a task may have in hand, copies included."""
    loads: int
    """Of how many loads shares are brought together before they are parted again."""


def settled(
    client: Any, readings: Sequence[Any], responses: int, sharing: Sharing, settling: Settling
) -> Iterator[UsageSummary]:
    """Tallies of all responses, by and by, in no promised order. Raises `OperationFailed`."""
    if not readings:
        return
    settling_there = client.submit(given, settling, pure=False)
    parts = -(-responses // (sharing.buckets * sharing.responses))
    futures: list[Any] = []
    for number in range(sharing.buckets):
        shares = client.map(bucket_of, readings, [number] * len(readings), pure=False)
        of_one_hash = [shares] if parts <= 1 else _parted(client, shares, parts, sharing.loads)
        futures.extend(client.submit(settle, part, settling_there, pure=False) for part in of_one_hash)
    yield from results(client, futures)


def _parted(client: Any, shares: Sequence[Any], parts: int, loads: int) -> Iterator[list[Any]]:
    groups = [list(shares[start : start + loads]) for start in range(0, len(shares), loads)]
    parted = [client.submit(regroup, group, parts, pure=False) for group in groups]
    for number in range(parts):
        yield client.map(part_of, parted, [number] * len(parted), pure=False)
