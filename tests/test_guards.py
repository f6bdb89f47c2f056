"""The guards of conftest.py are armed."""

from __future__ import annotations

import os
import socket

import pytest


def test_a_test_that_reaches_for_the_internet_fails() -> None:
    with socket.socket() as probe, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        probe.connect(("192.0.2.1", 80))


def test_no_key_and_no_state_of_the_developer_is_visible() -> None:
    assert not [name for name in os.environ if name.startswith("ANTHROPIC_")]
    assert os.environ["COSTKIT_STATE"].startswith(os.environ["HOME"])
