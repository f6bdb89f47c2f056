"""Replays requests through the cache, before and after a remedy, and moves what was billed accordingly.

What was billed stays the measure: only the difference between the two replays is applied to it. So the first working
copy costs what the log says, also where the API did not find an entry that the rules promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from costkit.advise.call import Call, Sketch
from costkit.advise.tokenizers import grown
from costkit.advise.workload import Workload
from costkit.cache.prompt import Prefixes, Prompt
from costkit.cache.sent import Sent
from costkit.cache.store import Served, serve_all, step_of
from costkit.cache.tariff import Tariff
from costkit.core.pricebook import PriceBook
from costkit.core.usage import Usage

_DEAREST_FIRST = (3, 2, 0, 1)
_SERVED = "served"


def served(work: Workload) -> list[Served | None]:
    """What each call would be billed for as it is written, by the rules of the cache; `None` where nobody can know."""
    found = work.memo.get(_SERVED)
    if found is None:
        found = work.memo[_SERVED] = _serve(work.calls)
    return found  # type: ignore[return-value]  # what was put there


def _serve(calls: Sequence[Call]) -> list[Served | None]:
    prefixes = Prefixes()
    found: list[Served | None] = [None] * len(calls)
    order = sorted((call.at, index) for index, call in enumerate(calls) if call.replayable and call.at is not None)
    steps = []
    for at, index in order:
        call = calls[index]
        assert call.sketch is not None  # noqa: S101  it is replayable
        steps.append((at, step_of(prompt_of(call, prefixes), call.sketch.marks, call.model.min_cacheable_tokens)))
    for (_, index), one in zip(order, serve_all(steps), strict=True):
        found[index] = one
    return found


def prompt_of(call: Call, prefixes: Prefixes) -> Prompt:
    """The prompt of a call that has a sketch."""
    sketch = call.sketch
    assert sketch is not None  # noqa: S101  the caller has looked
    return prefixes.prompt(call.pool, zip(sketch.identities, sketch.sizes, strict=True))


def sents(calls: Iterable[Call], book: PriceBook) -> list[Sent]:
    """Calls with sketches, laid out for a search of breakpoints."""
    prefixes = Prefixes()
    tariffs: dict[tuple[object, ...], Tariff] = {}
    found = []
    for call in calls:
        sketch = call.sketch
        assert sketch is not None  # noqa: S101  the caller has looked
        key = (call.pool, call.day, call.inference_geo)
        tariff = tariffs.get(key)
        if tariff is None:
            tariff = tariffs[key] = Tariff(
                book, call.model, call.day, batch=call.batch, fast=call.fast, inference_geo=call.inference_geo
            )
        prompt = prompt_of(call, prefixes)
        found.append(
            Sent(
                call.where,
                call.at or 0,
                prompt,
                tuple(sketch.identities),
                sketch.marks,
                tariff,
                sketch.levels,
                sketch.unmarkable,
                sketch.last,
                sketch.previous_end,
            )
        )
    return found


def replayed(before: Workload, after: Workload) -> Workload:
    """Bill the calls of `after` for what the cache does differently there."""
    changed: dict[int, Call] = {}
    for index, (old, new) in enumerate(zip(served(before), served(after), strict=False)):
        if old is None or new is None:
            continue
        call = after.calls[index]
        if before.calls[index].model is not call.model:
            old = _resized(old, before.calls[index].sketch, call.sketch)  # noqa: PLW2901  the same bill, in new tokens
        if old[:4] != new[:4]:
            changed[index] = replace(call, usage=moved(call.usage, old, new))
    return after.changed(changed)


def _resized(old: Served, before: Sketch | None, after: Sketch | None) -> Served:
    assert before is not None and after is not None  # noqa: S101, PT018  both were served
    whole, size = before.tokens or 1, after.tokens
    read, short, long = (part * size // whole for part in (old.read_tokens, old.write_5m_tokens, old.write_1h_tokens))
    return Served(size - read - short - long, read, short, long)


def moved(usage: Usage, before: Served, after: Served) -> Usage:
    """What was billed, with the difference of two simulated bills applied to it.

    Tokens are taken from where the simulation takes them, as far as they were billed there; of what is taken, the
    dearer buckets get their share first. So a bill that the rules don't explain changes by less, never by more. Where
    more tokens were counted than were billed, both simulations are scaled down to the bill.
    """
    counted, billed = sum(before[:4]), usage.prompt_tokens
    if counted > billed:
        before, after = (_shrunk(one, billed, counted) for one in (before, after))
    have = [
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.ephemeral_5m_input_tokens,
        usage.ephemeral_1h_input_tokens,
    ]
    change = [new - old for old, new in zip(before[:4], after[:4], strict=True)]
    short = 0
    for bucket, amount in enumerate(change):
        if amount < 0:
            taken = min(have[bucket], -amount)
            have[bucket] -= taken
            short += -amount - taken
    room = max(0, sum(amount for amount in change if amount > 0) - short)
    for bucket in _DEAREST_FIRST:
        given = min(max(0, change[bucket]), room)
        have[bucket] += given
        room -= given
    plain, read, short_lived, long_lived = have
    return Usage(plain, read, short_lived, long_lived, usage.output_tokens, usage.web_search_requests)


def _shrunk(one: Served, billed: int, counted: int) -> Served:
    plain, read, short, long = (part * billed // counted for part in one[:4])
    return Served(plain, read, short, long)


def scaled(usage: Usage, hundredths: int, output_hundredths: int) -> Usage:
    """A usage in the tokens of another tokenizer, rounded up."""
    return Usage(
        grown(usage.input_tokens, hundredths),
        grown(usage.cache_read_input_tokens, hundredths),
        grown(usage.ephemeral_5m_input_tokens, hundredths),
        grown(usage.ephemeral_1h_input_tokens, hundredths),
        grown(usage.output_tokens, output_hundredths),
        usage.web_search_requests,
    )


def dropped(call: Call) -> Call:
    """A call that is not made any more."""
    return replace(call, usage=Usage(), sketch=None, is_request=False)


def only_what_saves(before: Workload, after: Workload, groups: Iterable[Sequence[int]]) -> tuple[Workload, list[int]]:
    """Undo the changes of every group of calls that would cost more; also, the calls that are changed then.

    Groups share no cache entries, so what one does has no effect on another.
    """
    undone: dict[int, Call] = {}
    kept: list[int] = []
    for group in groups:
        changed = [index for index in group if before.calls[index] is not after.calls[index]]
        if not changed:
            continue
        if before.cost_of(group) > after.cost_of(group):
            kept += changed
        else:
            undone.update((index, before.calls[index]) for index in changed)
    return after.changed(undone), sorted(kept)
