"""The same requests on another model or at another speed."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from costkit.advise.call import Call, Sketch
from costkit.advise.replay import replayed, scaled
from costkit.advise.successors import TOP_CLASSES, class_of, small_models, successors_of
from costkit.advise.tokenizers import grown, growth
from costkit.advise.words import many
from costkit.advise.workload import Proposal, Workload
from costkit.core.money import display, total
from costkit.core.pricebook import ModelPrice
from costkit.errors import CostkitError

SHORT_PROMPT, SHORT_ANSWER = 2_000, 300
"""Tokens up to which a request without tools, thinking and earlier turns is taken for a simple one."""
_SIMPLE_ENDS = frozenset({None, "end_turn", "stop_sequence"})
_EXPECTED, _HIGH = 1, 2


def fast_mode(work: Workload) -> Proposal | None:
    """Requests in fast mode, which costs a multiple for every token."""
    changes = {index: replace(call, fast=False) for index, call in enumerate(work.calls) if call.fast}
    if not changes:
        return None
    return Proposal(
        after=replayed(work, work.changed(changes)),
        touched=sorted(changes),
        tokens=sum(call.usage.prompt_tokens + call.usage.output_tokens for call in changes.values()),
        title="fast mode",
        what=f"{many(len(changes), 'request')} with speed=fast",
        remedy="keep fast mode for requests that a person is waiting for",
        risk="answers come more slowly; entries of the cache are not shared between speeds",
        certainty="candidate",
        how=('leave out speed="fast"',),
    )


def cheaper_successor(work: Workload) -> Proposal | None:
    """Models that have a newer one of the same class at a lower price, the tokens of its tokenizer counted in.

    Of several successors the newest that costs less is named.
    """
    changes: dict[int, Call] = {}
    worst: dict[int, Call] = {}
    lines: list[tuple[str, str]] = []
    for name, indices in work.groups(lambda call: call.model.id if not call.fast else None).items():
        model = work.calls[indices[0]].model
        now = work.cost_of(indices)
        found = next((move for move in _moves(work, model, indices) if move[0] < now), None)
        if found is not None:
            cost, target, moved = found
            changes |= moved
            worst |= {index: on_model(work.calls[index], target, _HIGH) for index in indices}
            growing = growth(model.tokenizer, target.tokenizer)
            what = "prompts counted, output" if _all_counted(work, indices, target) else "tokens"
            tokens = f", {what} times {growing.spoken}" if growing.low != growing.high else ""
            lines.append((f"{name} → {target.id}", f"{display(now)} → {display(cost)}{tokens}"))
    if not changes:
        return None
    after = replayed(work, work.changed(changes))
    at_worst = replayed(work, work.changed(worst))
    return Proposal(
        after=after,
        worst=at_worst,
        touched=sorted(changes),
        tokens=sum(_tokens(work.calls[index]) for index in changes),
        title="models with a cheaper successor",
        what=f"{many(_requests(changes.values()), 'request')} to a model whose successor costs less",
        remedy="; ".join(f"use {name.partition(' → ')[2]} instead of {name.partition(' → ')[0]}" for name, _ in lines),
        risk="other answers: compare them on your own cases first; tokens of text that isn't logged are estimated",
        certainty="likely" if work.saving_of(at_worst) >= 0 else "candidate",
        how=tuple(dict.fromkeys(f'model="{name.partition(" → ")[2]}"' for name, _ in lines)),
        detail=tuple(lines),
    )


def _requests(calls: Iterable[Call]) -> int:
    return sum(call.is_request for call in calls)


def _moves(
    work: Workload, model: ModelPrice, indices: Sequence[int]
) -> Iterator[tuple[Decimal, ModelPrice, dict[int, Call]]]:
    pricer = work.pricer
    for target in successors_of(model, pricer.book, pricer.as_of):
        moved = {index: on_model(work.calls[index], target, _EXPECTED) for index in indices}
        try:
            yield total(map(pricer.cost, moved.values())), target, moved
        except CostkitError:  # no price for this way of sending
            continue


def _all_counted(work: Workload, indices: Sequence[int], target: ModelPrice) -> bool:
    return all(
        (sketch := work.calls[index].sketch) is not None
        and (sketch.other_sizes is not None or work.calls[index].model.tokenizer == target.tokenizer)
        for index in indices
    )


def on_model(call: Call, target: ModelPrice, end: int) -> Call:
    """A call as it would be on another model: in the tokens of that model, as expected or at the high end."""
    ratio = growth(call.model.tokenizer, target.tokenizer)
    output = ratio[end]
    sketch, prompt = call.sketch, ratio[end]
    if sketch is not None:
        sketch = _sketch_on(sketch, call.model, target, ratio[end])
        before = call.sketch.tokens if call.sketch else 0
        prompt = -(-sketch.tokens * 100 // before) if before else ratio[end]
    return replace(call, model=target, usage=scaled(call.usage, prompt, output), sketch=sketch)


def _sketch_on(sketch: Sketch, model: ModelPrice, target: ModelPrice, hundredths: int) -> Sketch:
    if model.tokenizer == target.tokenizer:
        return sketch
    if sketch.other_sizes is not None:
        return replace(sketch, sizes=sketch.other_sizes, other_sizes=None)
    return replace(sketch, sizes=array("q", (grown(size, hundredths) for size in sketch.sizes)))


def smaller_model(work: Workload) -> Proposal | None:
    """Short requests with short answers on a top model: what smaller models would have cost."""
    simple = [index for index, call in enumerate(work.calls) if _is_simple(call)]
    targets = small_models(work.pricer.book, work.pricer.as_of)
    if not simple or not targets:
        return None
    target = targets[0]
    moved = {index: on_model(work.calls[index], target, _EXPECTED) for index in simple}
    worst = {index: on_model(work.calls[index], target, _HIGH) for index in simple}
    requests = sum(call.is_request for call in work.calls)
    return Proposal(
        after=replayed(work, work.changed(moved)),
        worst=work,
        touched=simple,
        tokens=sum(_tokens(work.calls[index]) for index in simple),
        title="short, simple requests on a top model",
        what=(
            f"{len(simple):,} of {many(requests, 'request')} with up to {SHORT_PROMPT:,} tokens in, {SHORT_ANSWER} out "
            "and no tools, thinking or earlier turns that the log tells of"
        ),
        remedy=f"send them to {target.id}, if it answers them as well",
        risk="short is not always simple: measure the answers on your own cases before you route",
        certainty="candidate",
        how=("costkit route PROMPTS… --routes routes.yaml", "costkit route evaluate RESULTS…   proves it or doesn't"),
        detail=tuple(_what_if(work, simple, worst)),
    )


def _what_if(work: Workload, simple: Sequence[int], worst: Mapping[int, Call]) -> Iterator[tuple[str, str]]:
    pricer = work.pricer
    yield "as it is", display(work.cost_of(simple))
    for model in pricer.book.active_models(pricer.as_of):
        if class_of(model) in TOP_CLASSES and class_of(model) != "opus":
            continue
        try:
            cost = total(pricer.cost(on_model(work.calls[index], model, _EXPECTED)) for index in worst)
        except CostkitError:
            continue
        yield model.id, display(cost)


def _is_simple(call: Call) -> bool:
    sketch = call.sketch
    plain = sketch is None or (not sketch.levels[0] and not sketch.has_thinking and sketch.previous_end is None)
    return (
        plain
        and call.is_request
        and not call.batch
        and not call.fast
        and not call.simulated
        and class_of(call.model) in TOP_CLASSES
        and call.stop_reason in _SIMPLE_ENDS
        and 0 < call.usage.prompt_tokens <= SHORT_PROMPT
        and 0 < call.usage.output_tokens <= SHORT_ANSWER
    )


def _tokens(call: Call) -> int:
    return call.usage.prompt_tokens + call.usage.output_tokens
