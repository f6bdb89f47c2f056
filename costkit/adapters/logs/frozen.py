"""A summary as bytes and back, for the cache: typed, so that nothing but a summary can come of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from costkit.adapters.logs.plain import Range
from costkit.core.usage import Usage
from costkit.report.charged import Charged, ChargeKey
from costkit.report.dearest import Ranked
from costkit.report.options import FoldOptions
from costkit.report.records import RecordedCost
from costkit.report.summary import Omission, Place, UsageSummary
from costkit.report.table import Columns, ResponseTable
from costkit.report.tally import Cell, Tally

Omissions = dict[str, tuple[int, tuple[Place, ...]]]


class Frozen(Struct, array_like=True, gc=False):
    """What a summary holds, but its options: who asks for it knows them."""

    place: Range | None
    """Where the lines of it begin and end, if it is of a part of a file."""
    columns: Columns
    tallies: list[tuple[Cell, Tally]]
    dearest: tuple[Ranked, ...]
    skipped: Omissions
    remarks: Omissions
    recorded: list[RecordedCost]
    charges: list[tuple[ChargeKey, int, Decimal, list[tuple[Cell, Usage]]]]
    unbilled: dict[str, int]
    numbers: dict[str, int]


_NUMBERS = ("records", "copies", "merged", "files", "documents", "other")
_encode, _decode = Encoder().encode, Decoder(Frozen).decode


def freeze(summary: UsageSummary, place: Range | None) -> bytes:
    """The bytes of a summary."""
    return _encode(
        Frozen(
            place,
            summary.responses.columns(),
            list(summary.tallies.items()),
            summary.dearest,
            _listed(summary.skipped),
            _listed(summary.remarks),
            list(summary.recorded.values()),
            [(key, one.responses, one.usd, list(one.parts.items())) for key, one in summary.charges.items()],
            summary.unbilled,
            {name: getattr(summary, name) for name in _NUMBERS},
        )
    )


def thaw(data: bytes, options: FoldOptions) -> tuple[UsageSummary, Range | None]:
    """The summary of some bytes. Raises ValueError for what `freeze` did not make."""
    frozen = _decode(data)
    return (
        UsageSummary(
            options,
            ResponseTable.of(frozen.columns),
            dict(frozen.tallies),
            frozen.dearest,
            {reason: Omission(*omission) for reason, omission in frozen.skipped.items()},
            {kind: Omission(*omission) for kind, omission in frozen.remarks.items()},
            {(cost.session, cost.path): cost for cost in frozen.recorded},
            {key: Charged(count, usd, dict(parts)) for key, count, usd, parts in frozen.charges},
            frozen.unbilled,
            **frozen.numbers,
        ),
        frozen.place,
    )


def _listed(omissions: Mapping[str, Omission]) -> Omissions:
    return {name: (omission.count, omission.places) for name, omission in omissions.items()}
