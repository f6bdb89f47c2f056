"""The routes inside of a program: the same decisions as `costkit route`, request by request."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from costkit.adapters.routing.model_classifier import ask_one
from costkit.adapters.routing.routes_yaml import load_routes
from costkit.adapters.sdk_values import plain_request
from costkit.core.pricebook import PriceBook
from costkit.core.request import parse_request
from costkit.core.usage import Usage
from costkit.errors import CostkitError, InvalidInput
from costkit.route.kinds import Verdict
from costkit.route.question import cheapest_model, digest, no_verdict, question
from costkit.route.routes import Decision, decide
from costkit.route.rules import classify

MOST_REMEMBERED = 10_000


class Router:
    """Chooses the model of each request by a file of routes; safe to share between threads.

        router = costkit.Router(anthropic.Anthropic(), "routes.yaml")
        message = router.create(max_tokens=500, messages=[{"role": "user", "content": "Translate: good morning"}])

    `client` is a client of the SDK; with the classifier `rules` it may be an async one (`create` then returns what is
    to be awaited), or `None` for choosing only. With `api` a new question costs one call of the cheapest model, and an
    unusable answer or a failing call sends the request to the safe model: routing never stops a program. Raises
    `InvalidInput`, with file and line, for routes that are wrong, and for `api` without a client that can be asked.
    """

    def __init__(
        self, client: Any, routes: str | Path, *, book: PriceBook | None = None, as_of: date | None = None
    ) -> None:
        from costkit.adapters.pricing_yaml import built_in_book

        self._client = client
        self._book = book or built_in_book()
        self.routes = load_routes(str(routes), self._book)
        self.fallbacks = 0
        """Requests that went to the safe model because the classifier had no usable answer."""
        self.classifier_usage = Usage()
        """What classifying was billed so far; on `classifier_model`."""
        self.classifier_model: str | None = None
        """The model that is asked; `None` for rules."""
        self._known: OrderedDict[str, Verdict] = OrderedDict()
        self._lock = Lock()
        if self.routes.classifier == "api":
            if client is None or inspect.iscoroutinefunction(inspect.unwrap(client.messages.create)):
                hint = "use the classifier rules, or a client that isn't async"
                raise InvalidInput("the classifier api needs a client that answers at once", hint=hint)
            day = as_of or datetime.now(UTC).date()
            self.classifier_model = self.routes.classifier_model or cheapest_model(self._book, day)

    def choose(self, request: Mapping[str, object]) -> Decision:
        """The model for a Messages body, and why; a `model` in it is ignored, and the SDK's own values may be in it.

        Raises `InvalidInput` for a body that is no request.
        """
        parsed = parse_request(plain_request(request), "request")
        if self.classifier_model is None:
            return decide(self.routes, classify(parsed, self.routes.sizes, self.routes.own_rules))
        return decide(self.routes, self._asked(question(parsed, self.classifier_model)))

    def create(self, **params: Any) -> Any:
        """`client.messages.create` with the model that the routes choose; everything else is passed on as it is."""
        params = {name: list(value) if isinstance(value, Iterator) else value for name, value in params.items()}
        return self._client.messages.create(**{**params, "model": self.choose(params).model})

    def _asked(self, body: dict[str, object]) -> Verdict:
        name = digest(body)
        with self._lock:
            known = self._known.get(name)
            if known is not None:
                self._known.move_to_end(name)
                return known
        try:
            verdict = ask_one(self._client, body)
        except CostkitError as problem:
            verdict = no_verdict(str(problem))
        with self._lock:
            self.classifier_usage += verdict.usage or Usage()
            self.fallbacks += verdict.kind is None
            if verdict.kind is not None:
                self._known[name] = verdict
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return verdict
