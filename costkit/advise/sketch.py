"""Turns requests into sketches while a log streams by: the text is counted, compared, and let go."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from costkit.advise.call import Sketch
from costkit.advise.compact import compact_json
from costkit.advise.successors import targets_of
from costkit.cache.content import digest_of, to_bytes
from costkit.cache.sent import Layout, Sent
from costkit.cache.traffic import LoggedRequest
from costkit.cache.volatile import volatile_values, without_values
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import Block, Request, text_request
from costkit.core.tokens import TokenCounter

_WITHOUT_EFFECT = frozenset({"metadata", "stream", "cache_control", "diagnostics"})
"""Parameters that the answer does not depend on."""


class Facts(NamedTuple):
    """What is remembered of a block, whichever requests hold it."""

    kind: str
    indentation: int = 0
    """Tokens that its JSON would save without white space between values."""
    stable: bytes | None = None
    """A digest that ignores values which change from request to request; `None` where there are none."""
    tool_call: bytes | None = None
    """Of a tool call and of its result: a digest of the tool's name and input."""
    answer: bytes | None = None
    """Of a tool result: a digest of its content."""


@dataclass(slots=True)
class Sketcher:
    """Makes the sketches of one log. Numbers of blocks hold for all of them."""

    counter: TokenCounter
    book: PriceBook
    as_of: date
    most_counted: int | None = None
    """Characters of distinct blocks after which tokens are scaled from lengths; `None` counts all of them."""
    facts: dict[int, Facts] = field(default_factory=dict)
    """By the number of a block."""
    _own: Layout | None = None
    _newer: Layout | None = None
    _targets: dict[str, ModelPrice | None] = field(default_factory=dict)
    _compacted: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Of indented texts: the characters that were counted, those that were white space, the tokens of that."""
    _invented: dict[object, int] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """Where the numbers of blocks come from."""
        if self._own is None:
            self._own = Layout(self.counter, self.book, self.as_of, most_counted=self.most_counted)
        return self._own

    def sketch(self, logged: LoggedRequest) -> Sketch:
        """Count a request and forget its text; raises what `Layout.lay_out` raises."""
        request = logged.request
        sent = self.layout.lay_out(logged, logged.sent or 0)
        has_text = logged.tokens is None
        self._learn(request, sent, has_text=has_text)
        thinking = request.body.get("thinking")
        return Sketch(
            array("q", sent.identities),
            _sizes(sent),
            sent.marks,
            sent.levels,
            sent.unmarkable,
            sent.last,
            sent.previous_end,
            _digest_of_request(logged),
            has_text,
            self._newer_sizes(logged, sent.tariff.model) if has_text else None,
            request.max_tokens,
            isinstance(thinking, Mapping) and thinking.get("type") not in (None, "disabled"),
        )

    def number(self, identity: object) -> int:
        """A number for a block that no request holds, such as one that a remedy would put in its place."""
        return -1 - self._invented.setdefault(identity, len(self._invented))

    def _newer_sizes(self, logged: LoggedRequest, model: ModelPrice) -> array[int] | None:
        if model.id not in self._targets:
            found = (one for one in targets_of(model, self.book, self.as_of) if one.tokenizer != model.tokenizer)
            self._targets[model.id] = next(found, None)
        target = self._targets[model.id]
        if target is None:
            return None
        if self._newer is None:
            self._newer = Layout(self.counter, self.book, self.as_of, most_counted=self.most_counted)
        moved = replace(logged, request=replace(logged.request, model=target.id))
        return _sizes(self._newer.lay_out(moved, 0))

    def _learn(self, request: Request, sent: Sent, *, has_text: bool) -> None:
        calls = _tool_calls(request) if has_text else {}
        for block, identity in zip(request.blocks, sent.identities, strict=True):
            if identity not in self.facts:
                known = self._facts(block, calls, sent.tariff.model) if has_text else Facts(block.kind)
                self.facts[identity] = known

    def _facts(self, block: Block, calls: Mapping[str, bytes], model: ModelPrice) -> Facts:
        if block.kind == "tool_use":
            return Facts(block.kind, tool_call=_tool_call(block.value))
        texts = _texts(block)
        found = Facts(block.kind, self._indentation(texts, model))
        if block.kind == "tool_result":
            answer = hashlib.blake2b(to_bytes(block.value.get("content")), digest_size=16).digest()
            return found._replace(tool_call=calls.get(str(block.value.get("tool_use_id"))), answer=answer)
        values = volatile_values(texts[0]) if block.kind == "text" and texts and block.level == "system" else []
        if values:
            masked = without_values(texts[0], values).encode("utf-8", "surrogatepass")
            return found._replace(stable=hashlib.blake2b(masked, digest_size=16).digest())
        return found

    def _indentation(self, texts: list[str], model: ModelPrice) -> int:
        saved = 0
        for text in texts:
            compact = compact_json(text)
            if compact is not None:
                saved += self._saved(text, compact, model)
        return saved

    def _saved(self, text: str, compact: str, model: ModelPrice) -> int:
        counted, spaces, tokens = self._compacted
        if self.most_counted is not None and counted > self.most_counted:
            return (len(text) - len(compact)) * tokens // max(1, spaces)
        jobs = [(text_request(written), model) for written in (text, compact)]
        before, after = (count.tokens for count in self.counter.count_many(jobs))
        saved = max(0, before - after)
        self._compacted = [counted + len(text), spaces + len(text) - len(compact), tokens + saved]
        return saved

    @property
    def scaled(self) -> int:
        """Blocks whose tokens were scaled from their length."""
        return sum(layout.scaled for layout in (self._own, self._newer) if layout is not None)


def _sizes(sent: Sent) -> array[int]:
    ends = sent.prompt.ends
    return array("q", (end - start for start, end in zip((0, *ends), ends, strict=False)))


def _digest_of_request(logged: LoggedRequest) -> bytes:
    """What two requests share that must give the same answer, but for chance."""
    request = logged.request
    digests = logged.digests or tuple(map(digest_of, request.blocks))
    more = {
        name: value
        for name, value in sorted(request.body.items())
        if name not in _WITHOUT_EFFECT and name not in ("tools", "system", "messages", "model")
    }
    roles = [(block.level, block.role, block.message) for block in request.blocks]
    whole = hashlib.blake2b(digest_size=16)
    for digest in digests:
        whole.update(digest)
    whole.update(to_bytes([request.model, more, roles]))
    return whole.digest()


def _tool_calls(request: Request) -> dict[str, bytes]:
    """The calls of a request's tools by their id."""
    return {str(block.value.get("id")): _tool_call(block.value) for block in request.blocks if block.kind == "tool_use"}


def _tool_call(value: Mapping[str, object]) -> bytes:
    return hashlib.blake2b(to_bytes([value.get("name"), value.get("input")]), digest_size=16).digest()


def _texts(block: Block) -> list[str]:
    """The texts that a block is made of: its own, or those inside of a tool result."""
    value = block.value
    if block.kind == "text":
        return [str(value["text"])]
    content = value.get("content") if block.kind == "tool_result" else None
    if isinstance(content, str):
        return [content]
    inner = content if isinstance(content, list) else ()
    return [str(item["text"]) for item in inner if isinstance(item, Mapping) and isinstance(item.get("text"), str)]
