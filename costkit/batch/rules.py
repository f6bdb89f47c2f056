"""What the API would refuse in the body of one batched request, said before money is spent.

The API checks bodies only while it processes the batch: a mistake that is repeated in every line costs a day, not an
error message. https://platform.claude.com/docs/en/build-with-claude/batch-processing and, for the cache rules,
https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import TTLS, Request, parse_request
from costkit.core.suggest import close_names
from costkit.errors import InvalidInput, UnknownModel

MOST_BREAKPOINTS = 4
_REQUIRED = ("model", "max_tokens", "messages")
_KNOWN = frozenset(
    (
        *_REQUIRED,
        *("cache_control", "container", "diagnostics", "inference_geo", "metadata", "output_config", "service_tier"),
        *("stop_sequences", "stream", "system", "thinking", "tool_choice", "tools", "user_profile_id", "workspace_id"),
        *("billing_policy", "compaction", "context_management", "fallback_credit_token", "fallbacks", "mcp_servers"),
        *("output_format", "thread"),
    )
)
"""The body parameters of API version 2026-10-21, those behind beta headers included (SDK 2.12.0)."""
_REFUSED = ("speed", "store", "previous_thread_event_id", "cache_hint", "context_hint")
_REFUSED_BY_VERSION = ("temperature", "top_p", "top_k")
_PLAIN = _KNOWN - {"stream", "max_tokens"}
"""Parameters whose presence says nothing."""
_NAMED = _KNOWN | {*_REFUSED, *_REFUSED_BY_VERSION, "research_preview_2026_02"}
_FIRST_PARTY = re.compile(r"claude-[a-z0-9-]+")
_UNMARKABLE = frozenset({"thinking", "redacted_thinking"})
_Found = tuple[str, str]
"""A problem: its code and its message."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A body that the API would accept."""

    request: Request
    model: ModelPrice
    max_tokens: int


@dataclass(slots=True)
class Rules:
    """The rules of one day and one price book; remembers what it found out about model names."""

    book: PriceBook
    as_of: date
    _models: dict[str, ModelPrice | _Found] = field(default_factory=dict)

    def check(self, params: Mapping[str, object], *, may_cache: bool = True) -> Checked | list[_Found]:
        """The body, laid out, or everything that is wrong with it (code and message, in the order of the body).

        `may_cache=False` promises that the body holds no `cache_control`.
        """
        problems = [*_parameters(params)]
        missing = [name for name in _REQUIRED if params.get(name) is None]
        problems += [("missing-parameter", f"params.{name} is missing") for name in missing]
        model = None if "model" in missing else self._model(params["model"])
        if isinstance(model, tuple):
            problems.append(model)
        request = None
        try:
            request = parse_request(params) if "messages" not in missing else None
        except InvalidInput as problem:
            problems.append(("invalid-request", f"params.{problem}"))
        if request is not None and may_cache:
            problems += _cache(request)
        if problems or request is None or not isinstance(model, ModelPrice) or request.max_tokens is None:
            return problems
        problems += _limits(request.max_tokens, model)
        return problems or Checked(request, model, request.max_tokens)

    def _model(self, name: object) -> ModelPrice | _Found | None:
        """The model of a body; `None` where it isn't even text, which is said elsewhere."""
        if not isinstance(name, str):
            return None
        found = self._models.get(name)
        if found is None:
            found = self._models[name] = self._look_up(name)
        return found

    def _look_up(self, name: str) -> ModelPrice | _Found:
        try:
            model = self.book.resolve(name)
        except UnknownModel as problem:
            return "unknown-model", f"params.model: {problem}" + (f" ({problem.hint})" if problem.hint else "")
        if name not in (model.id, *model.aliases) and not _FIRST_PARTY.fullmatch(name):
            return "unknown-model", f"params.model: {name!r} is the name of another platform: write {model.id}"
        if model.lifecycle.status(self.as_of) == "retired":
            return "retired-model", f"params.model: {model.id} is retired since {model.lifecycle.retired}"
        return model


def _parameters(params: Mapping[str, object]) -> Iterator[_Found]:
    for name, value in params.items():
        if name in _PLAIN:
            continue
        if name in _REFUSED and value is not None:
            yield "refused-parameter", f"params.{name}: batches refuse it"
        elif name in _REFUSED_BY_VERSION and value is not None:
            yield "refused-parameter", f"params.{name}: API version 2026-10-21 refuses it"
        elif name == "stream" and value not in (None, False):
            yield "refused-parameter", "params.stream: batches don't stream"
        elif name == "research_preview_2026_02" and value == "active":
            yield "refused-parameter", f"params.{name}: batches refuse it"
        elif name == "max_tokens" and value == 0 and not isinstance(value, bool):
            yield "refused-parameter", "params.max_tokens: batches refuse 0"
        elif name not in _NAMED:
            close = close_names(name, _KNOWN)
            hint = f" (did you mean {close[0]}?)" if close else ""
            shown = name if len(name) <= 80 else f"{name[:77]}…"  # noqa: PLR2004  what fits a line
            yield "unknown-parameter", f"params: the API knows no parameter {shown!r}{hint}"


def _limits(max_tokens: int, model: ModelPrice) -> list[_Found]:
    most = model.batch_max_output_tokens or model.max_output_tokens
    if max_tokens <= most:
        return []
    return [("max-tokens-above-maximum", f"params.max_tokens: {max_tokens:,} is above {model.id}'s {most:,}")]


def _cache(request: Request) -> Iterator[_Found]:
    """The rules about cache breakpoints, those inside of tool results and documents included."""
    marks = [mark for block in request.blocks for mark in _marks(block.value, f"params.{block.path}")]
    for path, block, ttl in marks:
        if ttl not in TTLS:
            yield "invalid-request", f"{path}.cache_control: must be ephemeral with a ttl of 5m or 1h"
        elif block.get("type") in _UNMARKABLE:
            yield "cache-mark-refused", f"{path}: a {block['type']} block can't be a cache breakpoint"
        elif block.get("type") == "text" and not str(block.get("text")).strip():
            yield "cache-mark-refused", f"{path}: an empty text block can't be a cache breakpoint"
    ttls = [(path, ttl) for path, _, ttl in marks]
    if request.cache_control is not None and not _repeated(request):
        ttls.append(("params.cache_control", request.cache_control.ttl))
        if marks and marks[-1][1] is request.blocks[-1].value:
            yield "cache-mark-refused", "params.cache_control: the last block is marked with another ttl"
    if len(ttls) > MOST_BREAKPOINTS:
        automatic = ", the automatic one included" if len(ttls) > len(marks) else ""
        message = f"params: {len(ttls)} cache breakpoints{automatic}; at most {MOST_BREAKPOINTS} are allowed"
        yield "too-many-breakpoints", message
    yield from _order(ttls)


def _repeated(request: Request) -> bool:
    """Whether automatic caching adds nothing: the last block already has a mark of the same ttl."""
    last = request.blocks[-1].cache_control if request.blocks else None
    return last is not None and last == request.cache_control


def _order(ttls: Sequence[tuple[str, str | None]]) -> Iterator[_Found]:
    short = None
    for path, ttl in ttls:
        if ttl == "5m":
            short = short or path
        elif ttl == "1h" and short:
            yield "ttl-order", f"{path}: a 1h breakpoint may not come after a 5m one ({short})"
            return


def _marks(block: Mapping[str, object], path: str) -> Iterator[tuple[str, Mapping[str, object], str | None]]:
    """The breakpoints in a block and what it contains, in cache order: place, block, ttl (`None` if malformed)."""
    for inner, place in _inside(block, path):
        yield from _marks(inner, place)
    control = block.get("cache_control")
    if control is not None:
        yield path, block, _ttl(control)


def _ttl(control: object) -> str | None:
    if not isinstance(control, Mapping) or control.get("type") != "ephemeral":
        return None
    ttl = control.get("ttl", "5m")
    return ttl if isinstance(ttl, str) else None


def _inside(block: Mapping[str, object], path: str) -> Iterator[tuple[Mapping[str, object], str]]:
    source = block.get("source")
    for holder, place in ((block, path), (source, f"{path}.source")):
        content = holder.get("content") if isinstance(holder, Mapping) else None
        for index, inner in enumerate(content if isinstance(content, list) else ()):
            if isinstance(inner, Mapping):
                yield inner, f"{place}.content[{index}]"
