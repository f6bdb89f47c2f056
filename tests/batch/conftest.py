"""A folder with an input and a ledger, and a server, for the tests of what happens after a job was sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import ApiServer
from collecting import Desk


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def desk(
    tmp_path: Path, server: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    """The desk; downloads that fail are made again at once."""
    monkeypatch.chdir(tmp_path)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("costkit.batch.gather.FIRST_PAUSE_S", 0.001)
    return Desk(tmp_path, server, capsys)
