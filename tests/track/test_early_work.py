"""Work that is done beside a call: always done, once where it can be, and never waited for in vain."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from unittest.mock import Mock

import pytest

from costkit.tracking import early
from costkit.tracking.early import Early


class Work:
    """Something to do that can be held up, and that counts how often it was begun."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.threads.append(threading.current_thread())
        self.begun.set()
        self.go_on.wait(60)
        return "done"


@pytest.fixture
def work() -> Iterator[Work]:
    """What was held up goes on when the test is over."""
    made = Work()
    yield made
    made.go_on.set()


def test_what_nobody_began_is_done_by_whoever_takes_it(work: Work) -> None:
    work.go_on.set()
    assert Early(work).take() == "done"
    assert work.threads == [threading.current_thread()]


def test_what_was_done_beside_is_not_done_again(work: Work) -> None:
    work.go_on.set()
    thing = Early(work)
    thing.begin()
    assert work.begun.wait(60)
    assert (thing.take(), thing.take()) == ("done", "done")
    assert [thread.name for thread in work.threads] == ["costkit-track"]


def test_what_is_being_done_is_waited_for(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "_LONGEST_WAIT_S", 60)
    thing, taken = Early(work), list[str]()
    thing.begin()
    assert work.begun.wait(60)
    taker = threading.Thread(target=lambda: taken.append(thing.take()))
    taker.start()
    work.go_on.set()
    taker.join(60)
    assert (taken, len(work.threads)) == (["done"], 1)


def test_a_thread_that_is_never_done_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "_LONGEST_WAIT_S", 0.01)
    begun, end = threading.Event(), threading.Event()
    second, first = Mock(return_value=True), partial(end.wait, 60)
    waits: list[Callable[[], bool]] = [second, first]

    def stuck_at_first() -> bool:
        wait = waits.pop()
        begun.set()
        return wait()

    thing = Early(stuck_at_first)
    thing.begin()
    assert begun.wait(60)
    assert thing.take()
    assert not end.is_set()
    end.set()


def test_what_is_asked_for_amid_itself_is_done_there_and_then() -> None:
    """The garbage collector may end a dropped stream in the very thread that works for it."""
    depth: list[int] = []

    def nested() -> int:
        depth.append(1)
        return thing.take() if len(depth) == 1 else len(depth)

    thing = Early(nested)
    thing.begin()
    assert thing.take() == 2


def test_what_its_taker_is_at_keeps_nothing_else_waiting(work: Work) -> None:
    thing, done = Early(work), threading.Event()
    taker = threading.Thread(target=thing.take)
    taker.start()
    assert work.begun.wait(60)
    thing.begin()
    other = Early(done.set)
    other.begin()
    assert done.wait(60)
    work.go_on.set()
    taker.join(60)
    assert work.threads == [taker]


def test_a_failure_is_raised_by_whoever_takes_it() -> None:
    tried = threading.Event()

    def fails() -> None:
        tried.set()
        raise ArithmeticError("no tide is right")

    thing = Early(fails)
    thing.begin()
    assert tried.wait(60)
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="no tide"):
            thing.take()
    again: Early[str] = Early(lambda: "done")
    again.begin()
    assert again.take() == "done"


def test_more_than_can_be_done_is_not_queued(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "_MOST", 3)
    busy = Early(work)
    busy.begin()
    assert work.begun.wait(60)
    things = [Early(partial(int, number)) for number in range(50)]
    for thing in things:
        thing.begin()
    assert early._running[0]._asked.qsize() <= 3
    assert [thing.take() for thing in things] == list(range(50))


def run(script: str) -> str:
    """Run a program of its own in which every warning is an error; what it printed."""
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_program_has_no_thread_of_ours_when_it_forks() -> None:
    script = """
import os, threading
from costkit.tracking.early import Early

def check():
    done = threading.Event()
    first, second = Early(lambda: done.set() or 1), Early(lambda: 2)
    first.begin()
    assert done.wait(30)
    second.begin()
    return first.take() + second.take()

assert check() == 3
waiting = Early(lambda: 4)
waiting.begin()
child = os.fork()
assert threading.active_count() == 1, threading.enumerate()
assert waiting.take() == 4
assert check() == 3
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("both went on")
"""
    assert run(script) == "both went on\n"


@pytest.mark.parametrize("begin", ["thing.begin()", "pass"])
def test_a_program_ends_whatever_is_under_way(begin: str) -> None:
    script = f"""
import atexit, time
from costkit.tracking.early import Early
things = [Early(lambda: sum(range(50_000))) for _ in range(200)]
for thing in things:
    {begin}
late = Early(lambda: "late")
atexit.register(lambda: print(late.begin() or late.take()))
"""
    assert run(script) == "late\n"


def test_without_threads_it_is_done_when_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    none_left = Mock(side_effect=RuntimeError("can't start new thread"))
    monkeypatch.setattr(early, "_running", [])
    monkeypatch.setattr(threading.Thread, "start", none_left)
    thing: Early[str] = Early(lambda: "done")
    thing.begin()
    assert thing.take() == "done"
    assert early._running == []
