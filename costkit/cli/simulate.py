"""`costkit simulate`: the flags of the caching simulation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.calibration import calibration_here, told_in_assumptions
from costkit.cli.framework import ADVANCED, add_command, whole_number
from costkit.cli.output import is_picture, write_picture
from costkit.cli.run import Run, piped_input
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.adapters.calibration_file import Calibration
    from costkit.cache import Arrivals, Simulation, Sizes, WrittenPrompt
    from costkit.core.tokens import TokenCounter
    from costkit.render.view import View

DEFAULT_MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
TTL_WORDS = ("auto", "none", "5m", "1h", "mixed", "automatic", "as-written")
EXAMPLES = (
    "Example: costkit simulate prompt.json -n 40 --poisson 30/h -m claude-opus-5-5 --output-tokens 500 -o caching.svg"
)
_DEFAULT_REPEATS = 10
_DEFAULT_GAP = "60s"


def simulate(
    run: Run,
    path: Annotated[
        str | None,
        typer.Argument(metavar="[PATH|-]", show_default=False, help="The request that is repeated, as for estimate."),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(
            "--repeats", "-n", parser=whole_number(1), metavar="N", help="How often it is sent [default: 10]."
        ),
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="GAP", help="One after each gap, e.g. 90s, 5min [default: 60s].")
    ] = None,
    poisson: Annotated[
        str | None, typer.Option(metavar="RATE", help="At random, this often on average, e.g. 30/h.")
    ] = None,
    arrivals: Annotated[
        str | None, typer.Option(metavar="FILE", help="As recorded: seconds, times or log lines with ts, one a line.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", help="A model, several times; `all` is every active one."),
    ] = None,
    output_tokens: Annotated[
        int | None, typer.Option(parser=whole_number(), metavar="N", help="Output of one request.")
    ] = None,
    prefix_tokens: Annotated[
        int | None,
        typer.Option(parser=whole_number(), metavar="N", help="Instead of PATH: tokens that are the same every time."),
    ] = None,
    fresh_tokens: Annotated[
        int | None, typer.Option(parser=whole_number(), metavar="N", help="Tokens behind them that are new every time.")
    ] = None,
    chart: Annotated[bool, typer.Option("--chart", help="Draw the cost as it adds up.")] = False,
    per_repeat: Annotated[
        bool, typer.Option("--per-repeat", help="Request by request: written, read, saved so far.")
    ] = False,
    ttl: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            rich_help_panel=ADVANCED,
            help="Only this strategy beside no caching: none, 5m, 1h, mixed, automatic or as-written.",
        ),
    ] = "auto",
    growth: Annotated[
        int,
        typer.Option(
            parser=whole_number(),
            metavar="T",
            rich_help_panel=ADVANCED,
            help="A conversation: every request is T tokens longer than the one before.",
        ),
    ] = 0,
    concurrency: Annotated[
        int,
        typer.Option(
            parser=whole_number(1), metavar="B", rich_help_panel=ADVANCED, help="B requests start at each instant."
        ),
    ] = 1,
    first_byte: Annotated[
        str,
        typer.Option(
            metavar="TIME", rich_help_panel=ADVANCED, help="From a request's start until its entry can be read."
        ),
    ] = "0s",
    batch: Annotated[bool, typer.Option("--batch", rich_help_panel=ADVANCED, help="At batch prices.")] = False,
    seed: Annotated[
        int, typer.Option(parser=whole_number(), metavar="N", rich_help_panel=ADVANCED, help="Of random arrivals.")
    ] = 7,
    reps: Annotated[
        int,
        typer.Option(parser=whole_number(1), metavar="N", rich_help_panel=ADVANCED, help="Runs of random arrivals."),
    ] = 1000,
    explain: Annotated[
        bool, typer.Option("--explain", rich_help_panel=ADVANCED, help="The closed forms beside the simulation.")
    ] = False,
) -> ExitCode:
    """Say when caching pays for a request that is sent again and again.

    Compares breakpoints of 5 minutes and an hour, automatic caching and none, by when requests arrive. With
    -o NAME.svg or NAME.html the file is a picture, and the answer goes to stdout.
    """
    from costkit.cache import SimulateOptions, simulate_repeats
    from costkit.cache.arrivals import parse_duration
    from costkit.cli.values import one_of

    one_of("--ttl", ttl, TTL_WORDS)
    when = _arrivals(every, poisson, arrivals)
    options = SimulateOptions(
        as_of=run.as_of,
        repeats=_repeats(repeats, when, concurrency),
        arrivals=when,
        models=tuple(model or run.settings.model or ()),
        default_models=DEFAULT_MODELS,
        output_tokens=output_tokens if output_tokens is not None else run.settings.output_tokens,
        strategy=ttl,
        growth=growth,
        concurrency=concurrency,
        first_byte=parse_duration("--first-byte", first_byte),
        batch=batch,
        seed=seed,
        runs=reps,
        per_repeat=per_repeat,
        explain=explain,
        gap_curves=is_picture(run.output),
    )
    source = _source(path, prefix_tokens, fresh_tokens)
    calibration = calibration_here()
    counter = _counter(run, path, prefix_tokens, calibration)
    result = simulate_repeats(source, counter, run.book, options)
    methods = {model.count.method for model in result.models if model.count is not None} - {"exact"}
    if is_picture(run.output):
        _draw(run, result)
    return run.show(
        "simulate",
        {"models": result.models},
        lambda: _page(result, run, chart=chart),
        notices=(*result.notices, *(calibration.notices if methods else ())),
        assumptions=(*result.assumptions, *told_in_assumptions(calibration.corrections, methods)),
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_command(app, "simulate", simulate, examples=EXAMPLES)


def _arrivals(every: str | None, poisson: str | None, path: str | None) -> Arrivals:
    from costkit.adapters.arrivals_file import read_arrivals
    from costkit.adapters.prompts import read_file
    from costkit.cache.arrivals import Every, parse_duration, parse_rate

    flags = {"--every": every, "--poisson": poisson, "--arrivals": path}
    given = [flag for flag, value in flags.items() if value is not None]
    if len(given) > 1:
        raise InvalidInput(f"{' and '.join(given)} contradict each other", code="usage", hint="give one of them")
    if path is not None:
        return read_arrivals(path, read_file(path))
    if poisson is not None:
        return parse_rate("--poisson", poisson)
    return Every(parse_duration("--every", _DEFAULT_GAP if every is None else every))


def _repeats(wanted: int | None, when: Arrivals, concurrency: int) -> int:
    from costkit.cache import Recorded

    if wanted is not None:
        return wanted
    return len(when.starts) * concurrency if isinstance(when, Recorded) else _DEFAULT_REPEATS


def _source(path: str | None, prefix_tokens: int | None, fresh_tokens: int | None) -> Sizes | WrittenPrompt:
    from costkit.adapters.prompts import read_file, read_requests
    from costkit.cache import Sizes, WrittenPrompt

    if prefix_tokens is not None:
        if path is not None:
            raise InvalidInput("--prefix-tokens stands instead of a file", code="usage", hint="drop one of the two")
        return Sizes(prefix_tokens, fresh_tokens or 0)
    if fresh_tokens is not None:
        raise InvalidInput("--fresh-tokens needs --prefix-tokens", code="usage", hint="add --prefix-tokens N")
    name = piped_input() if path is None else path
    requests = read_requests(name, read_file(name))
    if len(requests) != 1:
        message = f"one request is repeated, but the file holds {len(requests)}"
        raise InvalidInput(message, where=name, code="several-requests", hint="costkit cache plan reads many")
    return WrittenPrompt(name, requests[0])


def _counter(run: Run, path: str | None, prefix_tokens: int | None, calibration: Calibration) -> TokenCounter | None:
    from costkit.adapters.tokens import make_counter

    if path is None and prefix_tokens is not None:
        return None
    return make_counter(
        run.settings.tokens or "auto",
        offline=run.offline,
        cache_dir=run.cache_dir(),
        environ=os.environ,
        corrections=calibration.corrections,
    )


def _draw(run: Run, result: Simulation) -> None:
    from costkit.render.views.simulate_picture import simulation_html, simulation_svg

    footer = run.book_line
    write_picture(run, lambda: simulation_svg(result, footer), lambda: simulation_html(result, footer))


def _page(result: Simulation, run: Run, *, chart: bool) -> View:
    from costkit.render.views.simulate import simulation_view

    return simulation_view(result, run.book_line, chart=chart)
