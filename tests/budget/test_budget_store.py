"""What stands on a budget: windows, leases, changed limits, clocks, and files that can't be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from costkit.adapters.budgets.store import BudgetStore
from costkit.budget import BudgetRule, Change, Outcome, Reservation, Standing, parse_amount, parse_window
from costkit.errors import InvalidInput

DOLLAR = 10**12
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BudgetStore]:
    with BudgetStore(tmp_path) as opened:
        yield opened


def define(
    store: BudgetStore, limit: str = "10", window: str = "day", *, tz: str | None = None, soft: int | None = None
) -> None:
    store.define("team-a", Change(parse_amount(limit), parse_window(window), tz, soft=soft), NOON)


def usd(amount: float) -> Callable[[BudgetRule], int]:
    return lambda _: int(amount * DOLLAR)


def spend(store: BudgetStore, amount: float, now: datetime = NOON) -> Outcome:
    held = reserve(store, amount, now)
    return store.commit(held.id, lambda _: int(amount * DOLLAR), now)


def reserve(store: BudgetStore, amount: float, now: datetime = NOON, lease: timedelta = HOUR) -> Reservation:
    held = store.reserve("team-a", usd(amount), now, lease=lease).reservation
    assert held is not None
    return held


def standing(store: BudgetStore, now: datetime = NOON) -> Standing:
    return store.state("team-a", now).standing


def dollars(store: BudgetStore, now: datetime = NOON) -> tuple[float, float, float, float]:
    """Committed, reserved, uncertain, available."""
    found = standing(store, now)
    return (found.committed / DOLLAR, found.reserved / DOLLAR, found.uncertain / DOLLAR, found.available / DOLLAR)


def test_what_is_held_and_what_is_spent_leaves_the_rest(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 4)
    assert dollars(store) == (0, 4, 0, 6)
    store.commit(held.id, lambda _: DOLLAR, NOON)
    assert dollars(store) == (1, 0, 0, 9)
    store.release(reserve(store, 3).id, NOON)
    assert dollars(store) == (1, 0, 0, 9)


def test_the_last_cent_can_be_held_and_not_one_picodollar_more(store: BudgetStore) -> None:
    define(store)
    assert store.reserve("team-a", lambda _: 10 * DOLLAR + 1, NOON).reservation is None
    assert store.reserve("team-a", usd(10), NOON).reservation is not None
    refused = store.reserve("team-a", lambda _: 1, NOON)
    assert (refused.reservation, refused.state.standing.available, refused.asked) == (None, 0, ("usd", 1))


def test_a_refusal_changes_nothing(store: BudgetStore) -> None:
    define(store)
    before = store.history()
    store.reserve("team-a", usd(11), NOON)
    assert (store.history(), dollars(store)) == (before, (0, 0, 0, 10))


def test_an_amount_that_cannot_be_told_holds_nothing(store: BudgetStore) -> None:
    define(store)

    def unknown(_: object) -> int:
        raise InvalidInput("no price")

    with pytest.raises(InvalidInput, match="no price"):
        store.reserve("team-a", unknown, NOON)
    held = reserve(store, 2)
    with pytest.raises(InvalidInput, match="no price"):
        store.commit(held.id, unknown, NOON)
    assert dollars(store) == (0, 2, 0, 8)


def test_what_was_never_settled_stays_counted(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 4, lease=HOUR)
    after = NOON + HOUR
    assert dollars(store, after - timedelta(microseconds=1)) == (0, 4, 0, 6)
    assert dollars(store, after) == (0, 0, 4, 6)
    assert [one.state for one in store.state("team-a", after).open] == ["uncertain"]
    store.commit(held.id, lambda _: DOLLAR, after)
    assert dollars(store, after) == (1, 0, 0, 9)


def test_a_lease_that_is_ended_early_makes_a_reservation_uncertain(store: BudgetStore) -> None:
    define(store)
    store.end_lease(reserve(store, 4).id, NOON)
    assert dollars(store) == (0, 0, 4, 6)


def test_what_cost_more_than_was_held_is_counted_in_full(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 9)
    outcome = store.commit(held.id, lambda _: 12 * DOLLAR, NOON)
    assert (outcome.state.standing.available, outcome.state.standing.over) == (0, 2 * DOLLAR)
    assert store.reserve("team-a", lambda _: 0, NOON).reservation is None


def test_settling_twice_with_the_same_amount_is_once_and_with_another_is_refused(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 4)
    for _ in range(2):
        store.commit(held.id, lambda _: DOLLAR, NOON)
    assert dollars(store) == (1, 0, 0, 9)
    with pytest.raises(InvalidInput, match="settled already"):
        store.commit(held.id, lambda _: 2 * DOLLAR, NOON)
    with pytest.raises(InvalidInput, match="spent already"):
        store.release(held.id, NOON)
    assert dollars(store) == (1, 0, 0, 9)


def test_what_was_released_and_then_turns_out_to_be_spent_is_counted(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 4)
    for _ in range(2):
        store.release(held.id, NOON)
    store.commit(held.id, lambda _: 3 * DOLLAR, NOON)
    assert dollars(store) == (3, 0, 0, 7)


def test_what_was_released_before_a_reset_and_turns_out_to_be_spent_is_counted(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 4, NOON + DAY)
    store.release(held.id, NOON + DAY)
    store.reset("team-a", NOON)
    store.commit(held.id, lambda _: 3 * DOLLAR, NOON)
    assert dollars(store) == (3, 0, 0, 7)
    assert dollars(store, NOON + DAY) == (0, 0, 0, 10)


def test_a_window_that_ends_frees_what_was_spent_in_it(store: BudgetStore) -> None:
    define(store)
    spend(store, 4, NOON + 12 * HOUR - timedelta(microseconds=1))
    assert dollars(store, NOON + 12 * HOUR - timedelta(microseconds=1)) == (4, 0, 0, 6)
    assert dollars(store, NOON + 12 * HOUR) == (0, 0, 0, 10)


def test_what_was_held_before_midnight_belongs_to_the_day_before(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 4, NOON + 11 * HOUR, lease=2 * HOUR)
    tomorrow = NOON + 12 * HOUR
    assert dollars(store, tomorrow) == (0, 0, 0, 10)
    assert [one.id for one in store.state("team-a", tomorrow).open] == [held.id]
    store.commit(held.id, lambda _: DOLLAR, tomorrow)
    assert dollars(store, tomorrow) == (0, 0, 0, 10)


@pytest.mark.parametrize(("tz", "ends_after"), [("Asia/Tokyo", 3 * HOUR), ("America/New_York", 17 * HOUR)])
def test_each_budget_has_the_midnight_of_its_own_zone(store: BudgetStore, tz: str, ends_after: timedelta) -> None:
    define(store, tz=tz)
    spend(store, 4)
    assert dollars(store, NOON + ends_after - timedelta(microseconds=1)) == (4, 0, 0, 6)
    assert dollars(store, NOON + ends_after) == (0, 0, 0, 10)


def test_a_day_of_25_hours_is_one_window(store: BudgetStore) -> None:
    define(store, tz="Europe/Berlin")
    midnight = datetime(2026, 12, 1, tzinfo=UTC).replace(year=2027, month=10, day=30, hour=22)  # 31 Oct, local
    spend(store, 4, midnight)
    assert dollars(store, midnight + 25 * HOUR - timedelta(microseconds=1)) == (4, 0, 0, 6)
    assert dollars(store, midnight + 25 * HOUR) == (0, 0, 0, 10)


def test_a_rolling_window_frees_each_amount_when_its_time_is_over(store: BudgetStore) -> None:
    define(store, window="rolling:5h")
    spend(store, 4)
    spend(store, 3, NOON + HOUR)
    assert dollars(store, NOON + 5 * HOUR - timedelta(microseconds=1)) == (7, 0, 0, 3)
    assert dollars(store, NOON + 5 * HOUR) == (3, 0, 0, 7)
    assert dollars(store, NOON + 6 * HOUR) == (0, 0, 0, 10)


def test_a_limit_that_is_raised_or_lowered_keeps_what_was_spent(store: BudgetStore) -> None:
    define(store)
    spend(store, 6)
    store.define("team-a", Change(parse_amount("20")), NOON)
    assert dollars(store) == (6, 0, 0, 14)
    state = store.define("team-a", Change(parse_amount("5")), NOON)
    assert (state.standing.available, state.standing.over) == (0, DOLLAR)
    assert str(state.rule.window) == "day"


def test_another_window_counts_what_was_spent_in_it(store: BudgetStore) -> None:
    define(store)
    spend(store, 4, NOON + DAY)
    spend(store, 3, NOON + 2 * DAY)
    store.define("team-a", Change(window=parse_window("month")), NOON + 2 * DAY)
    assert dollars(store, NOON + 2 * DAY) == (7, 0, 0, 3)


def test_a_reset_forgets_what_was_spent_and_keeps_what_is_held(store: BudgetStore) -> None:
    define(store)
    spend(store, 4)
    held = reserve(store, 3)
    store.reset("team-a", NOON)
    assert dollars(store) == (0, 3, 0, 7)
    store.commit(held.id, lambda _: 2 * DOLLAR, NOON)
    assert dollars(store) == (2, 0, 0, 8)


def test_what_was_committed_before_a_reset_stays_forgotten_when_it_is_committed_again(store: BudgetStore) -> None:
    define(store)
    done = spend(store, 4)
    store.reset("team-a", NOON)
    assert done.reservation is not None
    store.commit(done.reservation.id, lambda _: 4 * DOLLAR, NOON)
    assert dollars(store) == (0, 0, 0, 10)


def test_a_clock_that_is_put_back_frees_nothing_and_opens_no_window_twice(store: BudgetStore) -> None:
    define(store)
    spend(store, 9, NOON)
    spend(store, 4, NOON + DAY)
    yesterday = NOON
    assert dollars(store, yesterday) == (4, 0, 0, 6)
    assert store.state("team-a", yesterday).clock_behind_s == 86_400
    spend(store, 5, yesterday)
    assert dollars(store, yesterday) == dollars(store, NOON + DAY) == (9, 0, 0, 1)
    assert dollars(store, NOON + 2 * DAY) == (0, 0, 0, 10)


def test_a_reset_brings_a_budget_back_from_the_future(store: BudgetStore) -> None:
    define(store)
    future = NOON + 1000 * DAY
    spend(store, 4, future)
    held = reserve(store, 3, future, lease=HOUR)
    state = store.reset("team-a", NOON)
    assert (state.clock_behind_s, dollars(store)) == (0, (0, 3, 0, 7))
    assert store.reservation(held.id, NOON).lease_until == NOON + HOUR
    assert dollars(store, future) == (0, 0, 0, 10)


def test_a_soft_limit_warns_once_in_each_window(store: BudgetStore) -> None:
    define(store, soft=800_000)
    warned = [spend(store, amount, now).is_warning_due for amount, now in [(7, NOON), (0.5, NOON)]]
    assert warned == [False, False]
    held = store.reserve("team-a", usd(0.5), NOON)
    assert held.is_warning_due
    assert not spend(store, 1).is_warning_due
    assert [store.reserve("team-a", usd(8), NOON + days * DAY).is_warning_due for days in (1, 1, 2)] == [
        True,
        False,
        True,
    ]


def test_another_limit_is_another_thing_to_be_warned_about(store: BudgetStore) -> None:
    define(store, soft=500_000)
    assert store.reserve("team-a", usd(5), NOON).is_warning_due
    store.define("team-a", Change(parse_amount("12")), NOON)
    assert store.reserve("team-a", usd(2), NOON).is_warning_due
    store.define("team-a", Change(window=parse_window("total")), NOON)
    assert not store.reserve("team-a", usd(2), NOON).is_warning_due


def test_a_soft_limit_of_a_rolling_window_warns_again_when_its_length_is_over(store: BudgetStore) -> None:
    define(store, window="rolling:5h", soft=500_000)
    moments = (NOON, NOON + HOUR, NOON + 6 * HOUR)
    assert [store.reserve("team-a", usd(5), now).is_warning_due for now in moments] == [True, False, True]


def test_a_limit_in_another_unit_is_another_budget(store: BudgetStore) -> None:
    define(store)
    with pytest.raises(InvalidInput, match="is in usd, not in tokens"):
        store.define("team-a", Change(parse_amount("2M")), NOON)


def test_sums_that_no_integer_of_sqlite_holds_are_exact(store: BudgetStore) -> None:
    define(store, limit="1000000", window="total")
    for held in [reserve(store, 0) for _ in range(12)]:
        store.commit(held.id, lambda _: 10**18 - 1, NOON)
    assert standing(store).committed == 12 * 10**18 - 12


def test_a_name_that_is_unknown_comes_with_the_nearest_one(store: BudgetStore) -> None:
    define(store)
    with pytest.raises(InvalidInput, match="no budget 'team-b'") as unknown:
        store.state("team-b", NOON)
    assert unknown.value.hint == "did you mean team-a?"
    assert unknown.value.code == "unknown-budget"
    with pytest.raises(InvalidInput, match="no reservation 'r-1'"):
        store.commit("r-1", lambda _: 1, NOON)


def test_the_history_says_what_happened_and_what_was_changed(store: BudgetStore) -> None:
    define(store, soft=500_000)
    spend(store, 6)
    store.define("team-a", Change(parse_amount("20"), soft=0), NOON)
    store.reset("team-a", NOON)
    events = store.history("team-a")
    assert [event.event for event in events] == ["set", "reserve", "warn", "commit", "set", "reset"]
    assert events[4].note == "limit $10.00 -> $20.00, soft 50% -> none"
    assert [event.event for event in store.history(most=2)] == ["set", "reset"]


def test_a_budget_that_is_deleted_takes_everything_with_it(store: BudgetStore) -> None:
    define(store)
    held = reserve(store, 4)
    with pytest.raises(InvalidInput, match="still holds 1 reservation"):
        store.delete("team-a")
    store.delete("team-a", force=True)
    define(store)
    assert dollars(store) == (0, 0, 0, 10)
    with pytest.raises(InvalidInput, match="no reservation"):
        store.commit(held.id, lambda _: 1, NOON)
