"""Model names as people, gateways and clouds write them, brought to the form that the price book lists.

Normalising only removes what can't change the price of a first-party call: the provider's prefix, the region of an
inference profile, a version suffix, the date of a snapshot. It never shortens a name in any other way, so
`claude-fable-5-2` can't become `claude-fable-5`.
"""

from __future__ import annotations

import re
from datetime import date

_REGION = re.compile(r"(?:global|us|eu|au|jp|apac|us-gov)\.(?=anthropic\.)")
_BEDROCK_VERSION = re.compile(r"-v\d+(?::\d+)?(?::\d+k)?$")
_AT_DATE = re.compile(r"@(\d{8})$")
_AT_CHANNEL = re.compile(r"@(?:default|latest)$")
_DATED = re.compile(r"-(\d{4})(\d{2})(\d{2})$")
_DOTTED = re.compile(r"(?<=\d)\.(?=\d)")
_LONG_CONTEXT = "[1m]"


def spellings(name: str) -> tuple[str, ...]:
    """The listed names that `name` may stand for, most specific first; each must match exactly.

    The forms follow https://platform.claude.com/docs/en/about-claude/models/overview (Claude API, Amazon Bedrock and
    Google Cloud ids) and the prefixes that gateways add.
    """
    text = name.strip().lower()
    text = text.rsplit("/", 1)[-1]  # anthropic/…, vertex_ai/…, arn:…:inference-profile/…, publishers/…/models/…
    text = _REGION.sub("", text).removeprefix("anthropic.")
    text = text.removesuffix(_LONG_CONTEXT)
    text = _BEDROCK_VERSION.sub("", text)
    text = _AT_CHANNEL.sub("", _AT_DATE.sub(r"-\1", text))
    text = _DOTTED.sub("-", text)
    forms = [text]
    if text.endswith("-latest"):
        forms.append(text.removesuffix("-latest"))
    dated = _DATED.search(text)
    if dated and _is_calendar_day(*dated.groups()):
        forms.append(text[: dated.start()])
    return tuple(forms)


def _is_calendar_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
