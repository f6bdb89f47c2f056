"""Where other evaluation programs keep their grades.

promptfoo (`promptfoo eval --output results.json`, or `.jsonl`): one result per test, prompt and provider; its `prompt`
tokens include what was read from and written to the cache; a result out of its own disk cache has no usage.
https://www.promptfoo.dev/docs/configuration/outputs

inspect (`.eval`, or `.json`): one sample per item and epoch with its scores, and the usage of all its calls by model.
https://inspect.aisi.org.uk/eval-logs.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from costkit.adapters.routing.graded_values import Json, name_of, request_of, score_of, usage_from
from costkit.core.notice import Notice
from costkit.core.request import Request
from costkit.core.response import BilledUsage
from costkit.errors import InvalidInput
from costkit.route.grades import Graded

_LOCAL = ("file:", "exec:", "python:", "package:", "http:", "https:", "echo")
_PROMPTFOO_ERROR = 2
_NOTHING: Json = {}


@dataclass(slots=True)
class Passed:
    """Counts what was not graded: an answer that never came says nothing about a model."""

    ungraded: dict[str, int] = field(default_factory=dict)

    def add(self, where: str) -> None:
        """Count one."""
        self.ungraded[where] = self.ungraded.get(where, 0) + 1

    def notices(self) -> Iterator[Notice]:
        """One for each file."""
        for where, count in self.ungraded.items():
            yield Notice("ungraded", f"{count:,} results ended with an error or without a score: left out", where)


def is_promptfoo(value: Json) -> bool:
    """Whether a document is an export of promptfoo."""
    results = value.get("results")
    return isinstance(results, Mapping) and isinstance(results.get("results"), list)


def is_promptfoo_row(value: Json) -> bool:
    """Whether a line is a result of promptfoo's JSONL export."""
    return "testIdx" in value and "provider" in value


def promptfoo_results(value: Json, where: str, passed: Passed) -> Iterator[Graded]:
    """The results of an export."""
    results = value["results"]
    assert isinstance(results, Mapping)  # noqa: S101  the caller looked
    for index, row in enumerate(results["results"]):
        if not isinstance(row, Mapping):
            raise InvalidInput("a result must be an object", where=f"{where}:results.results[{index}]")
        yield from promptfoo_result(row, f"{where}:results.results[{index}]", where, passed)


def promptfoo_result(row: Json, where: str, file: str, passed: Passed) -> Iterator[Graded]:
    """One result."""
    if row.get("error") and row.get("failureReason") == _PROMPTFOO_ERROR:
        passed.add(file)
        return
    prompt = _object(row.get("prompt"))
    test, variant = name_of(row.get("testIdx"), "testIdx", where), str(row.get("promptId") or "")[:8]
    yield Graded(
        where,
        f"test {test}, prompt {variant}" if variant else f"test {test}",
        _provider(row.get("provider"), where),
        score_of(row.get("score"), where),
        usage=_promptfoo_usage(row, where),
        request=_question(prompt.get("raw")),
    )


def _provider(provider: object, where: str) -> str:
    """The model in `anthropic:messages:claude-opus-5-5`; of a provider of one's own its label."""
    if isinstance(provider, str):
        return name_of(provider, "provider", where).rsplit(":", 1)[-1]
    found = _object(provider)
    name, label = found.get("id"), found.get("label")
    if isinstance(name, str) and not name.startswith(_LOCAL):
        return name_of(name, "provider", where).rsplit(":", 1)[-1]
    return name_of(label or name, "provider", where).rsplit(":", 1)[-1]


def _promptfoo_usage(row: Json, where: str) -> BilledUsage | None:
    tokens = _object(_object(row.get("response")).get("tokenUsage")) or _object(row.get("tokenUsage"))
    prompt, completion = tokens.get("prompt"), tokens.get("completion")
    if not isinstance(prompt, int) or not isinstance(completion, int) or not prompt:
        return None
    details = _object(tokens.get("completionDetails"))
    read, written = details.get("cacheReadInputTokens") or 0, details.get("cacheCreationInputTokens") or 0
    fresh = prompt - read - written if isinstance(read, int) and isinstance(written, int) else prompt
    counts = {
        "input_tokens": fresh,
        "output_tokens": completion,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    return usage_from(counts, where)


def _question(raw: object) -> Request | None:
    return request_of(raw, "prompt") if isinstance(raw, str) else None


def is_inspect(value: Json) -> bool:
    """Whether a document is a log of inspect."""
    return isinstance(value.get("eval"), Mapping) and "samples" in value


def inspect_samples(value: Json, where: str, scorer: str | None, passed: Passed) -> Iterator[Graded]:
    """The samples of a log."""
    samples, evaluation = value.get("samples"), _object(value.get("eval"))
    for index, sample in enumerate(samples if isinstance(samples, list) else ()):
        if not isinstance(sample, Mapping):
            raise InvalidInput("a sample must be an object", where=f"{where}:samples[{index}]")
        yield from inspect_sample(sample, evaluation, f"{where}:samples[{index}]", where, scorer, passed)


def inspect_sample(
    sample: Json, evaluation: Json, where: str, file: str, scorer: str | None, passed: Passed
) -> Iterator[Graded]:
    """One sample in one epoch."""
    scores = _object(sample.get("scores"))
    if sample.get("error") or not scores:
        passed.add(file)
        return
    model = name_of(evaluation.get("model"), "model", where)
    task = evaluation.get("task")
    item = name_of(sample.get("id"), "id", where)
    effort = _object(evaluation.get("model_generate_config")).get("effort")
    yield Graded(
        where,
        f"{task}: {item}" if isinstance(task, str) else item,
        model,
        score_of(_object(scores[_scorer(scores, scorer, where)]).get("value"), where),
        effort if isinstance(effort, str) else None,
        _inspect_usage(_object(sample.get("model_usage")), model, where),
        request=_inspect_question(sample.get("input"), where),
    )


def _scorer(scores: Json, scorer: str | None, where: str) -> str:
    if scorer is None and len(scores) > 1:
        raise InvalidInput(f"has {len(scores)} scores", where=where, hint=f"add --scorer {' or '.join(scores)}")
    name = scorer or next(iter(scores))
    if name not in scores:
        raise InvalidInput(f"has no score of {name!r}", where=where, hint=f"there is {', '.join(scores)}")
    return name


def _inspect_usage(by_model: Json, model: str, where: str) -> BilledUsage | None:
    """The usage of the graded model; what graders used is no cost of the answer."""
    tokens = _object(by_model.get(model))
    if not tokens:
        return None
    counts = {
        "input_tokens": tokens.get("input_tokens"),
        "output_tokens": tokens.get("output_tokens"),
        "cache_read_input_tokens": tokens.get("input_tokens_cache_read"),
        "cache_creation_input_tokens": tokens.get("input_tokens_cache_write"),
    }
    return usage_from(counts, where)


def _inspect_question(value: object, where: str) -> Request | None:
    """The input of a sample: a text, or chat messages, of which system messages are a system prompt."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return request_of(value, where) if isinstance(value, str) else None
    messages = [message for message in value if isinstance(message, Mapping)]
    system = [message.get("content") for message in messages if message.get("role") == "system"]
    rest = [
        {"role": message["role"], "content": message.get("content")}
        for message in messages
        if message.get("role") in ("user", "assistant")
    ]
    if not rest or not all(isinstance(text, str) for text in (*system, *(message["content"] for message in rest))):
        return None
    body: dict[str, object] = {"messages": rest}
    if system:
        body["system"] = "\n".join(str(text) for text in system)
    return request_of(body, where)


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else _NOTHING
