"""`costkit route`: the flags of the routes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.progress import patience
from costkit.cli.run import Finding, Run, piped_input
from costkit.cli.values import one_of
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.estimate import Prompt
    from costkit.route import RouteComparison, Routes

EXAMPLES = "Example: costkit route requests.jsonl --routes routes.yaml --output-tokens 300"


def route(
    run: Run,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH|-]...", show_default=False, help="Prompts: text, JSON, JSONL, YAML, folders."),
    ] = None,
    routes: Annotated[
        str | None, typer.Option(metavar="FILE", help="The file of routes; examples/routes.yaml shows one.")
    ] = None,
    output_tokens: Annotated[
        int | None, typer.Option(parser=whole_number(), metavar="N", help="Expected output of one request.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="Today's model of bodies that name none.")
    ] = None,
    top: Annotated[int, typer.Option(parser=whole_number(), metavar="N", help="Show the first N decisions.")] = 10,
    classifier: Annotated[
        str | None,
        typer.Option(metavar="HOW", help="rules (offline) or api (the cheapest model) [default: as the file says]."),
    ] = None,
    questions: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=ADVANCED,
            help="Of api: write what would be asked as a batch, for `costkit batch submit`, and ask nothing.",
        ),
    ] = None,
    answers: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=ADVANCED, help="Of api: the results of that batch."),
    ] = None,
    tokens: Annotated[
        str | None,
        typer.Option(metavar="HOW", rich_help_panel=ADVANCED, help="auto, exact (the API), offline [default] or fast."),
    ] = None,
) -> ExitCode:
    """Choose a model for each request and say what that costs.

    Beside the routes stand always the strongest, always the cheapest, and the models that the requests name today; the
    classifier's own cost, the caches that switching throws away and each model's own tokenizer are in the numbers. The
    rules are a starting point and no evidence: `costkit route evaluate` judges them on graded results.
    """
    from costkit.cli.cache import counter_of
    from costkit.cli.route_classifier import classify_all
    from costkit.render.views.route import route_view
    from costkit.route import RouteOptions, compare_routes

    found = _routes(run, routes, classifier)
    prompts = _prompts(run, paths, model)
    with patience(run, "classifying"):
        verdicts, asked = classify_all(run, prompts, found, questions, answers)
    options = RouteOptions(run.as_of, output_tokens, found.classifier, asked)
    with patience(run, "counting tokens"):
        result = compare_routes(prompts, verdicts, found, counter_of(run, tokens), run.book, options)
    return run.show(
        "route",
        result,
        lambda: route_view(result, run.book_line, top),
        notices=result.notices,
        assumptions=result.assumptions,
        findings=list(_findings(result, questions)),
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "route", route, examples=EXAMPLES)


def _routes(run: Run, path: str | None, classifier: str | None) -> Routes:
    from costkit.adapters.routing.routes_yaml import load_routes
    from costkit.route.routes import CLASSIFIERS

    if path is None:
        raise InvalidInput("no routes: add --routes FILE", code="usage", hint="examples/routes.yaml shows one")
    found = load_routes(path, run.book)
    chosen = one_of("--classifier", classifier, CLASSIFIERS)
    return found if chosen is None else replace(found, classifier=chosen)


def _prompts(run: Run, paths: list[str] | None, model: str | None) -> list[Prompt]:
    from costkit.cli.estimate_prompts import Reading, every_prompt

    prompts = every_prompt(paths or [piped_input()], Reading.of(None, None, None))
    if model is None:
        return prompts
    name = run.book.resolve(model).id
    return [
        prompt if prompt.request.model else replace(prompt, request=replace(prompt.request, model=name))
        for prompt in prompts
    ]


def _findings(result: RouteComparison, questions: str | None) -> Iterator[Finding]:
    if any(notice.code == "unknown-model" for notice in result.notices):
        yield Finding(ExitCode.UNDECIDED, "today's cost is unknown: a request names a model without a price")
    if questions is not None and result.fallbacks:
        then = f"costkit batch submit {questions}, then the same with --answers and its results"
        yield Finding(ExitCode.UNDECIDED, f"{result.fallbacks:,} of {len(result.items):,} requests wait for: {then}")
