"""What a job is going to cost, for submit and retry: planned, sampled, counted in a process of its own, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from costkit.cli.framework import ADVANCED, whole_number
from costkit.cli.run import Run, shows_progress
from costkit.core.response import MOST_TOKENS

if TYPE_CHECKING:
    from costkit.adapters.batches.input import CheckedInput
    from costkit.adapters.batches.preview_child import PreviewChild
    from costkit.batch.preview import Preview
    from costkit.cli.batch_sending import Order

OutputTokens = Annotated[
    int | None,
    typer.Option(parser=whole_number(0, MOST_TOKENS), metavar="N", help="Expected output tokens of one request."),
]
TokenMode = Annotated[
    str | None,
    typer.Option(metavar="HOW", help="Count with auto, exact, offline or fast.", rich_help_panel=ADVANCED),
]
SampleSize = Annotated[
    str, typer.Option(metavar="N", help="How many requests to count: auto, off (all) or N.", rich_help_panel=ADVANCED)
]


@dataclass(frozen=True, slots=True)
class Counted:
    """How the cost of a job is estimated."""

    output_tokens: int | None = None
    tokens: str | None = None
    sample: str = "auto"


@contextmanager
def counting(run: Run, how: Counted) -> Iterator[PreviewChild]:
    """The process that counts the tokens: started before an input is checked, so that it is ready afterwards."""
    from costkit.adapters.batches.preview_child import Counting, start_preview
    from costkit.adapters.settings import TOKEN_MODES
    from costkit.cli.calibration import calibration_here
    from costkit.cli.values import one_of
    from costkit.estimate.sample import sample_choice

    mode = one_of("--tokens", how.tokens, TOKEN_MODES) or run.settings.tokens or "auto"
    sample_choice(how.sample)
    with start_preview(Counting(mode, run.offline, run.cache_dir(), calibration_here().corrections)) as child:
        yield child


def planned(
    run: Run, order: Order, checked: CheckedInput, child: PreviewChild, how: Counted, batch_size: int | None = None
) -> Order:
    """The order with its batches, its estimate and the preview that the estimate is from."""
    from costkit.batch.plan import MOST_REQUESTS

    preview = _preview(run, checked, child, how)
    batches = checked.plan(most_requests=batch_size or MOST_REQUESTS)
    return replace(order, job=replace(order.job, batches=batches, estimate=preview.cost_usd), preview=preview)


def _preview(run: Run, checked: CheckedInput, child: PreviewChild, how: Counted) -> Preview:
    from costkit.batch.preview import PreviewOptions
    from costkit.cli.calibration import told_in_assumptions
    from costkit.estimate.sample import sample_choice

    output = how.output_tokens if how.output_tokens is not None else run.settings.output_tokens
    options = PreviewOptions(run.as_of, output)
    with _busy(run, "counting tokens"):
        meanwhile = None if run.offline else _load_sdk
        preview = child.preview(checked, sample_choice(how.sample), run.book, options, meanwhile=meanwhile)
    told = told_in_assumptions(child.counting.corrections, [model.input_tokens.method for model in preview.models])
    return replace(preview, assumptions=(*preview.assumptions, *told))


def _load_sdk() -> None:
    """What sending needs takes a second to load: a good moment for it is while another process counts."""
    import anthropic  # noqa: F401


def tell_preview(run: Run, order: Order) -> None:
    """Show on stderr what a job is going to cost, for a person who is about to decide."""
    from costkit.cli.output import FIXED_WIDTH, say
    from costkit.render.table import render_table
    from costkit.render.views.batch_preview import preview_view

    if order.preview is None or run.quiet or run.format != "table":
        return
    page = render_table(preview_view(order.job, order.preview), width=FIXED_WIDTH, color=False)
    for line in page.rstrip("\n").split("\n"):
        say(line)


@contextmanager
def _busy(run: Run, what: str) -> Iterator[None]:
    """Something that moves, for whoever watches."""
    if not shows_progress(run):
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
