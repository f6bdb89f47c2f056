"""Message Batches through the real SDK: its credentials, headers and errors, but our own idea of when to try again.

The SDK repeats a create call whose reply was lost, and one call can become three paid batches; so a create call is made
exactly once, and what its failure says about the batch is told apart with care. Satisfies `BatchApi` of
`costkit.batch.ports`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from costkit.adapters.batches.reply import error_message, http_date, outcome_of_failure, public_url, remote_batch
from costkit.adapters.tokens.asking import AuthenticationRefused, connect
from costkit.batch.job import Account, RemoteBatch
from costkit.batch.ports import Body, Created, Outcome, OutcomeUnknown
from costkit.errors import CostkitError, InvalidInput, OperationFailed

_BATCHES = "/v1/messages/batches"
_PER_PAGE = 100
_RETRIES = 2
_READ_SECONDS = 60.0
_CREATE_SECONDS = 600.0
_CONNECT_SECONDS = 10.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NO_KEY_HINT = "set ANTHROPIC_API_KEY"
_FIRST_MOMENT = datetime.fromtimestamp(0, UTC)


class SdkBatchApi:
    """The batches of the account that the environment's credential belongs to; a context manager.

    Every method raises `InvalidInput` where there is no credential or nothing of the id, `AuthenticationRefused` where
    the API doesn't accept it, and `OperationFailed` where the API can't be reached or keeps failing.
    """

    def __init__(self, environ: Mapping[str, str], *, create_seconds: float = _CREATE_SECONDS) -> None:
        self._environ = environ
        self._create_seconds = create_seconds
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def newest(self) -> tuple[RemoteBatch | None, Account, datetime]:
        """The newest batch, whose account this is, and the API's clock.

        Where a proxy drops the `Date` header the creation of the newest batch stands in: a moment that isn't too late.
        """
        response = self._get(_BATCHES, {"limit": "1"})
        listed, _ = self._page(response)
        headers = response.headers
        account = Account(
            public_url(str(self._client.base_url)),
            headers.get("anthropic-organization-id"),
            headers.get("anthropic-workspace-id"),
        )
        newest = listed[0] if listed else None
        moment = http_date(headers.get("date")) or (newest.created_at if newest else _FIRST_MOMENT)
        return newest, account, moment

    def newest_first(self) -> Iterator[RemoteBatch]:
        """All batches, newest first, page by page as they are asked for."""
        query = {"limit": str(_PER_PAGE)}
        while True:
            batches, more = self._page(self._get(_BATCHES, query))
            yield from batches
            if not more or not batches:
                return
            query = {**query, "after_id": batches[-1].id}

    def create(self, body: Body) -> Outcome:
        """Post once, without any retry and without following a redirect.

        Raises `OperationFailed` where nothing was sent, and whatever reading the body raises: then it was not sent to
        its end, so there is no batch either.
        """
        import anthropic
        import httpx2

        upload = _Upload(body)
        headers = {"Content-Length": str(body.length), "Content-Type": "application/json"}
        try:
            response = self._client.post(
                _BATCHES,
                content=upload,  # the SDK hands it to httpx, which takes any iterable
                cast_to=httpx2.Response,
                options={
                    "headers": headers,
                    "max_retries": 0,
                    "follow_redirects": False,
                    "timeout": anthropic.Timeout(self._create_seconds, connect=_CONNECT_SECONDS),
                },
            )
        except anthropic.APIStatusError as failure:
            return outcome_of_failure(failure.status_code, self._clean(failure.body), failure.response.headers)
        except anthropic.APIConnectionError as failure:
            return self._outcome_of_break(upload, failure)
        except (anthropic.AnthropicError, TypeError, ValueError) as problem:
            if upload.started:
                return OutcomeUnknown(f"the call failed with {type(problem).__name__}")
            raise _unsendable(problem) from None
        try:
            return Created(remote_batch(response.json()))
        except ValueError as problem:
            return OutcomeUnknown(f"the API's reply can't be read: {self._clean(str(problem))}")

    def retrieve(self, batch_id: str) -> RemoteBatch:
        """One batch; `InvalidInput` if there is none of this id."""
        return self._one(self._get(_path_of(batch_id)))

    def cancel(self, batch_id: str) -> RemoteBatch:
        """Ask for the end of a batch; requests that are done stay done, and billed."""
        return self._one(self._call("post", f"{_path_of(batch_id)}/cancel"))

    @contextlib.contextmanager
    def results(self, batch_id: str) -> Iterator[Iterator[bytes]]:
        """The chunks of the results file, from the API's own host, redirects not followed.

        Raises `OperationFailed` (code `cut-off`) from the iterator where the stream breaks.
        """
        path = f"{_path_of(batch_id)}/results"
        response = self._call("get", path, stream=True, headers={"Accept": "application/binary"})
        try:
            yield _chunks(response)
        finally:
            response.close()

    @cached_property
    def _client(self) -> Any:
        try:
            return self._stack.enter_context(connect(self._environ))
        except InvalidInput as problem:
            if problem.code == "no-api-key":
                raise InvalidInput("Message Batches need an API key", hint=_NO_KEY_HINT, code="no-api-key") from None
            raise

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        return self._call("get", path, query=query)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        stream: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        import anthropic
        import httpx2

        options = {
            "params": dict(query or {}),
            "headers": dict(headers or {}),
            "max_retries": _RETRIES,
            "follow_redirects": False,
            "timeout": anthropic.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
        }
        more = {"stream": True, "stream_cls": anthropic.Stream[object]} if stream else {}
        try:
            return getattr(self._client, method)(path, cast_to=httpx2.Response, options=options, **more)
        except anthropic.APIStatusError as failure:
            raise self._explained(failure.status_code, self._clean(failure.body)) from None
        except anthropic.APIConnectionError as failure:
            if isinstance(failure.__cause__, httpx2.LocalProtocolError):
                raise _unsendable(failure.__cause__) from None
            raise self._unreachable("") from None
        except (anthropic.AnthropicError, TypeError, ValueError) as problem:
            raise _unsendable(problem) from None

    def _page(self, response: Any) -> tuple[list[RemoteBatch], bool]:
        document = _document(response)
        data = document.get("data")
        if not isinstance(data, list):
            raise _bad_answer("data is not a list")
        try:
            return [remote_batch(item) for item in data], bool(document.get("has_more"))
        except ValueError as problem:
            raise _bad_answer(str(problem)) from None

    def _one(self, response: Any) -> RemoteBatch:
        try:
            return remote_batch(_document(response))
        except ValueError as problem:
            raise _bad_answer(str(problem)) from None

    def _outcome_of_break(self, upload: _Upload, failure: Exception) -> Outcome:
        import anthropic

        if upload.failure is not None:
            raise upload.failure from None
        if not upload.started:
            raise self._unreachable("; nothing was sent") from None
        if isinstance(failure, anthropic.APITimeoutError):
            return OutcomeUnknown("no reply in time")
        return OutcomeUnknown("the connection broke before the reply")

    def _unreachable(self, consequence: str) -> OperationFailed:
        place = public_url(str(self._client.base_url))
        hint = "check the network and ANTHROPIC_BASE_URL"
        return OperationFailed(f"the API can't be reached at {place}{consequence}", hint=hint, code="connection")

    def _explained(self, status: int, body: object) -> CostkitError:
        message = error_message(body, status)
        if status in (401, 403):
            return AuthenticationRefused(
                f"the API refused the credential: {message}", hint="check ANTHROPIC_API_KEY and its workspace"
            )
        if status == 404:  # noqa: PLR2004 - HTTP's own number
            return InvalidInput(f"the API doesn't have this: {message}", code="not-found")
        if status in (408, 409, 429) or status >= 500:  # noqa: PLR2004 - HTTP's own numbers
            code = "rate-limited" if status == 429 else "server-error"  # noqa: PLR2004 - HTTP's own number
            return OperationFailed(f"the API answered {status} {_RETRIES + 1} times: {message}", code=code)
        if 300 <= status < 400:  # noqa: PLR2004 - HTTP's own numbers
            hint = "check ANTHROPIC_BASE_URL"
            return InvalidInput(f"the API redirects elsewhere ({status}), which is not followed", hint=hint)
        return InvalidInput(f"the API refused the call ({status}): {message}", code="refused")

    def _clean(self, content: Any) -> Any:
        """Content of a reply without the credential, should anything have echoed it."""
        if isinstance(content, Mapping):
            return {name: self._clean(value) for name, value in content.items()}
        if not isinstance(content, str):
            return content
        for secret in (self._client.api_key, self._client.auth_token):
            if secret:
                content = content.replace(secret, "[secret]")
        return content


class _Upload:
    """The body while it is sent. Its last chunk is held back until all was read without an error.

    So a body that turns out to have changed is never complete on the other side.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self.started = False
        self.failure: CostkitError | None = None

    def __iter__(self) -> Iterator[bytes]:
        self.started = True
        held = b""
        left = self._body.length
        try:
            for chunk in self._body.chunks():
                left -= len(chunk)
                if held:
                    yield held
                held = chunk
            if left:
                raise OperationFailed("the body has another length than planned", code="input-changed")
        except CostkitError as failure:
            self.failure = failure
            raise
        yield held


def _path_of(batch_id: str) -> str:
    if not _ID.fullmatch(batch_id):
        raise InvalidInput(f"{batch_id!r} is not a batch id", code="not-found")
    return f"{_BATCHES}/{batch_id}"


def _chunks(response: Any) -> Iterator[bytes]:
    import httpx2

    try:
        yield from response.iter_bytes()
    except (httpx2.HTTPError, httpx2.StreamError):
        raise OperationFailed("the results were cut off", hint="try again", code="cut-off") from None


def _document(response: Any) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        raise _bad_answer("not a JSON object")
    return document


def _bad_answer(problem: str) -> OperationFailed:
    hint = "check ANTHROPIC_BASE_URL"
    return OperationFailed(f"the API's answer can't be read: {problem}", hint=hint, code="bad-answer")


def _unsendable(problem: Exception) -> CostkitError:
    """What the SDK can't even send. Its own text may hold the credential, so only its kind is told."""
    text = str(problem).lower()
    if any(word in text for word in ("authentication", "credential", "api_key", "profile")):
        return InvalidInput("Message Batches need an API key", hint=_NO_KEY_HINT, code="no-api-key")
    return InvalidInput(f"this can't be sent ({type(problem).__name__})", hint=_NO_KEY_HINT, code="refused")
