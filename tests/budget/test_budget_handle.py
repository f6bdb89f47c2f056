"""`costkit.Budget`: what a program holds before it sends a request, and what becomes of it."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import TextBlock

import costkit
from costkit.adapters.budgets.store import BudgetStore
from costkit.budget import Change, Size, parse_amount, parse_scope
from costkit.errors import BudgetExceeded, InvalidInput, UnknownModel

MODEL = "claude-opus-5-5"
USAGE = {"input_tokens": 1_000, "output_tokens": 100}
COST = Decimal("0.006")
BODY = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "What is new?"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with BudgetStore(tmp_path) as store:
        store.define("team-a", Change(parse_amount("1")), datetime.now(UTC))
    return tmp_path


@pytest.fixture
def budget(folder: Path) -> costkit.Budget:
    return costkit.Budget("team-a", folder=folder)


def usd(budget: costkit.Budget) -> tuple[object, ...]:
    """Committed, reserved, uncertain."""
    found = budget.state().standing
    return tuple(found.amount(value).usd for value in (found.committed, found.reserved, found.uncertain))


class Message:
    """What the SDK hands back, as far as a bill is concerned."""

    def model_dump(self) -> dict[str, Any]:
        return {"model": MODEL, "usage": {**USAGE, "service_tier": "standard"}, "content": []}


@pytest.mark.parametrize(
    "responses",
    [(USAGE,), (costkit.Usage(1_000, output_tokens=100),), (Message(),), ({"model": MODEL, "usage": USAGE},)],
)
def test_a_response_in_any_form_is_priced_by_the_book(budget: costkit.Budget, responses: tuple[Any, ...]) -> None:
    with budget.reserve(usd="0.50", model=MODEL) as held:
        assert usd(budget) == (0, Decimal("0.5"), 0)
        held.commit(*responses)
    assert usd(budget) == (COST, 0, 0)


def test_several_responses_are_one_settlement(budget: costkit.Budget) -> None:
    with budget.reserve(usd="0.50", model=MODEL) as held:
        held.commit(USAGE, Message())
    assert usd(budget) == (2 * COST, 0, 0)


def test_an_amount_settles_as_well_and_nothing_settles_all_of_it(budget: costkit.Budget) -> None:
    budget.reserve(usd=Decimal("0.5")).commit(usd="0.125")
    budget.reserve(usd="0.25").commit()
    budget.reserve(usd="0.25").release()
    assert usd(budget) == (Decimal("0.375"), 0, 0)


def test_a_request_holds_its_ceiling(budget: costkit.Budget) -> None:
    held = budget.reserve(request=BODY)
    low, high = Decimal("0.002"), Decimal("0.0022")  # 100 tokens of output and a few of input
    assert held.reservation.reserved.usd is not None
    assert low < held.reservation.reserved.usd < high


def test_the_history_of_a_conversation_may_hold_the_blocks_of_its_answers(budget: costkit.Budget) -> None:
    plain = {"type": "text", "text": "Nothing."}
    question = {"role": "user", "content": "What is new?"}
    turns = [{"role": "assistant", "content": [block]} for block in (plain, TextBlock.model_validate(plain))]
    held = [budget.reserve(request={**BODY, "messages": [question, turn]}) for turn in turns]
    assert held[0].reservation.reserved == held[1].reservation.reserved


def test_a_cache_write_is_held_at_its_own_price(budget: costkit.Budget) -> None:
    text = {"type": "text", "text": "Be brief. " * 900, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    plain = budget.reserve(request={**BODY, "system": [{"type": "text", "text": "Be brief. " * 900}]})
    marked = budget.reserve(request={**BODY, "system": [text]})
    amounts = plain.reservation.reserved.value, marked.reservation.reserved.value
    assert 1.5 * amounts[0] < amounts[1] < 2 * amounts[0]


def test_a_request_that_does_not_fit_is_refused_with_what_is_left(budget: costkit.Budget) -> None:
    budget.reserve(usd="0.75")
    with pytest.raises(BudgetExceeded, match=r"\$0.2500 of \$1.00 left, \$0.2600 asked for") as refused:
        budget.reserve(usd="0.26")
    assert (refused.value.available_usd, refused.value.available_tokens) == (Decimal("0.25"), None)
    assert (refused.value.budget, refused.value.exit_code) == ("team-a", 3)
    assert usd(budget) == (0, Decimal("0.75"), 0)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"size": Size(10, 10), "model": "claude-gone-9"}, UnknownModel),
        ({"request": {**BODY, "model": "claude-gone-9"}}, UnknownModel),
        ({"request": {"model": MODEL, "messages": BODY["messages"]}}, InvalidInput),
        ({"usd": float("nan")}, InvalidInput),
        ({"usd": -1}, InvalidInput),
        ({"usd": Decimal("NaN")}, InvalidInput),
        ({"tokens": 5}, InvalidInput),
        ({"usd": 1, "tokens": 5}, InvalidInput),
        ({}, InvalidInput),
    ],
)
def test_what_cannot_be_priced_is_not_held(budget: costkit.Budget, asked: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        budget.reserve(**asked)
    assert usd(budget) == (0, 0, 0)


def test_a_bill_without_a_price_leaves_the_amount_held(budget: costkit.Budget) -> None:
    with pytest.raises(UnknownModel), budget.reserve(usd="0.50") as held:
        held.commit({"model": "claude-gone-9", "usage": USAGE})
    assert usd(budget) == (0, 0, Decimal("0.5"))


class Refused(Exception):
    """What the SDK raises for a status code."""

    def __init__(self, status_code: int) -> None:
        super().__init__(status_code)
        self.status_code = status_code


@pytest.mark.parametrize(
    ("error", "uncertain"),
    [
        (Refused(400), "0"),
        (Refused(402), "0"),
        (Refused(429), "0"),
        (Refused(500), "0.5"),
        (Refused(529), "0.5"),
        (TimeoutError(), "0.5"),
        (KeyboardInterrupt(), "0.5"),
    ],
)
def test_only_what_the_api_refused_for_certain_is_given_back(
    budget: costkit.Budget, error: BaseException, uncertain: str
) -> None:
    with pytest.raises(type(error)), budget.reserve(usd="0.50"):
        raise error
    assert usd(budget) == (0, 0, Decimal(uncertain))


def test_a_block_that_settles_nothing_says_so(budget: costkit.Budget, caplog: pytest.LogCaptureFixture) -> None:
    with budget.reserve(usd="0.50") as held:
        pass
    assert f"reservation {held.id} was not settled" in caplog.text
    assert usd(budget) == (0, 0, Decimal("0.5"))
    budget.held(held.id).commit(usd="0.1")
    assert usd(budget) == (Decimal("0.1"), 0, 0)


def test_a_batch_is_held_as_long_as_it_may_run_and_settled_at_its_prices(budget: costkit.Budget) -> None:
    held = budget.reserve(usd="0.50", model=MODEL, batch=True)
    assert held.reservation.lease_until - held.reservation.reserved_at == timedelta(hours=25)
    held.commit(USAGE)
    assert usd(budget) == (COST / 2, 0, 0)


def test_a_soft_limit_is_logged_once_and_told_to_the_command(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = tmp_path / "told.json"
    command = f"{sys.executable} -c \"import sys; open('{told}', 'a').write(sys.stdin.read())\""
    with BudgetStore(folder) as store:
        store.define("team-a", Change(soft=500_000, notify=command), datetime.now(UTC))
    budget = costkit.Budget("team-a", folder=folder)
    for _ in range(3):
        budget.reserve(usd="0.30")
    assert [record.getMessage() for record in caplog.records if "soft limit" in record.message] == [
        "budget team-a: $0.6000 of $1.00 used (60 %), the soft limit is reached"
    ]
    document = json.loads(told.read_text())
    assert (document["event"], document["budget"]["reserved_usd"]) == ("soft-limit", "0.6")


@pytest.mark.parametrize("command", ["false", "no-such-program", "'", "sleep 60"])
def test_a_command_that_fails_holds_nothing_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    monkeypatch.setattr("costkit.adapters.budgets.notify._SECONDS", 0.2)
    with BudgetStore(folder) as store:
        store.define("team-a", Change(soft=1, notify=command), datetime.now(UTC))
    assert costkit.Budget("team-a", folder=folder).reserve(usd="0.30").id
    assert "the command to notify" in caplog.text


def test_a_scope_is_asked_before_anything_is_held(folder: Path) -> None:
    with BudgetStore(folder) as store:
        store.define("team-a", Change(scope=parse_scope("model=*opus*,tag=team:a")), datetime.now(UTC))
    budget = costkit.Budget("team-a", folder=folder)
    assert budget.covers(MODEL, {"team": "a"})
    assert not budget.covers("claude-haiku-5-5", {"team": "a"})
    with pytest.raises(InvalidInput, match="covers only"):
        budget.reserve(usd="0.1", model=MODEL, tags={"team": "b"})
    budget.reserve(usd="0.1", model=MODEL, tags={"team": "a"}).release()


def test_the_variable_names_the_budget_where_nothing_else_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="no budget was named"):
        costkit.Budget(folder=folder)
    monkeypatch.setenv("COSTKIT_BUDGET", "team-a")
    monkeypatch.setenv("COSTKIT_STATE", str(folder))
    assert costkit.Budget().name == "team-a"


def test_a_budget_that_was_never_set_is_refused_at_once(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="no budget 'team-b'"):
        costkit.Budget("team-b", folder=folder)


def in_threads(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_share_a_budget_without_exceeding_it(budget: costkit.Budget) -> None:
    got: list[str] = []

    def spend() -> None:
        for _ in range(5):
            try:
                got.append(budget.reserve(usd="0.05").id)
            except BudgetExceeded as refused:
                logging.getLogger("test").debug("%s", refused)

    in_threads(spend, 8)
    assert len(set(got)) == 20
    assert usd(budget) == (0, Decimal(1), 0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_spends_from_the_same_budget(budget: costkit.Budget) -> None:
    budget.reserve(usd="0.25")
    child = os.fork()
    while child == 0:
        budget.reserve(usd="0.25").commit()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert usd(budget) == (Decimal("0.25"), Decimal("0.25"), 0)
