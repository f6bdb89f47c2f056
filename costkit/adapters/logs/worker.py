"""A process that reads pieces of logs for another one: started by `crew.py`, spoken to through its own streams.

Orders and answers are pickles, which are only ever exchanged between these two. Three orders, in this order: `fold` a
load, any number of times; `join` the files whose ranges fit together, answered with the identities of all responses
and the sessions that have a recorded cost; `close` all responses but those that others know too, answered with a
summary of kilobytes.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from costkit.adapters.logs.pieces import Folder
from costkit.report.fold import close
from costkit.report.recorded import sessions_in

FOLD, JOIN, CLOSE = "fold", "join", "close"


def main() -> None:
    """Obey orders until the last one, or until whoever gives them is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gives the orders decides
    gc.disable()  # nothing here goes round in circles
    orders: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_receive, args=(sys.stdin.buffer, orders), daemon=True).start()
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr
    read = 0

    def passed(size: int) -> None:
        nonlocal read
        read += size

    options, remembered = orders.get()
    memory = None
    if remembered is not None:
        from costkit.adapters.logs.remembered import Memory

        memory = Memory(remembered, options)
    folder = Folder(options, memory, passed)
    while True:
        order, argument = orders.get()
        answer: object
        if order == FOLD:
            answer = ([folder.fold(piece) for piece in argument], read)
        elif order == JOIN:
            folder.join(argument)
            answer = (b"".join(folder.summary.responses.keys()), sessions_in(folder.summary.recorded))
        else:
            close(folder.summary, *argument)
            answer = folder.summary
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()
        if order == JOIN and memory is not None:
            memory.write()
        if order == CLOSE:
            return


def _receive(stream: IO[bytes], orders: SimpleQueue[Any]) -> None:
    """Take orders as they come, so that the end of whoever gives them is noticed at once."""
    try:
        while True:
            orders.put(pickle.load(stream))  # noqa: S301  # from the process that started this one
    except BaseException:  # noqa: BLE001  # the stream has ended, or breaks off
        os._exit(1)
