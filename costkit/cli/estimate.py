"""`costkit estimate`: the flags of the estimate."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.adapters import prompts as prompt_files
from costkit.adapters.settings import TOKEN_MODES
from costkit.cli.calibration import calibration_here, told
from costkit.cli.estimate_limits import over, undecided
from costkit.cli.estimate_prompts import Reading, read_prompts
from costkit.cli.estimate_sources import estimate_sources
from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.progress import patience
from costkit.cli.prompt_flags import InputFlag, SystemFlag, ToolsFlag
from costkit.cli.run import Finding, Run, piped_input
from costkit.cli.values import one_of, share_from, usd_from
from costkit.core.notice import Notice
from costkit.core.tokens import TokenCounter
from costkit.errors import ExitCode, InvalidInput
from costkit.estimate.result import CACHE_MODES, Estimate, EstimateOptions
from costkit.estimate.sample import AUTO, OFF, sample_choice

if TYPE_CHECKING:
    from costkit.adapters.calibration_file import Calibration
    from costkit.estimate import Comparison
    from costkit.estimate.account import AccountTimes
    from costkit.render.view import View

DEFAULT_MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
EXAMPLES = "Example: costkit estimate prompt.md -m claude-opus-5-5 --output-tokens 500 -n 1000 --max-cost 20"


def estimate(
    run: Run,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|-]...", show_default=False, help="Prompts: text, JSON, JSONL, YAML, images, PDFs."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", help="A model, several times; `all` is every active one."),
    ] = None,
    output_tokens: Annotated[
        int | None, typer.Option(parser=whole_number(), metavar="N", help="Expected output of one request.")
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(parser=whole_number(), metavar="N", help="Output limit of one request, for the ceiling."),
    ] = None,
    requests: Annotated[
        int, typer.Option("--requests", "-n", parser=whole_number(1), metavar="N", help="Send each request this often.")
    ] = 1,
    batch: Annotated[bool, typer.Option("--batch", help="At batch prices.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="Tokens and dollars by tool, system block and message.")] = False,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="Exit 3 if a model's total is above this.")
    ] = None,
    tokens: Annotated[
        str | None,
        typer.Option(metavar="HOW", rich_help_panel=ADVANCED, help="auto, exact (the API), offline or fast."),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            rich_help_panel=ADVANCED,
            help="Count auto, N or (off) all requests of a long JSONL file. [default: auto, 500 of more than 2,000]",
        ),
    ] = None,
    system: SystemFlag = None,
    tools: ToolsFlag = None,
    input_: InputFlag = None,
    cache: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            rich_help_panel=ADVANCED,
            help="none, 5m, 1h or as-written: marks as in the body, else after tools and system, else at the end.",
        ),
    ] = "none",
    hit_rate: Annotated[
        str | None,
        typer.Option(metavar="R", rich_help_panel=ADVANCED, help="Share of requests that read the cache, 0 to 1."),
    ] = None,
    geo: Annotated[str | None, typer.Option(metavar="GEO", rich_help_panel=ADVANCED, help="inference_geo: us.")] = None,
    speed: Annotated[
        str | None, typer.Option(metavar="SPEED", rich_help_panel=ADVANCED, help="standard or fast.")
    ] = None,
    per_request: Annotated[
        bool, typer.Option("--per-request", rich_help_panel=ADVANCED, help="One row per request and model.")
    ] = False,
    compare_to: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=ADVANCED, help="An earlier `estimate --json`, or a prompt."),
    ] = None,
    max_increase: Annotated[
        str | None,
        typer.Option(metavar="10%|USD", rich_help_panel=ADVANCED, help="Exit 3 if the cost grew by more than this."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="WHICH", rich_help_panel=ADVANCED, help="Limits judge expected or ceiling."),
    ] = None,
    tier: Annotated[
        str | None,
        typer.Option(
            metavar="TIER", rich_help_panel=ADVANCED, help="How long it takes: start, build, scale or a file of limits."
        ),
    ] = None,
) -> ExitCode:
    """Say what requests will cost before you send them.

    Counts the tokens with each model's own tokenizer and prices them with the rates of the day.
    """
    from costkit.cli import estimate_compare, estimate_tier

    limit = usd_from("--max-cost", max_cost if max_cost is not None else run.settings.max_cost)
    one_of("--on", on, ("expected", "ceiling"))
    one_of("--input", input_, prompt_files.KINDS)
    options = EstimateOptions(
        as_of=run.as_of,
        models=tuple(model or ()),
        default_models=run.settings.model or DEFAULT_MODELS,
        output_tokens=output_tokens if output_tokens is not None else run.settings.output_tokens,
        max_tokens=max_tokens if max_tokens is not None else run.settings.max_tokens,
        requests=requests,
        batch=batch,
        fast=None if one_of("--speed", speed, ("standard", "fast")) is None else speed == "fast",
        inference_geo=one_of("--geo", geo, ("us", "global")),
        cache=one_of("--cache", cache, CACHE_MODES) or "none",
        hit_rate=share_from("--hit-rate", hit_rate),
        per_request=per_request,
        tree=tree,
        sources=_sources(run, output_tokens=output_tokens, max_tokens=max_tokens),
    )
    allowed = estimate_compare.increase_from(max_increase, compare_to)
    account = estimate_tier.tier_from(run, tier)
    choice = _sample_choice(sample, per_request)
    reading = Reading.of(input_, system, tools)
    sources, samples = read_prompts(paths or [piped_input()], reading, choice)
    calibration = calibration_here()
    make = _counting(run, tokens, calibration)
    counter = make()
    with patience(run, "counting tokens"):
        price = partial(estimate_sources, sources, samples, counter, make, run.book)
        result = told(price(options), calibration)
        times = estimate_tier.times_of(account, result, price, options)
    comparison = None
    if compare_to is not None:
        again = partial(estimate_sources, counter=counter, make=make, book=run.book, options=options)
        comparison = estimate_compare.against(compare_to, result, reading, choice, again, run.book, run.as_of)
    findings = [*undecided(result), *over(result.totals, limit, on), *estimate_compare.grown(comparison, allowed)]
    return _show(run, result, options, comparison, times, [*findings, *estimate_tier.unjudged(times, options)])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "estimate", estimate, examples=EXAMPLES)


def _sources(run: Run, **flags: object) -> dict[str, str]:
    """Where each value came from, for the assumptions of the document."""
    found = {name: f"--{name.replace('_', '-')}" for name in ("requests", "batch", "speed", "cache", "hit_rate")}
    found["inference_geo"] = "--geo"
    for name, value in flags.items():
        found[name] = f"--{name.replace('_', '-')}" if value is not None else "configuration"
    if run.settings.model:
        found["default_models"] = "configuration"
    return found


def _show(
    run: Run,
    result: Estimate,
    options: EstimateOptions,
    comparison: Comparison | None,
    times: AccountTimes | None,
    findings: Sequence[Finding],
) -> ExitCode:
    from costkit.cli import estimate_compare

    def page() -> View:
        from costkit.render.views.estimate import estimate_view

        return estimate_view(result, options, comparison, run.book_line, times)

    document: dict[str, object] = {"items": result.items, "totals": result.totals}
    notices = [*result.notices, *estimate_compare.left_out(comparison)]
    if comparison is not None:
        document["comparison"] = comparison
    if times is not None:
        document["account"] = times
        notices += times.notices
    if run.format == "csv" and (options.tree or comparison is not None):
        notices.append(Notice("csv-items-only", "CSV holds the items only: the tree and the change are in --json"))
    if run.format == "csv" and times is not None:
        notices.append(Notice("csv-items-only", "CSV holds the items only: how long they take is in --json"))
    return run.show(
        "estimate",
        document,
        page,
        notices=notices,
        assumptions=result.assumptions,
        findings=findings,
    )


def _sample_choice(sample: str | None, per_request: bool) -> str | int:
    choice = sample_choice(AUTO if sample is None else sample)
    if per_request and isinstance(choice, int):
        raise InvalidInput("--per-request counts every request, --sample only some", hint="drop one of the two")
    return OFF if per_request else choice


def _counting(run: Run, tokens: str | None, calibration: Calibration) -> Callable[[], TokenCounter]:
    """Makes the counter that was asked for, here or in another process."""
    from costkit.adapters.tokens import make_counter

    mode = one_of("--tokens", tokens, TOKEN_MODES) or run.settings.tokens or "auto"
    return partial(
        make_counter,
        mode,
        offline=run.offline,
        cache_dir=run.cache_dir(),
        environ=dict(os.environ),
        corrections=calibration.corrections,
    )
