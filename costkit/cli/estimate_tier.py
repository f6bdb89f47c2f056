"""`costkit estimate --tier`: how long the requests take in an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from costkit.cli.run import Finding, Run
from costkit.errors import ExitCode
from costkit.estimate import Estimate, EstimateOptions

if TYPE_CHECKING:
    from costkit.estimate.account import AccountTier, AccountTimes


def tier_from(run: Run, tier: str | None) -> AccountTier | None:
    """The limits that `--tier` names."""
    if tier is None:
        return None
    from costkit.adapters.account_limits import account_tier

    return account_tier(tier, run.book)


def times_of(
    tier: AccountTier | None,
    estimate: Estimate,
    price: Callable[[EstimateOptions], Estimate],
    options: EstimateOptions,
) -> AccountTimes | None:
    """How long it takes, and how long with a cache where the estimate itself has none; `price` estimates again."""
    if tier is None:
        return None
    from costkit.estimate.account import account_times

    cached = None
    if options.cache == "none" and options.requests > 1 and not options.batch:
        cached = price(replace(options, cache="5m", tree=False))
    return account_times(estimate, cached, tier, options)


def unjudged(times: AccountTimes | None, options: EstimateOptions) -> Iterator[Finding]:
    """Say where `--tier` got no answer at all."""
    if times is None:
        return
    from costkit.estimate.account import unjudged as has_none

    if has_none(times, options):
        yield Finding(ExitCode.UNDECIDED, f"how long it takes in tier {times.tier} can't be said: no limits are known")
