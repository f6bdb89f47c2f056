"""The classifiers of `costkit route`: rules here, a model through the API, or a batch of questions to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from costkit.cli.run import Run
from costkit.errors import InvalidInput

if TYPE_CHECKING:
    from costkit.estimate import Prompt
    from costkit.route import Routes, Verdict


def classify_all(
    run: Run, prompts: Sequence[Prompt], routes: Routes, questions: str | None, answers: str | None
) -> tuple[list[Verdict], str | None]:
    """A verdict for each request, and the model that gave them (`None` for rules)."""
    from costkit.route.rules import classify

    if routes.classifier == "rules":
        if questions or answers:
            flag = "--questions" if questions else "--answers"
            raise InvalidInput(f"{flag} belongs to the classifier api", hint="add --classifier api")
        return [classify(prompt.request, routes.sizes, routes.own_rules) for prompt in prompts], None
    if questions is not None and (answers is not None or questions == "-"):
        problem = "--questions asks and --answers reads" if answers is not None else "--questions needs a file"
        raise InvalidInput(problem, hint="one call writes the questions to a file, the next one reads the answers")
    from costkit.adapters.routing.model_classifier import answers_from, ask_all, write_questions
    from costkit.route.question import cheapest_model

    model = routes.classifier_model or cheapest_model(run.book, run.as_of)
    requests = [prompt.request for prompt in prompts]
    if questions is not None:
        return write_questions(requests, model, questions, run.cache_dir()), model
    if answers is not None:
        return answers_from(answers, requests, model, run.cache_dir()), model
    if run.offline:
        raise InvalidInput(
            "the classifier api needs the API, and --offline forbids it", hint="use --classifier rules, or --answers"
        )
    return ask_all(requests, model, os.environ, run.cache_dir()), model
