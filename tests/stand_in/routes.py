"""The endpoints: functions from what the server knows and a call to a reply."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stand_in.answers import answer, events_of, tokens_of
from stand_in.batches import StoredBatch
from stand_in.intake import BadBodyError, read_create
from stand_in.organization import report_page
from stand_in.rules import count_problem, message_problem
from stand_in.state import State
from stand_in.values import Account, Reply, error

_BATCHES = "/v1/messages/batches"
_ROUTES = (
    ("count_tokens", "POST", re.compile("/v1/messages/count_tokens")),
    ("messages", "POST", re.compile("/v1/messages")),
    ("create", "POST", re.compile(_BATCHES)),
    ("list", "GET", re.compile(_BATCHES)),
    ("retrieve", "GET", re.compile(f"{_BATCHES}/([^/]+)")),
    ("cancel", "POST", re.compile(f"{_BATCHES}/([^/]+)/cancel")),
    ("delete", "DELETE", re.compile(f"{_BATCHES}/([^/]+)")),
    ("results", "GET", re.compile(f"{_BATCHES}/([^/]+)/results")),
    ("usage_report", "GET", re.compile("/v1/organizations/usage_report/messages")),
    ("cost_report", "GET", re.compile("/v1/organizations/cost_report")),
)
_LONGEST_PAGE = 1000
_USUAL_PAGE = "20"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the door."""

    account: Account
    version: str
    host: str
    """This server's own address."""
    query: Mapping[str, str]
    body: Any = None
    batch_id: str = ""
    upload: tuple[Path, str] | None = None
    """The body of a create call: its file and its SHA-256."""


def route_of(method: str, path: str) -> tuple[str, str]:
    """The name of the endpoint, empty if there is none, and the batch id in its path."""
    for name, verb, pattern in _ROUTES:
        match = pattern.fullmatch(path)
        if match and verb == method:
            return name, match.group(1) if match.groups() else ""
    return "", ""


def _count_tokens(state: State, call: Call) -> Reply:
    problem = count_problem(call.body)
    if problem:
        return error(400, problem)
    if not state.model_exists(call.body["model"]):
        return error(404, f"model: {call.body['model']}")
    return Reply(200, {"input_tokens": tokens_of(call.body)})


def _messages(state: State, call: Call) -> Reply:
    problem = message_problem(call.body, call.version, in_batch=False)
    if problem:
        return error(400, problem)
    if not state.model_exists(call.body["model"]):
        return error(404, f"model: {call.body['model']}")
    message = answer(call.body, name=uuid.uuid4().hex, tier="standard", cache=state.cache)
    asked = str(call.body["messages"][-1]["content"])
    for phrase, fields in state.said.items():
        message |= fields if phrase in asked else {}
    return Reply(200, message, events=tuple(events_of(message)) if call.body.get("stream") else ())


def _create(state: State, call: Call) -> Reply:
    if call.upload is None:
        return error(400, "Input should be an object")
    path, sha256 = call.upload
    try:
        intake = read_create(path, sha256, state.max_batch_requests)
    except BadBodyError as problem:
        path.unlink()
        return error(400, str(problem))
    return _shown(state, call, state.add_batch(intake, call.account, call.version))


def _list(state: State, call: Call) -> Reply:
    after, before = call.query.get("after_id"), call.query.get("before_id")
    limit = call.query.get("limit", _USUAL_PAGE)
    if not limit.isdecimal() or not 1 <= int(limit) <= _LONGEST_PAGE:
        return error(400, f"limit: Input should be between 1 and {_LONGEST_PAGE}")
    if after and before:
        return error(400, "after_id and before_id can't be used together")
    batches = state.visible(call.account)
    ids = [batch.id for batch in batches]
    for cursor in (after, before):
        if cursor and cursor not in ids:
            return error(404, f"Message Batch {cursor} not found")
    if before:
        rest = batches[: ids.index(before)]
        page = rest[-int(limit) :]
    else:
        rest = batches[ids.index(after) + 1 :] if after else batches
        page = rest[: int(limit)]
    return Reply(
        200,
        {
            "data": [batch.document(state.results_host or call.host) for batch in page],
            "has_more": len(rest) > len(page),
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        },
    )


def _cancel(state: State, call: Call, batch: StoredBatch) -> Reply:
    if batch.processing_status == "ended":
        return error(400, f"Message Batch {batch.id} has already ended and can't be canceled")
    state.cancel(batch)
    return _shown(state, call, batch)


def _delete(_state: State, _call: Call, batch: StoredBatch) -> Reply:
    if batch.processing_status != "ended":
        return error(400, f"Message Batch {batch.id} is still {batch.processing_status}; cancel it first")
    batch.deleted = True
    return Reply(200, {"id": batch.id, "type": "message_batch_deleted"})


def _results(_state: State, _call: Call, batch: StoredBatch) -> Reply:
    if batch.processing_status != "ended":
        return error(404, f"Message Batch {batch.id} has no available results: it is {batch.processing_status}")
    if batch.archived_at:
        return error(404, f"The results of Message Batch {batch.id} are no longer available")
    return Reply(200, file=batch.results_file)


def _shown(state: State, call: Call, batch: StoredBatch) -> Reply:
    return Reply(200, batch.document(state.results_host or call.host))


_PLAIN: Mapping[str, Callable[[State, Call], Reply]] = {
    "count_tokens": _count_tokens,
    "messages": _messages,
    "create": _create,
    "list": _list,
    "usage_report": lambda state, call: report_page(state.usage_buckets, call.account, call.query),
    "cost_report": lambda state, call: report_page(state.cost_buckets, call.account, call.query),
}
_OF_ONE_BATCH: Mapping[str, Callable[[State, Call, StoredBatch], Reply]] = {
    "retrieve": _shown,
    "cancel": _cancel,
    "delete": _delete,
    "results": _results,
}


def answer_call(state: State, route: str, call: Call) -> Reply:
    """What the endpoint says."""
    if route in _PLAIN:
        return _PLAIN[route](state, call)
    try:
        batch = state.batch(call.batch_id)
    except KeyError:
        batch = None
    if batch is None or batch.account != call.account:
        return error(404, f"Message Batch {call.batch_id} not found")
    state.look(batch)
    return _OF_ONE_BATCH[route](state, call, batch)
