"""JSON in a text without the white space between its values: what it costs to send it indented."""

from __future__ import annotations

import json
import re

_DECODER = json.JSONDecoder()
_OPENING = re.compile(r"[\[{]\s*\n[ \t]*(?=[\"\[{\d\-tfn])")
"""A bracket with a line break behind it: how indented JSON begins, wherever in a text it stands."""
_PATIENCE = 4
"""How many times over a text is read for JSON that breaks off before the rest of it is left as it is."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\s+', re.DOTALL)


def compact_json(text: str) -> str | None:
    """The text with every indented JSON object or array in it written without white space; `None` where there is none.

    Only white space between values goes; texts and numbers stay as they are written, to the last character.
    """
    pieces: list[str] = []
    at, patience = 0, _PATIENCE * len(text)
    while patience > 0 and (opening := _OPENING.search(text, at)) is not None:
        start = opening.start()
        try:
            _, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as broken:
            patience -= broken.pos - start
            pieces.append(text[at : opening.end()])
            at = opening.end()
            continue
        except (ValueError, RecursionError):  # numbers that nobody reads, and nests that nobody means
            break
        pieces += [text[at:start], _without_space(text[start:end])]
        at = end
    compact = "".join([*pieces, text[at:]])
    return compact if pieces and compact != text else None


def _without_space(document: str) -> str:
    return _TOKEN.sub(lambda token: token[0] if token[0][0] == '"' else "", document)
