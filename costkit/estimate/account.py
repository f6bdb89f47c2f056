"""How long requests take under the rate limits of an account, which limit binds, and what would change that.

Limits are buckets that refill steadily: requests, input tokens and output tokens a minute, by model. Tokens written to
the cache count as input; tokens read from it don't on current models. Message Batches have a queue of their own and end
within 24 hours. https://platform.claude.com/docs/en/api/rate-limits
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from costkit.core.notice import Notice
from costkit.core.usage import Usage
from costkit.estimate.result import Estimate, EstimateOptions

BATCH_SECONDS = 24 * 3600
"""A batch ends within this time, whatever is in it."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one model, or several together, may take in a minute."""

    models: tuple[str, ...]
    """Ids of the price book."""
    requests_per_minute: int
    input_tokens_per_minute: int
    output_tokens_per_minute: int
    cache_reads_count: bool = False
    confidence: str = "official"


@dataclass(frozen=True, slots=True)
class AccountTier:
    """The limits of an account."""

    name: str
    source: str
    """Where they were read, in words."""
    checked: date
    buckets: tuple[Bucket, ...]
    requests_in_queue: int | None = None
    """Requests of Message Batches that may wait at the same time; `None` where that is not known."""

    def bucket(self, model: str) -> Bucket | None:
        """The bucket of a model; `None` where its limits are not known."""
        return next((bucket for bucket in self.buckets if model in bucket.models), None)


@dataclass(frozen=True, slots=True)
class Pace:
    """One way to send all requests of a model: how long each limit makes it last, in seconds, rounded up."""

    way: str
    """`as-sent`, `cached-5m` or `batch`."""
    seconds: int | None
    """The longest of the next three, at a steady rate; for a batch the time by which it has ended at the latest."""
    limit: str | None
    """What binds: `requests`, `input_tokens`, `output_tokens`, or `queue` for a batch."""
    requests_seconds: int | None = None
    input_tokens_seconds: int | None = None
    output_tokens_seconds: int | None = None
    """`None` where nothing says how long the answers are."""


@dataclass(frozen=True, slots=True)
class ModelPaces:
    """All requests of one model, sent in each way."""

    model: str
    requests: int
    shares_with: tuple[str, ...]
    """Other models that take from the same bucket."""
    paces: tuple[Pace, ...]
    """Empty where the limits of the model are not known."""


@dataclass(frozen=True, slots=True)
class AccountTimes:
    """The answer: how long it takes in a tier."""

    tier: str
    source: str
    checked: date
    models: tuple[ModelPaces, ...]
    notices: tuple[Notice, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The `account` object of the estimate's document."""
        return {"tier": self.tier, "source": self.source, "checked": self.checked, "models": self.models}


def account_times(
    estimate: Estimate, cached: Estimate | None, tier: AccountTier, options: EstimateOptions
) -> AccountTimes:
    """Say how long the requests of an estimate take; `cached` is the same estimate with a cache of five minutes.

    Each model is taken to be sent alone: models are alternatives, as everywhere in an estimate.
    """
    models: list[ModelPaces] = []
    notices: list[Notice] = []
    for total in estimate.totals:
        bucket = None if options.fast else tier.bucket(total.model)
        usage = _usage(estimate, total.model)
        paces = tuple(_paces(bucket, tier, total.requests, usage, _cached_usage(cached, total.model), options))
        shares = tuple(model for model in bucket.models if model != total.model) if bucket else ()
        models.append(ModelPaces(total.model, total.requests, shares, paces))
        notices += _notices(tier, bucket, total.model, options)
    return AccountTimes(tier.name, tier.source, tier.checked, tuple(models), tuple(notices))


def _usage(estimate: Estimate, model: str) -> Usage:
    return sum((item.usage for item in estimate.items if item.model == model), Usage())


def _cached_usage(cached: Estimate | None, model: str) -> Usage | None:
    """The usage with caching; `None` where nothing would be read."""
    usage = _usage(cached, model) if cached else Usage()
    return usage if usage.cache_read_input_tokens else None


def _paces(
    bucket: Bucket | None,
    tier: AccountTier,
    requests: int,
    usage: Usage,
    cached: Usage | None,
    options: EstimateOptions,
) -> Iterator[Pace]:
    if bucket is not None and not options.batch:
        has_output = options.output_tokens is not None
        yield _pace("as-sent", bucket, requests, usage, has_output=has_output)
        if cached is not None:
            yield _pace("cached-5m", bucket, requests, cached, has_output=has_output)
    if tier.requests_in_queue is not None and not options.fast:
        rounds = -(-requests // tier.requests_in_queue)
        yield Pace("batch", rounds * BATCH_SECONDS, "queue")


def _pace(way: str, bucket: Bucket, requests: int, usage: Usage, *, has_output: bool) -> Pace:
    counted = usage.prompt_tokens - (0 if bucket.cache_reads_count else usage.cache_read_input_tokens)
    seconds = {
        "requests": _seconds(requests, bucket.requests_per_minute),
        "input_tokens": _seconds(counted, bucket.input_tokens_per_minute),
    }
    if has_output:
        seconds["output_tokens"] = _seconds(usage.output_tokens, bucket.output_tokens_per_minute)
    limit = max(seconds, key=seconds.__getitem__)
    return Pace(
        way, seconds[limit], limit, seconds["requests"], seconds["input_tokens"], seconds.get("output_tokens")
    )  # fmt: skip


def _seconds(amount: int, per_minute: int) -> int:
    return -(-amount * _MINUTE // per_minute)


def _notices(tier: AccountTier, bucket: Bucket | None, model: str, options: EstimateOptions) -> Iterator[Notice]:
    if options.batch:
        return
    if options.fast:
        yield Notice("unknown-rate-limit", f"fast mode has rate limits of its own, which are not known for {model}")
    elif bucket is None:
        yield Notice("unknown-rate-limit", f"the rate limits of {model} in tier {tier.name} are not known")
    elif bucket.confidence != "official":
        message = f"the rate limits of {model} in tier {tier.name} are taken from its family: the Console shows yours"
        yield Notice("rate-limit-confidence", message)


def unjudged(times: AccountTimes, options: EstimateOptions) -> bool:
    """Whether for no model at all it can be said how long the requests take in the way that they are sent."""
    ways = {pace.way for model in times.models for pace in model.paces}
    return ("batch" if options.batch else "as-sent") not in ways
