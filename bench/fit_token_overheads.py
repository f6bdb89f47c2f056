"""Fit the constants around the text of a request on recorded requests, and compare them with `overheads.yaml`.

    python bench/fit_token_overheads.py RECORDS.jsonl

A count is the tokens of texts plus constants, each as often as a request has what it stands for. So the constants that
`overheads.yaml` calls measured follow from the recorded counts and the texts alone, by least absolute errors, so that
no odd request pulls at the others. One line for each: the package's value, those of all records and of either half, and
how many requests of each half have it. What moves between the halves is marked.

Not fitted: what the provider publishes, how things are written (yes or no, tags), what server tools add (their requests
also hold what the tools brought back), and what is guessed where something can't be seen. Requests that leave much open
take no part. A constant that no request of a half has, and what a half can't tell apart from others, keeps the
package's value; `undetermined` finds the requests whose count rests on that.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from token_records import FORMAT, Case, read

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens.ctok_engine import CtokEngine
from costkit.adapters.tokens.local import LocalCounter
from costkit.adapters.tokens.overheads import load_rules, profile_for
from costkit.adapters.tokens.structure import lay_out

Place = tuple[str | int, ...]
"""Where a constant stands in `overheads.yaml`."""
Values = Mapping[Place, float]

_FAMILY = ("frame", "turn", "merged", "system_message")
_GENERATION = ("system", "system_after_tools", "wrapper", "thinking", "adaptive", "interleaved")
_MEASURED_PROMPTS = ("claude-3", "claude-fable-5")
_UNFORESEEABLE = ("server_tools", "tool_search", "other")
"""Kinds of request whose count holds more than was sent, or less."""
_STEP = 1_000
_OPEN = 0.1
"""The share of a count that a request may leave open and still take part."""
_SMALLEST_ERROR, _ROUNDS = 0.25, 40
_HOLD = 0.01
"""How much the package's value counts, where a request that is off by a token counts 1: as one that is off by 100."""
_ASIDE = 20.0


@dataclass(frozen=True, slots=True)
class Row:
    """A request: tokens that no constant is part of, and how often it has each constant."""

    base: float
    true: int
    times: Mapping[Place, float]


def main() -> int:
    """Fit on all records and on either half, and print the constants."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{FORMAT}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", type=Path)
    cases = list(read(parser.parse_args().records, built_in_book(), Counter()))
    rows = design(cases)
    fits = [fit(list(rows.values()))]
    fits += [fit([row for place, row in rows.items() if cases[place].half == half]) for half in (0, 1)]
    seen = [
        Counter(place for index, row in rows.items() if cases[index].half == half for place in row.times)
        for half in (0, 1)
    ]
    print(f"{'':44}{'package':>9}{'all':>9}{'half 0':>9}{'half 1':>9}{'requests':>13}")
    for place, value in current().items():
        found = [fitted.get(place) for fitted in fits]
        if found[0] is None:
            continue
        halves = [one for one in found[1:] if one is not None]
        moved = max((abs(one - value) for one in halves), default=0.0) > 1
        columns = "".join(f"{'-' if one is None else f'{one:g}':>9}" for one in found)
        counts = f"{seen[0][place]}+{seen[1][place]}"
        print(f"{'.'.join(map(str, place)):44}{value:>9g}{columns}{counts:>13}{'  moved' if moved else ''}")
    return 0


def current() -> dict[Place, float]:
    """The constants that were measured, with the package's values."""
    rules = load_rules()
    found: dict[Place, float] = {}
    for family in ("v3", "v4.7", "v4.8"):
        found |= {("families", family, name): rules["families"][family][name] for name in _FAMILY}
        found |= {
            (group, family, name): rules[group][family][name]
            for group in ("rounds", "tools")
            for name in rules[group][family]
        }
        found |= {
            ("extras", name, family, "tokens"): rules["extras"][name][family]["tokens"]
            for name in ("structured_output", "citations")
        }
        found["images", family] = rules["images"][family]
        found |= {
            ("server_tools", "client", tool, family): rules["server_tools"]["client"][tool][family]
            for tool in rules["server_tools"]["client"]
        }
    for name, generation in rules["generations"].items():
        if isinstance(generation, Mapping):
            found |= {("generations", name, part): generation[part] for part in _GENERATION}
    for name, model in rules["models"].items():
        if isinstance(model, Mapping) and "round" in model:
            found["models", name, "round"] = model["round"]
        if isinstance(model, Mapping) and name.startswith(_MEASURED_PROMPTS):
            found |= {("models", name, "tool_prompt", index): model["tool_prompt"][index] for index in (0, 1)}
    found |= {("tools", "one_call", name): value for name, value in rules["tools"]["one_call"].items()}
    found |= {("extras", name, "tokens"): rules["extras"][name]["tokens"] for name in ("kept_thinking", "task_budget")}
    return found | {("documents", name): rules["documents"][name] for name in ("wrapper", "search_result", "part")}


@contextmanager
def constants(values: Values) -> Iterator[None]:
    """Count with other constants."""
    shared = cast("dict[str, Any]", load_rules())
    before = dict(shared)
    for group in {place[0] for place in values}:
        shared[str(group)] = copy.deepcopy(before[str(group)])
    for place, value in values.items():
        holder = shared
        for name in place[:-1]:
            holder = holder[name]  # type: ignore[index]
        holder[place[-1]] = value  # type: ignore[index]
    try:
        yield
    finally:
        shared.update(before)


def design(cases: Sequence[Case]) -> dict[int, Row]:
    """What each usable request is made of, by its place among the cases."""
    counter = LocalCounter([CtokEngine()])
    known = {index: _known(case) for index, case in enumerate(cases)}
    usable = {
        index: tokens
        for index, (tokens, opened) in known.items()
        if cases[index].kind not in _UNFORESEEABLE and opened <= _OPEN * cases[index].true
    }
    times: defaultdict[int, dict[Place, float]] = defaultdict(dict)
    values = current()
    for place, value in values.items():
        with constants({place: value + _STEP}):
            for index, tokens in usable.items():
                if _concerns(place, cases[index]):
                    often = (_known(cases[index])[0] - tokens) / _STEP
                    if often:
                        times[index][place] = often
    rows = {}
    for index in usable:
        case, own = cases[index], times[index]
        (count,) = counter.count_many([(case.request, case.model)])
        rows[index] = Row(count.tokens - sum(often * values[place] for place, often in own.items()), case.true, own)
    return rows


def _known(case: Case) -> tuple[int, int]:
    """The tokens of a request that aren't text, and how much of its count it leaves open."""
    pieces = lay_out(case.request, profile_for(case.model)).pieces
    return sum(piece.tokens for piece in pieces), sum(piece.high - piece.low for piece in pieces)


def _concerns(place: Place, case: Case) -> bool:
    """Whether a constant may be part of a request: those of other families, generations and models are not."""
    profile = profile_for(case.model)
    own = {profile.family, profile.generation}
    others = {name for group in ("families", "generations") for name in load_rules()[group]} - own
    return not others.intersection(place) and (place[0] != "models" or str(place[1]) in case.model.id)


def fit(rows: Sequence[Row]) -> dict[Place, float]:
    """The constants that rows have, to a half of a token."""
    return {place: round(2 * value) / 2 for place, value in _fit(rows, current()).items()}


def fit_halves(cases: Sequence[Case]) -> tuple[list[dict[Place, float]], set[int]]:
    """For each half the constants that the other gives, and the places of the cases that rest on more than that."""
    rows = design(cases)
    fits, doubtful = [], set[int]()
    for half in (0, 1):
        known = [row for place, row in rows.items() if cases[place].half != half]
        fits.append(fit(known))
        doubtful |= undetermined(known, {place: row for place, row in rows.items() if cases[place].half == half})
    return fits, doubtful


def undetermined(rows: Sequence[Row], others: Mapping[int, Row]) -> set[int]:
    """Which of the others have constants that the rows say nothing about, or can't tell apart."""
    values = current()
    aside = {place: value + (_ASIDE, -_ASIDE)[index % 2] for index, (place, value) in enumerate(values.items())}
    first, second = ({**start, **_fit(rows, start)} for start in (values, aside))
    return {
        index
        for index, row in others.items()
        if abs(sum(often * (first[place] - second[place]) for place, often in row.times.items())) > 1
    }


def _fit(rows: Sequence[Row], start: Values) -> dict[Place, float]:
    """Least absolute errors by reweighted least squares, held to the start where nothing else decides."""
    places = sorted({place for row in rows for place in row.times}, key=str)
    index = {place: number for number, place in enumerate(places)}
    sparse = [[(index[place], often) for place, often in row.times.items()] for row in rows]
    values = [start[place] for place in places]
    for _ in range(_ROUNDS):
        gram = [[0.0] * len(places) for _ in places]
        moment = [_HOLD * start[place] for place in places]
        for number in range(len(places)):
            gram[number][number] = _HOLD
        for row, own in zip(rows, sparse, strict=True):
            target = row.true - row.base
            trust = 1 / max(_SMALLEST_ERROR, abs(target - sum(values[number] * often for number, often in own)))
            for number, often in own:
                moment[number] += trust * often * target
                for other, again in own:
                    gram[number][other] += trust * often * again
        values = _solve(gram, moment)
    return dict(zip(places, values, strict=True))


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a positive definite system, by elimination."""
    size = len(right)
    for pivot in range(size):
        line = matrix[pivot]
        for below in range(pivot + 1, size):
            factor = matrix[below][pivot] / line[pivot]
            if factor:
                other = matrix[below]
                for column in range(pivot, size):
                    other[column] -= factor * line[column]
                right[below] -= factor * right[pivot]
    found = [0.0] * size
    for pivot in reversed(range(size)):
        rest = sum(matrix[pivot][column] * found[column] for column in range(pivot + 1, size))
        found[pivot] = (right[pivot] - rest) / matrix[pivot][pivot]
    return found


if __name__ == "__main__":
    sys.exit(main())
