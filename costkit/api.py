"""The library's verbs: the features, wired to the built-in price book, the local counters and real files.

The command line goes the same way; whoever wants other parts (a price book of their own making, a counter, records from
a database) calls `costkit.estimate.estimate_requests` or `costkit.report.report_on` directly.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from costkit.core.pricebook import PriceBook
from costkit.core.request import parse_request, text_request
from costkit.errors import InvalidInput
from costkit.estimate import Estimate, EstimateOptions, Prompt
from costkit.estimate import estimate_requests as estimate_prompts
from costkit.report import Report, ReportOptions, parse_by, report_on


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
    counts, which carry their band. Raises `CostkitError` for bodies that aren't requests, for counts that are negative
    or no whole numbers, and for unknown models.
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
    from costkit.adapters.logs import read_logs

    options = ReportOptions(as_of=as_of or datetime.now(UTC).date(), by=parse_by(by))
    items = read_logs([str(path) for path in paths], labels=options.labels)
    return report_on(items, book or load_price_book(), options)
