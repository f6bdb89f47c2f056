"""The library's verbs: the features, wired to the built-in price book, the local counters and real files.

The command line goes the same way; whoever wants other parts (a price book of their own making, a counter, records from
a database) calls `costkit.estimate.estimate_requests` or `costkit.report.report_on` directly.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from costkit.cache import (
    Arrivals,
    Every,
    Recorded,
    SimulateOptions,
    Simulation,
    Sizes,
    WrittenPrompt,
    simulate_repeats,
)
from costkit.cache.arrivals import parse_duration, parse_rate
from costkit.core.pricebook import PriceBook
from costkit.core.request import parse_request, text_request
from costkit.errors import InvalidInput
from costkit.estimate import Estimate, EstimateOptions, Prompt
from costkit.estimate import estimate_requests as estimate_prompts
from costkit.report import Report, ReportOptions, parse_by, parse_since, parse_until, settle

if TYPE_CHECKING:
    from costkit.advise import Advice


def load_price_book(path: str | Path | None = None) -> PriceBook:
    """Load the built-in price book, or a file that has the same format or says `extends: built-in`.

    Raises `CostkitError` with file and line for a file that breaks a rule of the format.
    """
    from costkit.adapters.pricing_yaml import built_in_book, load_book

    return built_in_book() if path is None else load_book(Path(path))


def estimate_requests(
    requests: Iterable[str | Mapping[str, object]],
    models: Sequence[str] = (),
    *,
    output_tokens: int | None = None,
    max_tokens: int | None = None,
    repeat: int = 1,
    batch: bool = False,
    tokens: str = "offline",
    book: PriceBook | None = None,
    as_of: date | None = None,
) -> Estimate:
    """Say what requests will cost before they are sent.

    `requests` are prompts (text) or Messages bodies. `models` empty means each body's own `model`. `output_tokens` and
    `max_tokens` are per request; without `output_tokens` the cost is that of the input alone. `tokens` is `offline` (no
    network), `exact` (the API's free count, needs a key), `auto` or `fast`. Costs are exact US dollars for the token
    counts, which carry their band. Raises `CostkitError` for bodies that aren't requests, for requests without a
    model where `models` is empty, for counts that are negative or no whole numbers, and for unknown models.
    """
    from costkit.adapters.tokens import make_counter

    for name, given in (("requests", requests), ("models", models)):
        if isinstance(given, str | Mapping):
            raise InvalidInput(f"{name} must be a list, even of one")
    prompts = []
    for index, request in enumerate(requests):
        where = f"requests[{index}]"
        parsed = text_request(request) if isinstance(request, str) else parse_request(request, where)
        prompts.append(Prompt("requests", index, parsed))
    counter = make_counter(tokens, offline=tokens in ("offline", "fast"), cache_dir=None, environ=os.environ)
    options = EstimateOptions(
        as_of=as_of or datetime.now(UTC).date(),
        models=tuple(models),
        output_tokens=output_tokens,
        max_tokens=max_tokens,
        requests=repeat,
        batch=batch,
        per_request=True,
    )
    return estimate_prompts(prompts, counter, book or load_price_book(), options)


def simulate_caching(
    prompt: str | Mapping[str, object] | None = None,
    models: Sequence[str] = (),
    *,
    prefix_tokens: int | None = None,
    fresh_tokens: int = 0,
    repeats: int | None = None,
    every: str = "60s",
    poisson: str | None = None,
    arrivals: Sequence[datetime] | None = None,
    output_tokens: int | None = None,
    strategy: str = "auto",
    growth: int = 0,
    concurrency: int = 1,
    first_byte: str = "0s",
    batch: bool = False,
    seed: int = 7,
    runs: int = 1000,
    tokens: str = "offline",
    book: PriceBook | None = None,
    as_of: date | None = None,
) -> Simulation:
    """Say when caching pays for a request that is sent again and again.

    `prompt` is a Messages body or text; instead, `prefix_tokens` that stay and `fresh_tokens` that are new each time
    tell its size. Requests arrive `every` gap, at a `poisson` rate such as `30/h`, or at the `arrivals` given (aware or
    UTC, not falling); `repeats` is 10 or the number of arrivals. For the rest see `costkit simulate --help`. Costs are
    exact US dollars, means over `runs` where arrivals are random. Raises `CostkitError` for input that means nothing.
    """
    from costkit.adapters.tokens import make_counter

    when = _arrivals(every, poisson, arrivals)
    options = SimulateOptions(
        as_of=as_of or datetime.now(UTC).date(),
        repeats=repeats if repeats is not None else 10 if arrivals is None else len(arrivals) * concurrency,
        arrivals=when,
        models=tuple(models),
        output_tokens=output_tokens,
        strategy=strategy,
        growth=growth,
        concurrency=concurrency,
        first_byte=parse_duration("first_byte", first_byte),
        batch=batch,
        seed=seed,
        runs=runs,
    )
    if (prompt is None) == (prefix_tokens is None):
        raise InvalidInput("give a prompt or prefix_tokens, and not both")
    counter = make_counter(tokens, offline=tokens in ("offline", "fast"), cache_dir=None, environ=os.environ)
    source: Sizes | WrittenPrompt = Sizes(prefix_tokens or 0, fresh_tokens)
    if prompt is not None:
        request = text_request(prompt) if isinstance(prompt, str) else parse_request(prompt, "prompt")
        source = WrittenPrompt("prompt", request)
    return simulate_repeats(source, counter, book or load_price_book(), options)


def _arrivals(every: str, poisson: str | None, arrivals: Sequence[datetime] | None) -> Arrivals:
    if arrivals is not None:
        if not arrivals or poisson is not None:
            raise InvalidInput("arrivals must not be empty, nor stand beside a rate")
        moments = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in arrivals]
        return Recorded(tuple((moment - moments[0]) // timedelta(microseconds=1) for moment in moments))
    return parse_rate("poisson", poisson) if poisson is not None else Every(parse_duration("every", every))


def summarize_logs(
    paths: Sequence[str | Path],
    *,
    by: str = "model",
    book: PriceBook | None = None,
    as_of: date | None = None,
) -> Report:
    """Say what was spent: read logs of any known dialect (files, folders, globs) and price them.

    `by` is a comma-separated list of dimensions such as `model,day`. Unreadable lines and unknown models don't raise:
    they are in the report's `skipped` and `unpriced`. Raises `CostkitError` for paths that can't be read.
    """
    from costkit.adapters.logs.summaries import summarize_logs as summarize

    read = _listed("paths", paths)
    options, book = ReportOptions(as_of=as_of or datetime.now(UTC).date(), by=parse_by(by)), book or load_price_book()
    return settle(summarize(read, options.fold(book)), book, options)


def advise_on_logs(
    paths: Sequence[str | Path],
    *,
    since: str | None = None,
    until: str | None = None,
    tokens: str | None = None,
    book: PriceBook | None = None,
    as_of: date | None = None,
) -> Advice:
    """Say where the money goes, and what each remedy would have saved on this very traffic.

    Reads what `summarize_logs` reads, and the requests where a log has them (costkit's own has their outline). `since`
    and `until` are days or moments as text, UTC unless they say otherwise. `tokens` is as in `estimate_requests`; by
    default blocks are counted offline, and in long logs some of them from their lengths. The
    `saving_usd` of a finding is what is left to save after those of a lower `order`, so they add up exactly. Unreadable
    lines and unknown models don't raise: they are in `skipped` and `unpriced`. Raises `CostkitError` for paths that
    can't be read.
    """
    from costkit.adapters.call_log import read_calls
    from costkit.adapters.tokens import make_counter
    from costkit.advise import MOST_COUNTED, AdviseOptions, advise_on

    read, mode = _listed("paths", paths), tokens or "offline"
    options = AdviseOptions(
        as_of=as_of or datetime.now(UTC).date(),
        since=None if since is None else parse_since(since, UTC),
        until=None if until is None else parse_until(until, UTC),
        most_counted=MOST_COUNTED if tokens is None else None,
    )
    counter = make_counter(mode, offline=mode in ("offline", "fast"), cache_dir=None, environ=os.environ)
    return advise_on(read_calls(read), counter, book or load_price_book(), options)


def _listed(name: str, paths: Sequence[str | Path]) -> list[str]:
    if isinstance(paths, str | Path):
        raise InvalidInput(f"{name} must be a list, even of one")
    return [str(path) for path in paths]
