"""From verdicts to a comparison: where each request goes, and what that costs beside the plain ways of choosing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from costkit.core.lifecycle import lifecycle_notices
from costkit.core.money import total
from costkit.core.notice import Assumption, Notice
from costkit.core.pricebook import PriceBook
from costkit.core.tokens import TokenCounter
from costkit.errors import InvalidInput, UnknownModel
from costkit.estimate import Prompt
from costkit.route.kinds import Verdict
from costkit.route.price import Priced, Pricer
from costkit.route.result import CHEAP, ROUTED, STRONG, TODAY, Plan, RouteComparison, Routed, RouteOptions
from costkit.route.routes import SAFE, Decision, Routes, decide


def compare_routes(
    prompts: Sequence[Prompt],
    verdicts: Sequence[Verdict],
    routes: Routes,
    counter: TokenCounter,
    book: PriceBook,
    options: RouteOptions,
) -> RouteComparison:
    """Choose a model for each request and price the set as routed, on one model, and as the bodies name them.

    `always-strong` is the model among the routes on which this very set costs most, `always-cheap` the one on which it
    costs least. Raises `InvalidInput` where there are no requests, or where the API would refuse one.
    """
    if not prompts:
        raise InvalidInput("there is no request to route")
    decisions = [decide(routes, verdict) for verdict in verdicts]
    today, notices = _today(prompts, book)
    pricer = Pricer(prompts, counter, book, options.as_of, options.output_tokens or 0)
    routed, each = pricer.plan(
        ROUTED, [decision.model for decision in decisions], _classifying(verdicts, book, options)
    )
    plans = [routed, *_fixed(pricer, routes, len(prompts))]
    if None not in today:
        plans.append(pricer.plan(TODAY, [str(model) for model in today], Decimal(0))[0])
    items = tuple(map(_item, prompts, decisions, today, each))
    used = dict.fromkeys([*routes.models, *(model for model in today if model)])
    notices += [notice for name in used for notice in lifecycle_notices(book.resolve(name), options.as_of)]
    return RouteComparison(
        items,
        tuple(plans),
        sum(verdict.kind is None for verdict in verdicts),
        sum(verdict.usage is not None and not verdict.is_remembered for verdict in verdicts),
        options,
        tuple(dict.fromkeys([*_about(verdicts, routes, options), *notices, *pricer.notices(list(used))])),
        tuple(_assumptions(options)),
    )


def _today(prompts: Sequence[Prompt], book: PriceBook) -> tuple[list[str | None], list[Notice]]:
    """The models that the bodies name; `None` where one names none, or one without a price."""
    models: list[str | None] = []
    notices = []
    for prompt in prompts:
        name = prompt.request.model
        try:
            models.append(None if name is None else book.resolve(name).id)
        except UnknownModel as unknown:
            models.append(None)
            notices.append(
                Notice(unknown.code, f"{unknown}: today's cost can't be said ({unknown.hint})", prompt.where)
            )
    unnamed = sum(prompt.request.model is None for prompt in prompts)
    if unnamed:
        message = f"{unnamed:,} of {len(prompts):,} requests name no model, so today's cost can't be said: add -m MODEL"
        notices.append(Notice("no-model", message))
    return models, notices


def _fixed(pricer: Pricer, routes: Routes, requests: int) -> Iterator[Plan]:
    plans = [pricer.plan(model, [model] * requests, Decimal(0))[0] for model in routes.models]
    yield replace(max(plans, key=lambda plan: plan.cost_usd), name=STRONG)
    yield replace(min(plans, key=lambda plan: plan.cost_usd), name=CHEAP)


def _classifying(verdicts: Sequence[Verdict], book: PriceBook, options: RouteOptions) -> Decimal:
    """What the answers of the classifying model cost, remembered ones too: the next set has to pay for its own."""
    model = options.classifier_model
    paid = [(verdict.usage, verdict.is_batch) for verdict in verdicts if verdict.usage is not None]
    if model is None:
        return Decimal(0)
    return total(book.cost(usage, model, options.as_of, batch=is_batch).total_usd for usage, is_batch in paid)


def _item(prompt: Prompt, decision: Decision, today: str | None, priced: Priced) -> Routed:
    return Routed(
        prompt.path,
        prompt.index,
        decision.kind,
        decision.route,
        decision.model,
        today,
        decision.reasons,
        priced.usd,
    )


def _about(verdicts: Sequence[Verdict], routes: Routes, options: RouteOptions) -> Iterator[Notice]:
    if options.output_tokens is None:
        yield Notice("output-not-estimated", "output is not in this: add --output-tokens N")
    lost = sum(verdict.kind is None for verdict in verdicts)
    if lost:
        message = f"{lost:,} of {len(verdicts):,} requests got no usable verdict and go to {routes.safe} ({SAFE})"
        yield Notice("fell-back", message)


def _assumptions(options: RouteOptions) -> Iterator[Assumption]:
    given = options.output_tokens is not None
    yield Assumption("output_tokens", options.output_tokens, "--output-tokens" if given else "not given")
    yield Assumption("classifier", options.classifier, "--classifier or the file of routes")
    yield Assumption(
        "order", "the order of the input, each request within the life of the cache entries before it", "default"
    )
