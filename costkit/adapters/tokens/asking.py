"""One question to count_tokens at a time: patience where it helps, and errors that people can act on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import ExitStack
from threading import Event
from types import TracebackType
from typing import Any, Self

from costkit.errors import CostkitError, InvalidInput, OperationFailed

ATTEMPTS = 7
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 60.0
TIMEOUT_SECONDS = 60.0
_ARGUMENTS = frozenset(
    ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed")
)
_RETRIED = frozenset((408, 409, 429))
_SERVER_ERROR = 500


class AuthenticationRefused(OperationFailed):
    """Raised when the API doesn't accept the credential; trying again can't help."""

    default_code = "authentication"
    retryable = False


class ModelNotServed(Exception):
    """Raised when the API doesn't have the model (retired, or not for this account)."""

    def __init__(self, model: str, refusal: InvalidInput) -> None:
        super().__init__(model)
        self.model = model
        self.refusal = refusal


class Asker:
    """Holds the SDK's client. `stop` ends all waiting when the answers are no longer wanted."""

    def __init__(self, environ: Mapping[str, str], stop: Event) -> None:
        self._environ = environ
        self._stop = stop
        self._stack = ExitStack()
        self._client: Any = None

    def __enter__(self) -> Self:
        self._client = self._stack.enter_context(connect(self._environ))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def count(self, body: Mapping[str, Any]) -> int:
        """Ask for one count, again after passing failures; waits as long as the API says, at most a minute."""
        import anthropic

        for attempt in range(ATTEMPTS):
            try:
                return _tokens(self._send(body))
            except anthropic.APIStatusError as failure:
                if not _passing(failure.status_code) or attempt == ATTEMPTS - 1:
                    raise self._explained(failure, str(body["model"])) from None
                pause = _asked_pause(failure.response.headers) or _pause(attempt)
            except anthropic.APIConnectionError:
                if attempt == ATTEMPTS - 1:
                    raise OperationFailed(
                        "the API can't be reached", hint="--offline counts tokens locally", code="connection"
                    ) from None
                pause = _pause(attempt)
            except (anthropic.AnthropicError, TypeError, ValueError) as problem:
                raise _unusable(problem) from None
            if self._stop.wait(min(pause, LONGEST_WAIT_SECONDS)):
                break
        raise OperationFailed("counting was stopped", code="stopped")

    def _send(self, body: Mapping[str, Any]) -> Any:
        arguments = {name: value for name, value in body.items() if name in _ARGUMENTS}
        extra = {name: value for name, value in body.items() if name not in _ARGUMENTS and name != "betas"}
        betas = body.get("betas")
        headers = {"anthropic-beta": ",".join(map(str, betas))} if isinstance(betas, list) and betas else None
        return self._client.messages.count_tokens(**arguments, extra_body=extra or None, extra_headers=headers)

    def _explained(self, failure: Any, model: str) -> Exception:
        status = failure.status_code
        message = self._without_secrets(_message(failure))
        if status in (401, 403):
            hint = "check ANTHROPIC_API_KEY, or count locally with --offline"
            return AuthenticationRefused(f"the API refused the credential: {message}", hint=hint)
        if _passing(status):
            code = "rate-limited" if status == 429 else "server-error"  # noqa: PLR2004 - HTTP's own number
            return OperationFailed(f"the API answered {status} {ATTEMPTS} times: {message}", code=code)
        refusal = InvalidInput(f"the API can't count this request: {message}", code="refused")
        if status == 404:  # noqa: PLR2004 - HTTP's own number
            return ModelNotServed(model, refusal)
        return refusal

    def _without_secrets(self, text: str) -> str:
        for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
            secret = self._environ.get(name)
            if secret:
                text = text.replace(secret, "[secret]")
        return text


def connect(environ: Mapping[str, str]) -> Any:
    """The SDK's client for the credential in `environ`; without one it looks for a profile itself.

    The SDK's own retries are off: ours can be interrupted.
    """
    import anthropic

    settings: dict[str, Any] = {"max_retries": 0, "timeout": TIMEOUT_SECONDS}
    if environ.get("ANTHROPIC_BASE_URL"):
        settings["base_url"] = environ["ANTHROPIC_BASE_URL"]
    for name, argument in (
        ("ANTHROPIC_API_KEY", "api_key"),
        ("ANTHROPIC_AUTH_TOKEN", "auth_token"),
        ("ANTHROPIC_PROFILE", "profile"),
    ):
        if environ.get(name):
            settings[argument] = environ[name]
            break
    try:
        return anthropic.Anthropic(**settings)
    except (anthropic.AnthropicError, OSError, TypeError, ValueError) as problem:
        raise _unusable(problem) from None


def _unusable(problem: Exception) -> CostkitError:
    """What the SDK can't even send. Its own text may hold the credential, so only its kind is told."""
    text = str(problem).lower()
    if any(word in text for word in ("authentication", "credential", "api_key", "profile")):
        hint = "set ANTHROPIC_API_KEY, or count locally with --offline"
        return InvalidInput("exact token counts need an API key", hint=hint, code="no-api-key")
    return InvalidInput(f"this request can't be sent ({type(problem).__name__})", code="refused")


def _tokens(answer: object) -> int:
    tokens = getattr(answer, "input_tokens", None)
    if not isinstance(tokens, int) or tokens < 0:
        raise OperationFailed(
            "the API's answer holds no token count", hint="check ANTHROPIC_BASE_URL", code="bad-answer"
        )
    return tokens


def _passing(status: int) -> bool:
    return status in _RETRIED or status >= _SERVER_ERROR


def _message(failure: Any) -> str:
    body = failure.body if isinstance(failure.body, dict) else {}
    error = body.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return " ".join(str(message or f"status {failure.status_code}").split())


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _pause(attempt: int) -> float:
    """Doubling waits with jitter, so that many workers don't come back at once."""
    return float(FIRST_WAIT_SECONDS * 2**attempt * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
