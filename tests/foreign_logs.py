"""Logs as other systems write them, small and made up: each of them bills the same response in its own way.

The response has 40 input tokens, 700 read from and 300 written to the cache, and 25 output tokens.
"""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from costkit.adapters.logs import read_logs
from costkit.core.response import Counts
from costkit.report import Item, Record

MODEL = "claude-sonnet-5-5"
COUNTS = Counts(40, 700, 300, output_tokens=25)
USAGE = {
    "input_tokens": 40,
    "cache_read_input_tokens": 700,
    "cache_creation_input_tokens": 300,
    "output_tokens": 25,
}
FULL_USAGE: dict[str, Any] = {
    **USAGE,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "service_tier": "standard",
    "inference_geo": "us",
}
MESSAGE: dict[str, Any] = {
    "id": "msg_01Ab",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "Quartz."}],
    "stop_reason": "end_turn",
    "usage": FULL_USAGE,
}
SCOPE = "opentelemetry.instrumentation.anthropic"
_KINDS = {int: "intValue", float: "doubleValue", str: "stringValue"}


def typed(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    """Attributes as OTLP has them: integers are texts."""
    return [
        {"key": name, "value": {_KINDS[type(value)]: str(value) if isinstance(value, int) else value}}
        for name, value in attributes.items()
    ]


def gen_ai(**changes: object) -> dict[str, object]:
    """The attributes of a GenAI span; `_` stands for a dot after the first word."""
    usual: dict[str, object] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": 1040,
        "gen_ai.usage.output_tokens": 25,
        "gen_ai.usage.cache_read.input_tokens": 700,
        "gen_ai.usage.cache_creation.input_tokens": 300,
    }
    return {**usual, **changes}


def open_inference(**changes: object) -> dict[str, object]:
    """The attributes of an LLM span of OpenInference."""
    usual: dict[str, object] = {
        "openinference.span.kind": "LLM",
        "llm.model_name": MODEL,
        "llm.token_count.prompt": 1040,
        "llm.token_count.completion": 25,
        "llm.token_count.total": 1065,
        "llm.token_count.prompt_details.cache_read": 700,
        "llm.token_count.prompt_details.cache_write": 300,
    }
    return {**usual, **changes}


def otlp_span(name: str, attributes: Mapping[str, object], parent: str = "", trace: str = "5b8e") -> dict[str, object]:
    """A span inside an OTLP document."""
    return {
        "traceId": trace,
        "spanId": name,
        "parentSpanId": parent,
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": "1793520000000000000",
        "endTimeUnixNano": "1793520001000000000",
        "attributes": typed(attributes),
        "status": {},
    }


def otlp(*spans: object, scope: str = SCOPE) -> dict[str, object]:
    """An OTLP document."""
    resource = {"attributes": typed({"service.name": "geology-bot"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}


def console_span(name: str, attributes: object, parent: str | None = None, trace: str = "0x5b8e") -> dict[str, object]:
    """A span as the console exporter prints it."""
    return {
        "name": "anthropic.chat",
        "context": {"trace_id": trace, "span_id": name, "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "parent_id": parent,
        "start_time": "2026-11-01T08:00:00.000000Z",
        "end_time": "2026-11-01T08:00:01.000000Z",
        "status": {"status_code": "UNSET"},
        "attributes": attributes,
        "events": [],
        "links": [],
        "resource": {"attributes": {"service.name": "geology-bot"}, "schema_url": ""},
    }


LITELLM_USAGE = {
    "completion_tokens": 25,
    "prompt_tokens": 1040,
    "total_tokens": 1065,
    "prompt_tokens_details": {
        "cached_tokens": 700,
        "cache_creation_tokens": 300,
        "cache_creation_token_details": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    },
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 700,
    "iterations": None,
    "inference_geo": "us",
    "service_tier": "standard",
}


def spend_row(**changes: object) -> dict[str, object]:
    """A row of LiteLLM's spend log."""
    return {
        "request_id": "chatcmpl-11",
        "call_type": "acompletion",
        "api_key": "88dc28",
        "spend": 0.5,
        "total_tokens": 1065,
        "prompt_tokens": 1040,
        "completion_tokens": 25,
        "startTime": "2026-11-01 08:00:00.000",
        "endTime": "2026-11-01 08:00:01.000",
        "model": f"anthropic/{MODEL}",
        "custom_llm_provider": "anthropic",
        "metadata": {"usage_object": LITELLM_USAGE, "user_api_key_team_alias": "rocks", "status": "success"},
        "cache_hit": "False",
        "session_id": "s-1",
        "status": "success",
        **changes,
    }


def observation(**changes: object) -> dict[str, object]:
    """An observation of Langfuse."""
    return {
        "id": "obs-1",
        "traceId": "trace-1",
        "type": "GENERATION",
        "name": "answer",
        "startTime": "2026-11-01T08:00:00.000Z",
        "parentObservationId": None,
        "model": MODEL,
        "usageDetails": {
            "input": 40,
            "output": 25,
            "input_cache_read": 700,
            "input_cache_creation": 300,
            "total": 1065,
        },
        "costDetails": {"total": 99.0},
        **changes,
    }


def invocation(body: object = MESSAGE, **changes: object) -> dict[str, object]:
    """A model invocation as Bedrock logs it."""
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-11-01T08:00:00Z",
        "accountId": "111122223333",
        "region": "us-east-1",
        "requestId": "4cbf",
        "operation": "InvokeModel",
        "modelId": f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.{MODEL}-v1:0",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": []},
            "inputTokenCount": 40,
            "cacheReadInputTokenCount": 700,
            "cacheWriteInputTokenCount": 300,
        },
        "output": {"outputContentType": "application/json", "outputBodyJson": body, "outputTokenCount": 25},
        **changes,
    }


def promptfoo_result(number: int = 0, **changes: object) -> dict[str, object]:
    """A result of promptfoo."""
    response = {
        "output": "Quartz.",
        "tokenUsage": {
            "total": 1065,
            "prompt": 1040,
            "completion": 25,
            "completionDetails": {"cacheReadInputTokens": 700, "cacheCreationInputTokens": 300},
        },
        "cost": 9.5,
        "cached": False,
    }
    provider = {"id": f"anthropic:messages:{MODEL}", "label": "ours"}
    usual = {"id": f"r-{number}", "promptIdx": 0, "testIdx": number, "provider": provider, "response": response}
    return {**usual, "success": True, "score": 1, **changes}


def evaluation(*results: object) -> dict[str, object]:
    """An evaluation of promptfoo."""
    stats = {"tokenUsage": {"total": 1065, "prompt": 1040, "completion": 25}}
    inner = {"version": 3, "timestamp": "2026-11-01T08:00:00.000Z", "prompts": [], "results": list(results)}
    return {"evalId": "eval-1", "results": {**inner, "stats": stats}, "config": {}, "shareableUrl": None}


INSPECT_USAGE = {
    "input_tokens": 40,
    "output_tokens": 25,
    "total_tokens": 1065,
    "input_tokens_cache_write": 300,
    "input_tokens_cache_read": 700,
}


def model_event(**changes: object) -> dict[str, object]:
    """A call in the transcript of a sample of Inspect."""
    return {
        "uuid": "ev-1",
        "event": "model",
        "timestamp": "2026-11-01T08:00:00+00:00",
        "model": f"anthropic/{MODEL}",
        "output": {"model": MODEL, "usage": INSPECT_USAGE, "response_id": "msg_01Ab"},
        "request_ids": [{"id": "req_7", "header": "request-id", "status": 200}],
        **changes,
    }


def sample(*events: object, **changes: object) -> dict[str, object]:
    """A sample of Inspect."""
    usage = {f"anthropic/{MODEL}": INSPECT_USAGE}
    times = {"started_at": "2026-11-01T08:00:00+00:00", "completed_at": "2026-11-01T08:00:09+00:00"}
    return {"id": 1, "epoch": 1, "events": list(events), "model_usage": usage, "uuid": "smp-1", **times, **changes}


def inspect_log(*samples: object) -> dict[str, object]:
    """An evaluation of Inspect."""
    stats = {"completed_at": "2026-11-01T08:00:10+00:00", "model_usage": {f"anthropic/{MODEL}": INSPECT_USAGE}}
    task = {"eval_id": "e-1", "run_id": "r-1", "task": "rocks", "model": f"anthropic/{MODEL}"}
    return {"version": 2, "status": "success", "eval": task, "stats": stats, "samples": list(samples)}


def eval_archive(path: Path, *samples: object) -> Path:
    """An `.eval` archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"eval": {"eval_id": "e-1"}}))
        for number, one in enumerate(samples, 1):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(one))
        archive.writestr("summaries.json", "[]")
        archive.writestr("header.json", json.dumps({**inspect_log(), "samples": None}))
    return path


LLM_DETAILS = {"cache_creation_input_tokens": 300, "cache_read_input_tokens": 700}


def llm_row(name: str = "01m", **changes: object) -> dict[str, Any]:
    """A row of the log of `llm`."""
    return {
        "id": name,
        "model": f"anthropic/{MODEL}",
        "resolved_model": None,
        "input_tokens": 40,
        "output_tokens": 25,
        "token_details": json.dumps(LLM_DETAILS),
        "datetime_utc": "2026-11-01T08:00:00.000000",
        "conversation_id": "conv-1",
        **changes,
    }


def llm_database(path: Path, responses: tuple[dict[str, Any], ...], turns: tuple[dict[str, Any], ...] = ()) -> Path:
    """A log of `llm`; it has the table `turns` from version 0.32 on."""
    names = ("id", "model", "resolved_model", "input_tokens", "output_tokens", "token_details", "datetime_utc")
    database = sqlite3.connect(path)
    for table, key, rows in (("responses", "conversation_id", responses), ("turns", "thread_id", turns)):
        columns = (*names, key)
        database.execute(f"create table {table} ({', '.join(columns)}, prompt text)")
        for row in rows:
            values = [*(row[name] for name in names), row["conversation_id"], "secret"]
            database.execute(f"insert into {table} values ({', '.join('?' * len(values))})", values)  # noqa: S608
    database.commit()
    database.close()
    return path


def lines(*documents: object) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def items_of(*documents: object, dialect: str | None = None) -> list[Item]:
    """What is read of documents, one a line."""
    return list(read_logs(["-"], stdin=io.BytesIO(lines(*documents)), dialect=dialect))


def records_of(*documents: object, dialect: str | None = None) -> list[Record]:
    """Only the bills."""
    return [item for item in items_of(*documents, dialect=dialect) if isinstance(item, Record)]
