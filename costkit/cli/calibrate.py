"""`costkit calibrate`: learn from the API's own counts how far local ones are off on the user's requests."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.adapters import prompts as prompt_files
from costkit.cli.framework import add_command, whole_number
from costkit.cli.prompt_flags import InputFlag, SystemFlag, ToolsFlag
from costkit.cli.run import Run, piped_input
from costkit.cli.values import one_of
from costkit.core.notice import Notice
from costkit.errors import ExitCode, InvalidInput, Undecidable
from costkit.estimate.calibration import FEWEST, FEWEST_OF_A_KIND

if TYPE_CHECKING:
    from costkit.core.pricebook import ModelPrice
    from costkit.estimate import Prompt
    from costkit.estimate.calibration import Compared, Correction

EXAMPLES = "Example: costkit calibrate requests.jsonl && costkit estimate more.jsonl --offline"
_USUAL, _MOST = 200, 10_000
_SEED = 7


def calibrate(
    run: Run,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH|-]...", show_default=False, help="Requests like those that you send."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Count for this model, several times for several."),
    ] = None,
    sample: Annotated[
        int, typer.Option(parser=whole_number(FEWEST, _MOST), metavar="N", help="How many requests to count.")
    ] = _USUAL,
    show: Annotated[bool, typer.Option("--show", help="Show what was learnt before.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Forget it.")] = False,
    system: SystemFlag = None,
    tools: ToolsFlag = None,
    input_: InputFlag = None,
) -> ExitCode:
    """Make local counts fit your own requests.

    Counts some of them through the API (free of charge), compares, and keeps a correction for `estimate --offline`.
    """
    from costkit.cli.calibration import calibration_here

    if show or clear:
        if paths or (show and clear):
            raise InvalidInput("--show and --clear stand alone", code="usage")
        if clear:
            _forget()
        kept = calibration_here()
        return _answer(run, kept.corrections, kept.notices)
    if run.offline:
        raise InvalidInput("calibrating asks the API, which --offline forbids", code="usage")
    one_of("--input", input_, prompt_files.KINDS)
    compared, notices = _compare(run, _drawn(paths or [piped_input()], (input_, system, tools), sample), model or [])
    learnt = _learn(run, compared)
    missing = {one.family for one in compared} - {one.family for one in learnt}
    notices += [Notice("evidence-thin", f"too few requests for the tokenizer {name}") for name in sorted(missing)]
    return _answer(run, learnt, notices, len(compared))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "calibrate", calibrate, examples=EXAMPLES)


def _drawn(paths: Sequence[str], how: tuple[str | None, str | None, str | None], wanted: int) -> list[Prompt]:
    """A seeded choice among all requests of all files."""
    from costkit.cli.estimate_prompts import Reading, in_memory, read_prompts

    prompts = in_memory(read_prompts(paths, Reading.of(*how), wanted)[0])
    if len(prompts) <= wanted:
        return prompts
    dice = random.Random(_SEED)  # noqa: S311  reproducible on purpose
    return [prompts[index] for index in sorted(dice.sample(range(len(prompts)), wanted))]


def _compare(run: Run, prompts: Sequence[Prompt], names: Sequence[str]) -> tuple[list[Compared], list[Notice]]:
    """Count requests exactly and locally; those that the API refuses are left out and told."""
    from costkit.adapters.tokens import local_counter
    from costkit.adapters.tokens.exact import ExactCounter
    from costkit.cli.output import say
    from costkit.cli.progress import patience

    jobs = [(prompt.request, model) for prompt in prompts for model in _models(run, prompt, names)]
    local = local_counter(fast=run.settings.tokens == "fast", offline=False, environ=os.environ)
    counter = ExactCounter(environ=os.environ, local=local, cache_dir=run.cache_dir())
    try:
        with patience(run, "counting through the API"):
            counts = counter.count_served(jobs)
    except KeyboardInterrupt:
        say("what was counted is kept: the same command goes on from there")
        raise
    compared = [local.compare(*job, exact) for job, exact in zip(jobs, counts, strict=True) if exact is not None]
    refused = len(jobs) - len(compared)
    notices = [Notice("refused", f"{refused:,} of {len(jobs):,} requests were refused by the API")] if refused else []
    return compared, notices


def _models(run: Run, prompt: Prompt, names: Sequence[str]) -> list[ModelPrice]:
    """The models to count a request for: those asked for, its own, or the usual one."""
    from costkit.cli.estimate import DEFAULT_MODELS

    usual = (run.settings.model or DEFAULT_MODELS)[:1]
    return [run.book.resolve(name) for name in names or [prompt.request.model or usual[0]]]


def _learn(run: Run, compared: Sequence[Compared]) -> tuple[Correction, ...]:
    """Learn, and keep it beside what was learnt for other tokenizers; raises `Undecidable` on thin evidence."""
    from costkit.adapters.calibration_file import keep_calibration
    from costkit.adapters.state_folder import state_folder
    from costkit.cli.calibration import calibration_here
    from costkit.estimate.calibration import learn_corrections
    from costkit.render.text import plural

    learnt = learn_corrections(compared, run.as_of)
    if not learnt:
        kinds = "of a kind (text, tools, images; none with tools that the API runs itself)"
        need = f"it takes {FEWEST} of one tokenizer, and {FEWEST_OF_A_KIND} {kinds}"
        message = f"{plural(len(compared), 'request')} counted, too little to learn from: {need}"
        raise Undecidable(message, hint="nothing was kept; add more requests", code="evidence-thin")
    new = {(one.family, one.method) for one in learnt}
    others = [one for one in calibration_here().corrections if (one.family, one.method) not in new]
    keep_calibration(state_folder(), [*others, *learnt])
    return learnt


def _forget() -> None:
    from costkit.adapters.calibration_file import clear_calibration
    from costkit.adapters.state_folder import state_folder

    clear_calibration(state_folder())


def _answer(
    run: Run, corrections: Sequence[Correction], notices: Sequence[Notice], compared: int | None = None
) -> ExitCode:
    from costkit.render.views.calibrate import calibrate_view

    following = "costkit estimate FILE --offline" if corrections else "costkit calibrate FILES"
    return run.show(
        "calibrate",
        {"compared": compared, "corrections": corrections},
        lambda: calibrate_view(corrections, compared, following),
        notices=notices,
    )
