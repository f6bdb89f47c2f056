"""`costkit route evaluate`: the flags of the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.progress import patience
from costkit.cli.run import Finding, Run, piped_input
from costkit.cli.values import share_from
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.route.evaluation import EvaluateOptions, Evaluation
    from costkit.route.grades import Grades

NAME = "route evaluate"
EXAMPLES = "Example: costkit route evaluate results.jsonl --margin 2% --routes routes.yaml"


def evaluate(
    run: Run,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|-]...", show_default=False, help="Graded results: JSONL, promptfoo JSON, inspect logs."
        ),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Hold the others against this [default: the dearest].")
    ] = None,
    margin: Annotated[str, typer.Option(metavar="SHARE", help="How much worse a mean score may be.")] = "2%",
    routes: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Judge these routes too; the results must say what was asked."),
    ] = None,
    choices: Annotated[
        str | None,
        typer.Option(metavar="FILE", help='Judge a rule of your own: lines {"item": …, "model": …}.'),
    ] = None,
    alpha: Annotated[
        str,
        typer.Option(metavar="SHARE", rich_help_panel=ADVANCED, help="Risk of a wrong `not worse`."),
    ] = "5%",
    power: Annotated[
        str,
        typer.Option(metavar="SHARE", rich_help_panel=ADVANCED, help="For the missing sample size."),
    ] = "80%",
    permutations: Annotated[
        int,
        typer.Option(
            parser=whole_number(100, 100_000), metavar="N", rich_help_panel=ADVANCED, help="How many shuffles."
        ),
    ] = 1000,
    seed: Annotated[
        int, typer.Option(parser=whole_number(), metavar="N", rich_help_panel=ADVANCED, help="Of the shuffles.")
    ] = 7,
    scorer: Annotated[
        str | None,
        typer.Option(metavar="NAME", rich_help_panel=ADVANCED, help="Of inspect logs with several scores."),
    ] = None,
) -> ExitCode:
    """Say on graded results which model is cheapest and not worse.

    A line of JSONL is {"item": "q1", "model": "claude-haiku-5-5", "score": 1, "usage": {…}}. Models are compared item
    by item; where the evidence is too thin it says how many items are missing, and ends with exit code 5.
    """
    from costkit.adapters.routing.graded_results import read_results
    from costkit.render.views.route_evaluate import evaluation_view
    from costkit.route.evaluate import evaluate_routes
    from costkit.route.evaluation import EvaluateOptions
    from costkit.route.grades import table_of

    options = EvaluateOptions(
        _share("--margin", margin, 1), _share("--alpha", alpha, 0.5), _share("--power", power, 1), permutations, seed,
        reference,
    )  # fmt: skip
    results, left_out = read_results(paths or [piped_input()], scorer)
    with patience(run, "comparing"):
        grades = table_of(results, run.book, run.as_of)
        rule = _rule(run, grades, routes, choices)
        result = evaluate_routes(grades, run.book, options, rule)
    return run.show(
        "route-evaluate",
        result,
        lambda: evaluation_view(result, run.book_line),
        notices=[*left_out, *result.notices],
        assumptions=result.assumptions,
        findings=list(_findings(result, options)),
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, NAME, evaluate, examples=EXAMPLES)


def _share(flag: str, text: str, below: float) -> float:
    value = share_from(flag, text)
    if value is None or not 0 < value < below:
        raise InvalidInput(f"{flag} {text!r} must lie between 0 and {below}", hint="write it as 0.02 or 2%")
    return float(value)


def _rule(
    run: Run, grades: Grades, routes: str | None, choices: str | None
) -> tuple[str, Mapping[str, str]] | None:  # fmt: skip
    if routes is not None and choices is not None:
        raise InvalidInput("--routes and --choices are two rules", hint="judge one at a time")
    if choices is not None:
        from costkit.adapters.routing.graded_results import read_choices

        return choices, _resolved(run, read_choices(choices))
    if routes is None:
        return None
    from costkit.adapters.routing.routes_yaml import load_routes
    from costkit.cli.route_classifier import classify_all
    from costkit.estimate import Prompt
    from costkit.route import decide

    found = load_routes(routes, run.book)
    items = grades.common
    silent = next((item for item in items if item not in grades.requests), None)
    if silent is not None:
        hint = 'add "request" or "prompt" to the results, or use --choices'
        raise InvalidInput(f"the results don't say what was asked in {silent!r}", hint=hint)
    prompts = [Prompt("results", index, grades.requests[item]) for index, item in enumerate(items)]
    verdicts, _ = classify_all(run, prompts, found, None, None)
    return routes, {item: decide(found, verdict).model for item, verdict in zip(items, verdicts, strict=True)}


def _resolved(run: Run, choices: Mapping[str, str]) -> dict[str, str]:
    """The choices with the ids of the price book, where it knows the name."""
    from costkit.errors import UnknownModel

    resolved = {}
    for item, name in choices.items():
        try:
            resolved[item] = run.book.resolve(name).id
        except UnknownModel:
            resolved[item] = name
    return resolved


def _findings(result: Evaluation, options: EvaluateOptions) -> Iterator[Finding]:
    from costkit.render.views.route_evaluate import spoken_need
    from costkit.route.evaluation import DISADVANTAGE, NONE_RESOLVED

    if result.recommended is None:
        needs = "; ".join(spoken_need(one, options.margin) for one in result.standings if one.verdict == "insufficient")
        yield Finding(ExitCode.UNDECIDED, f"insufficient evidence: {needs}")
    if result.rule is not None and result.rule.verdict == NONE_RESOLVED:
        yield Finding(ExitCode.UNDECIDED, f"{result.rule.source} shows no resolved advantage over its controls")
    if result.rule is not None and result.rule.verdict == DISADVANTAGE:
        yield Finding(ExitCode.INCOMPLETE, f"{result.rule.source} does worse than a fixed split of the same cost")
