"""What is wrong with the caching of requests, before it costs anything: refused marks, idle ones, values that change.

Rules: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from costkit.cache.breakpoints import Breakpoint, breakpoints_of, end_of_previous_turn, refusals
from costkit.cache.marks import LOOKBACK
from costkit.cache.stability import Stability
from costkit.cache.traffic import INVALID, LoggedRequest, PassedOver, Traffic, Unusable
from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import Request
from costkit.core.tokens import TokenCounter
from costkit.errors import UnknownModel

_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class CacheFinding:
    """One thing to put right."""

    code: str
    message: str
    where: str
    """File, line and JSON path of its first occurrence."""
    requests: int = 1
    """How many requests show it."""
    model: str | None = None
    """The model that a mark is too small for."""
    missing_tokens: int | None = None
    """How many tokens that model's minimum is away."""


@dataclass(frozen=True, slots=True)
class CacheLint:
    """What a look at requests found."""

    requests: int
    breakpoints: int
    """Marks of all requests together."""
    findings: tuple[CacheFinding, ...]
    notices: tuple[Notice, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The `result` of the JSON document."""
        return {"requests": self.requests, "breakpoints": self.breakpoints, "findings": self.findings}


@dataclass(slots=True)
class _Found:
    """Findings that many requests share are one finding with a count."""

    by_key: dict[tuple[str, str, str], tuple[CacheFinding, int]] = field(default_factory=dict)

    def add(self, logged: LoggedRequest, code: str, message: str, path: str, **more: object) -> None:
        key = (code, path, str(more.get("model") or message))
        finding, count = self.by_key.get(key) or (
            CacheFinding(code, message, logged.place(path), **more),  # type: ignore[arg-type]  # its own fields
            0,
        )
        self.by_key[key] = (finding, count + 1)

    def all(self) -> Iterator[CacheFinding]:
        for finding, count in self.by_key.values():
            yield CacheFinding(
                finding.code, finding.message, finding.where, count, finding.model, finding.missing_tokens
            )


def lint_caching(
    traffic: Iterable[Traffic], counter: TokenCounter, book: PriceBook, as_of: date, models: Sequence[str] = ()
) -> CacheLint:
    """Check the caching of requests, each by itself and all against each other.

    `models` are the ones whose minimum a mark must reach where a body names none. Raises `UnknownModel` for one of
    these; a body's own unknown model is a notice, as are lines that hold no request. Raises `InvalidInput` where there
    is no request at all.
    """
    found, stability, passed_over = _Found(), Stability(), PassedOver()
    minimums = _Minimums(book, as_of, [book.resolve(name) for name in models], counter)
    requests = breakpoints = 0
    refused: list[CacheFinding] = []
    for item in traffic:
        if isinstance(item, Unusable):
            if item.code == INVALID:
                refused.append(CacheFinding(item.code, item.message, item.where))
            else:
                passed_over.add(item)
            continue
        requests += 1
        marks = breakpoints_of(item.request)
        breakpoints += len(marks)
        for refusal in refusals(marks):
            found.add(item, refusal.code, refusal.message, refusal.path)
        _prewarming(item, found)
        _growth(item, marks, found)
        stability.look_at(item, marks)
        minimums.check(item, marks, found)
    if not requests and not refused:
        raise passed_over.nothing_left()
    unstable = (CacheFinding(u.code, u.message, u.where, u.requests) for u in stability.findings())
    notices = (*minimums.notices(), *passed_over.notices())
    return CacheLint(requests, breakpoints, (*refused, *found.all(), *unstable), notices)


@dataclass(slots=True)
class _Minimums:
    """Marks below a model's minimum: no error, no entry, no discount."""

    book: PriceBook
    as_of: date
    models: Sequence[ModelPrice]
    counter: TokenCounter
    unknown: dict[str, str] = field(default_factory=dict)

    def check(self, logged: LoggedRequest, marks: Sequence[Breakpoint], found: _Found) -> None:
        for model in self._models_of(logged.request) if marks else ():
            surrounding, tokens = self._counted(logged, model)
            sizes = [surrounding + sum(tokens[: mark.position + 1]) for mark in marks]
            small = [at for at, size in enumerate(sizes) if size < model.min_cacheable_tokens]
            shown = small[-1:] if len(small) == len(marks) else small  # what holds for the longest holds for all
            for at in shown:
                others = at if len(small) == len(marks) else 0
                self._say(logged, marks[at], sizes[at], others, model, found)

    def _counted(self, logged: LoggedRequest, model: ModelPrice) -> tuple[int, Sequence[int]]:
        """The tokens around the blocks, and of each block."""
        if logged.tokens is not None:
            return 0, logged.tokens
        parts = self.counter.count_parts(logged.request, model)
        tokens = [part.count.tokens for part in parts if part.block is not None]
        return sum(part.count.tokens for part in parts if part.block is None), tokens

    def _say(
        self, logged: LoggedRequest, mark: Breakpoint, size: int, others: int, model: ModelPrice, found: _Found
    ) -> None:
        missing = model.min_cacheable_tokens - size
        message = (
            f"{size:,} tokens up to here, {missing:,} too few for {model.id} (from {model.min_cacheable_tokens:,}): "
            f"the breakpoint does nothing{f', nor do the {others} before it' if others else ''}{self._enough_for(size)}"
        )
        found.add(logged, "below-cache-minimum", message, mark.control, model=model.id, missing_tokens=missing)

    def _enough_for(self, size: int) -> str:
        names = [m.id for m in self.book.active_models(self.as_of) if m.min_cacheable_tokens <= size]
        if not names:
            return "; too few for every active model"
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        return f"; enough for {', '.join(names[:_MOST_NAMES])}{more}"

    def _models_of(self, request: Request) -> Sequence[ModelPrice]:
        if request.model is None:
            return self.models
        try:
            return [self.book.resolve(request.model)]
        except UnknownModel as problem:
            self.unknown[request.model] = f"{problem}: its minimum is not checked ({problem.hint})"
            return []

    def notices(self) -> Iterator[Notice]:
        for message in self.unknown.values():
            yield Notice("unknown-model", message)


def _growth(logged: LoggedRequest, marks: Sequence[Breakpoint], found: _Found) -> None:
    """A turn so long that its breakpoint can't see where the previous request ended."""
    request = logged.request
    before = end_of_previous_turn(request)
    later = [mark for mark in marks if before is not None and mark.position > before]
    if before is None or not later or any(_sees(mark, before) for mark in marks):
        return
    grown = later[-1].position - before
    if grown >= LOOKBACK:
        message = (
            f"{grown} blocks were added since the previous request, and a breakpoint looks back {LOOKBACK} positions "
            f"only: keep one on {request.blocks[before].path} too"
        )
        found.add(logged, "lookback-exceeded", message, later[-1].control)


def _sees(mark: Breakpoint, position: int) -> bool:
    return mark.position - LOOKBACK < position <= mark.position


def _prewarming(logged: LoggedRequest, found: _Found) -> None:
    """`max_tokens: 0` only writes the cache, and is refused beside anything that asks for an answer."""
    if logged.request.max_tokens != 0:
        return
    for reason in _against_prewarming(logged):
        found.add(logged, "prewarming-refused", f"max_tokens 0 is refused {reason}", "max_tokens")


def _against_prewarming(logged: LoggedRequest) -> Iterator[str]:
    body = logged.request.body
    if logged.batch:
        yield "in batches"
    if body.get("stream"):
        yield "with stream"
    if _word(body.get("thinking"), "type") not in (None, "disabled"):
        yield "with thinking"
    config = body.get("output_config")
    if body.get("output_format") or (isinstance(config, Mapping) and config.get("format")):
        yield "with structured output"
    if _word(body.get("tool_choice"), "type") in ("any", "tool"):
        yield "with a forced tool_choice"


def _word(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None
