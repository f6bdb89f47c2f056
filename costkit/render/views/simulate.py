"""The page of `costkit simulate`: what wins, by how much, and where that changes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from costkit.cache import ModelSimulation, Poisson, Recorded, Simulation, StrategyCost
from costkit.cache.marks import SECOND
from costkit.core.money import display, exact_text
from costkit.render.plot import Series, line_chart
from costkit.render.text import percent, plural
from costkit.render.view import Cell, Column, Kind, Table, View

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def simulation_view(simulation: Simulation, footer: str, *, chart: bool = False) -> View:
    """Lay out a simulation: one row per model and strategy, then what was asked for on top."""
    several = len(simulation.models) > 1
    tables = [_strategies(simulation)]
    figures = []
    for model in simulation.models:
        if model.closed_forms is not None:
            tables.append(_closed_forms(model, titled=several))
        if model.per_repeat is not None:
            tables.append(_per_repeat(simulation, model))
        if chart:
            title = (f"{model.model}, spent so far:",) if several else ("spent so far:",)
            figures.append(title + line_chart([Series(s.name, s.cumulative_usd) for s in model.strategies], "requests"))
    facts = [*_repeated(simulation), *verdicts(simulation)]
    if simulation.models[0].closed_forms is not None:
        facts.extend(_FORMULAS)
    return View(headline(simulation), tuple(tables), (*facts, footer), figures=tuple(figures))


_FORMULAS = (
    "w write, r read in units of the input price; k* = ceil((w-1)/(1-r)) reads pay for one write; H* = (w-1)/(w-r)",
    "endless random arrivals: pays up to a mean gap of TTL / -ln(1-H*); N requests: w + (N-1)(w·q + r(1-q)) per prefix",
)


def headline(simulation: Simulation, verdict: str = "      best: ") -> str:
    """What was simulated and, on one model, what wins (behind `verdict`; empty leaves it out)."""
    options, models = simulation.options, simulation.models
    parts = [models[0].model] if len(models) == 1 else []
    parts.append(f"{plural(options.repeats, 'request')}, {spoken_arrivals(simulation)}")
    if options.growth:
        parts.append(f"growing by {options.growth:,} tokens")
    if options.batch:
        parts.append("batch prices")
    if verdict and len(models) == 1:
        return " · ".join(parts) + verdict + spoken_best(models[0])
    return " · ".join(parts)


def spoken_arrivals(simulation: Simulation) -> str:
    """When the requests arrive, in words."""
    options = simulation.options
    arrivals, burst = options.arrivals, options.concurrency
    each = "one" if burst == 1 else f"{burst:,} at once"
    if isinstance(arrivals, Recorded):
        return "as recorded" if burst == 1 else f"as recorded, {each}"
    if isinstance(arrivals, Poisson):
        return f"at random, {each} every {spoken_gap(arrivals.mean_gap)} on average"
    return f"{each} every {exact_text(Decimal(arrivals.gap) / SECOND)}s" if arrivals.gap else "all at once"


def spoken_best(model: ModelSimulation) -> str:
    """The winner with its margin."""
    best = model.best
    if best.name == "none":
        return "don't cache"
    saved = model.margin_usd / model.strategy("none").cost_usd
    text = f"{best.name}, saves {display(model.margin_usd)} ({percent(saved)})"
    if best.break_even_repeat is not None:
        text += f", pays from the {ordinal(best.break_even_repeat)} request"
    return text


def _repeated(simulation: Simulation) -> Iterator[str]:
    """For a written prompt its size, how sure that is, and what is the same every time."""
    for model in simulation.models:
        if model.count is not None:
            off = max(model.count.high - model.count.tokens, model.count.tokens - model.count.low)
            band = f"{model.count.method} ±{off:,}" if off else model.count.method
            name = f"{model.model}: " if len(simulation.models) > 1 else ""
            stays = f"{model.stable_tokens:,} of {model.count.tokens:,} tokens in ({band})"
            yield f"{name}the same every time: {simulation.what_stays}, {stays}"


def verdicts(simulation: Simulation) -> Iterator[str]:
    """For each model where another strategy takes over and, where the headline doesn't say it, what wins."""
    several = len(simulation.models) > 1
    for model in simulation.models:
        if several:
            yield f"{model.model}: best: {spoken_best(model)}"
        flips = spoken_flips(simulation, model)
        if flips:
            yield f"{model.model}: {flips}" if several else flips


def spoken_flips(simulation: Simulation, model: ModelSimulation) -> str:
    """Where another strategy takes over; empty where no single gap describes the arrivals."""
    if model.first_winner is None or len(model.strategies) == 1:
        return ""
    mean = "mean gap" if isinstance(simulation.options.arrivals, Poisson) else "gap"
    if not model.flip_points:
        return (
            f"don't cache, whatever the {mean}"
            if model.first_winner == "none"
            else f"{model.first_winner} wins at every {mean}"
        )
    first = model.flip_points[0]
    text = f"{_wins(first.before)} up to a {mean} of {spoken_gap(first.gap_seconds)}"
    for here, following in pairwise(model.flip_points):
        text += f"; {_name(here.after)} from there to {spoken_gap(following.gap_seconds)}"
    return f"{text}; beyond that {_name(model.flip_points[-1].after)}"


def _wins(name: str) -> str:
    return "don't cache" if name == "none" else f"{name} wins"


def _name(name: str) -> str:
    return "don't cache" if name == "none" else name


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    teens = 10 <= number % 100 < 20  # noqa: PLR2004  English
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def spoken_gap(seconds: float) -> str:
    """A time as people say it: `45 s`, `1.9 min`, `5 min`, `71 min`, `1 h`, `3 h`, `2 days`."""
    whole_hours = seconds >= _HOUR and seconds % _HOUR == 0
    if seconds < _MINUTE:
        return f"{_short(seconds)} s"
    if seconds < 2 * _HOUR and not whole_hours:
        return f"{_short(seconds / _MINUTE)} min"
    return f"{_short(seconds / _HOUR)} h" if seconds < 2 * _DAY else f"{_short(seconds / _DAY)} days"


def _short(amount: float) -> str:
    return f"{amount:.0f}" if amount >= 10 or amount == int(amount) else f"{amount:.2g}"  # noqa: PLR2004  two digits


def _strategies(simulation: Simulation) -> Table:
    random = isinstance(simulation.options.arrivals, Poisson)
    columns = (
        Column("model", "model", for_people=len(simulation.models) > 1),
        Column("", "repeats", Kind.COUNT, for_people=False),
        Column("strategy", "strategy"),
        Column("total", "cost_usd", Kind.USD),
        Column("95 % from", "interval_low_usd", Kind.USD, for_people=random),
        Column("to", "interval_high_usd", Kind.USD, for_people=random),
        Column("per request", "cost_per_request_usd", Kind.USD),
        Column("reads", "reads", Kind.COUNT),
        Column("writes", "writes", Kind.COUNT),
        Column("expired", "expiries", Kind.COUNT),
        Column("pays from", "break_even_repeat", Kind.COUNT),
        Column("", "input_tokens", Kind.TOKENS, for_people=False),
        Column("", "cache_read_input_tokens", Kind.TOKENS, for_people=False),
        Column("", "ephemeral_5m_input_tokens", Kind.TOKENS, for_people=False),
        Column("", "ephemeral_1h_input_tokens", Kind.TOKENS, for_people=False),
        Column("", "output_tokens", Kind.TOKENS, for_people=False),
    )
    return Table(columns, tuple(_row(model, strategy) for model in simulation.models for strategy in model.strategies))


def _row(model: ModelSimulation, strategy: StrategyCost) -> tuple[Cell, ...]:
    usage, caches = strategy.usage, strategy.name != "none"
    low, high = strategy.interval_usd or (None, None)
    return (
        model.model,
        model.repeats,
        strategy.name,
        strategy.cost_usd,
        low,
        high,
        strategy.cost_per_request_usd,
        strategy.reads if caches else None,
        strategy.writes if caches else None,
        strategy.expiries,
        strategy.break_even_repeat,
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.ephemeral_5m_input_tokens,
        usage.ephemeral_1h_input_tokens,
        usage.output_tokens,
    )


def _per_repeat(simulation: Simulation, model: ModelSimulation) -> Table:
    assert model.per_repeat is not None  # noqa: S101  the caller looked
    columns = (
        Column("request", "repeat", Kind.COUNT),
        Column("at", "at"),
        Column("written", "write_tokens", Kind.TOKENS),
        Column("read", "read_tokens", Kind.TOKENS),
        Column("input", "input_tokens", Kind.TOKENS),
        Column("", "expired"),
        Column("cost", "cost_usd", Kind.USD),
        Column("saved so far", "saved_usd", Kind.USD),
    )
    rows = tuple(
        (
            row.repeat,
            f"{row.at_seconds:.6f}".rstrip("0").rstrip(".") + " s",
            row.write_5m_tokens + row.write_1h_tokens,
            row.read_tokens,
            row.input_tokens,
            "expired" if row.expired else "",
            row.cost_usd,
            row.saved_usd,
        )
        for row in model.per_repeat.rows
    )
    name = f"request by request, {model.per_repeat.strategy}"
    if isinstance(simulation.options.arrivals, Poisson):
        name += " (the first run)"
    return Table(columns, rows, title=f"{model.model}, {name}" if len(simulation.models) > 1 else name)


def _closed_forms(model: ModelSimulation, *, titled: bool) -> Table:
    columns = (
        Column("ttl", "ttl"),
        Column("w", "write_multiple", Kind.RATIO),
        Column("r", "read_multiple", Kind.RATIO),
        Column("k*", "break_even_reads", Kind.COUNT),
        Column("pays from", "break_even_repeat", Kind.COUNT),
        Column("H*", "break_even_hit_share", Kind.SHARE),
        Column("pays up to a mean gap of", "longest_mean_gap"),
        Column("q", "miss_probability", Kind.SHARE),
        Column("closed form", "expected_usd", Kind.USD),
        Column("simulated", "simulated_usd", Kind.USD),
    )
    rows = tuple(
        (
            form.ttl,
            form.write_multiple,
            form.read_multiple,
            form.break_even_reads,
            form.break_even_repeat,
            form.break_even_hit_share,
            None if form.longest_mean_gap_seconds is None else spoken_gap(form.longest_mean_gap_seconds),
            Decimal(str(form.miss_probability)),
            form.expected_usd,
            form.simulated_usd,
        )
        for form in model.closed_forms or ()
    )
    return Table(columns, rows, title=f"{model.model}, closed forms" if titled else "closed forms")
