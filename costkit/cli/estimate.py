"""`costkit estimate`: the flags of the estimate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated

import typer

from costkit.adapters import prompts as prompt_files
from costkit.adapters.prompt_lines import holds_lines, read_sampled
from costkit.adapters.settings import TOKEN_MODES
from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.run import Finding, Run, piped_input
from costkit.cli.values import one_of, share_from, usd_from
from costkit.core.money import display
from costkit.core.request import Request
from costkit.core.tokens import TokenCounter
from costkit.errors import ExitCode, InvalidInput
from costkit.estimate import Comparison, Estimate, EstimateOptions, Prompt, Total, estimate_requests
from costkit.estimate.result import CACHE_MODES
from costkit.estimate.sample import AUTO, OFF, Sample, sample_choice

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
            help="Count auto, N or (off) all requests of a long JSONL file. [default: auto, 1,000 of more than 2,000]",
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="FILE", rich_help_panel=ADVANCED, help="A system prompt for every request.")
    ] = None,
    tools: Annotated[
        str | None, typer.Option(metavar="FILE", rich_help_panel=ADVANCED, help="Tools for every request.")
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="KIND", rich_help_panel=ADVANCED, help="text, request, messages or batch."),
    ] = None,
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
) -> ExitCode:
    """Say what requests will cost before you send them.

    Counts the tokens with each model's own tokenizer and prices them with the rates of the day.
    """
    from costkit.cli import estimate_compare

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
    choice = _sample_choice(sample, per_request)
    prompts, samples = read_prompts(paths or [piped_input()], input_, system, tools, choice)
    counter = _counter(run, tokens)
    result = estimate_requests(prompts, counter, run.book, options, samples)
    comparison = estimate_compare.against(compare_to, result, counter, run.book, options) if compare_to else None
    findings = [*_undecided(result), *_over(result.totals, limit, on), *estimate_compare.grown(comparison, allowed)]
    return _show(run, result, options, comparison, findings)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "estimate", estimate, examples=EXAMPLES)


def _sources(run: Run, **flags: object) -> dict[str, str]:
    """Where each value came from, for the assumptions of the document."""
    found = {name: f"--{name.replace('_', '-')}" for name in ("requests", "cache", "hit_rate")}
    for name, value in flags.items():
        found[name] = f"--{name.replace('_', '-')}" if value is not None else "configuration"
    if run.settings.model:
        found["default_models"] = "configuration"
    return found


def _show(
    run: Run, result: Estimate, options: EstimateOptions, comparison: Comparison | None, findings: Sequence[Finding]
) -> ExitCode:
    from costkit.render.views.estimate import estimate_view

    document: dict[str, object] = {"items": result.items, "totals": result.totals}
    if comparison is not None:
        document["comparison"] = comparison
    return run.show(
        "estimate",
        document,
        lambda: estimate_view(result, options, comparison, run.book_line),
        notices=result.notices,
        assumptions=result.assumptions,
        findings=findings,
    )


def read_prompts(
    paths: Sequence[str], kind: str | None, system: str | None, tools: str | None, choice: str | int
) -> tuple[list[Prompt], dict[str, Sample]]:
    """Every request of every file, in order; of long files of lines a sample, which is told by path."""
    system_text = prompt_files.read_system(system) if system else None
    tool_list = prompt_files.read_tools(tools) if tools else None
    found: list[Prompt] = []
    samples: dict[str, Sample] = {}
    for path in prompt_files.find_files(paths):

        def complete(request: Request, path: str = path) -> Request:
            return prompt_files.with_system_and_tools(request, system_text, tool_list, path)

        if path in samples:
            raise InvalidInput("is named twice: a sample stands for one file", where=path, hint="use -n 2")
        if holds_lines(path, kind):
            prompts, sample = read_sampled(path, kind, choice, complete)
            found += prompts
            if sample is not None:
                samples[path] = sample
        else:
            requests = prompt_files.read_requests(path, prompt_files.read_file(path), kind)
            found += [Prompt(path, index, complete(request)) for index, request in enumerate(requests)]
    return found, samples


def _sample_choice(sample: str | None, per_request: bool) -> str | int:
    choice = sample_choice(sample or AUTO)
    if per_request and isinstance(choice, int):
        raise InvalidInput("--per-request counts every request, --sample only some", hint="drop one of the two")
    return OFF if per_request else choice


def _counter(run: Run, tokens: str | None) -> TokenCounter:
    from costkit.adapters.tokens import make_counter

    mode = one_of("--tokens", tokens, TOKEN_MODES) or run.settings.tokens or "auto"
    return make_counter(mode, offline=run.offline, cache_dir=run.cache_dir(), environ=os.environ)


def _undecided(result: Estimate) -> Iterator[Finding]:
    unpriced = [item.model for item in result.items if item.cost_usd is None]
    if unpriced:
        names = ", ".join(dict.fromkeys(unpriced))
        yield Finding(ExitCode.UNDECIDED, f"the price of {names} is unknown: the totals leave it out")


def _over(totals: Sequence[Total], limit: Decimal | None, on: str | None) -> Iterator[Finding]:
    for total in totals if limit is not None else ():
        if total.cost_usd is None:
            continue
        ceiling = total.cost_usd.ceiling
        if on == "ceiling" and ceiling is None:
            yield Finding(ExitCode.UNDECIDED, f"{total.model} has no ceiling to judge: add --max-tokens N")
            continue
        judged = total.cost_usd.expected if on == "expected" or ceiling is None else ceiling
        name = "expected" if judged is not ceiling else "ceiling"
        if limit is not None and judged > limit:
            message = f"{total.model}: {name} {display(judged)} is over --max-cost {display(limit)}"
            yield Finding(ExitCode.LIMIT, message)
