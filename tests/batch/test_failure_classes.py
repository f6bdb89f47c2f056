"""Failure classes: every line of a results file has one, and what it means for money and for a retry."""

from __future__ import annotations

from typing import Any

import pytest

from costkit.batch.classes import ABSENCES, BY_CODE, CLASSES, DONE, classify, error_of, type_of


def succeeded(stop_reason: object) -> dict[str, Any]:
    return {"custom_id": "a", "result": {"type": "succeeded", "message": {"stop_reason": stop_reason}}}


def errored(kind: str, message: str = "", code: str | None = None) -> dict[str, Any]:
    error = {"type": kind, "message": message, **({"details": {"error_code": code}} if code else {})}
    return {"custom_id": "a", "result": {"type": "errored", "error": {"type": "error", "error": error}}}


@pytest.mark.parametrize(
    ("stop_reason", "code"),
    [
        ("end_turn", "succeeded"),
        ("tool_use", "succeeded"),
        ("stop_sequence", "succeeded"),
        (None, "succeeded"),
        ("something_new", "succeeded"),
        ({}, "succeeded"),
        ("max_tokens", "truncated"),
        ("model_context_window_exceeded", "truncated"),
        ("refusal", "refused"),
        ("pause_turn", "paused"),
    ],
)
def test_answers_are_told_apart_by_their_stop_reason(stop_reason: object, code: str) -> None:
    assert classify(succeeded(stop_reason)) == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("api_error", "server"),
        ("overloaded_error", "server"),
        ("timeout_error", "server"),
        ("rate_limit_error", "rate-limited"),
        ("billing_error", "credit"),
        ("authentication_error", "denied"),
        ("permission_error", "denied"),
        ("invalid_request_error", "invalid"),
        ("not_found_error", "invalid"),
        ("request_too_large", "invalid"),
        ("error_of_tomorrow", "unrecognized"),
        ("", "unrecognized"),
    ],
)
def test_errors_are_told_apart_by_their_type(kind: str, code: str) -> None:
    assert classify(errored(kind)) == code


@pytest.mark.parametrize(
    "line",
    [
        errored("invalid_request_error", "Your credit balance is too low to access the API."),
        errored("invalid_request_error", "You have reached your specified API usage limits."),
        errored("invalid_request_error", "This would exceed the workspace's spend limit."),
        errored("rate_limit_error", "limit", "enforced_spend_limit_reached"),
        errored("rate_limit_error", "limit", "contract_spend_limit_reached"),
    ],
)
def test_a_lack_of_money_is_not_the_request_s_fault(line: dict[str, Any]) -> None:
    assert classify(line) == "credit"


@pytest.mark.parametrize("kind", ["canceled", "expired"])
def test_the_other_results_are_classes_of_their_own(kind: str) -> None:
    assert classify({"custom_id": "a", "result": {"type": kind}}) == kind


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"result": None},
        {"result": []},
        {"result": {}},
        {"result": {"type": "pending"}},
        {"result": {"type": ["succeeded"]}},
        {"result": {"type": "succeeded"}},
        {"result": {"type": "succeeded", "message": "hello"}},
    ],
)
def test_what_is_no_result_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="result"):
        classify(line)


@pytest.mark.parametrize("error", [None, "text", [], {}, {"error": None}, {"type": 5, "message": 7}])
def test_an_error_without_words_is_an_error_all_the_same(error: object) -> None:
    line = {"custom_id": "a", "result": {"type": "errored", "error": error}}
    assert classify(line) == "unrecognized"
    assert (error_of(line).type, error_of(line).message) == ("", "")


def test_an_error_that_is_not_wrapped_is_read_too() -> None:
    line = {"result": {"type": "errored", "error": {"type": "invalid_request_error", "message": "bad"}}}
    assert (classify(line), error_of(line).message) == ("invalid", "bad")


def test_only_answers_are_billed() -> None:
    """Errored, canceled and expired results are free: the API bills nothing but `succeeded`."""
    billed = {row.code for row in CLASSES if row.billed == "billed"}
    assert billed == {"truncated", "refused", "paused"}
    assert {type_of(code) for code in billed} == {"succeeded"}


def test_nothing_that_was_billed_or_may_have_been_is_sent_again_unasked() -> None:
    """A batch that turned out to be somebody else's is the exception: its rows have no batch at all."""
    unasked = {row.code for row in CLASSES if row.retry == "by default"}
    assert unasked == {"expired", "server", "rate-limited", "released"}
    assert {BY_CODE[code].billed for code in unasked - {"released"}} == {"free"}


def test_every_class_stands_for_one_type_of_result_or_for_none() -> None:
    assert type_of(DONE) == "succeeded"
    assert {type_of(code) for code in ABSENCES} == {None}
    assert {row.code for row in CLASSES if type_of(row.code) is None} == ABSENCES
    assert len(BY_CODE) == len(CLASSES)


def test_every_class_says_what_to_do() -> None:
    assert all(row.todo for row in CLASSES)
