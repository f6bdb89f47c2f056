"""`costkit cache`: look at the caching of requests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, CONTEXT, CommandGroup, add_command, whole_number
from costkit.cli.run import Finding, Run, piped_input
from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.cache.lint import CacheLint
    from costkit.cache.timeline import Timeline
    from costkit.cache.traffic import Traffic
    from costkit.core.tokens import TokenCounter

DEFAULT_MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
LINT_EXAMPLES = "Example: costkit cache lint prompts/*.json requests.jsonl"
WHY_EXAMPLES = "Examples: costkit cache why monday.json tuesday.json · costkit cache why requests.jsonl --no-text"
PLAN_EXAMPLES = (
    "Examples: costkit cache plan requests.jsonl --apply marked/ · costkit cache plan body.json -n 40 --every 90s"
)
MOST_COUNTED = 400_000
"""Characters of distinct blocks after which `plan` scales tokens from lengths: a few seconds for the tokenizer."""

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH|-]...",
        show_default=False,
        help="Messages bodies, JSONL of bodies or batch lines, logs that hold requests.",
    ),
]
Tokens = Annotated[
    str | None,
    typer.Option(metavar="HOW", rich_help_panel=ADVANCED, help="auto, exact (the API), offline [default] or fast."),
]


def lint(
    run: Run,
    paths: Files = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", help="For bodies that name none, several times."),
    ] = None,
    tokens: Tokens = None,
) -> ExitCode:
    """Find what is wrong with cache breakpoints: refused ones, idle ones, values that change before one.

    Exit 4 on findings. Requests of one call are compared with each other: values, tools and keys that ought to be
    stable and aren't.
    """
    from costkit.cache.lint import lint_caching
    from costkit.render.views.cache_lint import cache_lint_view

    models = tuple(model or run.settings.model or DEFAULT_MODELS)
    result = lint_caching(traffic_of(run, paths), counter_of(run, tokens), run.book, run.as_of, models)
    return run.show(
        "cache-lint", result, lambda: cache_lint_view(result), notices=result.notices, findings=_found(result)
    )


def why(
    run: Run,
    paths: Files = None,
    no_text: Annotated[bool, typer.Option("--no-text", help="No excerpt of the requests in the answer.")] = False,
    top: Annotated[
        int, typer.Option(parser=whole_number(1), metavar="N", help="Show the N dearest misses [default: 20].")
    ] = 20,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="For bodies that name none.")
    ] = None,
    tokens: Tokens = None,
) -> ExitCode:
    """Explain why requests did not read from the cache what they could have read.

    Two bodies are compared as if the second was sent right after the first. A log needs lines with `ts` and `request`
    (or `params`), and says more with `response`: {"ts": "2026-11-21T09:00:00Z", "request": {…}, "response": {…}}
    """
    from costkit.cache.miss import without_text
    from costkit.cache.sent import Layout
    from costkit.cache.timeline import PAIR, in_order
    from costkit.cache.why import explain_misses
    from costkit.render.views.cache_why import cache_why_view

    timeline = in_order(traffic_of(run, paths), pairs=True)
    if len(timeline.requests) == 1:
        raise InvalidInput("one request alone has nothing to be compared with", where=timeline.requests[0].where)
    layout = Layout(counter_of(run, tokens), run.book, run.as_of, model or _configured_model(run))
    previous = 0 if len(timeline.requests) == PAIR else None
    result = explain_misses(timeline.requests, layout, starts=timeline.starts, previous=previous)
    result = without_text(result) if no_text else result
    return run.show("cache-why", result, lambda: cache_why_view(result, run.book_line, top), notices=timeline.notices)


def plan(
    run: Run,
    paths: Files = None,
    repeats: Annotated[
        int | None,
        typer.Option("--repeats", "-n", parser=whole_number(1), metavar="N", help="Of one body: send it this often."),
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="GAP", help="One after each gap, e.g. 90s, 5min [default: 60s].")
    ] = None,
    apply: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write the requests with the best breakpoints into a folder.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="For bodies that name none.")
    ] = None,
    tokens: Tokens = None,
) -> ExitCode:
    """Find the breakpoints that cost least: all plans of up to four, through the simulator.

    A log has lines {"ts": "2026-11-21T09:00:00Z", "request": {…}} or {"ts": …, "params": {…}}; its first half chooses,
    the second half scores. Of one body, what stands behind its own last breakpoint (else behind tools and system) is
    taken to be new in every repeat. Nothing is recommended that costs more than the requests as they are, or than no
    breakpoints at all.
    """
    from costkit.cache.places import marks_of_plan
    from costkit.cache.plan import plan_breakpoints, plan_repeats
    from costkit.cache.sent import Layout
    from costkit.render.views.cache_plan import cache_plan_view

    most = MOST_COUNTED if tokens is None else None
    layout = Layout(counter_of(run, tokens), run.book, run.as_of, model or _configured_model(run), most)
    timeline, repeated = _requests_to_plan(run, paths, repeats, every)
    result = (plan_repeats if repeated else plan_breakpoints)(timeline, layout)
    document, applied = result.as_json(), None
    if apply is not None and result.recommended != "as-written":
        from costkit.adapters.marked_requests import write_marked

        applied = write_marked(
            paths or ["-"], apply, lambda logged: marks_of_plan(result.plan, layout.lay_out(logged, 0))
        )
    diff, files = (applied.diff, applied.files) if applied else ((), ())
    return run.show(
        "cache-plan",
        {**document, "applied": applied},
        lambda: cache_plan_view(result, run.book_line, diff, files),
        notices=result.notices,
        assumptions=result.assumptions,
    )


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        cls=CommandGroup, context_settings=CONTEXT, help="Look at the caching of requests.", rich_markup_mode=None
    )
    add_command(group, "lint", lint, examples=LINT_EXAMPLES)
    add_command(group, "why", why, examples=WHY_EXAMPLES)
    add_command(group, "plan", plan, examples=PLAN_EXAMPLES)
    app.add_typer(group, name="cache")


def traffic_of(run: Run, paths: list[str] | None) -> Iterator[Traffic]:
    """The requests of the files, one by one, with a progress bar where somebody watches."""
    from costkit.adapters.request_log import read_traffic
    from costkit.cli.progress import byte_progress

    with byte_progress(run, "reading") as progress:
        yield from read_traffic(paths or [piped_input()], progress=progress)


def counter_of(run: Run, tokens: str | None) -> TokenCounter:
    """How tokens are counted: offline unless something else is asked for, because logs are long."""
    from costkit.adapters.settings import TOKEN_MODES
    from costkit.adapters.tokens import make_counter
    from costkit.cli.values import one_of

    mode = one_of("--tokens", tokens, TOKEN_MODES) or "offline"
    return make_counter(mode, offline=run.offline, cache_dir=run.cache_dir(), environ=os.environ)


def _requests_to_plan(
    run: Run, paths: list[str] | None, repeats: int | None, every: str | None
) -> tuple[Timeline, bool]:
    """A log in the order of time, or one body as often as it is sent."""
    from costkit.cache.arrivals import parse_duration
    from costkit.cache.timeline import in_order, only_one, repeated

    if repeats is None and every is None:
        return in_order(traffic_of(run, paths)), False
    gap = parse_duration("--every", every or "60s")
    return repeated(only_one(traffic_of(run, paths)), (number * gap for number in range(repeats or 10))), True


def _configured_model(run: Run) -> str | None:
    return run.settings.model[0] if run.settings.model else None


def _found(result: CacheLint) -> Iterator[Finding]:
    if result.findings:
        count = len(result.findings)
        yield Finding(ExitCode.INCOMPLETE, f"{count} {'finding' if count == 1 else 'findings'} to put right")
    if any(notice.code == "unknown-model" for notice in result.notices):
        yield Finding(ExitCode.UNDECIDED, "the minimum of an unknown model was not checked")
