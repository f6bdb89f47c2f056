"""The organization's usage and cost reports: buckets of days, some to a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stand_in.values import Account, Reply, error

_USUAL_DAYS, _MOST_DAYS = 7, 31


def report_page(buckets: Sequence[dict[str, object]], account: Account, query: Mapping[str, str]) -> Reply:
    """The page of a report that is asked for; the cursor is the number of buckets before it."""
    if not account.is_admin:
        return error(403, "This endpoint requires an admin API key")
    if "starting_at" not in query:
        return error(400, "starting_at: Field required")
    if query.get("bucket_width", "1d") != "1d":
        return error(400, "bucket_width: Input should be '1d'")
    limit = query.get("limit", str(_USUAL_DAYS))
    if not limit.isdecimal() or not 1 <= int(limit) <= _MOST_DAYS:
        return error(400, f"limit: Input should be between 1 and {_MOST_DAYS}")
    start, end = query["starting_at"], query.get("ending_at", "9999")
    wanted = [bucket for bucket in buckets if start <= str(bucket["starting_at"]) < end]
    first = int(query.get("page", "page_0").removeprefix("page_"))
    following = first + int(limit)
    more = following < len(wanted)
    page = {"data": wanted[first:following], "has_more": more, "next_page": f"page_{following}" if more else None}
    return Reply(200, page)
