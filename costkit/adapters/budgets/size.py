"""How large a request may get, before it is sent: what a budget holds for it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from costkit.budget.pricing import Size
from costkit.core.pricebook import PriceBook
from costkit.core.request import Request, parse_request
from costkit.errors import InvalidInput

_WEB_SEARCH = "web_search"


def request_size(body: Mapping[str, object], book: PriceBook) -> tuple[Request, Size]:
    """A Messages body as a request, and its size at the high end of an offline count.

    Raises `InvalidInput` for a body that is no request or has no `max_tokens`, and `UnknownModel`. What tools of the
    server add while they run is not in it: if an answer is dearer, the commit says so.
    """
    from costkit.adapters.tokens import make_counter

    request = parse_request(body, "request")
    if request.model is None or request.max_tokens is None:
        missing = "model" if request.model is None else "max_tokens"
        raise InvalidInput(f"the request has no {missing}, so nothing limits what it costs", where="request")
    counter = make_counter("offline", offline=True, cache_dir=None, environ=os.environ)
    (count,) = counter.count_many([(request, book.resolve(request.model))])
    return request, Size(count.high, request.max_tokens, _searches(body), _longest_ttl(request))


def _longest_ttl(request: Request) -> str | None:
    """The time to live of the dearest cache write that the request may cause."""
    marks = [request.cache_control, *(block.cache_control for block in request.blocks)]
    ttls = {mark.ttl for mark in marks if mark is not None}
    return max(ttls, key=("5m", "1h").index, default=None)


def _searches(body: Mapping[str, object]) -> int:
    tools = body.get("tools")
    uses = [
        tool.get("max_uses")
        for tool in (tools if isinstance(tools, list) else ())
        if isinstance(tool, Mapping) and str(tool.get("type", "")).startswith(_WEB_SEARCH)
    ]
    return sum(count for count in uses if type(count) is int and count > 0)
