"""The usage and cost reports of an organization, page by page, through the real SDK with an admin key.

The SDK has no method for the two, so its client gets them by path.
https://platform.claude.com/docs/en/build-with-claude/usage-cost-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Self

from costkit.adapters.batches.reply import error_message
from costkit.adapters.tokens.asking import AuthenticationRefused, connect
from costkit.errors import InvalidInput, OperationFailed
from costkit.reconcile.pages import next_page

USAGE, COST = "usage_report/messages", "cost_report"
"""The two reports, below `/v1/organizations/`."""
KEY = "ANTHROPIC_ADMIN_KEY"
_DAYS_PER_PAGE = "31"
_MOST_PAGES = 10_000
_GROUPS = {USAGE: ("model", "service_tier", "workspace_id", "inference_geo"), COST: ("description", "workspace_id")}
_HINT = f"set {KEY} to an admin key of the organization"


class OrganizationApi:
    """The reports of the organization that the admin key in the environment belongs to; a context manager.

    Raises `InvalidInput` where there is no key, `AuthenticationRefused` where it has no right to the reports, and
    `OperationFailed` where the API can't be reached, keeps failing, or answers with something that is no report.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {**environ, "ANTHROPIC_API_KEY": environ.get(KEY) or environ.get("ANTHROPIC_API_KEY") or ""}
        self._stack = ExitStack()
        self._client: Any = None

    def __enter__(self) -> Self:
        if not self._environ["ANTHROPIC_API_KEY"] and not self._environ.get("ANTHROPIC_AUTH_TOKEN"):
            raise InvalidInput("the organization's reports need an admin key", hint=_HINT, code="no-api-key")
        self._client = self._stack.enter_context(connect(self._environ)).with_options(max_retries=2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def pages(self, report: str, first: date, last: date, workspace: str | None = None) -> Iterator[object]:
        """All pages of one of the two reports for these days, the last one included, as the API sends them."""
        query: dict[str, Any] = {
            "starting_at": f"{first}T00:00:00Z",
            "ending_at": f"{last + timedelta(days=1)}T00:00:00Z",
            "bucket_width": "1d",
            "limit": _DAYS_PER_PAGE,
            "group_by[]": list(_GROUPS[report]),
        }
        if workspace is not None and report == USAGE:
            query["workspace_ids[]"] = [workspace]
        for _ in range(_MOST_PAGES):
            page = self._get(report, query)
            yield page
            try:
                cursor = next_page(page, report)
            except InvalidInput as problem:
                raise OperationFailed(f"the API's answer can't be used: {problem}", code="bad-answer") from None
            if cursor is None:
                return
            if cursor == query.get("page"):
                break
            query = {**query, "page": cursor}
        raise OperationFailed(f"the pages of {report} have no end", code="bad-answer")

    def _get(self, report: str, query: Mapping[str, Any]) -> object:
        import anthropic

        try:
            return self._client.get(f"/v1/organizations/{report}", cast_to=object, options={"params": query})
        except anthropic.APIStatusError as failure:
            raise self._explained(failure) from None
        except anthropic.APIConnectionError:
            raise OperationFailed("the API can't be reached", code="connection") from None
        except (anthropic.AnthropicError, TypeError, ValueError) as problem:  # a body that ends too early, say
            name = type(problem).__name__
            raise OperationFailed(f"the API's answer can't be read ({name})", code="bad-answer") from None

    def _explained(self, failure: Any) -> Exception:
        message = error_message(failure.body, failure.status_code)
        for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
            if self._environ.get(name):
                message = message.replace(self._environ[name], "[secret]")
        if failure.status_code in (401, 403):
            return AuthenticationRefused(f"the API refused the key: {message}", hint=_HINT)
        if failure.status_code in (400, 404, 422):
            return InvalidInput(f"the API refused the question: {message}", code="refused")
        return OperationFailed(f"the API answered {failure.status_code}: {message}", code="server-error")
