"""A model that classifies requests: asked through the SDK, several at a time, or in a batch; each question once.

Satisfied questions are remembered by digest. An answer that was refused, cut off or is not of the schema is a verdict
without a kind; an API that fails is an error, and what was answered until then is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from costkit.adapters.atomic import write_atomically
from costkit.adapters.batches.reply import error_message
from costkit.adapters.prompts import read_file
from costkit.adapters.routing.answer_cache import AnswerCache
from costkit.adapters.tokens.asking import AuthenticationRefused, connect
from costkit.core.request import Request
from costkit.errors import CostkitError, InvalidInput, OperationFailed
from costkit.route.kinds import Verdict
from costkit.route.question import digest, no_verdict, question, verdict_of

_CONCURRENCY = 8
_RETRIES = 4
_NOT_ASKED = "the question has not been answered yet"
_REFUSED = (401, 403)
_CLIENT_ERRORS = range(400, 429)
Json = Mapping[str, Any]


def ask_all(
    requests: Sequence[Request], model: str, environ: Mapping[str, str], cache_dir: Path | None
) -> list[Verdict]:
    """A verdict for each request, in order; equal questions are asked once, remembered ones not at all.

    Raises `InvalidInput` where there is no credential or the API refuses the question, `AuthenticationRefused` where it
    refuses the credential, and `OperationFailed` where it can't be reached or keeps failing.
    """
    cache, bodies = AnswerCache(cache_dir), _bodies(requests, model)
    known = cache.find(list(bodies))
    missing = {name: body for name, body in bodies.items() if name not in known}
    if missing:
        known |= _ask(missing, environ, cache)
    return _in_order(requests, model, known)


def write_questions(requests: Sequence[Request], model: str, path: str, cache_dir: Path | None) -> list[Verdict]:
    """Write the questions without an answer yet as batch lines; what is known is returned, the rest unanswered."""
    bodies = _bodies(requests, model)
    known = AnswerCache(cache_dir).find(list(bodies))
    lines = [
        json.dumps({"custom_id": name, "params": body}, ensure_ascii=False)
        for name, body in bodies.items()
        if name not in known
    ]
    write_atomically(Path(path), "".join(f"{line}\n" for line in lines).encode())
    return _in_order(requests, model, known)


def answers_from(path: str, requests: Sequence[Request], model: str, cache_dir: Path | None) -> list[Verdict]:
    """The verdicts that the results of such a batch hold; they are remembered, and so are earlier ones used."""
    cache, bodies = AnswerCache(cache_dir), _bodies(requests, model)
    found = {name: verdict for name, verdict in _results(path) if name in bodies}
    if not found:
        raise InvalidInput("holds no answer to a question about these requests", where=path, code="no-answers")
    cache.keep(found)
    return _in_order(requests, model, cache.find([name for name in bodies if name not in found]) | found)


def _bodies(requests: Sequence[Request], model: str) -> dict[str, dict[str, object]]:
    """The distinct questions by digest."""
    bodies = (question(request, model) for request in requests)
    return {digest(body): body for body in bodies}


def _in_order(requests: Sequence[Request], model: str, known: Mapping[str, Verdict]) -> list[Verdict]:
    """The verdict of each request; a question that is shared is paid for by the first."""
    seen: set[str] = set()
    verdicts = []
    for request in requests:
        name = digest(question(request, model))
        verdict = known.get(name) or no_verdict(_NOT_ASKED)
        if name in seen:
            verdict = Verdict(verdict.kind, verdict.reasons, None, is_remembered=True)
        seen.add(name)
        verdicts.append(verdict)
    return verdicts


def _ask(bodies: Mapping[str, Json], environ: Mapping[str, str], cache: AnswerCache) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    with _client(environ) as client, ThreadPoolExecutor(_CONCURRENCY) as pool:
        futures = {pool.submit(ask_one, client, body): name for name, body in bodies.items()}
        try:
            for future in as_completed(futures):
                found[futures[future]] = future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            cache.keep(found)
    return found


def _client(environ: Mapping[str, str]) -> Any:
    try:
        return connect(environ).with_options(max_retries=_RETRIES)
    except InvalidInput as problem:
        if problem.code != "no-api-key":
            raise
        hint = "set ANTHROPIC_API_KEY, or use --classifier rules"
        raise InvalidInput("the classifier api needs an API key", hint=hint, code="no-api-key") from None


def ask_one(client: Any, body: Json) -> Verdict:
    """Ask one question through a client of the SDK; raises as `ask_all` does."""
    import anthropic

    try:
        message = client.messages.create(**body)
    except anthropic.APIStatusError as failure:
        raise _explained(failure) from None
    except anthropic.APIConnectionError:
        hint = "use --classifier rules to stay offline"
        raise OperationFailed("the API can't be reached", hint=hint, code="connection") from None
    except (anthropic.AnthropicError, TypeError, ValueError) as problem:
        if "authentication" in str(problem).lower() or "api_key" in str(problem):
            hint = "set ANTHROPIC_API_KEY, or use --classifier rules"
            raise InvalidInput("the classifier api needs an API key", hint=hint, code="no-api-key") from None
        raise OperationFailed(f"the question can't be sent ({type(problem).__name__})", code="bad-answer") from None
    return verdict_of(message.to_dict())


def _explained(failure: Any) -> CostkitError:
    status, message = failure.status_code, error_message(failure.body, failure.status_code)
    if status in _REFUSED:
        return AuthenticationRefused(f"the API refused the credential: {message}", hint="check ANTHROPIC_API_KEY")
    if status in _CLIENT_ERRORS and status not in (408, 409):
        return InvalidInput(f"the API refuses the classifier's question: {message}", code="refused")
    return OperationFailed(f"the API answered {status}: {message}", code="server-error")


def _results(path: str) -> Iterator[tuple[str, Verdict]]:
    for number, line in enumerate(read_file(path).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name, result = row["custom_id"], row["result"]
            message = result.get("message")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InvalidInput("is no line of batch results", where=f"{path}:{number}", code="no-answers") from None
        if isinstance(message, Mapping):
            yield name, verdict_of(message, is_batch=True)
        else:
            yield name, no_verdict(f"the question ended as {result.get('type')}")
