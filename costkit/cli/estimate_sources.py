"""The estimate of all sources of a command line: lists of requests at once, long files a portion at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from costkit.adapters.prompt_lines import LongFile
from costkit.cli.estimate_prompts import Source, in_memory
from costkit.core.pricebook import PriceBook
from costkit.core.tokens import TokenCounter
from costkit.estimate import Estimate, EstimateOptions, estimate_requests
from costkit.estimate.part import add_parts
from costkit.estimate.run import estimate_part, finish_estimate
from costkit.estimate.sample import Sample


def estimate_sources(
    sources: Sequence[Source],
    samples: dict[str, Sample],
    counter: TokenCounter,
    make: Callable[[], TokenCounter],
    book: PriceBook,
    options: EstimateOptions,
) -> Estimate:
    """Estimate all requests; `make` makes more counters like `counter` in other processes."""
    if not any(isinstance(source, LongFile) for source in sources):
        return estimate_requests(in_memory(sources), counter, book, options, samples)
    from costkit.adapters.estimate_pool import estimate_file
    from costkit.adapters.tokens.local import LocalCounter

    workers = None if isinstance(counter, LocalCounter) else 1
    parts = (
        estimate_file(source, make, book, options, workers=workers)
        if isinstance(source, LongFile)
        else estimate_part(source, counter, book, options, samples)
        for source in sources
    )
    return finish_estimate(add_parts(parts), book, options, samples)
