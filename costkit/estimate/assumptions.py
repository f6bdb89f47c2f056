"""What an estimate rests on: how the requests are said to be sent, and who said so."""

from __future__ import annotations

from collections.abc import Iterator

from costkit.core.notice import Assumption
from costkit.estimate.result import EstimateOptions

_OWN = "each request's own"


def assumptions(options: EstimateOptions, *, names_models: bool) -> Iterator[Assumption]:
    """Each value that selects a price or a number of tokens, with its source, whether it was given or not.

    `names_models` says whether each request names its own.
    """

    def source(name: str, otherwise: str, *, given: bool) -> str:
        return options.sources.get(name, "given") if given else otherwise

    if not options.models and not names_models:
        yield Assumption("model", ", ".join(options.default_models), options.sources.get("default_models", "default"))
    output, limit, count = options.output_tokens, options.max_tokens, options.requests
    yield Assumption("output_tokens", output, source("output_tokens", "not given", given=output is not None))
    yield Assumption("max_tokens", limit, source("max_tokens", _OWN, given=limit is not None))
    yield Assumption("requests", count, source("requests", "default", given=count != 1))
    yield Assumption("batch", options.batch, source("batch", "default", given=options.batch))
    speed = None if options.fast is None else "fast" if options.fast else "standard"
    yield Assumption("speed", speed, source("speed", _OWN, given=speed is not None))
    geo = options.inference_geo
    yield Assumption("inference_geo", geo, source("inference_geo", _OWN, given=geo is not None))
    if options.cache != "none":
        yield Assumption("cache", options.cache, source("cache", "default", given=True))
        told = source("hit_rate", "all but the first request read", given=options.hit_rate is not None)
        yield Assumption("hit_rate", options.hit_rate, told)
