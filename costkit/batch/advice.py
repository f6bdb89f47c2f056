"""What to say beside a collection: what should be known, and which command comes next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from costkit.batch.classes import BY_DEFAULT, CLASSES, FREE, NOT_SENT, ON_REQUEST, PAUSES
from costkit.batch.collect import Collection, CollectOptions, Written
from costkit.batch.family import Family
from costkit.core.notice import Notice

_CODES = {
    kind: [entry.code for entry in CLASSES if entry.retry == kind and entry.billed == FREE]
    for kind in (ON_REQUEST, PAUSES)
}
_DEFAULT = [entry.code for entry in CLASSES if entry.retry == BY_DEFAULT]


def collection_of(
    family: Family, written: Written, output: str, options: CollectOptions, deleted: Sequence[str] = ()
) -> Collection:
    """Put a collection together from what was written; `deleted` are batches that the API no longer has."""
    return Collection(
        family.name,
        written.proof,
        output,
        written.report,
        family.job.estimate if family.job else None,
        written.failures,
        next_command(family, written),
        (*_notices(family, written, options), *map(_deleted, deleted)),
    )


def next_command(family: Family, written: Written) -> str | None:
    """The command that brings the missing answers; `None` where there is nothing to do or nothing that helps."""
    failures = written.failures
    if family.job is None:
        return None
    if failures.count(*NOT_SENT):
        return f"costkit batch submit {shell_word(family.job.path)}"
    if failures.count(*_DEFAULT):
        return f"costkit batch retry {family.name}"
    wanted = [code for kind in (PAUSES, ON_REQUEST) for code in _CODES[kind] if failures.count(code)]
    return f"costkit batch retry {family.name} --include {','.join(wanted)}" if wanted else None


def shell_word(text: str) -> str:
    """A path as it can be typed into a shell."""
    return shlex.quote(text)


def _notices(family: Family, written: Written, options: CollectOptions) -> Iterator[Notice]:
    yield from written.report.notices
    for skipped in written.report.skipped:
        yield Notice(skipped.reason.partition(":")[0], f"{_results(skipped.count)} without a usable usage: not priced")
    if family.stranger is not None:
        message = "the ledger does not know this batch: the rows are in order of arrival"
        yield Notice("unknown-input", message, family.stranger)
    if written.superseded:
        message = f"{_results(written.superseded)} were replaced by newer ones; they are in the cost, not in the file"
        yield Notice("superseded-answers", message)
    for _generation, batch in family.released():
        message = f"{batch.requests:,} rows: the batch was adopted for them, but holds other custom_ids; it is released"
        yield Notice("foreign-batch", message, batch.id)
    if options.text_only and written.proof.failed:
        yield Notice("text-without-answer", f"{written.proof.failed:,} rows have no answer: their text is null")


def _deleted(batch_id: str) -> Notice:
    return Notice("deleted-batch", "the API no longer has this batch: its rows are missing", batch_id)


def _results(count: int) -> str:
    return f"{count:,} {'result' if count == 1 else 'results'}"
