"""The dialects of other systems: loaded when a document is none of Anthropic's or costkit's, which most logs lack."""

from __future__ import annotations

from collections.abc import Callable

from costkit.adapters.logs.dialects import bedrock, inspect_ai, langfuse, litellm, llm_tool, promptfoo
from costkit.adapters.logs.dialects.dialect import Found
from costkit.adapters.logs.dialects.traces import Traces
from costkit.adapters.logs.documents import Document


def foreign_dialects(traces: Traces) -> dict[str, Callable[[Document], Found | None]]:
    """The dialects by name, in the order in which they are asked; `traces` collects what one file holds."""
    return {
        "bedrock": bedrock.recognise,
        "litellm": litellm.recognise,
        "langfuse": lambda document: langfuse.recognise(document, traces.add),
        "openinference": traces.recognise_openinference,
        "otel": traces.recognise,
        "promptfoo": promptfoo.recognise,
        "inspect": inspect_ai.recognise,
        "llm": llm_tool.recognise,
    }
