"""The charts of `costkit report`, for a picture and for a page alike: what is drawn, and what its legend says."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from costkit.core.money import ZERO, display, total
from costkit.render.chart import Bars, Stack
from costkit.render.svg import STYLES
from costkit.render.text import percent, plural
from costkit.report import Figures
from costkit.report.picture import OverTime

Legend = tuple[tuple[int, str, str], ...]
"""Style, name, and what it comes to."""
KINDS = ("input", "cache read", "cache write 5m", "cache write 1h", "output", "web search")
"""One for each style."""
_SEARCHES = KINDS.index("web search")
_STEP = Decimal("0.000001")


def is_drawn(time: OverTime) -> bool:
    """Whether there is a course of time to draw: one window alone says no more than the total."""
    return len(time.windows) > 1 and bool(time.figures)


def spend_title(time: OverTime) -> str:
    """What the chart of spend shows."""
    return f"US dollars by {time.unit} and model"


def stacks_of(time: OverTime) -> tuple[tuple[str, tuple[Decimal, ...]], ...]:
    """Names and amounts by window, the dearest model first; as many models as have a style, the rest as one."""
    shown = len(time.models) if len(time.models) <= STYLES else STYLES - 1
    groups: list[tuple[str, tuple[str, ...]]] = [(model, (model,)) for model in time.models[:shown]]
    if rest := time.models[shown:]:
        groups.append((f"{len(rest)} other models", rest))
    return tuple(
        (name, tuple(total(time.cost(window, model) for model in models) for window in time.windows))
        for name, models in groups
    )


def spend_bars(time: OverTime, shown_labels: int) -> Bars:
    """Spend over time by model."""
    stacks = tuple(Stack(name, style, amounts) for style, (name, amounts) in enumerate(stacks_of(time)))
    return Bars(spend_title(time), time.unit, window_labels(time), stacks, shown_labels)


def spend_legend(time: OverTime) -> Legend:
    """The models and what they cost."""
    return tuple((style, name, display(total(amounts))) for style, (name, amounts) in enumerate(stacks_of(time)))


def hit_rates(time: OverTime) -> tuple[Decimal | None, ...]:
    """The cache hit rate of each window; `None` where there was no prompt."""
    return tuple(time.of_window(window).cache_hit_rate for window in time.windows)


def hit_bars(time: OverTime, shown_labels: int) -> Bars:
    """The cache hit rate over time."""
    stack = Stack("cache hit rate", 0, tuple(rate or ZERO for rate in hit_rates(time)))
    return Bars(f"cache hit rate by {time.unit}", time.unit, window_labels(time), (stack,), shown_labels, shares=True)


def kind_amounts(figures: Figures) -> tuple[tuple[str, int, Decimal], ...]:
    """Each kind of token: its name, how many, and what they cost in US dollars."""
    usage, cost = figures.usage, figures.cost
    counts = (
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.ephemeral_5m_input_tokens,
        usage.ephemeral_1h_input_tokens,
        usage.output_tokens,
        usage.web_search_requests,
    )
    amounts = (
        cost.input_usd,
        cost.cache_read_usd,
        cost.cache_write_5m_usd,
        cost.cache_write_1h_usd,
        cost.output_usd,
        cost.web_search_usd,
    )
    return tuple(zip(KINDS, counts, amounts, strict=True))


def kind_shares(figures: Figures) -> tuple[tuple[Decimal | None, Decimal | None], ...]:
    """For each kind its share of all tokens and of all dollars; searches are not tokens."""
    parts = kind_amounts(figures)
    all_tokens = sum(count for _, count, _ in parts[:_SEARCHES])
    return tuple(
        (
            share(Decimal(count), Decimal(all_tokens)) if style != _SEARCHES else None,
            share(usd, figures.cost_usd),
        )
        for style, (_, count, usd) in enumerate(parts)
    )


def kind_bars(figures: Figures) -> Bars:
    """The share of each kind in tokens and in US dollars."""
    shares = kind_shares(figures)
    stacks = tuple(
        Stack(name, style, (shares[style][0] or ZERO, shares[style][1] or ZERO))
        for style, (name, count, _) in enumerate(kind_amounts(figures))
        if count
    )
    return Bars("share by kind of token", "of all", ("tokens", "US dollars"), stacks, shares=True)


def kind_legend(figures: Figures) -> Legend:
    """The kinds, and their share of tokens and of dollars."""
    shares = kind_shares(figures)
    return tuple(
        (style, name, f"{_spoken(shares[style][0], count)}, {percent(shares[style][1] or ZERO)} of cost")
        for style, (name, count, _) in enumerate(kind_amounts(figures))
        if count
    )


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """A share in millionths; one that is not zero never becomes zero."""
    if not whole:
        return None
    quotient = (part / whole).quantize(_STEP)
    return _STEP if part and not quotient else quotient


def window_labels(time: OverTime) -> tuple[str, ...]:
    """Short names of the windows: `1 Nov`, `13:00`, `W47`, `Nov 2026`."""
    return tuple(_short(window, time.unit) for window in time.windows)


def _short(window: str, unit: str) -> str:
    if unit == "hour":
        moment = datetime.fromisoformat(window)
        return f"{moment.day} {moment:%b %H}h"
    if unit == "day":
        day = date.fromisoformat(window)
        return f"{day.day} {day:%b}"
    if unit == "week":
        return window
    return f"{date.fromisoformat(f'{window}-01'):%b %Y}"


def _spoken(part: Decimal | None, count: int) -> str:
    return plural(count, "search", "searches") if part is None else f"{percent(part)} of tokens"
