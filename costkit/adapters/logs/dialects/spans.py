"""Spans of a trace in the forms in which they are written down, each made the same.

Read are OTLP as JSON (`resourceSpans`, attributes as typed values, numbers as text), the line that the SDK's console
exporter prints (which leaves out the instrumentation scope), and rows of Phoenix (`context.span_id`,
`attributes.llm.token_count.prompt`, also nested). Documented at https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from costkit.adapters.logs.dialects.counted import child, children, first_of
from costkit.adapters.logs.dialects.dialect import Holder

_INTEGERS = ("intValue", "int_value")
_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue", "string_value", "int_value", "double_value")
_FLAT = "attributes."
_DEEPEST = 8
_MOST_DIGITS = 20


class Span(NamedTuple):
    """A span as far as a bill needs it."""

    trace: str
    id: str
    parent: str | None
    scope: str
    """The instrumentation that made it; empty where that was not written down."""
    start: object
    attributes: Holder
    service: object


def spans_in(document: Holder) -> list[Span] | None:
    """The spans of a document; `None` for one that is about something else."""
    resources = first_of(document, ("resourceSpans", "resource_spans"))
    if isinstance(resources, list):
        return [span for resource in children(resources) for span in _of_resource(resource)]
    context = child(document, "context") or {
        "trace_id": first_of(document, ("context.trace_id", "trace_id", "traceId")),
        "span_id": first_of(document, ("context.span_id", "span_id", "spanId")),
    }
    trace, name = context.get("trace_id"), context.get("span_id")
    if not isinstance(trace, str) or not isinstance(name, str):
        return None
    scope = child(document, "instrumentationScope") or child(document, "instrumentation_scope")
    resource = child(child(document, "resource"), "attributes")
    flat = {name: value for name, value in document.items() if name.startswith(_FLAT) and value is not None}
    if not isinstance(document.get("attributes"), dict) and not flat:
        return None  # a line of another kind that only says during which span it was written
    attributes = dict(_flat(child(document, "attributes"), "", _DEEPEST))
    attributes.update({name.removeprefix(_FLAT): value for name, value in flat.items()})
    parent = first_of(document, ("parent_id", "parentSpanId", "parent_span_id"))
    return [
        Span(
            trace,
            name,
            parent if isinstance(parent, str) else None,
            str(scope.get("name") or ""),
            first_of(document, ("start_time", "startTime", "startTimeUnixNano")),
            attributes,
            resource.get("service.name"),
        )
    ]


def _of_resource(resource: Holder) -> Iterator[Span]:
    service = _attributes(child(resource, "resource").get("attributes")).get("service.name")
    for scoped in children(first_of(resource, ("scopeSpans", "scope_spans", "instrumentationLibrarySpans"))):
        scope = child(scoped, "scope") or child(scoped, "instrumentationLibrary")
        for span in children(scoped.get("spans")):
            trace, name = first_of(span, ("traceId", "trace_id")), first_of(span, ("spanId", "span_id"))
            parent = first_of(span, ("parentSpanId", "parent_span_id"))
            yield Span(
                str(trace),
                str(name),
                parent if isinstance(parent, str) and parent else None,
                str(scope.get("name") or ""),
                _number(first_of(span, ("startTimeUnixNano", "start_time_unix_nano"))),
                _attributes(span.get("attributes")),
                service,
            )


def _attributes(listed: object) -> dict[str, object]:
    found = {}
    for item in children(listed):
        value = child(item, "value")
        for kind in _VALUES:
            if kind in value:
                found[str(item.get("key"))] = _number(value[kind]) if kind in _INTEGERS else value[kind]
    return found


def _is_integer(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit() and len(text) < _MOST_DIGITS


def _number(value: object) -> object:
    """JSON has 64-bit integers as texts."""
    return int(value) if isinstance(value, str) and _is_integer(value) else value


def _flat(holder: Holder, prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    for name, value in holder.items():
        if isinstance(value, dict) and depth:
            yield from _flat(value, f"{prefix}{name}.", depth - 1)
        else:
            yield prefix + name, value
