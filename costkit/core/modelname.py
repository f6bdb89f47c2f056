"""Model names as people, gateways and clouds write them, brought to the form that the price book lists.

Normalising only removes what can't change the price of a first-party call: the prefix of a known provider, the region
of an inference profile and its version suffix, the date of a snapshot. It never shortens a name in any other way, so
`claude-fable-5-2` can't become `claude-fable-5`.
"""

from __future__ import annotations

import re
from datetime import date

_PROVIDER = re.compile(
    r"(?:anthropic|openrouter|bedrock|converse|invoke|vertex_ai|vertex|google|azure|azure_ai|foundry|litellm"
    r"|litellm_proxy|models|publishers/[a-z0-9_-]+/models|projects/[^/]+/locations/[^/]+"
    r"|(?<=bedrock/)[a-z]{2}(?:-[a-z]+)+-\d"
    r"|arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:inference-profile|foundation-model))/"
)
"""Prefixes of gateways and clouds; several may follow each other, as in `bedrock/converse/`."""
_REGION = re.compile(r"(?:global|apac|us-gov|[a-z]{2})\.(?=anthropic\.)")
_BEDROCK = "anthropic."
_BEDROCK_VERSION = re.compile(r"-v\d+(?::\d+)?(?::\d+k)?$")
_AT_DATE = re.compile(r"@(\d{8})$")
_AT_CHANNEL = re.compile(r"@(?:default|latest)$")
_DATED = re.compile(r"-(\d{4})(\d{2})(\d{2})$")
_DOTTED = re.compile(r"(?<=\d)\.(?=\d)")
_LONG_CONTEXT = "[1m]"


def spellings(name: str) -> tuple[str, ...]:
    """The listed names that `name` may stand for, most specific first; each must match exactly.

    The forms follow https://platform.claude.com/docs/en/about-claude/models/overview (Claude API, Amazon Bedrock and
    Google Cloud ids) and the prefixes that gateways add. The last form of a dated name is the one without its date;
    whether a model answers to that is for the price book to say.
    """
    text = _REGION.sub("", _without_provider(name.strip().lower()))
    is_bedrock = text.startswith(_BEDROCK)
    text = text.removeprefix(_BEDROCK).removesuffix(_LONG_CONTEXT)
    if is_bedrock:
        text = _BEDROCK_VERSION.sub("", text)
    text = _AT_CHANNEL.sub("", _AT_DATE.sub(r"-\1", text))
    text = _DOTTED.sub("-", text)
    forms = [text]
    if text.endswith("-latest"):
        forms.append(text.removesuffix("-latest"))
    if is_dated(text):
        forms.append(_DATED.sub("", text))
    return tuple(forms)


def is_dated(spelling: str) -> bool:
    """Whether a normalised name ends with the day of a snapshot."""
    dated = _DATED.search(spelling)
    return dated is not None and _is_calendar_day(*dated.groups())


def _without_provider(text: str) -> str:
    at = 0
    while prefix := _PROVIDER.match(text, at):
        at = prefix.end()
    return text[at:]


def _is_calendar_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
