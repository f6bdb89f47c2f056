"""The API's own count of a request: free of charge, remembered by digest, asked concurrently.

Documentation: https://platform.claude.com/docs/en/api/messages-count-tokens
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import Any

from costkit.adapters.tokens.asking import Asker, ModelNotServed
from costkit.adapters.tokens.count_cache import CountCache
from costkit.adapters.tokens.local import LocalCounter
from costkit.core.pricebook import ModelPrice
from costkit.core.request import Request
from costkit.core.tokens import PartCount, TokenCount
from costkit.errors import InvalidInput

_COUNTED = (
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "cache_control",
    "speed",
    "context_management",
    "mcp_servers",
    "compaction",
    "betas",
)
"""The fields that can change a count, in the order in which they are hashed and sent; all others stay at home."""


class ExactCounter:
    """Counts through `messages.count_tokens`; what was counted before comes from the cache.

    `local` divides a total over its blocks and, unless `strict`, counts for models that the API no longer serves (the
    count's `method` says so).
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        local: LocalCounter,
        cache_dir: Path | None = None,
        concurrency: int = 8,
        strict: bool = True,
    ) -> None:
        self._environ = environ
        self._local = local
        self._cache = CountCache(cache_dir)
        self._concurrency = max(1, concurrency)
        self._strict = strict
        self._known: dict[bytes, int] = {}
        self._unserved: set[str] = set()

    def count_many(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[TokenCount]:
        """Count each request with the tokenizer of its model, in order.

        Raises `InvalidInput` where there is no credential or the API refuses the request, `OperationFailed` where it
        can't be reached or keeps failing.
        """
        listed = list(jobs)
        return [self._result(digest, *job) for digest, job in zip(self._find(listed), listed, strict=True)]

    def _find(self, jobs: Sequence[tuple[Request, ModelPrice]], *, tolerant: bool = False) -> list[bytes]:
        """Learn the counts of all jobs, from the cache or the API; the digests under which they are known."""
        bodies = [countable_body(request, model) for request, model in jobs]
        digests = [self._digest(body) for body in bodies]
        wanted = {
            digest: body
            for digest, body in zip(digests, bodies, strict=True)
            if digest not in self._known and body["model"] not in self._unserved
        }
        self._known.update(self._cache.find(list(wanted)))
        unknown = {digest: body for digest, body in wanted.items() if digest not in self._known}
        if unknown:
            self._ask(unknown, tolerant=tolerant)
        return digests

    def count_served(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[int | None]:
        """The API's counts in order; `None` for requests that it refuses, or whose model it no longer serves."""
        return [self._known.get(digest) for digest in self._find(list(jobs), tolerant=True)]

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:
        """Divide the exact count over the blocks in the proportions of a local count.

        The API counts whole requests only, so each part is an estimate; their sum is exact.
        """
        return self._local.divide(request, model, self.count_many([(request, model)])[0])

    def _result(self, digest: bytes, request: Request, model: ModelPrice) -> TokenCount:
        tokens = self._known.get(digest)
        if tokens is None:
            return self._local.count_many([(request, model)])[0]
        return TokenCount(tokens, tokens, tokens, "exact")

    def _digest(self, body: Mapping[str, Any]) -> bytes:
        """Hash what is sent and where to; inner key order stays, because it is part of what is counted."""
        place = self._environ.get("ANTHROPIC_BASE_URL", "")
        return hashlib.sha256(json.dumps([place, body], separators=(",", ":"), default=str).encode()).digest()

    def _ask(self, wanted: Mapping[bytes, Mapping[str, Any]], *, tolerant: bool) -> None:
        """Ask for all counts at once; the first failure stops the others, and what was counted is kept."""
        stop = Event()
        with Asker(self._environ, stop) as asker, ThreadPoolExecutor(self._concurrency) as pool:
            futures = {pool.submit(asker.count, body): digest for digest, body in wanted.items()}
            try:
                for future in as_completed(futures):
                    self._check(future.exception(), tolerant=tolerant)
            finally:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                found = {digest: future.result() for future, digest in futures.items() if _succeeded(future)}
                self._known.update(found)
                self._cache.keep(found)

    def _check(self, failure: BaseException | None, *, tolerant: bool) -> None:
        if isinstance(failure, ModelNotServed):
            if self._strict and not tolerant:
                raise failure.refusal
            self._unserved.add(failure.model)
        elif failure and not (tolerant and isinstance(failure, InvalidInput) and failure.code == "refused"):
            raise failure


def _succeeded(future: Future[int]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def countable_body(request: Request, model: ModelPrice) -> dict[str, Any]:
    """The part of a request that count_tokens accepts: everything that becomes part of the prompt."""
    present = {name: request.body[name] for name in _COUNTED if request.body.get(name) is not None}
    return {"model": model.id, **present}
