"""Commands to a server in another process: `POST /_control/<command>` with a JSON object.

fail            the fields of a `Fault`
random_faults   {"seed": 7, "rate": 0.25}
clear           {}: no more faults
end, expire     {"batch_id": …}; end without one ends all
outcome         {"custom_id": …, and the fields of an `Outcome`}
key             {"key", "organization_id", "workspace_id"}: one more key that is let in
set             public settings by name, such as {"list_delay_looks": 2, "seconds_per_batch": 1}
state           {}: what was created so far
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from stand_in.state import State
from stand_in.values import Fault, Outcome, Reply, error

PREFIX = "/_control/"
_SETTINGS = (
    "seconds_per_batch",
    "unknown_results",
    "list_delay_s",
    "list_delay_looks",
    "results_host",
    "compress_results",
    "max_body_bytes",
    "max_batch_bytes",
    "max_batch_requests",
)


def obey(state: State, command: str, content: bytes) -> Reply:
    """Carry out a command; every reply is the state afterwards."""
    if command not in _COMMANDS:
        return error(404, f"no such command: {command}; there is {', '.join(_COMMANDS)}")
    try:
        _COMMANDS[command](state, json.loads(content or b"{}"))
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        return error(400, f"{command}: {problem}")
    batches = [
        {
            "id": batch.id,
            "requests": batch.requests,
            "bytes": batch.intake.bytes,
            "sha256": batch.sha256,
            "processing_status": batch.processing_status,
        }
        for batch in state.batches
    ]
    return Reply(200, {"creates": state.creates, "requests": len(state.requests), "batches": batches})


def _outcome(state: State, body: Mapping[str, Any]) -> None:
    fields = dict(body)
    custom_id = fields.pop("custom_id")
    state.outcomes[custom_id] = Outcome(**fields)


def _set(state: State, body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        if name not in _SETTINGS:
            raise ValueError(f"no such setting: {name}")
        setattr(state, name, value)


_COMMANDS: Mapping[str, Callable[[State, Mapping[str, Any]], None]] = {
    "fail": lambda state, body: state.fail(Fault(**body)),
    "random_faults": lambda state, body: state.script.at_random(**body),
    "clear": lambda state, _body: state.script.clear(),
    "end": lambda state, body: state.end(**body),
    "expire": lambda state, body: state.expire(**body),
    "outcome": _outcome,
    "key": lambda state, body: state.add_key(**body),
    "set": _set,
    "state": lambda _state, _body: None,
}
