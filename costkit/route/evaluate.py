"""From graded results to a recommendation: which candidate costs least and is shown not to be worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from statistics import fmean

from costkit.core.notice import Assumption, Notice
from costkit.core.pricebook import PriceBook
from costkit.core.suggest import close_names
from costkit.errors import InvalidInput, Undecidable, UnknownModel
from costkit.route.controls import best_split, shuffled
from costkit.route.evaluation import (
    ADVANTAGE,
    DEARER,
    DISADVANTAGE,
    INFERIOR,
    INSUFFICIENT,
    NON_INFERIOR,
    NONE_RESOLVED,
    REFERENCE,
    EvaluateOptions,
    Evaluation,
    RuleShare,
    RuleStanding,
    Standing,
)
from costkit.route.grades import Candidate, Grades, mean_usd, per
from costkit.route.interval import Pairs, holm, interval_of, items_needed, p_value

_MOST_NAMED = 3


def evaluate_routes(
    grades: Grades, book: PriceBook, options: EvaluateOptions, rule: tuple[str, Mapping[str, str]] | None = None
) -> Evaluation:
    """Compare every candidate with the reference, item by item; `rule` is a file and the model it chooses by item.

    Raises `InvalidInput` where the reference or a chosen model has no results, `Undecidable` where the cost of the
    reference is unknown or no two candidates answered the same items.
    """
    reference = _reference(grades, book, options)
    others = [one for one in grades.candidates if one is not reference]
    if not others:
        raise Undecidable(f"only {reference.name} has results", hint="grade a second model on the same items")
    standings = [_standing(one, reference, grades, options) for one in others]
    standings = [_own(reference, grades), *_judged(standings, grades, reference, options)]
    standings.sort(key=_by_cost_per_completed)
    return Evaluation(
        reference.name,
        _recommended(standings, reference.name),
        len(grades.common),
        tuple(standings),
        _rule(grades, *rule, options) if rule else None,
        options,
        (*grades.notices, *_missing(grades, reference)),
        tuple(_assumptions(options, reference)),
    )


def _reference(grades: Grades, book: PriceBook, options: EvaluateOptions) -> Candidate:
    if not grades.candidates:
        raise InvalidInput("there are no graded results")
    if options.reference is None:
        found = next((one for one in grades.candidates if one.is_priced), None)
        if found is None:
            raise Undecidable("the cost of every model is unknown", hint="add usage to the results")
        return found
    found = _named(options.reference, grades, book)
    if found is None:
        names = [one.name for one in grades.candidates]
        close = close_names(options.reference, names) or names[:_MOST_NAMED]
        raise InvalidInput(f"--reference {options.reference!r} has no results", hint=f"there is {', '.join(close)}")
    if not found.is_priced:
        raise Undecidable(f"the cost of {found.name} is unknown, so nothing can be held against it")
    return found


def _named(name: str, grades: Grades, book: PriceBook) -> Candidate | None:
    """The candidate of a name, or the only one of a model."""
    try:
        model = book.resolve(name).id
    except UnknownModel:
        model = name
    exact = [one for one in grades.candidates if one.name == name]
    return next(iter(exact or [one for one in grades.candidates if one.model == model]), None)


def _standing(one: Candidate, reference: Candidate, grades: Grades, options: EvaluateOptions) -> Standing:
    items = [item for item in one.scores if item in reference.scores]
    base = _own(one, grades)
    if not items:
        return replace(base, verdict=INSUFFICIENT, paired_items=0)
    pairs = _pairs(one, reference, items)
    cost, other = one.cost(items), reference.cost(items)
    dearer = cost is not None and other is not None and cost >= other
    return replace(
        base,
        verdict=DEARER if dearer else INSUFFICIENT,
        paired_items=len(items),
        difference=interval_of(pairs, options.alpha),
        discordance=pairs.discordance,
        p_value=p_value(pairs, options.margin),
    )


def _pairs(one: Candidate, other: Candidate, items: Sequence[str]) -> Pairs:
    return Pairs(tuple(one.scores[item] for item in items), tuple(other.scores[item] for item in items))


def _own(one: Candidate, grades: Grades) -> Standing:
    """What a candidate's results say by themselves."""
    items = list(one.scores)
    cost, score = one.cost(items), one.score(items)
    return Standing(
        one.name,
        one.model,
        one.effort,
        len(items),
        one.answers,
        score,
        cost,
        per(cost, Decimal(repr(score))) if cost is not None and score > 0 else None,
        _is_on_frontier(one, grades),
        REFERENCE,
    )


def _is_on_frontier(one: Candidate, grades: Grades) -> bool:
    items = grades.common
    if not items or not one.is_priced:
        return False
    cost, score = one.cost(items), one.score(items)
    for other in grades.candidates:
        theirs, better = other.cost(items), other.score(items)
        if theirs is None or cost is None or theirs > cost or better < score:
            continue
        if theirs < cost or better > score:
            return False
    return True


def _judged(
    standings: Sequence[Standing], grades: Grades, reference: Candidate, options: EvaluateOptions
) -> Iterator[Standing]:
    """Decide about the cheaper candidates together: Holm's correction keeps one lucky one of many from passing."""
    family = [at for at, one in enumerate(standings) if one.verdict == INSUFFICIENT and one.p_value is not None]
    shown = dict(zip(family, holm([standings[at].p_value or 0.0 for at in family], options.alpha), strict=True))
    for at, one in enumerate(standings):
        if at not in shown or one.difference is None:
            yield one
        elif shown[at] and one.cost_usd is not None:
            yield replace(one, verdict=NON_INFERIOR)
        elif one.difference.high < -options.margin:
            yield replace(one, verdict=INFERIOR)
        else:
            candidate = next(found for found in grades.candidates if found.name == one.name)
            yield replace(one, items_needed=_needed(candidate, reference, options, len(family)))


def _needed(one: Candidate, reference: Candidate, options: EvaluateOptions, family: int) -> int | None:
    """About how many items it takes, each of a family of candidates at its share of alpha; more than there are."""
    items = [item for item in one.scores if item in reference.scores]
    found = items_needed(_pairs(one, reference, items), options.margin, options.alpha / family, options.power)
    return found if found is None or not one.is_priced else max(found, len(items) + 1)


def _recommended(standings: Sequence[Standing], reference: str) -> str | None:
    shown = [one for one in standings if one.verdict == NON_INFERIOR]
    if shown:
        return min(shown, key=lambda one: (one.cost_usd or Decimal(0), one.name)).name
    return None if any(one.verdict == INSUFFICIENT for one in standings) else reference


def _by_cost_per_completed(one: Standing) -> tuple[bool, Decimal, str]:
    cost = one.cost_per_completed_usd
    return (cost is None, cost or Decimal(0), one.name)


def _rule(grades: Grades, source: str, choice: Mapping[str, str], options: EvaluateOptions) -> RuleStanding:
    items = grades.common
    if not items:
        raise Undecidable("no item was answered by every model, so a rule can't be held against its controls")
    for one in grades.candidates:
        if not one.is_priced:
            raise Undecidable(f"the cost of {one.name} is unknown, so a rule can't be held against its controls")
    chosen = {item: _chosen(item, choice, grades, source) for item in items}
    each = [chosen[item].scores[item] for item in items]
    cost = mean_usd([chosen[item].costs[item] for item in items])
    split, expected = best_split(grades.candidates, items, cost)
    difference = interval_of(Pairs(tuple(each), tuple(expected)), options.alpha)
    shuffle = shuffled(chosen, items, options.permutations, options.seed)
    counts = Counter(one.name for one in chosen.values())
    shares = tuple(RuleShare(name, count) for name, count in counts.most_common())
    verdict = NONE_RESOLVED
    if difference.high < 0:
        verdict = DISADVANTAGE
    elif difference.low > 0 and shuffle.p_value <= options.alpha:
        verdict = ADVANTAGE
    return RuleStanding(source, len(items), shares, fmean(each), cost, split, difference, shuffle, verdict)


def _chosen(item: str, choice: Mapping[str, str], grades: Grades, source: str) -> Candidate:
    model = choice.get(item)
    if model is None:
        raise InvalidInput(f"says nothing about the item {item!r}", where=source)
    found = [one for one in grades.candidates if model in (one.name, one.model)]
    if not found:
        known = ", ".join(one.name for one in grades.candidates)
        hint = f"there are results of {known}"
        raise InvalidInput(f"sends the item {item!r} to {model}, which has no results", where=source, hint=hint)
    return found[0]


def _missing(grades: Grades, reference: Candidate) -> Iterator[Notice]:
    for one in grades.candidates:
        absent = [item for item in reference.scores if item not in one.scores]
        extra = sum(item not in reference.scores for item in one.scores)
        if absent or extra:
            named = ", ".join(repr(item) for item in absent[:_MOST_NAMED])
            more = f", {len(absent) - _MOST_NAMED} more" if len(absent) > _MOST_NAMED else ""
            lacks = f"lacks {len(absent)} of the reference's items ({named}{more})" if absent else ""
            has = f"has {extra} that the reference lacks" if extra else ""
            message = f"{one.name} {' and '.join(filter(None, (lacks, has)))}: only the others are compared"
            yield Notice("missing-items", message)


def _assumptions(options: EvaluateOptions, reference: Candidate) -> Iterator[Assumption]:
    yield Assumption("reference", reference.name, "--reference" if options.reference else "the dearest")
    yield Assumption("margin", Decimal(repr(options.margin)), "--margin")
    yield Assumption("alpha", Decimal(repr(options.alpha)), "--alpha")
    yield Assumption("power", Decimal(repr(options.power)), "--power")
    yield Assumption("seed", options.seed, "--seed")
