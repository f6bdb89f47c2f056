"""`costkit.Budget`: reserve before a request is sent, settle what it did cost.

    budget = costkit.Budget("team-a")
    with budget.reserve(request=body) as held:
        message = client.messages.create(**body)
        held.commit(message)

The budgets are those of `costkit budget`, in the same file.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from costkit.adapters.budgets.notify import notify, warning_of
from costkit.adapters.budgets.sharing import SharedStore
from costkit.adapters.budgets.store import BATCH_LEASE, DEFAULT_LEASE
from costkit.adapters.state_folder import state_folder
from costkit.budget.amount import Amount, token_amount, usd_amount
from costkit.budget.asking import Ask, Spent, units_asked, units_spent
from costkit.budget.pricing import Size
from costkit.budget.result import BudgetState, Outcome, refused
from costkit.budget.scope import Traits, covers
from costkit.core.usage import Usage
from costkit.errors import CostkitError, InvalidInput

if TYPE_CHECKING:
    from costkit.budget.result import Reservation
    from costkit.core.pricebook import PriceBook

VARIABLE = "COSTKIT_BUDGET"
"""Names the budget of a program that `costkit budget run` started."""
_NOT_BILLED = frozenset({400, 401, 402, 403, 404, 413, 422, 429})
"""Status codes of requests that the API refused; https://platform.claude.com/docs/en/api/errors"""
_LOG = logging.getLogger("costkit")


class Budget:
    """One budget of `costkit budget`, for programs; threads and forked processes may share it.

    `name` defaults to the variable `COSTKIT_BUDGET`, `folder` to the state folder, `book` to the built-in prices. The
    budget must have been set. Soft limits are said once per window through `logging` (logger `costkit`).
    """

    def __init__(self, name: str | None = None, *, folder: Path | None = None, book: PriceBook | None = None) -> None:
        chosen = name if name is not None else os.environ.get(VARIABLE)
        if not chosen:
            raise InvalidInput(f"no budget was named, and {VARIABLE} is not set", hint='costkit.Budget("team-a")')
        self.name = chosen
        self._book = book
        self._shared = SharedStore(folder or state_folder())
        self.state()

    def reserve(
        self,
        *,
        usd: Decimal | str | int | None = None,
        tokens: int | None = None,
        request: Mapping[str, object] | None = None,
        size: Size | None = None,
        model: str | None = None,
        tags: Mapping[str, str] | None = None,
        batch: bool = False,
        lease: timedelta | None = None,
    ) -> Held:
        """Hold the most that a request can cost, before it is sent.

        Give one of `usd`, `tokens`, `request` (a Messages body: its ceiling is taken) and `size` (with `model`). A
        reservation that isn't settled within its `lease` (15 minutes, 25 hours for a batch) stays counted, as
        uncertain. Raises `BudgetExceeded` where not enough is left, `UnknownModel` or `Undecidable` where no price is
        known, and `InvalidInput` for requests that the budget doesn't cover.
        """
        now = datetime.now(UTC)
        if sum(given is not None for given in (usd, tokens, request, size)) != 1:
            raise InvalidInput("give one of usd, tokens, request and size")
        ask = Ask(now.date(), _amount(usd, tokens), size, tags or {}, model, batch)
        if request is not None:
            from costkit.adapters.budgets.size import request_size
            from costkit.adapters.sdk_values import plain_request

            request = plain_request(request)
            parsed, measured = request_size(request, self.book)
            geo, speed = request.get("inference_geo"), request.get("speed")
            ask = ask._replace(
                size=measured,
                model=model or parsed.model,
                fast=speed == "fast",
                inference_geo=geo if isinstance(geo, str) else None,
            )
        book = self.book
        longest = lease or (BATCH_LEASE if batch else DEFAULT_LEASE)
        with self._shared.lent() as store:
            outcome = store.reserve(
                self.name,
                lambda rule: units_asked(rule, ask, book),
                now,
                lease=longest,
                model=ask.model,
                batch=batch,
            )
        if outcome.reservation is None:
            raise refused(outcome)
        _warn(outcome)
        return Held(self, self._shared, outcome.reservation)

    def covers(self, model: str | None = None, tags: Mapping[str, str] | None = None) -> bool:
        """Whether the budget counts such a request; raises `InvalidInput` where its scope asks for what isn't said."""
        with self._shared.lent() as store:
            scope = store.rule(self.name).scope
        return covers(scope, Traits(model, tags or {}), self.book)

    def state(self) -> BudgetState:
        """The limit, and what is committed, held and available in the current window."""
        with self._shared.lent() as store:
            return store.state(self.name, datetime.now(UTC))

    def held(self, reservation_id: str) -> Held:
        """A reservation that was made before, to settle it."""
        with self._shared.lent() as store:
            return Held(self, self._shared, store.reservation(reservation_id, datetime.now(UTC)))

    @property
    def book(self) -> PriceBook:
        """The prices of what is asked and settled."""
        if self._book is None:
            from costkit.adapters.pricing_yaml import built_in_book

            self._book = built_in_book()
        return self._book


class Held:
    """An amount that a budget holds until it is settled; leaving the `with` block without that leaves it uncertain.

    A request that the API refused (status 400, 401, 402, 403, 404, 413, 422, 429) was not billed: its amount is
    released.
    """

    def __init__(self, budget: Budget, shared: SharedStore, reservation: Reservation) -> None:
        self._budget = budget
        self._shared = shared
        self._is_settled = False
        self.reservation = reservation

    @property
    def id(self) -> str:
        """What `costkit budget commit` and `release` call it."""
        return self.reservation.id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_settled:
            return
        try:
            if getattr(error, "status_code", None) in _NOT_BILLED:
                self.release()
            else:
                self._leave_uncertain()
        except CostkitError as problem:  # the lease ends by itself, and what the block raised matters more
            _LOG.warning("reservation %s could not be settled: %s", self.id, problem)

    def commit(
        self,
        *responses: object,
        usd: Decimal | str | int | None = None,
        tokens: int | None = None,
        model: str | None = None,
    ) -> Outcome:
        """Settle it with what was spent, which is recorded even if it is more than was held.

        `responses` are messages of the SDK, their `usage`, the same as mappings, or a `Usage` of one request each;
        priced at the day of the reservation, with the model that a message names, else `model`, else the reserved one.
        Or give `usd` or `tokens`; nothing at all settles the whole amount that is held. Raises `UnknownModel` or
        `Undecidable` where no price is known; the amount then stays held.
        """
        if sum((bool(responses), usd is not None, tokens is not None)) > 1:
            raise InvalidInput("give responses, usd or tokens, and not several of them")
        spent = Spent(_amount(usd, tokens), tuple(_usage_of(response, model) for response in responses))
        book = self._budget.book
        with self._shared.lent() as store:
            outcome = store.commit(
                self.id, lambda reservation: units_spent(reservation, spent, book), datetime.now(UTC)
            )
        self._is_settled = True
        _warn(outcome)
        return outcome

    def release(self) -> Outcome:
        """Give it back, because nothing was spent; raises `InvalidInput` where something was."""
        with self._shared.lent() as store:
            outcome = store.release(self.id, datetime.now(UTC))
        self._is_settled = True
        return outcome

    def when_free(self, action: Callable[[], None]) -> None:
        """Settle it from within a finalizer: `action` runs now, or once this thread has done with the budget."""
        self._shared.when_free(action)

    def _leave_uncertain(self) -> None:
        with self._shared.lent() as store:
            store.end_lease(self.id, datetime.now(UTC))
        _LOG.warning("reservation %s was not settled: it stays counted until costkit budget commit or release", self.id)


def _amount(usd: Decimal | str | int | None, tokens: int | None) -> Amount | None:
    if usd is not None:
        return usd_amount(usd)
    return None if tokens is None else token_amount(tokens)


def _usage_of(response: object, model: str | None) -> tuple[Usage | Mapping[str, object], str | None]:
    """The usage of a response and the model that it names, from whatever form it has."""
    if isinstance(response, Usage):
        return response, model
    body = _mapping(response)
    inside = body.get("usage")
    if inside is None:
        return body, model
    named = body.get("model")
    return _mapping(inside), model or (named if isinstance(named, str) else None)


def _mapping(value: object) -> Mapping[str, object]:
    dump = getattr(value, "model_dump", None)
    plain = dump() if callable(dump) else value
    if not isinstance(plain, Mapping):
        raise InvalidInput(f"{type(value).__name__} is neither a message nor a usage")
    return plain


def _warn(outcome: Outcome) -> None:
    if not outcome.is_warning_due:
        return
    _LOG.warning("%s", warning_of(outcome.state))
    problem = notify(outcome.state)
    if problem:
        _LOG.warning("%s", problem)
