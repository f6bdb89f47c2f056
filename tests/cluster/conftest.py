"""Real clusters and a real object store that speaks S3, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cluster_clusters import running_cluster

pytest.importorskip("distributed", reason="needs the extra costkit[cluster]")
pytest.importorskip("fsspec", reason="needs the extra costkit[cluster]")

_HOOK = """
import os, sys

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        if arguments[0].endswith("deadly.jsonl"):
            os._exit(9)
        if arguments[0].endswith("poisoned.jsonl"):
            raise RuntimeError("a bug that this file meets")

sys.addaudithook(watch)
"""
"""In workers, some files end the process that opens them, or meet a bug."""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_SUSPICIOUS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
"""Two dead workers are enough to suspect all that they were doing."""


@pytest.fixture(scope="session")
def store() -> Iterator[Any]:
    """An S3 client of an empty object store; the environment names its endpoint."""
    server = pytest.importorskip("moto.server", reason="needs moto, an object store for tests")
    boto3 = pytest.importorskip("boto3", reason="comes with moto")
    pytest.importorskip("s3fs", reason="needs the extra costkit[cluster]")
    running = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        yield client
        client.close()
    running.stop()


@pytest.fixture(scope="session")
def cluster(store: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of two workers that see the store."""
    assert store
    hooks = tmp_path_factory.mktemp("hooks")
    (hooks / "sitecustomize.py").write_text(_HOOK)
    with running_cluster(2, python_path=hooks, **_SUSPICIOUS) as address:
        yield address


@pytest.fixture(scope="session")
def poor_cluster(store: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of two workers that see the store and have no credentials for it."""
    assert store
    nothing = str(tmp_path_factory.mktemp("home") / "none")
    without = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    files = dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"), nothing)
    with running_cluster(2, python_path=None, **without, **files) as address:
        yield address


@pytest.fixture
def bucket(store: Any, request: pytest.FixtureRequest) -> Callable[[str, bytes], str]:
    """Put an object into a bucket of the test's own; returns its URL."""
    name = f"logs-{abs(hash(request.node.nodeid))}"
    store.create_bucket(Bucket=name)

    def put(key: str, content: bytes) -> str:
        store.put_object(Bucket=name, Key=key, Body=content)
        return f"s3://{name}/{key}"

    return put
