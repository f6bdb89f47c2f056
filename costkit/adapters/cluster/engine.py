"""The cluster: one that is there, by its address, or one of processes on this machine for the time of a report."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from threading import Event, Thread
from typing import Any

from costkit import __version__
from costkit.adapters.cluster.objects import explain, is_url
from costkit.adapters.cluster.places import CREDENTIALS
from costkit.adapters.cluster.tasks import first_unreadable
from costkit.adapters.logs.early import cores
from costkit.adapters.names import printable
from costkit.errors import InvalidInput, OperationFailed

CONNECT_S = 10
"""How long a scheduler may take to answer, in seconds."""
WORKERS_S = 30
"""How long the first worker may take to come."""
_CLOSE_S = 0.5
_POLL_S = 0.1
_LOCAL = re.compile(r"local(?::([1-9]\d{0,3}))?", re.ASCII)
_ADDRESS = re.compile(r"[a-z]+://\S+")
_NEEDED = ("dask", "distributed", "fsspec")
_DASK = {
    "distributed.admin.large-graph-warning-threshold": "1GiB",
    "distributed.comm.retry.count": 1,
}
_LOOPBACK = "127.0.0.1"


def check_address(address: str) -> None:
    """Accept `local`, `local:N` and what looks like an address. Raises `InvalidInput`, also for a missing package."""
    if not _LOCAL.fullmatch(address) and not _ADDRESS.fullmatch(address):
        hint = "write it as tcp://scheduler:8786, local or local:4"
        raise InvalidInput(f"--cluster {address!r} is no address of a scheduler", hint=hint)
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        what = f"--cluster needs packages that are not installed: {', '.join(missing)}"
        raise InvalidInput(what, code="missing-extra", hint="pip install 'costkit[cluster]'")


@contextmanager
def connect(address: str) -> Iterator[Any]:
    """A client of the cluster. Whatever ends the block, nothing goes on for it and no process of ours is left.

    Raises `OperationFailed` within `CONNECT_S` seconds where no scheduler answers.
    """
    import dask
    from distributed import Client

    local = _LOCAL.fullmatch(address)
    with dask.config.set(_DASK), _silent_logs(), _local_cluster(local[1]) if local else _there(address) as target:
        try:
            client = _made(lambda: Client(target, timeout=CONNECT_S, set_as_default=False))
        except OSError:
            hint = "is dask scheduler running there?"
            raise OperationFailed(f"no scheduler answers at {address} within {CONNECT_S} s", hint=hint) from None
        except (ValueError, TypeError, RuntimeError) as error:
            raise InvalidInput(f"--cluster {address}: {explain(error)}") from None
        try:
            yield client
        finally:
            with suppress(OSError):
                client.close(timeout=_CLOSE_S)


@contextmanager
def _silent_logs() -> Iterator[None]:
    """What Dask says about lost workers and connections is said by the report, if it matters."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _there(address: str) -> Iterator[str]:
    yield address


@contextmanager
def _local_cluster(workers: str | None) -> Iterator[Any]:
    import multiprocessing

    from distributed import LocalCluster

    others = set(multiprocessing.active_children())
    cluster = _made(
        lambda: LocalCluster(
            n_workers=0,  # they come in their own time, so that this can be interrupted
            threads_per_worker=1,  # reading is Python: a second thread would only wait for the first
            host=_LOOPBACK,
            dashboard_address=f"{_LOOPBACK}:0",
            silence_logs=logging.CRITICAL,
        )
    )
    try:
        cluster.scale(int(workers) if workers else cores())
        yield cluster
    finally:
        for nanny in cluster.workers.values():
            nanny.auto_restart = False
        for process in set(multiprocessing.active_children()) - others:
            process.kill()  # nothing that they know is needed any more
        cluster.shutdown_on_close = False
        with suppress(Exception):  # whatever state an interrupt has left it in
            cluster.close(timeout=_CLOSE_S)


def _made(make: Callable[[], Any]) -> Any:
    """Have a client or a cluster made by a thread: what is interrupted while it starts can't be closed for long."""
    made: list[Any] = []
    failed: list[BaseException] = []
    is_done, is_given_up = Event(), Event()

    def work() -> None:
        try:
            made.append(make())
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            failed.append(error)
        is_done.set()
        if is_given_up.is_set() and made:
            with suppress(Exception):
                made[0].close(timeout=_CLOSE_S)

    Thread(target=work, daemon=True).start()
    try:
        while not is_done.wait(_POLL_S):
            pass
    except BaseException:
        is_given_up.set()
        raise
    if failed:
        raise failed[0]
    return made[0]


def check_workers(client: Any, address: str, paths: list[str], folder: str, samples: list[str]) -> int:
    """Refuse workers that would read otherwise than this process; returns how many threads there are.

    `samples` are objects that this process can read. Raises `InvalidInput` that names the worker and what differs,
    `OperationFailed` where no worker comes.
    """
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError:
        raise OperationFailed(f"{address} has no workers", hint=f"start some: dask worker {address}") from None
    answers = client.run(_hello(), [path for path in paths if not is_url(path)], folder, on_error="return")
    for worker, answer in sorted(answers.items()):
        problem = _problem(answer)
        if problem is not None:
            raise InvalidInput(f"worker {worker} is refused: {problem[0]}", code="worker-refused", hint=problem[1])
    if samples:
        for worker, unreadable in sorted(client.run(first_unreadable, samples, on_error="return").items()):
            if isinstance(unreadable, tuple):
                url, why = unreadable
                hint = f"give the workers what this process has: packages, network, credentials ({CREDENTIALS})"
                what = f"worker {worker} is refused: it can't read {printable(url)}: {why}"
                raise InvalidInput(what, code="worker-refused", hint=hint)
    return sum(client.nthreads().values())


def _problem(answer: object) -> tuple[str, str] | None:
    """What is wrong with a worker, and what to do about it."""
    import sys

    install = f"pip install 'costkit[cluster]=={__version__}' on the workers"
    if not isinstance(answer, Mapping):
        return f"it failed to say what it has ({explain(answer)})" if isinstance(answer, Exception) else "?", install
    if answer["costkit"] is None:
        return f"it has no costkit, this is costkit {__version__} ({answer['why']})", install
    if answer["costkit"] != __version__:
        return f"it has costkit {answer['costkit']}, this is costkit {__version__}", install
    if answer["byteorder"] != sys.byteorder:
        return f"its processor is {answer['byteorder']}-endian, this one's is {sys.byteorder}-endian", install
    if answer["unseen"]:
        return f"it doesn't see {answer['unseen']}", "name files that every worker sees, such as s3://bucket/*.jsonl"
    return None


def _hello() -> Callable[..., dict[str, str | None]]:
    """What a worker says about itself: a function that travels as code, because costkit may not be there."""

    def hello(paths: list[str], folder: str) -> dict[str, str | None]:
        import importlib
        import os
        import sys

        version, why = None, None
        try:
            version = str(importlib.import_module("costkit").__version__)
            importlib.import_module("msgspec")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is why
            version, why = None, f"{type(error).__name__}: {error}"
        unseen = next((path for path in paths if not _there_is(os.path.join(folder, path))), None)  # noqa: PTH118
        return {"costkit": version, "why": why, "byteorder": sys.byteorder, "unseen": unseen}

    def _there_is(path: str) -> bool:
        import glob
        import os

        return os.path.lexists(path) or bool(glob.glob(path, recursive=True))  # noqa: PTH207

    return hello
